"""Let each region of the picture attend to a text of its own, in every cross-attention of a UNet.

The outputs of a layer for the texts are blended place by place (as the attention mode of Regional Prompter does, and
mixtures of diffusers, arXiv 2302.02412, do with whole predictions). The texts of the people travel behind the text of
the whole picture, along the tokens of the condition, and are taken off before the UNet: so schedules, joined prompts
and windows need to know nothing of them, and a ControlNet beside the UNet hears the text of the whole picture. A
condition whose part for the people is all zeros, such as the negative prompt's, has no regions.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

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


class _Heard(NamedTuple):
    """How much a person's text counts in a layer, and where it counts at all."""

    everywhere: Tensor  # [rows, places, 1]
    where: Tensor  # [n], of the places of all rows, one row after the other
    there: Tensor  # [n, 1]


class _Shares(Divisible):
    """Hold how much each text counts at each place: of a video, or of a window and a tile."""

    def __init__(self, shares: Tensor, frames: Sequence[int], latest: "list[_Shares] | None" = None):
        """shares: [1 or all frames, 1 + people, h, w]. frames: the numbers of those that the rows hold.

        latest: of those of one video the one that was used last.
        """
        self._shares, self.frames, self._latest = shares, frames, [] if latest is None else latest
        self._layers: dict[Any, tuple[Tensor, dict[int, _Heard]]] = {}
        self._parts: dict[Any, _Shares] = {}

    def part(self, window: Window, tile: Tile | None) -> "_Shares":
        """Return those of a window and, in latents, a tile."""
        # Where nobody moves, all windows of a length share what is found once.
        frames = len(window.frames) if len(self._shares) == 1 else tuple(window.frames)
        key = (frames, None if tile is None else tile[:4])
        if key not in self._parts:
            shares = self._shares
            if tile is not None:
                top, left, height, width = tile[:4]
                shares = shares[..., top : top + height, left : left + width]
            self._parts[key] = _Shares(shares, window.frames, self._latest)
        return self._parts[key]

    @property
    def heard(self) -> list[int]:
        """Return the numbers of the people, from 0, who are anywhere in it."""
        most = self._own().amax(dim=(0, 2, 3))[1:]
        return [i for i, share in enumerate(most.tolist()) if share > LEAST]

    def at(self, places: int, rows: Sequence[int], like: Tensor) -> tuple[Tensor, dict[int, _Heard]]:
        """Return what the base's text counts, [rows, places, 1], and those of the people who are heard.

        For a layer that sees so many places, and the numbers of the rows of its call that have regions. like: has the
        device and the type. Kept, as finding places waits for the device, until another window or tile is computed.
        """
        if self._latest != [self]:
            for before in self._latest:
                before._layers.clear()
            self._latest[:] = [self]
        key = (places, tuple(rows), like.device, like.dtype)
        if key not in self._layers:
            height, width = _size(places, *self._shares.shape[-2:])
            shares = F.interpolate(self._own(), (height, width), mode="area").flatten(2).to(like)
            shares = shares[[row % len(shares) for row in rows]][..., None]
            self._layers[key] = shares[:, 0], {i: _heard(shares[:, 1 + i]) for i in self.heard}
        return self._layers[key]

    def _own(self) -> Tensor:
        return self._shares if len(self._shares) == 1 else self._shares[list(self.frames)]


def _heard(share: Tensor) -> _Heard:
    flat = share.flatten(0, 1)
    where = (flat[:, 0] > LEAST).nonzero()[:, 0]
    return _Heard(share, where, flat[where])


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
        self._rows: list[int] = []  # that have regions
        # Number of the person, and its text [rows, tokens, width]; one row where all are alike.
        self._texts: list[tuple[int, Tensor]] = []

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
        self._rows = with_regions.nonzero()[:, 0].tolist()
        if self._rows:
            self._shares = shares
            self._texts = [(i, _once(texts[i][self._rows])) for i in shares.heard]
        return base

    def blended(self, layer: nn.Module, args: Any, kwargs: dict[str, Any], output: Tensor) -> Tensor | None:
        """Return what a layer makes of all texts; None where there is one only."""
        if self._shares is None or not self._texts:
            return None
        hidden: Tensor = args[0] if args else kwargs["x" if "x" in kwargs else "hidden_states"]
        base, people = self._shares.at(hidden.shape[1], self._rows, output)
        seen = hidden[self._rows]
        total = output[self._rows] * base
        for i, text in self._texts:
            _hear(layer, seen, text, people[i], total)
        result = output.clone()
        result[self._rows] = total
        return result


def _once(text: Tensor) -> Tensor:
    """Return the first row of a text [rows, tokens, width] alone if all are alike."""
    return text[:1] if bool((text == text[:1]).all()) else text


def _hear(layer: nn.Module, seen: Tensor, text: Tensor, heard: _Heard, total: Tensor) -> None:
    """Add what a layer makes of a person's text.

    Places do not see each other in a cross-attention: where all rows have one text, those at which it counts become one
    row, and keys and values are made once instead of for each frame. Not where somebody has replaced the layer's own
    function, who may count rows.
    """
    forward = layer.forward  # past the hooks: this one would come again
    if not len(heard.where):
        return  # too small a part of what this layer's places cover; not every attention takes a row of nothing
    if len(text) == 1 and "forward" not in vars(layer):
        flat = total.view(-1, total.shape[-1])
        flat[heard.where] += forward(seen.flatten(0, 1)[heard.where][None], text)[0] * heard.there
    else:
        total += forward(seen, text.expand(len(seen), -1, -1)) * heard.everywhere
