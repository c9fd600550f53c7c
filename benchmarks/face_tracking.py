"""How well tracks follow people whose paths are known."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Row
from tests.face.synthetic import Jittery, Person, Scene, scenes
from vcd_ext.face import Track, boxes_of, find_people
from vcd_ext.face.boxes import box_centres, box_sizes, iou
from vcd_ext.face.crops import squares
from vcd_ext.settings import FaceSettings

SIDE, FRAMES, SEEDS = 512, 48, 10
SETTINGS = FaceSettings(seed=0)

Values = NDArray[np.float64]


@dataclass
class Followed:
    """What was counted and measured in one clip."""

    switches: int = 0
    fragments: int = 0
    unseen: int = 0  # times a visible face had no track
    overlap: list[float] = field(default_factory=list)  # IoU of each visible face with its track
    jitter: list[float] = field(default_factory=list)  # acceleration of a crop's error over that of the detections'
    lag: list[float] = field(default_factory=list)  # root of the mean squared error of a track's middles, pixels
    faces: list[float] = field(default_factory=list)  # sides of the faces in their crops, pixels of 512


def rows() -> list[Row]:
    """All scenes, each with several seeds of the detector."""
    found = []
    for make in scenes(SIDE, FRAMES).values():
        clip = make()
        found += [followed(clip, Jittery(clip, seed=seed)) for seed in range(SEEDS)]
    overlaps = [float(np.mean(one.overlap)) for one in found]
    jitter, lag, faces = (np.concatenate([getattr(one, name) for one in found]) for name in ("jitter", "lag", "faces"))
    unseen, seen = sum(one.unseen for one in found), sum(len(one.overlap) for one in found)
    return [
        Row("identity switches", sum(one.switches for one in found), high=0, note=f"{len(found)} runs"),
        Row("fragments", sum(one.fragments for one in found), high=0),
        Row("visible faces without a track, share", unseen / (seen + unseen), note="lost while others are before them"),
        Row("track IoU, worst run", min(overlaps), low=0.8, note=f"mean {np.mean(overlaps):.3f}"),
        Row("jitter of the crops' middles over raw detections', worst", jitter.max(), high=0.5, note=_mean(jitter)),
        Row("lag in pixels behind an exact detector, worst track", max(_exact_lags()), high=2),
        Row(
            "error of tracks in pixels, detector's errors included, worst track",
            lag.max(), high=2,
            note=f"{_mean(lag)}; above 2 in {(lag > 2).sum()} of {len(lag)}: short tracks average few of the "
            "detector's errors, 2.4 pixels each",
        ),
        Row("face in its crop, pixels of 512, least", faces.min(), low=200, note=_mean(faces)),
    ]  # fmt: skip


def _exact_lags() -> list[float]:
    """Of all scenes, by a detector that loses a fifth of the faces and does not err."""
    clips = [make() for make in scenes(SIDE, FRAMES).values()]
    return [lag for clip in clips for seed in range(3) for lag in followed(clip, Jittery(clip, error=0, seed=seed)).lag]


def followed(truth: Scene, detector: Jittery) -> Followed:
    """Find the people of a scene and compare them with the truth."""
    tracks = find_people(truth.frames, SETTINGS, detector)
    places = boxes_of(tracks, len(truth.frames))
    result = Followed()
    for k, person in enumerate(truth.people):
        mine: list[int] = []
        for i in np.flatnonzero(truth.visible[k]):
            shares = np.nan_to_num(iou(person.boxes[i : i + 1], places[i])[0])
            if not len(shares) or shares.max() < 0.5:
                result.unseen += 1
                continue
            mine.append(int(shares.argmax()))
            result.overlap.append(float(shares.max()))
        result.switches += int(np.count_nonzero(np.diff(mine)))
        result.fragments += max(0, len(set(mine)) - 1)
        for number in set(mine):
            _steadiness(result, tracks[number], person, detector.boxes[k])
    return result


def unrest(errors: Values) -> float:
    """Root of the mean squared acceleration of errors [F, 2], in pixels; frames with NaN do not count."""
    return float(np.sqrt(np.nanmean(np.diff(errors, 2, axis=0) ** 2)))


def _steadiness(result: Followed, track: Track, person: Person, detected: Values) -> None:
    span = slice(track.frames.start, track.frames.stop)
    true = box_centres(person.boxes[span])
    crops = squares(track, SETTINGS, SIDE, SIDE)
    raw = unrest(box_centres(detected[span]) - true)
    if raw > 0:
        result.jitter.append(unrest(box_centres(track.boxes) - true) / raw)
    result.lag.append(float(np.sqrt(np.nanmean(((box_centres(track.boxes) - true) ** 2).sum(axis=1)))))
    sides = box_sizes(person.boxes[span]).max(axis=1) * SETTINGS.size / np.array([crop.side for crop in crops])
    result.faces += sides[~np.isnan(sides)].tolist()


def _mean(values: Values) -> str:
    return f"mean {values.mean():.2f}"
