"""Where the subject is: tiles without it are denoised without its name, or it would appear in them again."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vcd_ext.tiled.tiles import Tile

COVERED = 0.1  # share of a tile that the subject's boxes cover
CONTAINED = 0.5  # share of a box that lies in the tile


def presence(boxes: NDArray[np.floating], tiles: Sequence[Tile]) -> NDArray[np.bool_]:
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
