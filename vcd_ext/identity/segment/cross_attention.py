"""Where a UNet looks for a word: its cross-attention, read with hooks while it denoises (arXiv 2210.04885)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class WordMaps:
    """The sum over layers and calls of how much each place of the latents attends to some tokens."""

    def __init__(self, tokens: Sequence[int], size: tuple[int, int]):
        """tokens: their places among the text condition's 77; size: height and width of the latents."""
        self.tokens, self.size = list(tokens), size
        self.total = torch.zeros(1, 1, *size)
        self.count = 0

    def add(self, query: Tensor, key: Tensor, heads: int) -> None:
        """Add a layer's attention. Projections: query [1, places, channels], key [1, 77, channels]."""
        query, key = (part[0].float().unflatten(-1, (heads, -1)).transpose(0, 1) for part in (query, key))
        weights = (query @ key.transpose(1, 2) / query.shape[-1] ** 0.5).softmax(dim=-1)  # [heads, places, 77]
        found = weights[..., self.tokens].sum(dim=-1).mean(dim=0)
        height, width = self.size
        factor = round((height * width / len(found)) ** 0.5)
        shape = (1, 1, height // factor, width // factor)
        self.total += F.interpolate(found.reshape(shape), self.size, mode="bilinear", align_corners=False).cpu()
        self.count += 1

    @property
    def mean(self) -> Tensor:
        """The average [h, w], from 0 to 1. ValueError if no layer was heard."""
        if self.count == 0:
            raise ValueError("the UNet has no cross-attention that can be read.")
        return self.total[0, 0] / self.count


@contextmanager
def listening(unet: nn.Module, maps: WordMaps) -> Iterator[None]:
    """Add every cross-attention of an LDM or diffusers UNet to `maps` within this context.

    The layers are found by their names; only the outputs of their projections are read, so it does not matter which
    attention code multiplies them.
    """
    with ExitStack() as stack:
        for name, layer in unet.named_modules():
            if name.split(".")[-1] == "attn2" and hasattr(layer, "to_q") and hasattr(layer, "to_k"):
                heard: dict[str, Tensor] = {}
                for projection in ("to_q", "to_k"):
                    hook = _hook(projection, heard, layer, maps)
                    stack.callback(getattr(layer, projection).register_forward_hook(hook).remove)
        yield


def _hook(projection: str, heard: dict[str, Tensor], layer: Any, maps: WordMaps) -> Callable[..., None]:
    def hear(_module: nn.Module, _args: Any, output: Tensor) -> None:
        heard[projection] = output.detach()
        if len(heard) == 2:
            maps.add(heard["to_q"], heard["to_k"], layer.heads)
            heard.clear()

    return hear
