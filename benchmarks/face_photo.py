"""A photo of a real face, found by the default detector while it moves; and how long that takes."""

import time
from collections.abc import Callable

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from benchmarks.face_tracking import SETTINGS, SIDE, unrest
from benchmarks.rows import Row
from tests.face.synthetic import Person, Scene, moving
from tests.face.toy_host import ToyHost
from vcd_ext.face import Detection, boxes_of, detector, find_people, restore
from vcd_ext.face.boxes import box_centres, iou

FACE = (226.5, 121.0, 107.0)  # in the photo of 512x512: its middle and its width
FRAMES, LONG, RUN = 40, 200, 20
SCALES = {0.6: "near", 0.35: "far", 0.25: "very far"}

Frames = NDArray[np.uint8]


def photo(frames: int, scale: float) -> Scene:
    """Make a scene of an astronaut (NASA, public domain) that moves over a background by parts of pixels."""
    picture = cv2.GaussianBlur(skimage.data.astronaut().astype(np.float32), (0, 0), 0.35 / scale)
    coarse = np.random.default_rng(0).integers(60, 200, (8, 8, 3), np.uint8)
    back = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    t = np.arange(frames) / max(frames - 1, 1)
    lefts = SIDE * (1 - scale) * (0.3 + 0.4 * t)
    # It nods by a tenth of its width, once in 13 frames.
    tops = SIDE * (1 - scale) * 0.4 + 0.1 * scale * FACE[2] * np.sin(2 * np.pi * np.arange(frames) / 13)
    made = np.empty((frames, SIDE, SIDE, 3), np.uint8)
    for i, (left, top) in enumerate(zip(lefts, tops, strict=True)):
        matrix = np.array([[scale, 0, left], [0, scale, top]])
        cover = cv2.warpAffine(np.ones((512, 512), np.float32), matrix, (SIDE, SIDE))[..., None]
        made[i] = np.rint(back * (1 - cover) + cv2.warpAffine(picture, matrix, (SIDE, SIDE)) * cover).clip(0, 255)
    centres = np.stack([lefts + scale * FACE[0], tops + scale * FACE[1]], axis=1)
    return Scene(made, [Person(moving(centres, scale * FACE[2], 1.04), 0)], np.ones((1, frames), bool))


class Kept:
    """The default detector, whose surest face in each frame is kept."""

    def __init__(self, frames: int):
        self.detector, self.boxes, self.asked = detector(SETTINGS), np.full((frames, 4), np.nan), 0

    def __call__(self, frame: Frames) -> list[Detection]:
        found = self.detector(frame)
        if found and found[0].score >= SETTINGS.confidence:
            self.boxes[self.asked] = found[0].box
        self.asked += 1
        return found


def rows() -> list[Row]:
    """Three distances."""
    return [row for scale, name in SCALES.items() for row in _rows(scale, name)]


def _rows(scale: float, name: str) -> list[Row]:
    truth, kept = photo(FRAMES, scale), Kept(FRAMES)
    tracks = find_people(truth.frames, SETTINGS, kept)
    true = truth.people[0].boxes
    boxes = boxes_of(tracks, FRAMES)[:, 0] if tracks else np.full((FRAMES, 4), np.nan)
    overlap = np.mean([iou(one[None], other[None])[0, 0] for one, other in zip(boxes, true, strict=True)])
    raw, calm = (unrest(box_centres(places) - box_centres(true)) for places in (kept.boxes, boxes))
    found = int((~np.isnan(kept.boxes[:, 0])).sum())
    what = f"{name}, face of {scale * FACE[2]:.0f} pixels:"
    return [
        Row(f"{what} tracks", len(tracks), 1, 1, note=f"sure in {found} of {FRAMES} frames"),
        Row(f"{what} track IoU", float(overlap), low=0.8),
        Row(f"{what} jitter over raw detections'", calm / raw, high=0.5, note=f"{raw:.2f} pixels raw, {calm:.2f} calm"),
    ]


def speed_rows() -> list[Row]:
    """Measure detection and tracking, and all that is done beside denoising."""
    found = []
    for scale, name in SCALES.items():
        clip = photo(LONG, scale).frames
        default = detector(SETTINGS)
        default(clip[0])
        runs = [
            _timed(lambda: find_people(clip[start : start + RUN], SETTINGS, default))  # noqa: B023 - called at once
            for start in range(0, LONG, RUN)
        ]
        what = f"detection and tracking, {LONG} frames of 512x512, {name}: ms a frame"
        found.append(_speed(what, runs, high=12))
    clip = photo(3 * RUN, 0.35).frames
    runs = []
    for start in range(0, len(clip), RUN):
        part = clip[start : start + RUN]
        tracks = find_people(part, SETTINGS, detector(SETTINGS))
        runs.append(_timed(lambda: restore(ToyHost(), part, SETTINGS, people=tracks)))  # noqa: B023 - called at once
    return [*found, _speed("crop, mask, colours and paste at 512: ms for a face in a frame", runs)]


def _speed(what: str, runs: list[tuple[float, float]], high: float = float("inf")) -> Row:
    """Measure by the clock, the median of runs: it means anything only on a machine without other work."""
    clock, cores = (np.array(values) / RUN for values in zip(*runs, strict=True))
    note = f"{clock.min():.1f} to {clock.max():.1f} in runs of {RUN} frames; time of all cores {cores.mean():.1f}"
    return Row(what, float(np.median(clock)), high=high, note=note)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds by the clock, and of all cores together."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)
