"""Tiled VCD with the shipped drawn world, from 128x128 to 256x256, beside plain enlarging.

The individuals are those of `benchmarks.identities`, named in the prompt by what was learned of them; no training of
the denoiser saw them. As in the tab, their faces are looked for, and tiles without them are denoised without the name.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.identities import INDIVIDUALS
from benchmarks.intervals import interval
from benchmarks.rows import Row
from tools.toyworld.world import Render, render, sample
from vcd_ext import toyworld
from vcd_ext.face import boxes_of, find_people
from vcd_ext.face.detect import Drawn
from vcd_ext.hosts.standalone import Standalone
from vcd_ext.hosts.video import StandaloneVideo
from vcd_ext.metrics.colour import colour_shift
from vcd_ext.metrics.motion import flicker
from vcd_ext.metrics.seam import Seams, seams
from vcd_ext.metrics.toyworld import Judges, load_judges
from vcd_ext.remake import SMALLEST
from vcd_ext.settings import FaceSettings, TiledSettings
from vcd_ext.tiled import upscale
from vcd_ext.tiled.tiles import tiles

Frames = NDArray[np.uint8]
FIRST_SEED = 7000
DISTANCES = ("plain", "far")
EMBEDDINGS = Path("docs/effects/individuals/4")
# The world was drawn at 128 pixels: a tile shows the denoiser about as much as it was trained on.
SETTINGS = TiledSettings(
    motion_module=str(toyworld.motion_module()), cfg_scale=7.0, sampler="ddim", seed=1, tile=144, tile_overlap=32,
    upscaler="Lanczos",
)  # fmt: skip
LARGER = replace(SETTINGS, tile=200, tile_overlap=144)  # four tiles as well, each of which sees more of the picture
WHOLE = replace(SETTINGS, tile=256)  # one tile holds the canvas
FINE = 2.0  # sigma below which is detail, in pixels of 256


@dataclass(frozen=True)
class Measured:
    """One video against the same that was only enlarged (plain), and that was denoised without tiles (whole)."""

    seams: Seams  # against the whole one: what is painted differs between sky and subject
    shift: float  # from the plain one
    flicker: float  # over that of the plain one
    flicker_of_tiles: float  # over that of the whole one
    flicker_of_larger: float  # the same of larger tiles
    detail_of_tiles: float  # spread of the detail, over that of the whole one
    detail_of_larger: float
    sharpness: float  # spread of the detail, over that of the plain one
    likeness: float  # to the individual as it is drawn, minus that of the plain one


@cache
def host() -> StandaloneVideo:
    """The drawn world on the CPU."""
    learned = [EMBEDDINGS / f"{name}.safetensors" for name in INDIVIDUALS]
    return StandaloneVideo(Standalone.load(toyworld.checkpoint(), torch.float32, "cpu"), learned)


def rows(videos: int) -> list[Row]:
    """Measures of as many clips."""
    judges = load_judges(toyworld.judges())
    found = [_measured(name, clip, judges) for name, clip in _clips(videos)]
    note = f"{videos} clips of 16 frames"
    return [
        _row("sharpness over that of plain enlarging", [m.sharpness for m in found], note, low=1.0),
        _row("flicker over that of plain enlarging", [m.flicker for m in found], high=1.1),
        _row("flicker over that without tiles", [m.flicker_of_tiles for m in found], high=1.1),
        _row("the same with tiles of 200", [m.flicker_of_larger for m in found]),
        _row("sharpness over that without tiles", [m.detail_of_tiles for m in found]),
        _row("the same with tiles of 200", [m.detail_of_larger for m in found]),
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


def _clips(count: int) -> Iterator[tuple[str, Render]]:
    """Individuals, at another distance in each round through them."""
    for i in range(count):
        name, (kind, number) = list(INDIVIDUALS.items())[i % len(INDIVIDUALS)]
        distance = DISTANCES[i // len(INDIVIDUALS) % len(DISTANCES)]
        yield name, render(sample(FIRST_SEED + i, "eval", kind=kind, number=number, distance=distance, light="day"))


def _measured(name: str, clip: Render, judges: Judges) -> Measured:
    frames = _generated(clip.frames)
    boxes = _faces(frames)
    kind = INDIVIDUALS[name][0]
    prompt = clip.caption.replace(f" a {kind} ", f" {name} {kind} ", 1)
    made, larger, whole = (
        upscale(host(), frames, replace(settings, prompt=prompt, identity=name), boxes=boxes)
        for settings in (SETTINGS, LARGER, WHOLE)
    )
    plain = np.stack([_enlarged(frame) for frame in frames])
    parts = tiles(made.shape[1], made.shape[2], SETTINGS.tile, SETTINGS.tile_overlap)
    true = judges.identity(clip.frames, clip.masks)
    return Measured(
        seams=seams(made, whole, parts),
        shift=float(colour_shift(made, plain, 16).mean()),
        flicker=flicker(made) / flicker(plain),
        flicker_of_tiles=flicker(made) / flicker(whole),
        flicker_of_larger=flicker(larger) / flicker(whole),
        detail_of_tiles=_sharpness(made) / _sharpness(whole),
        detail_of_larger=_sharpness(larger) / _sharpness(whole),
        sharpness=_sharpness(made) / _sharpness(plain),
        likeness=float(((judges.identity(made) - judges.identity(plain)) * true).sum(1).mean()),
    )


def _faces(frames: Frames) -> NDArray[np.floating] | None:
    """Where the subject is, found as the tab does; None where it is not."""
    people = find_people(frames, FaceSettings(min_face=SMALLEST), Drawn())
    return boxes_of(people, len(frames)) if people else None


@torch.no_grad()
def _generated(frames: Frames) -> Frames:
    """The frames as the world's autoencoder draws them: as soft as what text-to-video makes."""
    models = host().standalone
    pixels = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 127.5 - 1
    decoded = [
        models.decode(models.vae.encode(p[None]).latent_dist.mean[0] * models.vae.config.scaling_factor) for p in pixels
    ]
    drawn = torch.stack(decoded).permute(0, 2, 3, 1)
    return np.asarray(((drawn + 1) * 127.5).round().clamp(0, 255).byte().numpy())


def _enlarged(frame: Frames) -> Frames:
    picture = host().enlarge(frame.astype(np.float32) / 255, 2, SETTINGS.upscaler)
    return np.asarray(np.rint(picture * 255), np.uint8)


def _sharpness(frames: Frames) -> float:
    values = frames.astype(np.float32)
    return float(np.std([frame - cv2.GaussianBlur(frame, (0, 0), FINE) for frame in values]))
