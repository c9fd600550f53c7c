"""The cells of `benchmarks.several`, and how the videos of each are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.identities import FRAMES, INDIVIDUALS, LEARNED, embedding
from tools.toyworld.captions import PLACES
from tools.toyworld.motion import ACTIONS
from tools.toyworld.world import render, sample
from vcd_ext import media, toyworld
from vcd_ext.cli.demo import FACE, PICTURE
from vcd_ext.face.close_up import CLOSE_UP_OF
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.hosts.shared.passes import generation_pass
from vcd_ext.people import RegionalTexts, Regions, lines, with_regions
from vcd_ext.progress import Callbacks
from vcd_ext.settings import GenerateSettings, VideoSettings
from vcd_ext.stages.following import followed_in_first_pass
from vcd_ext.stages.video_to_video import run_stage
from vcd_ext.toyworld.detector import ToyworldDetector

PAIRS = [("dan", "ada"), ("ada", "bo"), ("bo", "fay"), ("dan", "cleo"), ("elk", "dan"), ("fay", "ada"),
         ("cleo", "elk"), ("elk", "bo")]  # fmt: skip
FIRST_SEED, SIDES = 60_000, ("left", "right")
HALF = {"people_base": 0.4, "people_border": 0.1}


class Cell(NamedTuple):
    """How the videos of a row are made."""

    regions: dict[str, float] | None = None  # the settings of several people; None: no regions
    names: bool = True  # whether the video knows who the two are
    followed: bool = False  # whether regions go with who is found in a first pass
    faces: bool = False  # whether Face VCD follows, which knows it by region


PLAIN, ALONE = "both names in one prompt", "each alone, the whole picture"
DRAWN = "drawn clips: what the judges allow"
CELLS = {
    PLAIN: Cell(),
    ALONE: Cell(),
    "class words, then Face VCD": Cell(names=False, faces=True),
    "hard regions, none of the prompt": Cell({"people_base": 0.0, "people_border": 0.0}),
    **{f"soft regions, {base:g} of the prompt": Cell(HALF | {"people_base": base}) for base in (0.2, 0.4, 0.6)},
    "followed regions, 0.4 of the prompt": Cell(HALF, followed=True),
    "soft regions, 0.4, then Face VCD": Cell(HALF, faces=True),
    DRAWN: Cell(),
}


class Wish(NamedTuple):
    """What a video shows; all cells have the same."""

    pair: tuple[str, str]  # from the left to the right
    number: int

    @property
    def seed(self) -> int:
        """Return the seed."""
        return FIRST_SEED + 100 * self.number

    @property
    def scene(self) -> str:
        """Return the place."""
        return list(PLACES)[self.number % len(PLACES)]

    @property
    def action(self) -> str:
        """Return what they do."""
        return ACTIONS[self.number % len(ACTIONS)]

    @property
    def ending(self) -> str:
        """Return how its prompts end."""
        return f"{PLACES[self.scene]}, {self.action}"


def made(host: Standalone, label: str, wish: Wish) -> NDArray[np.uint8]:
    """Return the video [8, 128, 128, 3] of a cell with two subjects."""
    if label == DRAWN:
        return drawn(wish)
    cell = CELLS[label]
    kinds = [INDIVIDUALS[name][0] for name in wish.pair]
    named = [f"{name} {kind}" for name, kind in zip(wish.pair, kinds, strict=True)]
    several: dict[str, Any] = {}
    if cell.regions is not None:
        several = {"people": _lines(named, wish, f"{lines.FOLLOWED} " * cell.followed), **cell.regions}
    subjects = named if cell.names and cell.regions is None else [f"a {kind}" for kind in kinds]
    picture = replace(PICTURE, prompt=f"photo of {' and '.join(subjects)} {wish.ending}", seed=wish.seed)
    video, learned = VideoSettings(frames=FRAMES, **several), [embedding(host, name, LEARNED) for name in wish.pair]
    regions = _followed(host, picture, video, learned) if cell.followed else None
    frames = host.generate(picture, video, toyworld.motion_module(), learned, regions=regions).frames
    return _with_faces(host, frames, wish, named, learned) if cell.faces else frames


def alone(host: Standalone, wish: Wish) -> list[NDArray[np.uint8]]:
    """Return a video of each of the two, that has the picture for itself."""
    found = []
    for name in wish.pair:
        prompt = f"photo of {name} {INDIVIDUALS[name][0]} {wish.ending}"
        picture = replace(PICTURE, prompt=prompt, seed=wish.seed)
        module, learned = toyworld.motion_module(), [embedding(host, name, LEARNED)]
        found.append(host.generate(picture, VideoSettings(frames=FRAMES), module, learned).frames)
    return found


def drawn(wish: Wish) -> NDArray[np.uint8]:
    """Return the clip that is drawn for the same pair, place and action."""
    who: dict[str, str | int] = {"subjects": 2}
    for name, suffix in zip(wish.pair, ("", "2"), strict=True):
        who[f"kind{suffix}"], who[f"number{suffix}"] = INDIVIDUALS[name]
    shown: dict[str, str | int] = {"scene": wish.scene, "action": wish.action, "distance": "plain", "light": "day"}
    return render(sample(wish.seed, "eval", camera="follow", **who, **shown), range(FRAMES)).frames


def _lines(named: Sequence[str], wish: Wish, goes: str = "") -> str:
    return "\n".join(f"{who} {wish.ending} @ {goes}{side}" for who, side in zip(named, SIDES, strict=True))


def _followed(host: Standalone, picture: GenerateSettings, video: VideoSettings, learned: Sequence[Path]) -> Regions:
    work = generation_pass(picture, video, toyworld.motion_module(), regional=RegionalTexts.of(video.several))
    maker, size = StandaloneVideo(host, learned), (picture.height, picture.width)
    return followed_in_first_pass(maker, size, video.frames, work, ToyworldDetector(), _quiet()).regions


def _with_faces(
    host: Standalone, frames: NDArray[np.uint8], wish: Wish, named: Sequence[str], learned: Sequence[Path]
) -> NDArray[np.uint8]:
    """Return the video after Face VCD, or as it is where no face is found."""
    settings = replace(
        FACE, prompt=CLOSE_UP_OF, people=with_regions(_lines(named, wish)), seed=wish.seed,
        motion_module=str(toyworld.motion_module()),
    )  # fmt: skip
    done = run_stage(
        StandaloneVideo(host, learned), media.Clip(frames, 8), settings, lambda _: ToyworldDetector(), _quiet()
    )
    return frames if done.clip is None else done.clip.frames


def _quiet() -> Callbacks:
    return Callbacks(lambda _: None, lambda _: None, lambda: False)
