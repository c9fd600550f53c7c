"""Face VCD with the shipped drawn world: subjects far away, whose faces are seen near before and after.

The individuals are those of `benchmarks.identities`, with the embeddings that lie in docs/effects/individuals; whoever
is not learned yet is learned first.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.effects import Wish
from benchmarks.identities import INDIVIDUALS, LEARNED, album, embedding
from benchmarks.rows import Row
from tools.toyworld import captions
from tools.toyworld.motion import ACTIONS
from vcd_ext import toyworld
from vcd_ext.cli import demo
from vcd_ext.face import find_people, restore
from vcd_ext.face.crops import squares
from vcd_ext.face.resample import enlarge
from vcd_ext.face.track.track import Track
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.identity.photos.photo import read_photos
from vcd_ext.metrics.intervals import interval
from vcd_ext.metrics.motion import flicker
from vcd_ext.settings import NO_MODULE, VideoSettings
from vcd_ext.toyworld.detector import ToyworldDetector
from vcd_ext.toyworld.judging import Judges, load_judges
from vcd_ext.toyworld.likeness import appearance, likeness

FIRST_SEED = 31_000
SCALE = 2  # the first edition's far faces had 7 of 128 pixels, too few to follow; kept, so that figures compare

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Seen:
    """One video, its face cut out alike in all versions."""

    before: float  # likeness to the subject's photos
    after: float
    one_by_one: float  # repaired without motion module
    flicker: float  # of the repaired, over that of the one repaired frame by frame
    faces: Frames  # the first frame's, before and after


def rows(videos: int) -> list[Row]:
    """All individuals, as many videos each; those without a face that can be followed are counted apart."""
    host = Standalone.load(toyworld.checkpoint())
    found = [face_seen(host, name, number, LEARNED) for name in INDIVIDUALS for number in range(videos)]
    seen = [one for one in found if one is not None]
    note = f"{len(seen)} videos of {len(INDIVIDUALS)} individuals, 256x256, face {toyworld.SIZE}"
    return [
        Row("videos of far subjects in which no face was found", len(found) - len(seen), note=f"of {len(found)}"),
        Row("likeness of the face to the photos, before", float(np.mean([one.before for one in seen])), note=note),
        _clear("likeness after Face VCD, minus before", [one.after - one.before for one in seen]),
        _clear("likeness after Face VCD, minus frame by frame", [one.after - one.one_by_one for one in seen]),
        _clear("flicker of the face, 1 minus that over frame by frame's", [1 - one.flicker for one in seen]),
    ]


def _clear(what: str, values: list[float]) -> Row:
    """Return the lower end of an interval, which is to be clear of zero."""
    found = interval(values)
    return Row(f"{what}: lower end of 95%", found.low, low=0.0, note=f"mean {found}")


@cache
def _judges() -> Judges:
    return load_judges(toyworld.judges())


def face_seen(host: Standalone, name: str, number: int, out: Path, still: bool = True) -> Seen | None:
    """Make and repair a video of an individual far away; None where there is no face to repair.

    out: has the folder of embeddings. still: also repair frame by frame, which takes as long again.
    """
    learned, wish = [embedding(host, name, out)], far_wish(name, number)
    looks = appearance(_judges(), read_photos(album(name)).photos)
    frames, people = far_video(host, name, number, learned)
    if not people:
        return None
    settings = replace(
        demo.FACE, prompt=wish.of(f"{name} {wish.kind}", "close"), seed=wish.seed,
        motion_module=str(toyworld.motion_module()),
    )  # fmt: skip
    lender = StandaloneVideo(host, learned)
    modules = [settings.motion_module, NO_MODULE] if still else [settings.motion_module]
    made = [restore(lender, frames, replace(settings, motion_module=one), people=people[:1]) for one in modules]
    before, after, apart = (_near(version, people[0]) for version in (frames, made[0], made[-1]))
    first, second, third = (likeness(_judges(), version, looks) for version in (before, after, apart))
    return Seen(first, second, third, flicker(after) / flicker(apart), np.stack([before[0], after[0]]))


def far_wish(name: str, number: int) -> Wish:
    """Return what the video with that number of an individual shows."""
    place = list(captions.PLACES)[number % len(captions.PLACES)]
    return Wish(INDIVIDUALS[name][0], place, ACTIONS[number % len(ACTIONS)], FIRST_SEED + 100 * number)


def far_video(host: Standalone, name: str, number: int, learned: list[Path]) -> tuple[Frames, list[Track]]:
    """Return a video of an individual far away, enlarged, and who is in it."""
    wish = far_wish(name, number)
    picture = replace(demo.PICTURE, prompt=wish.of(f"{name} {wish.kind}", "far"), seed=wish.seed)
    clip = host.generate(picture, VideoSettings(frames=demo.FRAMES), toyworld.motion_module(), learned)
    frames = np.stack(
        [cv2.resize(one, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_LANCZOS4) for one in clip.frames]
    )
    return frames, list(find_people(frames, demo.FACE, ToyworldDetector()))


def _near(frames: Frames, track: Track) -> Frames:
    """Return the track's face in each of its frames, enlarged to the size that the judges know."""
    crops = zip(track.frames, squares(track, demo.FACE, *frames.shape[1:3]), strict=True)
    return np.stack([np.rint(255 * enlarge(frames[i], crop, toyworld.SIZE)).astype(np.uint8) for i, crop in crops])
