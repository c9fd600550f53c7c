"""What comes back from denoisers whose painting is known."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import skimage.color
from numpy.typing import NDArray

from benchmarks.face_tracking import SETTINGS, SIDE
from benchmarks.rows import Row
from tests.face.synthetic import Jittery, Person, Scene, scenes
from tests.face.toy_host import ToyHost, unchanged
from vcd_ext.face import find_people, restore
from vcd_ext.face.boxes import Values, box_sizes
from vcd_ext.face.mask import outside
from vcd_ext.hosts.protocols import Picture
from vcd_ext.settings import FaceSettings

FRAMES = 16
SCENES = ("walk", "nearing", "crossing", "leaving")
BEYOND = 1.05 + 2 * SETTINGS.feather + 0.25  # times the face: nothing is pasted outside

Frames = NDArray[np.uint8]
Paint = Callable[[int, Picture], Picture]


def noisy(place: int, picture: Picture) -> Picture:
    """Anything at all."""
    return np.random.default_rng(place).random(picture.shape, np.float32)


def tinted(place: int, picture: Picture) -> Picture:
    """Return the input in another light, which changes slowly."""
    drift = np.float32(0.02 * np.sin(2 * np.pi * place / 16))
    return picture * (np.array([0.92, 0.97, 0.88], np.float32) + drift) + np.float32(0.03)


def toned(place: int, picture: Picture) -> Picture:
    """Return the input through another tone curve, and warmer: no linear map undoes it."""
    return np.asarray(picture.clip(0, 1) ** np.float32(1.12) * np.array([1, 0.95, 0.92], np.float32))


def paled(place: int, picture: Picture) -> Picture:
    """Return the input with a fifth of its colours gone."""
    return np.float32(0.8) * picture + np.float32(0.2) * picture.mean(axis=2, keepdims=True)


def patterned(place: int, picture: Picture) -> Picture:
    """Return a pattern that belongs to the crop and not to the face: the worst that a steady denoiser can do."""
    pattern = np.random.default_rng(0).normal(0, 0.08, (32, 32, 3)).astype(np.float32)
    return picture + cv2.resize(pattern, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)


class Repaired:
    """A scene, the people that were found in it, and what is made of it."""

    def __init__(self, truth: Scene):
        self.truth = truth
        self.tracks = find_people(truth.frames, SETTINGS, Jittery(truth))

    def by(self, paint: Paint, settings: FaceSettings = SETTINGS) -> Frames:
        """Paint the clip by a denoiser that paints so."""
        return restore(ToyHost(paint), self.truth.frames, settings, people=self.tracks)

    def inside(self, times: float) -> NDArray[np.bool_]:
        """[F, H, W]: the ellipses of the tracks, made `times` as large."""
        coverage = np.zeros(self.truth.frames.shape[:3], bool)
        for track in self.tracks:
            for i, box in zip(track.frames, track.boxes, strict=True):
                coverage[i] |= _inside(box, times)
        return coverage


def rows() -> list[Row]:
    """Four scenes."""
    repaired = [Repaired(scenes(SIDE, FRAMES)[name]()) for name in SCENES]
    changed, psnr = 0, np.inf
    for one in repaired:
        noise = one.by(noisy, replace(SETTINGS, colour=0.0))
        changed += int((noise != one.truth.frames).any(axis=3)[~one.inside(BEYOND)].sum())
        errors = (one.by(unchanged).astype(float) - one.truth.frames)[one.inside(SETTINGS.mask)]
        psnr = min(psnr, 10 * np.log10(255**2 / max(float((errors**2).mean()), 1e-10)))
    off, matched = (
        [
            ring_shift(one, one.by(paint, replace(SETTINGS, colour=colour)))
            for one in repaired
            for paint in (tinted, toned, paled)
        ]
        for colour in (0.0, 1.0)
    )
    return [
        Row("pixels beyond the paste that changed", changed, high=0, note="the denoiser paints noise"),
        Row("inside the face mask, PSNR in dB, worst clip", psnr, low=50, note="the denoiser returns its input"),
        Row(
            "colour of the ring around the face, Delta E 2000, worst clip and cast",
            max(matched), high=1.5,
            note=f"in another light, through another tone curve, paler; mean {np.mean(matched):.2f}, unmatched "
            f"{np.mean(off):.2f}",
        ),
        _flicker("it got", repaired, unchanged, 1.1),
        _flicker("it got, in a light that changes", repaired, tinted, 1.1),
        _flicker("it got, with a pattern that sticks to the crop", repaired, patterned, float("inf")),
    ]  # fmt: skip


def ring_shift(one: Repaired, restored: Frames) -> float:
    """Mean Delta E 2000 between input and output on what is fully pasted outside the faces."""
    ring = one.inside(SETTINGS.mask) & ~one.inside(1.05)
    colours = [skimage.color.rgb2lab(frames[ring][None] / 255.0) for frames in (one.truth.frames, restored)]
    return float(skimage.color.deltaE_ciede2000(*colours).mean())


def _flicker(what: str, repaired: Sequence[Repaired], paint: Paint, bound: float) -> Row:
    """Warp error along the true flow over the input's."""
    ratios = [warp_error(one.truth, one.by(paint)) / warp_error(one.truth, one.truth.frames) for one in repaired]
    note = f"mean {np.mean(ratios):.2f}"
    return Row(
        f"flicker over the input's, worst clip; the denoiser paints what {what}", max(ratios), high=bound, note=note
    )


def warp_error(truth: Scene, frames: Frames) -> float:
    """Mean difference, 0 to 255, between a face and itself one frame later, brought back along its true path."""
    errors = []
    for k, person in enumerate(truth.people):
        before = truth.people[k + 1 :]
        for i in np.flatnonzero(truth.visible[k][:-1] & truth.visible[k][1:]).tolist():
            x, y = _later(person.boxes[i], person.boxes[i + 1])
            shown = _inside(person.boxes[i], 0.9) & (x > 1) & (x < SIDE - 1) & (y > 1) & (y < SIDE - 1)
            shown &= ~_covered(before, i) & ~_covered(before, i + 1)
            if shown.any():
                later = cv2.remap(frames[i + 1], x - 0.5, y - 0.5, cv2.INTER_CUBIC)
                errors.append(np.abs(later[shown].astype(float) - frames[i][shown]).mean())
    return float(np.mean(errors))


def _later(box: Values, then: Values) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where each pixel goes that moves as the face does: x and y, [H, W]."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    scale = box_sizes(then) / box_sizes(box)
    moved = (x - box[0]) * scale[0] + then[0], (y - box[1]) * scale[1] + then[1]
    return moved[0].astype(np.float32), moved[1].astype(np.float32)


def _covered(people: Sequence[Person], frame: int) -> NDArray[np.bool_]:
    """Where others are, with what is pasted around them."""
    coverage = np.zeros((SIDE, SIDE), bool)
    for person in people:
        if not np.isnan(person.boxes[frame]).any():
            coverage |= _inside(person.boxes[frame], BEYOND)
    return coverage


def _inside(box: Values, times: float) -> NDArray[np.bool_]:
    places = np.arange(SIDE) + 0.5
    return np.asarray(outside(box, places, places, times) <= 0)
