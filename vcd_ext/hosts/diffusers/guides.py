"""Guide the frames of a video by ControlNets on the command line: a file of each, and a video of its hints.

Only what OpenCV makes is made here of a video's frames, edges by Canny; other hints (depth maps, poses, line art) come
as a video that another program has made, one picture for each frame.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import nn

from vcd_ext.denoising.controlnet import ControlNet
from vcd_ext.hosts.diffusers.restyle import Resized
from vcd_ext.hosts.protocols import Picture
from vcd_ext.hosts.shared import controlnet_file
from vcd_ext.hosts.shared.hint_video import HintVideo, hint_video, key_frames, read_hints
from vcd_ext.media import Clip
from vcd_ext.progress import Note
from vcd_ext.settings import HINTS_KEY, GenerateSettings, VideoSettings

SOURCE = "source"  # in place of a video: the one that is made again
CANNY = (100, 200)  # thresholds, those that sd-webui-controlnet begins with
READY = ("hints", "depth", "lineart", "mlsd", "normal", "openpose", "scribble", "seg", "softedge")
KINDS = ("canny", "tile", *READY)
HEAVIEST = 2.0

Pixels = NDArray[np.uint8]


class Guide(NamedTuple):
    """Hold what --control says: what the hints are, the ControlNet's file, the video or `SOURCE`, and its weight."""

    kind: str
    file: Path
    video: str
    weight: float = 1.0


def check_guides(guides: Sequence[Guide], has_source: bool) -> None:
    """Raise ValueError, in one sentence, for what no ControlNet can be given. has_source: a video is made again."""
    for guide in guides:
        if guide.kind not in KINDS:
            raise ValueError(f"There is no kind of hints '{guide.kind}'; choose one of {', '.join(KINDS)}.")
        if not 0 <= guide.weight <= HEAVIEST:
            raise ValueError(f"A weight of --control is {guide.weight:g}; it must be from 0 to {HEAVIEST:g}.")
        if guide.video == SOURCE and not has_source:
            raise ValueError(f"--control {guide.kind} takes the {SOURCE}, and no --input is given; name a video.")
        if guide.video == SOURCE and guide.kind in READY:
            raise ValueError(
                f"--control {guide.kind} cannot make hints of the {SOURCE}; choose canny or tile, or name a video of "
                "hints that another program has made."
            )


def load_guides(
    guides: Sequence[Guide],
    unet: nn.Module,
    picture: GenerateSettings,
    video: VideoSettings,
    source: Clip | None,
    note: Note,
) -> list[ControlNet]:
    """Load the ControlNets for a diffusers UNet, with the pictures and weights of all frames.

    source: the video that is made again. ValueError or OSError, in one sentence, for what cannot be used.
    """
    keys = key_frames(video.control.control_frames, video.control.control_reach, video.frames)
    made = []
    for guide in guides:
        if guide.video == SOURCE:
            assert source is not None
            frames = Resized(source, video.frames, picture.height, picture.width)
            pixels = np.stack([np.rint(255 * frame.clip(0, 1)).astype(np.uint8) for frame in frames])
            hints = hint_video(SOURCE, pixels, video.frames, keys)
        else:
            path = Path(guide.video)
            hints = read_hints(path, path.name, video.frames, keys, note)
            _check_size(hints, picture)
            if guide.kind in READY[1:]:
                note(f"{path.name} is taken as {guide.kind} hints that are ready; nothing here makes them of frames.")
        network = controlnet_file.load(guide.file, unet)
        weight: float | list[float] = guide.weight
        if hints.weights is not None:
            weight = [guide.weight * share for share in hints.weights]
        made.append(ControlNet(network, _Shown(hints, _PREPROCESSORS.get(guide.kind)), weight))
    return made


def described(guides: Sequence[Guide]) -> dict[str, str]:
    """Return the infotext's entries: the units in the form that sd-webui-controlnet pastes, and the videos."""
    units = {
        f"ControlNet {i}": f"Module: {'canny' if guide.kind == 'canny' else 'none'}, Model: {guide.file.stem}, "
        f"Weight: {guide.weight:g}"
        for i, guide in enumerate(guides)
    }
    videos = ", ".join(dict.fromkeys(Path(guide.video).name for guide in guides))
    return {**units, HINTS_KEY: videos} if guides else {}


class _Shown(Sequence[Picture]):
    """The picture that guides each frame, made when it is asked for."""

    def __init__(self, video: HintVideo, preprocess: Callable[[Pixels], Pixels] | None):
        self.video, self.preprocess = video, preprocess

    def __len__(self) -> int:
        return len(self.video.picture_of)

    def __getitem__(self, i: Any) -> Any:
        pixels = self.video.pictures[self.video.picture_of[i]]
        return (pixels if self.preprocess is None else self.preprocess(pixels)).astype(np.float32) / 255


def _canny(pixels: Pixels) -> Pixels:
    edges = cv2.Canny(np.ascontiguousarray(pixels), *CANNY)
    return np.repeat(edges[:, :, None], 3, axis=2)


_PREPROCESSORS: dict[str, Callable[[Pixels], Pixels]] = {"canny": _canny}


def _check_size(hints: HintVideo, picture: GenerateSettings) -> None:
    height, width = hints.pictures.shape[1:3]
    if (height, width) != (picture.height, picture.width):
        raise ValueError(
            f"{hints.name} is {width}x{height} and the video is made at {picture.width}x{picture.height}; give hints "
            f"of that size, or choose --width {width} --height {height}."
        )
