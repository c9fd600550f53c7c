"""What is done when the memory is too small: shorter windows, then smaller tiles."""

from typing import NamedTuple

from vcd_ext.motion.windows import shorter
from vcd_ext.settings import TiledSettings

MIN_TILE = 256  # pixels of a tile's side; below it shows too little of the picture to know what it is


class Plan(NamedTuple):
    """How much is denoised at once: frames of a window, pixels of a tile's side, and what neighbours share."""

    context: int
    context_overlap: int
    tile: int
    tile_overlap: int

    def __str__(self) -> str:
        return f"windows of {self.context} frames and tiles of {self.tile}"


def plans(settings: TiledSettings, frames: int, longest_side: int) -> list[Plan]:
    """Return the plans to try, in order, for `frames` frames and a canvas of `longest_side` pixels.

    First what the settings say, then half the window down to 4 frames, then tiles of three quarters down to 256.
    """
    plan = Plan(settings.context, settings.context_overlap, settings.tile, settings.tile_overlap)
    found = [plan]
    for length, overlap in shorter(frames, settings.context, settings.context_overlap):
        plan = plan._replace(context=length, context_overlap=overlap)
        found.append(plan)
    tile = min(settings.tile, longest_side)
    while (tile := tile * 3 // 4 // 64 * 64) >= MIN_TILE:
        plan = plan._replace(tile=tile, tile_overlap=min(settings.tile_overlap, tile // 2))
        found.append(plan)
    return found
