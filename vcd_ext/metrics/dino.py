"""DINO (Caron et al., arXiv 2104.14294): ViT-S/16, the authors' weights, read by timm.

DreamBooth (arXiv 2208.12242, section 4) measures subjects with it, as it was not taught to see members of one class as
the same thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vcd_ext.metrics.clip import AT_ONCE, SIDE, Pictures, Vectors
from vcd_ext.metrics.encoder_file import EncoderFile
from vcd_ext.storage import tensor_file

FILE = EncoderFile(
    "DINO ViT-S/16",
    "dino",
    ("dino_deitsmall16_pretrain.pth", "dino_vits16.pth", "dino_vits16.safetensors"),
    (Path(torch.hub.get_dir()) / "checkpoints",),
    (("timm/vit_small_patch16_224.dino", "model.safetensors"),
     ("timm/vit_small_patch16_224.dino", "pytorch_model.bin")),
    "https://dl.fbaipublicfiles.com/dino/dino_deitsmall16_pretrain/dino_deitsmall16_pretrain.pth",
)  # fmt: skip
PATCH, WIDTH, HEAD = 16, 384, 64  # pixels of a patch's side; values of a token, and of one head's part of it
_LARGER = 256  # pixels of the shorter side, out of which the square is cut: the authors' own evaluation
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
_PATCHES, _PLACES = "patch_embed.proj.weight", "pos_embed"


class DinoEncoder:
    """Makes vectors of pictures: the class token behind the last norm."""

    def __init__(self, tensors: Mapping[str, Tensor], device: torch.device | str = "cpu"):
        """tensors: by timm's names, which are the authors'. ValueError if they are no ViT with patches of 16 pixels."""
        from timm.models.vision_transformer import VisionTransformer
        from torchvision import transforms

        width = len(tensors[_PATCHES])
        layers = len({name.split(".")[1] for name in tensors if name.startswith("blocks.")})
        self.network = VisionTransformer(
            img_size=SIDE, patch_size=PATCH, embed_dim=width, depth=layers, num_heads=width // HEAD, num_classes=0
        )
        self.network.load_state_dict(dict(tensors))
        self.network.float().eval().requires_grad_(False).to(device)
        self.device = device
        self.prepared = transforms.Compose([
            transforms.Resize(_LARGER, transforms.InterpolationMode.BICUBIC), transforms.CenterCrop(SIDE),
            transforms.ToTensor(), transforms.Normalize(_MEAN, _SPREAD),
        ])  # fmt: skip

    @classmethod
    def load(cls, path: Path, device: torch.device | str = "cpu") -> DinoEncoder:
        """Read the weights at `path`; ValueError, in one sentence, if they are damaged or another network's."""
        loaded = tensor_file.read(path)
        if not isinstance(loaded, Mapping) or not all(
            isinstance(loaded.get(key), Tensor) for key in (_PATCHES, _PLACES)
        ):
            raise ValueError(_not_dino(path, "it holds something else"))
        width, patch = loaded[_PATCHES].shape[0], loaded[_PATCHES].shape[-1]
        places = loaded[_PLACES].shape[1] - 1
        if patch != PATCH or places != (SIDE // PATCH) ** 2 or width > WIDTH or width % HEAD:
            raise ValueError(_not_dino(path, f"its patches are {patch} pixels, {places} of them, its width is {width}"))
        tensor_file.check_finite(loaded, path.name)
        try:
            return cls(loaded, device)
        except RuntimeError as error:
            raise ValueError(_not_dino(path, "it lacks parts of it, or has others")) from error

    @torch.inference_mode()
    def pictures(self, pictures: Pictures) -> Vectors:
        """Return the vectors [n, 384] of pictures: the shorter side at 256 pixels (bicubic), 224 in the middle."""
        found = []
        for start in range(0, len(pictures), AT_ONCE):
            part = [self.prepared(Image.fromarray(picture)) for picture in pictures[start : start + AT_ONCE]]
            found.append(self.network(torch.stack(part).to(self.device)).cpu())
        return np.asarray(torch.cat(found).numpy(), np.float32)


def _not_dino(path: Path, why: str) -> str:
    return f"{path} is not DINO ViT-S/16: {why}; get {FILE.source} in its place."
