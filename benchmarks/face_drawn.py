"""Face VCD with the shipped drawn world: subjects far away, whose faces are seen near before and after."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.effects import Wish
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
from vcd_ext.toyworld.judging import Judges, Values, load_judges
from vcd_ext.toyworld.likeness import appearance, likeness

FIRST_SEED = 31_000
SCALE = 2  # a face of a far figure has 7 of 128 pixels, fewer than can be repaired or followed

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Seen:
    """One video, its face cut out alike in all versions."""

    before: float  # likeness to the subject's photos
    after: float
    one_by_one: float  # repaired without motion module
    flicker: float  # of the repaired, over that of the one repaired frame by frame


def rows(videos: int) -> list[Row]:
    """All shipped subjects, as many videos each; those without a face that can be followed are counted apart."""
    with tempfile.TemporaryDirectory() as folder:
        found = [seen for subject in toyworld.subjects() for seen in _videos(subject, Path(folder), videos)]
    seen = [one for one in found if one is not None]
    note = f"{len(seen)} videos of {len(toyworld.subjects())} subjects, 256x256, face {toyworld.SIZE}"
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


def _videos(subject: toyworld.Subject, folder: Path, videos: int) -> Iterator[Seen | None]:
    host = Standalone.load(toyworld.checkpoint())
    _, embedding = demo.learn(host, subject, folder, seed=0)
    looks = appearance(_judges(), read_photos(subject.folder).photos)
    for number in range(videos):
        place = list(captions.PLACES)[number % len(captions.PLACES)]
        yield _seen(host, subject, embedding, looks, place, ACTIONS[number % len(ACTIONS)], FIRST_SEED + 100 * number)


def _seen(
    host: Standalone, subject: toyworld.Subject, embedding: Path, looks: Values, place: str, action: str, seed: int
) -> Seen | None:
    """None where there is no face to repair."""
    wish = Wish(subject.class_word, place, action, seed)
    prompts = [wish.of(f"{subject.name} {subject.class_word}", distance) for distance in ("far", "close")]
    picture = replace(demo.PICTURE, prompt=prompts[0], seed=seed)
    clip = host.generate(picture, VideoSettings(frames=demo.FRAMES), toyworld.motion_module(), [embedding])
    frames = np.stack(
        [cv2.resize(one, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_LANCZOS4) for one in clip.frames]
    )
    settings = replace(demo.FACE, prompt=prompts[1], seed=seed, motion_module=str(toyworld.motion_module()))
    people = find_people(frames, settings, ToyworldDetector())[:1]
    if not people:
        return None
    lender = StandaloneVideo(host, [embedding])
    moving, still = (
        restore(lender, frames, replace(settings, motion_module=module), people=people)
        for module in (settings.motion_module, NO_MODULE)
    )
    before, after, apart = (_near(version, people[0]) for version in (frames, moving, still))
    return Seen(
        likeness(_judges(), before, looks),
        likeness(_judges(), after, looks),
        likeness(_judges(), apart, looks),
        flicker(after) / flicker(apart),
    )


def _near(frames: Frames, track: Track) -> Frames:
    """Return the track's face in each of its frames, enlarged to the size that the judges know."""
    crops = zip(track.frames, squares(track, demo.FACE, *frames.shape[1:3]), strict=True)
    return np.stack([np.rint(255 * enlarge(frames[i], crop, toyworld.SIZE)).astype(np.uint8) for i, crop in crops])
