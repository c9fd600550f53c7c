"""What both hosts make of a `host.VideoPass` before they compute: its steps, windows, tiles and masks."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext.denoising.free_noise import InitialNoise, Reuse
from vcd_ext.denoising.multidiffusion import Parts
from vcd_ext.denoising.partition import Tile, tiles
from vcd_ext.hosts.protocols import FACTOR, Picture, Tiling, VideoPass
from vcd_ext.motion import ring_windows, windows
from vcd_ext.noise import check_gamma
from vcd_ext.settings import NO_MODULE, GenerateSettings, VideoSettings


@dataclass(frozen=True)
class Plan:
    """A pass over frames of one size."""

    parts: Parts  # in latents
    height: int  # of the frames, in pixels
    width: int
    steps: int  # that are run: the last ones of the schedule of `VideoPass.steps`
    absent: NDArray[np.bool_] | None  # [frames, tiles], where the subject is not; None: nowhere

    @property
    def frames(self) -> int:
        """Return how many frames the video has."""
        return self.parts.frames

    @property
    def length(self) -> int:
        """Frames that are denoised together."""
        return len(self.parts.windows[0].frames)

    @property
    def latent_size(self) -> tuple[int, int]:
        """Height and width of the latents."""
        return self.height // FACTOR, self.width // FACTOR

    def check_fits(self, most: int, module: str) -> None:
        """Raise ValueError if a window is longer than the `most` frames that a motion module holds."""
        if self.length > most:
            raise ValueError(
                f"{self.length} frames are to be denoised together; {module} holds at most {most}. Use a window of up "
                f"to {most} frames."
            )


def generation_pass(
    picture: GenerateSettings, video: VideoSettings, motion_module: Path | None, **more: Any
) -> VideoPass:
    """Return a pass with the settings of a generation. more: fields of `VideoPass` that not every pass takes over."""
    return VideoPass(
        picture.prompt,
        picture.negative_prompt,
        steps=picture.steps,
        cfg_scale=picture.cfg_scale,
        sampler=picture.sampler,
        seed=picture.seed,
        gamma=video.gamma,
        motion_module=str(motion_module or NO_MODULE),
        context=video.context,
        context_overlap=video.overlap,
        loop=video.loops.loop,
        prompt_travel=video.prompt_travel,
        **more,
    )


def plan(frames: Sequence[Picture], work: VideoPass) -> Plan:
    """Plan a pass; ValueError, in one sentence, for what cannot work. Only the first frame is looked at."""
    if not len(frames):
        raise ValueError("There are no frames to denoise; give at least one.")
    height, width = _size(frames[0])
    if work.masks is not None and len(work.masks) != len(frames):
        raise ValueError(f"There are {len(work.masks)} masks for {len(frames)} frames; give one for each frame.")
    check_gamma(work.gamma)
    if work.regional is not None and work.tiling is not None and work.tiling.present is not None:
        raise ValueError(
            "Tiles are told where the subject is and regions who is in them; give one of the two, as regions leave no "
            "name in tiles without it."
        )
    canvas, absent = _tiles(len(frames), height, width, work.tiling)
    around = ring_windows if work.loop else windows
    together = around(len(frames), work.context, work.context_overlap)
    if not animated(work):
        together = windows(len(frames), work.context, 0)  # frames that do not meet need no overlap
    return Plan(
        parts=Parts(len(frames), together, canvas),
        height=height,
        width=width,
        steps=steps_run(work.steps, work.denoise),
        absent=absent,
    )


def initial_noise(work: VideoPass) -> InitialNoise:
    """Return what makes the noise that a pass adds to its frames."""
    reuse = Reuse(work.context, work.context_overlap, work.seed) if work.freenoise and animated(work) else None
    return InitialNoise(work.gamma, work.loop, reuse)


def animated(work: VideoPass) -> bool:
    """Return whether a motion module moves the frames together."""
    return work.motion_module not in ("", NO_MODULE)


def controlled(work: VideoPass) -> bool:
    """Return whether a ControlNet looks at the frames."""
    return work.controlnet not in ("", NO_MODULE) and work.controlnet_weight > 0


def steps_run(steps: int, denoise: float) -> int:
    """Return how many steps at the end of a schedule of `steps` a strength runs: ceil(steps * denoise), at least 1.

    ValueError unless steps is at least 1 and denoise above 0 and at most 1.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}; it must be at least 1.")
    if not 0 < denoise <= 1:
        raise ValueError(f"denoise is {denoise}; it must be above 0 (nothing changes) and at most 1 (all is new).")
    # Rounded first, as 0.55 * 20 is a little more than 11 in floating point.
    return max(1, math.ceil(round(steps * denoise, 6)))


