"""Tiled VCD with the shipped drawn world, from 128x128 to 256x256, beside plain enlarging.

The videos are what text-to-video makes of the individuals of `benchmarks.identities`, named by what was learned of
them; no training of the denoiser saw them. As in the tab, faces are looked for, and tiles without them are denoised
without the name.
"""

from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.effects import Wish
from benchmarks.identities import INDIVIDUALS, LEARNED, album, embedding
from benchmarks.rows import Row
from tools.toyworld import captions
from tools.toyworld.motion import ACTIONS
from vcd_ext import toyworld
from vcd_ext.cli import demo
from vcd_ext.denoising.partition import tiles
from vcd_ext.face import boxes_of, find_people
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.identity.photos.photo import read_photos
from vcd_ext.metrics.colour import colour_shift
from vcd_ext.metrics.intervals import interval
from vcd_ext.metrics.motion import flicker
from vcd_ext.metrics.seam import Seams, seams
from vcd_ext.settings import FaceSettings, TiledSettings, VideoSettings
from vcd_ext.stages.video_to_video import MIN_FACE
from vcd_ext.tiled import upscale
from vcd_ext.toyworld.detector import ToyworldDetector
from vcd_ext.toyworld.judging import Judges, load_judges
from vcd_ext.toyworld.likeness import appearance, likeness

Frames = NDArray[np.uint8]
FIRST_SEED = 7000
DISTANCES = ("plain", "far")
# The world was drawn at 128 pixels: a tile shows the denoiser about as much as it was trained on.
SETTINGS = TiledSettings(
    motion_module=str(toyworld.motion_module()), cfg_scale=toyworld.CFG_SCALE, sampler="ddim", seed=1, tile=144,
    tile_overlap=32, upscaler="Lanczos",
)  # fmt: skip
WHOLE = replace(SETTINGS, tile=256)  # one tile holds the canvas
FINE = 2.0  # sigma below which is detail, in pixels of 256


@dataclass(frozen=True)
class Measured:
    """One video against the same that was only enlarged (plain), and that was denoised without tiles (whole)."""

    seams: Seams  # against the whole one: what is painted differs between sky and subject
    shift: float  # from the plain one
    flicker: float  # over that of the plain one
    flicker_of_tiles: float  # over that of the whole one
    detail_of_tiles: float  # spread of the detail, over that of the whole one
    sharpness: float  # spread of the detail, over that of the plain one
    likeness: float  # to the individual's photos, minus that of the plain one


@cache
def host() -> StandaloneVideo:
    """Return the drawn world on the CPU."""
    models = Standalone.load(toyworld.checkpoint(), torch.float32, "cpu")
    return StandaloneVideo(models, [embedding(models, name, LEARNED) for name in INDIVIDUALS])


def rows(videos: int) -> list[Row]:
    """Measures of as many videos."""
    judges = load_judges(toyworld.judges())
    found = [_measured(judges, *_wish(number)) for number in range(videos)]
    note = f"{videos} videos of 16 frames"
    return [
        _row("sharpness over that of plain enlarging", [m.sharpness for m in found], note, low=1.0),
        _row("flicker over that of plain enlarging", [m.flicker for m in found], high=1.1),
        _row("flicker over that without tiles", [m.flicker_of_tiles for m in found], high=1.1),
        _row("sharpness over that without tiles", [m.detail_of_tiles for m in found]),
        _row("colour shift, CIEDE2000", [m.shift for m in found], high=1.0),
        _row("seam: gradient", [m.seams.gradient for m in found], low=0.95, high=1.05),
        _row("seam: high frequencies at the borders", [m.seams.edges for m in found], low=0.95, high=1.05),
        _row("seam: high frequencies in the overlap", [m.seams.bands for m in found], low=0.95, high=1.05),
        _row("seam: step of the light, levels", [m.seams.step for m in found], "above that within a tile", high=0.5),
        _row("likeness to the individual, minus plain enlarging's", [m.likeness for m in found], low=0.0),
    ]


def _row(what: str, values: list[float], note: str = "", low: float = float("-inf"), high: float = float("inf")) -> Row:
    found = interval(values)
    return Row(what, found.mean, low, high, f"95%: {found.low:.3f} to {found.high:.3f}" + (note and f"; {note}"))


def _wish(number: int) -> tuple[str, str, int]:
    """Name, prompt and seed; another distance in each round through the individuals."""
    name = list(INDIVIDUALS)[number % len(INDIVIDUALS)]
    distance = DISTANCES[number // len(INDIVIDUALS) % len(DISTANCES)]
    place, action = list(captions.PLACES)[number % len(captions.PLACES)], ACTIONS[number % len(ACTIONS)]
    wish = Wish(INDIVIDUALS[name][0], place, action, FIRST_SEED + 100 * number)
    return name, wish.of(f"{name} {wish.kind}", distance), wish.seed


def _measured(judges: Judges, name: str, prompt: str, seed: int) -> Measured:
    frames = _generated(name, prompt, seed)
    boxes = _faces(frames)
    made, whole = (
        upscale(host(), frames, replace(settings, prompt=prompt, identity=name), boxes=boxes)
        for settings in (SETTINGS, WHOLE)
    )
    plain = np.stack([_enlarged(frame) for frame in frames])
    parts = tiles(made.shape[1], made.shape[2], SETTINGS.tile, SETTINGS.tile_overlap)
    looks = appearance(judges, read_photos(album(name)).photos)
    return Measured(
        seams=seams(made, whole, parts),
        shift=float(colour_shift(made, plain, 16).mean()),
        flicker=flicker(made) / flicker(plain),
        flicker_of_tiles=flicker(made) / flicker(whole),
        detail_of_tiles=_sharpness(made) / _sharpness(whole),
        sharpness=_sharpness(made) / _sharpness(plain),
        likeness=likeness(judges, made, looks) - likeness(judges, plain, looks),
    )


def _faces(frames: Frames) -> NDArray[np.floating] | None:
    """Where the subject is, found as the tab does; None where it is not."""
    people = find_people(frames, FaceSettings(min_face=MIN_FACE), ToyworldDetector())
    return boxes_of(people, len(frames)) if people else None


def _generated(name: str, prompt: str, seed: int) -> Frames:
    models, picture = host().standalone, replace(demo.PICTURE, prompt=prompt, seed=seed)
    video, learned = VideoSettings(frames=demo.FRAMES), [embedding(models, name, LEARNED)]
    return models.generate(picture, video, toyworld.motion_module(), learned).frames


def _enlarged(frame: Frames) -> Frames:
    picture = host().enlarge(frame.astype(np.float32) / 255, 2, SETTINGS.upscaler)
    return np.asarray(np.rint(picture * 255), np.uint8)


def _sharpness(frames: Frames) -> float:
    values = frames.astype(np.float32)
    return float(np.std([frame - cv2.GaussianBlur(frame, (0, 0), FINE) for frame in values]))
