"""MultiDiffusion (Bar-Tal et al., arXiv 2302.08113) along the frames as well as over the canvas.

Each call of the UNet is divided into windows of frames and tiles of the canvas, whose weighted results are summed. So
every step denoises the whole video on the whole canvas, while only a part of it is in the UNet at a time.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vcd_ext.denoising.partition import Tile
from vcd_ext.denoising.unet import Forward, forward_replaced
from vcd_ext.motion.windows import Window


class RegionalPrompt(NamedTuple):
    """Replace the prompt where its subject is not: in frame f and tile t with `absent[f, t]` it becomes `elsewhere`.

    Both conditions have the same number of tokens; without tiles the canvas is tile 0. Either is one for all frames,
    [tokens, width], or one for each, [frames, tokens, width].
    """

    prompt: Tensor
    elsewhere: Tensor
    absent: NDArray[np.bool_]  # [frames, tiles]


class Parts(NamedTuple):
    """Divide a video into windows of its frames and tiles of its canvas.

    windows, tiles: from `motion.windows` and, in latents, `partition.tiles`; without tiles the canvas stays whole.
    """

    frames: int
    windows: Sequence[Window]
    tiles: Sequence[Tile] | None = None


class Divisible(ABC):
    """Divide an argument of the UNet that has a row for each picture and is no tensor."""

    @abstractmethod
    def part(self, window: Window, tile: Tile | None) -> Any:
        """Return what belongs to a window and, in latents, a tile; None: the whole canvas."""


@contextmanager
def multidiffusion(
    unet: nn.Module,
    parts: Parts,
    regional: RegionalPrompt | None = None,
    before_part: Callable[[], None] | None = None,
) -> Iterator[int]:
    """Compute each call of the UNet window by window and tile by tile within this context.

    Yield how many rows of a video's text the UNet is to be called with: 1 where calls are divided, as each part repeats
    it for its own frames, so that the texts of a long video need no more memory than those of a window; else as many
    as there are frames.

    unet: an LDM `UNetModel` or a diffusers `UNet2DConditionModel`. The rows of each call are whole videos, one after
    the other (row = video * frames + frame). All rows of a video in a window are computed together, so that
    `motion.attached` has to hold as many frames as a window; those of all videos (cond and uncond) are as well, but
    with tiles one video after the other: on tiles of 576 that takes half the memory and 1.05 times the time.
    With nothing to divide and no regional prompt the UNet is left alone.
    Tensors whose first axis is the rows are divided, those with two sides also into tiles, in proportion where they
    are several times as large as the latents; a `Divisible` divides itself. Texts, [rows, tokens, width], may also have
    one row for each video. The sum is made in float32 and returned in the UNet's own type.
    before_part: called before each of several parts is computed; it may raise, as such a call takes long.
    ValueError for windows or a regional prompt that do not fit, and in the call for other row counts or sizes.
    """
    divided = _DividedCall(parts, regional)
    if divided.count == 1 and regional is None:
        yield parts.frames
        return

    def in_parts(plain: Forward) -> Forward:
        def compute(*args: Any, **kwargs: Any) -> Any:
            if before_part is not None:
                before_part()
            return plain(*args, **kwargs)

        return lambda *args, **kwargs: divided.run(compute, args, kwargs)

    with forward_replaced(unet, in_parts):
        yield 1


class _DividedCall:
    """Divide each call of the UNet, and fuse the results."""

    def __init__(self, parts: Parts, regional: RegionalPrompt | None):
        frames, windows = parts.frames, parts.windows
        tiles: Sequence[Tile | None] = parts.tiles or (None,)
        if {frame for window in windows for frame in window.frames} != set(range(frames)):
            raise ValueError(f"The windows do not cover the {frames} frames; make them with motion.windows.")
        if regional is not None and (
            regional.absent.shape != (frames, len(tiles))
            or regional.prompt.shape[-2:] != regional.elsewhere.shape[-2:]
            or any(cond.dim() == 3 and len(cond) != frames for cond in regional[:2])
        ):
            raise ValueError(
                f"Conditions of {list(regional.prompt.shape)} and {list(regional.elsewhere.shape)} were given for "
                f"{list(regional.absent.shape)} frames and tiles; both need the same shape, for {frames} frames and "
                f"{len(tiles)} tiles."
            )
        self.frames, self.windows, self.tiles, self.regional = frames, windows, tiles, regional
        self.count = len(windows) * len(tiles)

    def run(self, compute: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what a call of the UNet returns; compute: computes a part."""
        latents: Tensor = args[0] if args else kwargs["x" if "x" in kwargs else "sample"]
        videos = self._videos(latents)
        total: Tensor | None = None
        for part in self._parts(latents, videos):
            output = compute(*part.of(args), **part.of(kwargs))
            result = _tensor(output)
            if total is None:
                shape = (len(latents), result.shape[1], *latents.shape[2:])
                total = torch.zeros(shape, dtype=torch.float32, device=result.device)
            part.add(result, total)
        assert total is not None
        return _like(output, total.to(result.dtype))

    def _parts(self, latents: Tensor, videos: int) -> Iterator["_Part"]:
        for window in self.windows:
            for number, tile in enumerate(self.tiles):
                regional = self.regional
                if regional is not None:
                    frames = list(window.frames)
                    here = regional.absent[frames, number : number + 1]
                    prompt, elsewhere = (cond[frames] if cond.dim() == 3 else cond for cond in regional[:2])
                    regional = RegionalPrompt(prompt, elsewhere, here)
                for chosen in [slice(videos)] if tile is None else [slice(i, i + 1) for i in range(videos)]:
                    yield _Part(latents, videos, self.frames, window, tile, chosen, regional)

    def _videos(self, latents: Tensor) -> int:
        rows, height, width = latents.shape[0], *latents.shape[-2:]
        if rows % self.frames:
            raise ValueError(
                f"The UNet was called with {rows} pictures, which are not whole videos of {self.frames} frames. Turn "
                "off what splits or shortens the batch, or make a video that needs one window."
            )
        covered = [(tile.top + tile.height, tile.left + tile.width) for tile in self.tiles if tile is not None]
        if covered and max(covered) != (height, width):
            raise ValueError(
                f"The UNet was called with latents of {width}x{height}; the tiles cover {max(covered)[1]}x"
                f"{max(covered)[0]}. Make tiles of the size that is denoised."
            )
        return rows // self.frames


