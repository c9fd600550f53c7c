"""CLIP (Radford et al., arXiv 2103.00020) as measures use it: OpenAI's weights, read by open_clip.

ViT-B/32 and ViT-L/14 are two encoders, whose cosines do not compare; a file of the one is refused as the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from vcd_ext.metrics.encoder_file import EncoderFile
from vcd_ext.storage import tensor_file

Vectors = NDArray[np.float32]
Pictures = Sequence[NDArray[np.uint8]]  # each [H, W, 3], RGB

SIDE = 224  # pixels of the square that the image encoder sees
AT_ONCE = 32  # pictures that it sees at a time
_OPENAI = "https://openaipublic.azureedge.net/clip/models"
_PATCHES, _PLACES = "visual.conv1.weight", "visual.positional_embedding"


@dataclass(frozen=True)
class ClipKind:
    """One of OpenAI's encoders."""

    name: str
    patch: int  # pixels of a patch's side
    width: int  # of the image encoder
    sha256: str  # of OpenAI's own file, which is a TorchScript program
    file: EncoderFile


def _kind(name: str, short: str, hub: str, patch: int, width: int, sha256: str) -> ClipKind:
    file = EncoderFile(
        f"CLIP {name}",
        "clip",
        (f"{short}.pt", f"{short}.safetensors"),
        (Path.home() / ".cache/clip",),
        ((hub, "open_clip_model.safetensors"), (hub, "open_clip_pytorch_model.bin")),
        f"{_OPENAI}/{sha256}/{short}.pt",
    )
    return ClipKind(name, patch, width, sha256, file)


B32 = _kind("ViT-B/32", "ViT-B-32", "timm/vit_base_patch32_clip_224.openai", 32, 768,
            "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af")  # fmt: skip
L14 = _kind("ViT-L/14", "ViT-L-14", "timm/vit_large_patch14_clip_224.openai", 14, 1024,
            "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836")  # fmt: skip


class ClipEncoder:
    """Makes vectors of pictures and of texts, which lie in one space."""

    def __init__(self, network: Any, device: torch.device | str = "cpu"):
        """network: an `open_clip` CLIP; it computes in float32 on the device."""
        from open_clip.transform import image_transform

        self.network = network.float().eval().requires_grad_(False).to(device)
        self.device = device
        self.prepared = image_transform(SIDE, is_train=False)

    @classmethod
    def load(cls, kind: ClipKind, path: Path, device: torch.device | str = "cpu") -> ClipEncoder:
        """Read the weights at `path`; ValueError, in one sentence, if they are damaged or another encoder's."""
        from open_clip.model import build_model_from_openai_state_dict

        tensors = _tensors(kind, path)
        _check_kind(kind, tensors, path)
        try:
            return cls(build_model_from_openai_state_dict(tensors), device)
        except (KeyError, RuntimeError, AttributeError) as error:
            raise ValueError(_not_it(kind, path, "it lacks parts of it")) from error

    @torch.inference_mode()
    def pictures(self, pictures: Pictures) -> Vectors:
        """Return the vectors [n, d] of pictures: the shorter side at 224 pixels (bicubic), the square in the middle."""
        found = []
        for start in range(0, len(pictures), AT_ONCE):
            part = [self.prepared(Image.fromarray(picture)) for picture in pictures[start : start + AT_ONCE]]
            found.append(self.network.encode_image(torch.stack(part).to(self.device)).float().cpu())
        return np.asarray(torch.cat(found).numpy(), np.float32)

    @torch.inference_mode()
    def text(self, text: str) -> Vectors:
        """Return the vector [d] of a text; what is beyond 75 tokens is cut off, as CLIP's own tokenizer does."""
        from open_clip import tokenize

        tokens = tokenize([text], self.network.context_length).to(self.device)
        return np.asarray(self.network.encode_text(tokens).float().cpu().numpy()[0], np.float32)


def _tensors(kind: ClipKind, path: Path) -> dict[str, Tensor]:
    """Read a file of tensors, or OpenAI's own program, of which only the tensors are used."""
    if path.suffix == ".pt" and hashlib.sha256(path.read_bytes()).hexdigest() == kind.sha256:
        return dict(torch.jit.load(str(path), map_location="cpu").state_dict())
    loaded = tensor_file.read(path)
    if isinstance(loaded, Mapping):
        loaded = loaded.get("state_dict", loaded)
    if not isinstance(loaded, Mapping) or not all(isinstance(loaded.get(key), Tensor) for key in (_PATCHES, _PLACES)):
        raise ValueError(_not_it(kind, path, "it holds something else"))
    tensors = {str(key): value for key, value in loaded.items() if isinstance(value, Tensor)}
    tensor_file.check_finite(tensors, path.name)
    return tensors


def _check_kind(kind: ClipKind, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Raise ValueError for another size of patch or picture, or a wider network: another member of the family."""
    width, patch = tensors[_PATCHES].shape[0], tensors[_PATCHES].shape[-1]
    side = patch * round((len(tensors[_PLACES]) - 1) ** 0.5)
    if (patch, side) != (kind.patch, SIDE) or width > kind.width:
        raise ValueError(_not_it(kind, path, f"its patches are {patch} pixels of {side}, its width is {width}"))


def _not_it(kind: ClipKind, path: Path, why: str) -> str:
    return f"{path} is not CLIP {kind.name}: {why}; get {kind.file.source} in its place."
