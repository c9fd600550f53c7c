"""Tiled VCD on textured clips with known motion, painted by a denoiser with known faults."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.moving import Moving, detail, texture
from benchmarks.painter import Faults, Painter, enlarge
from benchmarks.rows import Row
from vcd_ext.denoising.partition import tiles
from vcd_ext.metrics.colour import colour_shift
from vcd_ext.metrics.seam import Seams, seams
from vcd_ext.metrics.warp import warp_error
from vcd_ext.motion import windows
from vcd_ext.settings import TiledSettings
from vcd_ext.tiled import upscale

Frames = NDArray[np.uint8]
FRAMES, SIDE = 4, 512
SETTINGS = TiledSettings(seed=1)
PAPER = replace(SETTINGS, tile=512, tile_overlap=0, keep_colours=0)
CANVASES = ((1024, 1024), (1088, 1920), (1920, 1080), (1000, 1536), (576, 576), (4096, 2160))  # height, width
TILES = ((576, 128), (512, 0), (512, 64), (640, 320), (448, 384))
VIDEOS = ((16, 16, 4), (17, 16, 4), (200, 16, 4), (200, 32, 8), (33, 24, 23), (10_000, 16, 4))
SIZES = ((512, 512), (203, 317), (480, 270), (33, 64))


def rows() -> list[Row]:
    """All that can be measured without weights."""
    return [*_unchanged(), *_weights(), *_seams(), *_motion()]


def plain(frames: Frames) -> Frames:
    """Return the frames enlarged and not denoised."""
    return np.stack([np.rint(enlarge(frame.astype(np.float32) / 255, 2) * 255).astype(np.uint8) for frame in frames])


def _unchanged() -> list[Row]:
    worst = 0
    for height, width in SIZES:
        frames = np.rint(texture(512, 3)[None, :height, :width] * 255).astype(np.uint8)
        made = upscale(Painter(Faults()), frames, SETTINGS)
        worst = max(worst, int(np.abs(made.astype(int) - plain(frames)).max()))
    sizes = ", ".join(f"{width}x{height}" for height, width in SIZES)
    return [Row("identity denoiser: largest difference, levels", worst, high=1, note=f"clips of {sizes}")]


def _weights() -> list[Row]:
    of_tiles = max(_error_of_tiles(*canvas, *sizes) for canvas in CANVASES for sizes in TILES)
    of_windows = max(_error_of_windows(*video) for video in VIDEOS)
    return [
        Row(
            "sum of the tiles' weights, off 1 by", of_tiles, high=1e-6, note=f"{len(CANVASES) * len(TILES)} geometries"
        ),
        Row("sum of the windows' weights, off 1 by", of_windows, high=1e-6, note="16 to 10,000 frames"),
    ]


def _error_of_tiles(height: int, width: int, size: int, overlap: int) -> float:
    total = torch.zeros(height, width, dtype=torch.float64)
    for tile in tiles(height, width, size, overlap):
        total[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width] += tile.weights
    return float((total - 1).abs().max())


def _error_of_windows(frames: int, length: int, overlap: int) -> float:
    total = torch.zeros(frames, dtype=torch.float64)
    for window in windows(frames, length, overlap):
        total[list(window.frames)] += window.weights
    return float((total - 1).abs().max())


def _seams() -> list[Row]:
    """Tiles 4 levels apart in colour; detail of 4 levels from the canvas' noise, and of 1 from the tile's own."""
    frames = Moving(FRAMES, SIDE).frames()
    source = plain(frames)

    def measured(faults: Faults, settings: TiledSettings) -> Seams:
        made = upscale(Painter(faults), frames, settings)
        return seams(made, source, tiles(2 * SIDE, 2 * SIDE, settings.tile, settings.tile_overlap))

    ours = measured(Faults(tile=4, shared=4, own=1), SETTINGS)
    paper = measured(Faults(tile=4, shared=4, own=1), PAPER)
    alone = measured(Faults(tile=4, own=4), SETTINGS)
    return [
        Row("seam: gradient at the borders over the interior's", ours.gradient, 0.95, 1.05),
        Row("seam: high frequencies at the borders over the interior's", ours.edges, 0.95, 1.05),
        Row("seam: high frequencies in the overlap over the interior's", ours.bands, 0.95, 1.05),
        Row("seam: step of the light at the borders, levels", ours.step, high=0.5, note="the bound is the report's"),
        Row(
            "the same with the paper's 512 without overlap: gradient", paper.gradient, note="nothing kept of the source"
        ),
        Row("the same with the paper's 512 without overlap: step, levels", paper.step),
        Row("the same if each tile had noise of its own: overlap", alone.bands, note="why the canvas has one noise"),
    ]


def _motion() -> list[Row]:
    """Tiles 4 levels apart, which flicker by 1.5; detail of 4 levels that moves with the picture."""
    clip = Moving(FRAMES, SIDE)
    frames, flows = clip.frames(), clip.flows(2)
    source, plane = plain(frames), detail(2 * SIDE, 5)
    painter = Painter(Faults(tile=4, flicker=1.5, lasting=4), [clip.view(plane, i, 2) for i in range(FRAMES)])
    made = upscale(painter, frames, SETTINGS)
    loose = upscale(painter, frames, replace(SETTINGS, keep_colours=0))
    shifts, before = colour_shift(made, source), warp_error(source, flows)
    return [
        Row("colour shift against the source, CIEDE2000", float(shifts.mean()), high=1.0),
        Row("colour shift, spread over frames", float(shifts.std()), high=0.3, note="the bound is the report's"),
        Row("colour shift if colours are not kept", float(colour_shift(loose, source).mean())),
        Row("flicker: warp error over the input's", warp_error(made, flows) / before, high=1.1),
        Row("flicker if colours are not kept", warp_error(loose, flows) / before),
    ]
