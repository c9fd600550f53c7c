"""Let each region of the picture attend to a text of its own, in every cross-attention of a UNet.

The outputs of a layer for the texts are blended place by place (as the attention mode of Regional Prompter does, and
mixtures of diffusers, arXiv 2302.02412, do with whole predictions). The texts of the people travel behind the text of
the whole picture, along the tokens of the condition, and are taken off before the UNet: so schedules, joined prompts
and windows need to know nothing of them, and a ControlNet beside the UNet hears the text of the whole picture. A
condition whose part for the people is all zeros, such as the negative prompt's, has no regions.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vcd_ext.denoising.multidiffusion import Divisible
from vcd_ext.denoising.partition import Tile
from vcd_ext.denoising.unet import Forward, forward_replaced, is_ldm
from vcd_ext.motion.windows import Window
from vcd_ext.people.regions import Regions

ARGUMENT = "people"  # by which a call of the UNet carries the regions
LEAST = 1e-3  # share of a region below which nothing of it is heard


def with_people(cond: Tensor, texts: Sequence[Tensor]) -> Tensor:
    """Put the texts of the people, [tokens, width] each, behind a condition [(rows,) tokens, width]."""
    behind = [text.to(cond).expand(*cond.shape[:-2], -1, -1) for text in texts]
    return torch.cat([cond, *behind], dim=-2)


def without_people(cond: Tensor, tokens: int) -> Tensor:
    """Put zeros of so many tokens behind a condition, which therefore has no regions."""
    return torch.cat([cond, cond.new_zeros(*cond.shape[:-2], tokens, cond.shape[-1])], dim=-2)


@contextmanager
def heard_by_region(unet: nn.Module, regions: Regions, frames: int, lengths: Sequence[int]) -> Iterator[None]:
    """Let the regions attend to the texts of the people within this context.

    unet: an LDM `UNetModel` or a diffusers `UNet2DConditionModel`. lengths: tokens of each person's text, which stand
    at the end of the condition of each call, in the order of the regions. The rows of each call are whole videos; other
    row counts raise ValueError, as does a condition that is too short. A `multidiffusion` that is entered after this
    divides the regions as it divides the latents. What stands in the place of the UNet's forward function before this
    is given the text of the whole picture alone.
    """
    call = _Call(is_ldm(unet), lengths)
    made: dict[tuple[int, int], _Shares] = {}

    def carry(_unet: nn.Module, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        latents: Tensor = args[0] if args else kwargs["x" if "x" in kwargs else "sample"]
        height, width = latents.shape[-2:]
        if (height, width) not in made:  # two sizes at most: the second is that of a hires pass
            made[height, width] = _Shares(regions.shares(height, width, frames), range(frames))
        return args, {**kwargs, ARGUMENT: made[height, width]}

    with ExitStack() as stack:
        stack.callback(unet.register_forward_pre_hook(carry, with_kwargs=True).remove)
        stack.enter_context(forward_replaced(unet, call.around))
        for layer in cross_attentions(unet):
            stack.callback(layer.register_forward_hook(call.blended, with_kwargs=True).remove)
        yield


def cross_attentions(unet: nn.Module) -> Iterator[nn.Module]:
    """Yield the layers that attend to the text; they are found by their names."""
    for name, layer in unet.named_modules():
        if name.split(".")[-1] == "attn2" and hasattr(layer, "to_q") and hasattr(layer, "to_k"):
            yield layer


class _Shares(Divisible):
    """Hold how much each text counts at each place: of a video, or of a window and a tile."""

    def __init__(self, shares: Tensor, frames: Sequence[int]):
        """shares: [1 or all frames, 1 + people, h, w]. frames: the numbers of those that the rows hold."""
        self._shares, self.frames = shares, frames
        self._sizes: dict[int, Tensor] = {}
        self._parts: dict[Any, _Shares] = {}

    def part(self, window: Window, tile: Tile | None) -> "_Shares":
        """Return those of a window and, in latents, a tile."""
        key = (tuple(window.frames), None if tile is None else tile[:4])
        if key not in self._parts:
            shares = self._shares
            if tile is not None:
                top, left, height, width = tile[:4]
                shares = shares[..., top : top + height, left : left + width]
            self._parts[key] = _Shares(shares, window.frames)
        return self._parts[key]

    @property
    def heard(self) -> list[int]:
        """Return the numbers of the people, from 0, who are anywhere in it."""
        most = self._own().amax(dim=(0, 2, 3))[1:]
        return [i for i, share in enumerate(most.tolist()) if share > LEAST]

    def at(self, places: int) -> Tensor:
        """Return the shares [1 or frames, 1 + people, places] in a layer that sees so many places."""
        if places not in self._sizes:
            height, width = _size(places, *self._shares.shape[-2:])
            self._sizes[places] = F.interpolate(self._own(), (height, width), mode="area").flatten(2)
        return self._sizes[places]

    def _own(self) -> Tensor:
        return self._shares if len(self._shares) == 1 else self._shares[list(self.frames)]


def _size(places: int, height: int, width: int) -> tuple[int, int]:
    """Return height and width of what a layer sees of latents: halved, and rounded up, some times."""
    down, across = height, width
    while down * across > places:
        down, across = (down + 1) // 2, (across + 1) // 2
    if down * across != places:
        raise ValueError(
            f"A layer of the UNet sees {places} places of latents of {width}x{height}, so regions cannot be found in "
            "it; turn off what changes sizes within the UNet or merges tokens, or leave the people out."
        )
    return down, across


class _Call:
    """Take the texts off the calls of a UNet, and blend what its layers make of them."""

    def __init__(self, ldm: bool, lengths: Sequence[int]):
        self._names = ("x", "context") if ldm else ("sample", "encoder_hidden_states")
        self._lengths = list(lengths)
        self._shares: _Shares | None = None
        self._rows = torch.empty(0)  # that have regions
        self._texts: list[tuple[int, Tensor]] = []  # number of the person, and its text [rows, tokens, width]

    def around(self, plain: Forward) -> Callable[..., Any]:
        """Return the forward function of the UNet with regions."""

        def forward(*args: Any, people: _Shares, **kwargs: Any) -> Any:
            latents: Tensor = args[0] if args else kwargs[self._names[0]]
            text: Tensor = args[2] if len(args) > 2 else kwargs[self._names[1]]
            base = self._taken(text, len(latents), people)
            if len(args) > 2:
                args = (*args[:2], base, *args[3:])
            else:
                kwargs = {**kwargs, self._names[1]: base}
            try:
                return plain(*args, **kwargs)
            finally:
                self._shares, self._texts = None, []

        return forward

    def _taken(self, text: Tensor, rows: int, shares: _Shares) -> Tensor:
        """Keep the texts of the people, and return that of the whole picture."""
        if rows % len(shares.frames) or len(text) != rows:
            raise ValueError(
                f"The UNet was called with {rows} pictures, which are not whole videos of {len(shares.frames)} frames. "
                "Turn off what splits or shortens the batch, or leave the people out."
            )
        base, *texts = text.split([text.shape[1] - sum(self._lengths), *self._lengths], dim=1)
        with_regions = torch.stack([each.flatten(1).any(dim=1) for each in texts]).any(dim=0)
        self._rows = with_regions.nonzero()[:, 0]
        if len(self._rows):
            self._shares = shares
            self._texts = [(i, texts[i][self._rows]) for i in shares.heard]
        return base

    def blended(self, layer: nn.Module, args: Any, kwargs: dict[str, Any], output: Tensor) -> Tensor | None:
        """Return what a layer makes of all texts; None where there is one only."""
        if self._shares is None or not self._texts:
            return None
        hidden: Tensor = args[0] if args else kwargs["x" if "x" in kwargs else "hidden_states"]
        shares = self._shares.at(hidden.shape[1]).to(output)
        if len(shares) > 1:
            shares = shares[self._rows % len(shares)]
        seen = hidden[self._rows]
        total = output[self._rows] * shares[:, 0, :, None]
        for i, text in self._texts:
            # Its own function, past the hooks: this one would come again.
            total += layer.forward(seen, text) * shares[:, 1 + i, :, None]
        result = output.clone()
        result[self._rows] = total
        return result
