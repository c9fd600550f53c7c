"""Boxes of what a word says, by Grounding DINO (arXiv 2303.05499), without a model hub.

The network is the package rf-groundingdino's, whose attention needs no compiled code. Its text encoder is built from
BERT's published sizes and filled from Grounding DINO's own file, which holds all of BERT's weights; only BERT's list of
words has to lie beside it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vcd_ext.identity.photos.photo import Pixels
from vcd_ext.identity.segment.boxes import Box
from vcd_ext.identity.segment.packages import imported
from vcd_ext.storage import tensor_file

BOX_THRESHOLD, TEXT_THRESHOLD = 0.3, 0.25  # those of the paper's code
SHORT, LONG = 800, 1333  # the sides that a picture is brought to, in pixels
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

BACKBONES = {96: "swin_T_224_1k", 128: "swin_B_384_22k"}  # by the channels of its first layer
_FIRST_LAYER = "backbone.0.patch_embed.proj.weight"
# Newer versions of transformers count them as part of the code.
_NO_WEIGHTS = {"bert.embeddings.position_ids"}
_WHAT_TO_USE = "Use groundingdino_swint_ogc.pth or groundingdino_swinb_cogcoor.pth."


class GroundingDino:
    """Finds boxes by a word."""

    def __init__(self, network: Any, device: torch.device | str = "cpu"):
        """network: as `build_grounding_dino` makes it."""
        self.device = torch.device(device)
        self.network = network.eval().requires_grad_(False).to(self.device)

    @classmethod
    def load(cls, weights: Path, vocabulary: Path, device: torch.device | str = "cpu") -> "GroundingDino":
        """Read one of the two published files; `vocabulary` is BERT's vocab.txt. ValueError if either is no such."""
        state = _state(weights)
        network = build_grounding_dino(BACKBONES[state[_FIRST_LAYER].shape[0]], vocabulary)
        try:
            absent = set(network.load_state_dict(state, strict=False).missing_keys) - _NO_WEIGHTS
        except RuntimeError as error:
            raise ValueError(f"{weights.name} is damaged or of another kind. {_WHAT_TO_USE}") from error
        if absent:
            raise ValueError(f"{weights.name} lacks '{min(absent)}': it is damaged or of another kind. {_WHAT_TO_USE}")
        return cls(network, device)

    @torch.no_grad()
    def __call__(self, pixels: Pixels, word: str) -> list[Box]:
        """Find all boxes of `word` in pixels uint8 [H, W, 3] RGB with scores above the thresholds, best first."""
        caption = f"{word.strip().lower()}."
        found = self.network(_prepared(pixels)[None].to(self.device), captions=[caption])
        scores = found["pred_logits"][0].sigmoid().float().cpu()  # [queries, tokens]
        best = scores.max(dim=1).values
        # A box may be sure of the full stop alone: then it is not the word's.
        meant = scores[:, self._places(caption)].max(dim=1).values > TEXT_THRESHOLD
        kept = (best > BOX_THRESHOLD) & meant
        height, width = pixels.shape[:2]
        boxes = _corners(found["pred_boxes"][0].float().cpu()[kept], width, height)
        rows = torch.cat((boxes, best[kept][:, None]), dim=1)
        return [Box._make(row) for row in rows[best[kept].argsort(descending=True)].tolist()]

    def _places(self, caption: str) -> list[int]:
        """Return the places of the word's tokens among those of the caption."""
        tokens = self.network.tokenizer(caption).input_ids
        places = [place for place, token in enumerate(tokens) if token not in self.network.specical_tokens]
        if not places:
            raise ValueError("there is no word to look for; write what the photos show, for example dog.")
        return places


def build_grounding_dino(
    backbone: str, vocabulary: Path, bert: Mapping[str, int] | None = None, **settings: Any
) -> Any:
    """Build the network with random weights. bert: sizes other than BERT's; settings: other than the published."""
    from transformers import BertConfig, BertModel, BertTokenizerFast  # here, because importing them takes seconds

    published = vars(imported("groundingdino.config.GroundingDINO_SwinT_OGC"))
    chosen = {name: value for name, value in published.items() if not name.startswith("_")} | {
        "backbone": backbone,
        # They save memory in training.
        "use_checkpoint": False,
        "use_transformer_ckpt": False,
    }
    tokenizer = BertTokenizerFast(str(vocabulary), do_lower_case=True)
    text_encoder = BertModel(BertConfig(**(bert or {})))
    with _given(tokenizer, text_encoder):
        return imported("groundingdino.models").build_model(SimpleNamespace(**(chosen | settings)))


@contextmanager
def _given(tokenizer: Any, text_encoder: Any) -> Iterator[None]:
    """Let the package take these within this context instead of downloading its own."""
    source: Any = imported("groundingdino.util.get_tokenlizer")
    own = source.get_tokenlizer, source.get_pretrained_language_model
    source.get_tokenlizer = lambda _: tokenizer
    source.get_pretrained_language_model = lambda _: text_encoder
    try:
        yield
    finally:
        source.get_tokenlizer, source.get_pretrained_language_model = own


def _state(weights: Path) -> dict[str, Tensor]:
    """Return the tensors of a file by the network's names."""
    loaded = tensor_file.read(weights)
    state = loaded.get("model", loaded) if isinstance(loaded, Mapping) else {}
    state = {str(key).removeprefix("module."): value for key, value in state.items()}
    first = state.get(_FIRST_LAYER)
    if not isinstance(first, Tensor) or first.shape[0] not in BACKBONES:
        raise ValueError(f"{weights.name} holds no Grounding DINO of a known size. {_WHAT_TO_USE}")
    return state


def _prepared(pixels: Pixels) -> Tensor:
    """Convert to a picture [3, h, w] of the size and range that the network was trained with."""
    height, width = pixels.shape[:2]
    factor = min(SHORT / min(height, width), LONG / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    picture = Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR)
    values = torch.from_numpy(np.array(picture)).float() / 255
    return ((values - torch.tensor(MEAN)) / torch.tensor(STD)).permute(2, 0, 1)


def _corners(boxes: Tensor, width: int, height: int) -> Tensor:
    """Convert boxes [n, 4], middle and size in shares of the picture, to corners in pixels inside it."""
    middle, half = boxes[:, :2], boxes[:, 2:] / 2
    corners = torch.cat((middle - half, middle + half), dim=1).clamp(0, 1)
    return corners * torch.tensor([width, height, width, height])
