"""Turn the settings of Tiled VCD into passes of the denoiser: smaller ones where the memory is too small.

Tiles without the subject are denoised without its name, or it would appear in them again.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vcd_ext.denoising.partition import Tile, tiles
from vcd_ext.hosts.protocols import FACTOR, Tiling, VideoPass
from vcd_ext.motion.windows import shorter
from vcd_ext.people import RegionalTexts, Regions
from vcd_ext.prompt.names import with_name, without_name
from vcd_ext.settings import NO_MODULE, TiledSettings

MIN_TILE = 256  # pixels of a tile's side; below it shows too little of the picture to know what it is
COVERED = 0.1  # share of a tile that the subject's boxes cover
CONTAINED = 0.5  # share of a box that lies in the tile

Boxes = NDArray[np.floating]


def attempts(settings: TiledSettings, frames: int, longest_side: int) -> list[TiledSettings]:
    """List the settings to try for a video of `frames` frames and a canvas of `longest_side` pixels.

    First those that are given, then half the window down to 4 frames, then tiles of three quarters down to 256.
    """
    found = [settings]
    for length, overlap in shorter(frames, settings.context, settings.context_overlap):
        found.append(replace(settings, context=length, context_overlap=overlap))
    tile = min(settings.tile, longest_side)
    while (tile := tile * 3 // 4 // 64 * 64) >= MIN_TILE:
        found.append(replace(found[-1], tile=tile, tile_overlap=min(settings.tile_overlap, tile // 2)))
    return found


def video_pass(
    settings: TiledSettings, canvas: tuple[int, int], boxes: Boxes | None, regions: Regions | None = None
) -> VideoPass:
    """Return the pass over a canvas (height, width in pixels), with the identity's name in the prompt.

    boxes: where the subject is, [F, N, 4] in pixels of the canvas. The whole prompt is used everywhere if there is no
    box, or nothing in the prompt to leave out, or if regions say who is where. regions: those of the people, where they
    are known better than by their lines.
    """
    work = VideoPass.of(settings)
    if settings.identity != NO_MODULE:
        work = replace(work, prompt=with_name(work.prompt, settings.identity))
    tiling = Tiling(settings.tile, settings.tile_overlap)
    regional = RegionalTexts.of(settings.several)
    if regional is not None:  # a name is heard in its region alone, so no tile without it has it
        regional = regional._replace(regions=regions or regional.regions)
        return replace(work, regional=regional, tiling=tiling)
    elsewhere = settings.elsewhere.strip() or without_name(work.prompt, settings.identity)
    if boxes is not None and not np.isnan(boxes).all() and elsewhere != work.prompt:
        # As the host will have them: in latents, which also takes less memory for the weights.
        height, width, size, overlap = (side // FACTOR for side in (*canvas, tiling.size, tiling.overlap))
        present = tiles_with_subject(boxes / FACTOR, tiles(height, width, size, overlap))
        tiling = replace(tiling, elsewhere=elsewhere, present=present)
    return replace(work, tiling=tiling)


def tiles_with_subject(boxes: Boxes, tiles: Sequence[Tile]) -> NDArray[np.bool_]:
    """Find the tiles that show the subject in each frame: [F, tiles].

    boxes: [F, N, 4], of the subject in the tiles' unit, as left, top, right, bottom; NaN where a frame has fewer. A
    tile has it where the boxes cover a tenth of the tile, or where half of one box lies in it.
    """
    left, top, right, bottom = np.moveaxis(np.asarray(boxes, np.float64)[:, :, None], -1, 0)  # [F, N, 1] each
    starts_y, starts_x, heights, widths = np.array([tile[:4] for tile in tiles], np.float64).T
    wide = np.minimum(right, starts_x + widths) - np.maximum(left, starts_x)
    high = np.minimum(bottom, starts_y + heights) - np.maximum(top, starts_y)
    shared = np.nan_to_num(wide.clip(0) * high.clip(0))  # [F, N, tiles]
    areas = np.nan_to_num((right - left) * (bottom - top))
    covered = shared.sum(1) >= COVERED * heights * widths
    contained = (shared >= CONTAINED * areas) & (areas > 0)
    return np.asarray(covered | contained.any(1))