def pictures(frames: Sequence[Picture], plan: Plan) -> Iterator[Tensor]:
    """Yield the frames one after the other as float32 [1, 3, H, W] in [0, 1]; ValueError for one of another size."""
    for i, picture in enumerate(frames):
        if picture.shape != (plan.height, plan.width, 3):
            raise ValueError(
                f"Frame {i} is {_described(picture)} and frame 0 is {plan.width}x{plan.height}; all frames need one "
                "size: resize them first."
            )
        yield torch.from_numpy(np.ascontiguousarray(picture, np.float32)).permute(2, 0, 1)[None]


def picture(decoded: Tensor) -> Picture:
    """Turn a decoded tensor [3, H, W] in [-1, 1] into a picture; what lies outside is cut off."""
    return (decoded.float() / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).cpu().numpy()


def latent_masks(work: VideoPass, plan: Plan) -> Tensor | None:
    """Reduce the masks to latents by averaging 8x8 pixels: float32 [F, 1, h, w], 1 where the picture may change.

    None without masks. ValueError for a mask of another size than the frames.
    """
    if work.masks is None:
        return None
    reduced = torch.empty(plan.frames, 1, *plan.latent_size)
    for i, mask in enumerate(work.masks):
        if mask.shape != (plan.height, plan.width):
            raise ValueError(
                f"Mask {i} is {_described(mask)}; it must be {plan.width}x{plan.height} as the frames are."
            )
        pixels = torch.from_numpy(np.ascontiguousarray(mask, np.float32))[None, None]
        reduced[i] = F.avg_pool2d(pixels.clamp(0, 1), FACTOR)[0]
    return reduced


def as_long(elsewhere: Tensor, prompt: Tensor, empty: Tensor) -> Tensor:
    """Pad the condition of the prompt elsewhere, [tokens, width], to the length of that of the prompt.

    Either may be [frames, tokens, width]. Empty prompts are put behind it. ValueError where it is the longer one: to
    lengthen the prompt would change it.
    """
    missing = (prompt.shape[-2] - elsewhere.shape[-2]) // len(empty)
    if missing < 0:
        raise ValueError(
            "The prompt elsewhere is longer than the prompt itself, by a chunk of 75 tokens or more; shorten it."
        )
    return torch.cat([elsewhere, *[empty.expand(*elsewhere.shape[:-2], -1, -1)] * missing], dim=-2)


def _size(first: Picture) -> tuple[int, int]:
    if not isinstance(first, np.ndarray) or first.ndim != 3 or first.shape[2] != 3 or first.dtype != np.float32:
        raise ValueError(f"Frame 0 is {_described(first)}; frames are float32 [height, width, 3] with values 0 to 1.")
    height, width, _ = first.shape
    if height % FACTOR or width % FACTOR or not height * width:
        best = f"{max(width // FACTOR, 1) * FACTOR}x{max(height // FACTOR, 1) * FACTOR}"
        raise ValueError(f"The frames are {width}x{height}; both sides must be multiples of {FACTOR}, such as {best}.")
    return height, width


def _tiles(
    frames: int, height: int, width: int, tiling: Tiling | None
) -> tuple[list[Tile] | None, NDArray[np.bool_] | None]:
    if tiling is None:
        return None, None
    if tiling.size % FACTOR or tiling.overlap % FACTOR:
        raise ValueError(
            f"The tiles are {tiling.size} pixels wide and overlap by {tiling.overlap}; both must be multiples of "
            f"{FACTOR}, such as 576 and 128."
        )
    parts = tiles(height // FACTOR, width // FACTOR, tiling.size // FACTOR, tiling.overlap // FACTOR)
    if tiling.present is None:
        return parts, None
    if tiling.present.shape != (frames, len(parts)):
        raise ValueError(
            f"It is told of {list(tiling.present.shape)} frames and tiles whether the subject is there; there are "
            f"{[frames, len(parts)]}."
        )
    absent = ~tiling.present.astype(bool)
    return parts, absent if absent.any() else None


def _described(array: object) -> str:
    if not isinstance(array, np.ndarray):
        return f"a {type(array).__name__}"
    if array.ndim < 2:
        return f"{array.dtype} of {array.ndim} dimensions"
    return f"{array.shape[1]}x{array.shape[0]} ({array.dtype}, {array.ndim} dimensions)"