@dataclass
class _Part:
    """Some videos of one window and tile of one call."""

    latents: Tensor
    videos: int  # of the call
    frames: int
    window: Window
    tile: Tile | None
    chosen: slice  # videos
    regional: RegionalPrompt | None  # of its own frames and tile

    def of(self, value: Any) -> Any:
        """Return the part of an argument: a tensor with all rows, texts, or all such in a tuple, list or dict."""
        if isinstance(value, dict):
            return {key: self.of(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.of(item) for item in value)
        if isinstance(value, Divisible):
            return value.part(self.window, self.tile)
        if not isinstance(value, Tensor) or value.dim() == 0:
            return value
        is_text = value.dim() == 3
        if is_text and value.shape[0] == self.videos:
            part = value[self.chosen].repeat_interleave(len(self.window.frames), dim=0)
        elif value.shape[0] == len(self.latents):
            cuts = [self._cut(value, run) for run in _runs(self.window)]
            part = (torch.cat(cuts, dim=1) if len(cuts) > 1 else cuts[0]).flatten(0, 1)
        else:
            return value
        return self._with_regions(part) if is_text else part

    def add(self, result: Tensor, total: Tensor) -> None:
        """Add the weighted result to the sum over all parts, [rows, C, h, w]."""
        weights = self.window.weights[:, None, None, None]
        if self.tile is not None:
            weights = weights * self.tile.weights
        weighted = result.unflatten(0, (-1, len(self.window.frames))).float() * weights.to(result.device)
        done = 0
        for run in _runs(self.window):
            self._cut(total, run).add_(weighted[:, done : done + len(run)])
            done += len(run)

    def _cut(self, value: Tensor, frames: range) -> Tensor:
        """Return consecutive frames, and the tile of what has sides: a view [chosen videos, L, ...]."""
        part = value.unflatten(0, (self.videos, self.frames))[self.chosen, frames.start : frames.stop]
        if self.tile is None or value.dim() != 4:
            return part
        height, width = self.latents.shape[-2:]
        times, rest = divmod(value.shape[-2], height)
        if rest or times < 1 or value.shape[-1] != times * width:
            raise ValueError(
                f"The UNet was given pictures of {value.shape[-1]}x{value.shape[-2]} beside latents of {width}x{height}"
                ", which cannot be divided into the same tiles."
            )
        top, left, height, width = (times * side for side in self.tile[:4])
        return part[..., top : top + height, left : left + width]

    def _with_regions(self, text: Tensor) -> Tensor:
        regional = self.regional
        if regional is None or text.shape[1:] != regional.prompt.shape[-2:] or not regional.absent.any():
            return text
        videos = len(text) // len(regional.absent)
        prompt, elsewhere = (
            cond.repeat(videos, 1, 1) if cond.dim() == 3 else cond for cond in (regional.prompt, regional.elsewhere)
        )
        is_prompt = (text == prompt.to(text)).flatten(1).all(dim=1)
        absent = torch.from_numpy(regional.absent[:, 0]).to(text.device).repeat(videos)
        return torch.where((is_prompt & absent)[:, None, None], elsewhere.to(text), text)


def _runs(window: Window) -> list[range]:
    """Return the window's frames as consecutive ones: two runs where it goes on from the last frame at the first."""
    first, last = window.frames[0], window.frames[-1]
    length = len(window.frames)
    if first + length - 1 == last:
        return [range(first, last + 1)]
    return [range(first, first + length - 1 - last), range(last + 1)]


def _tensor(output: Any) -> Tensor:
    if isinstance(output, Tensor):
        return output
    return output[0] if isinstance(output, tuple) else output.sample


def _like(output: Any, result: Tensor) -> Any:
    """Return the result in the form in which the UNet returned its parts."""
    if isinstance(output, Tensor):
        return result
    return (result, *output[1:]) if isinstance(output, tuple) else replace(output, sample=result)
