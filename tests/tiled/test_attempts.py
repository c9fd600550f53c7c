"""What is tried when the memory is too small."""

import pytest

from vcd_ext.settings import TiledSettings
from vcd_ext.tiled.video_pass import attempts


def sizes(settings: TiledSettings, frames: int, longest_side: int) -> list[tuple[int, ...]]:
    found = attempts(settings, frames, longest_side)
    return [(each.context, each.context_overlap, each.tile, each.tile_overlap) for each in found]


def test_windows_are_halved_down_to_4_then_tiles_shrink() -> None:
    assert sizes(TiledSettings(), 200, 1024) == [
        (16, 4, 576, 128),
        (8, 2, 576, 128),
        (4, 1, 576, 128),
        (4, 1, 384, 128),
        (4, 1, 256, 128),
    ]


def test_what_makes_no_difference_is_not_tried() -> None:
    assert sizes(TiledSettings(), 1, 512) == [(16, 4, 576, 128), (16, 4, 384, 128), (16, 4, 256, 128)]
    assert sizes(TiledSettings(context=24, context_overlap=6), 12, 256) == [(24, 6, 576, 128), (6, 1, 576, 128)]


@pytest.mark.parametrize("tile", [256, 320, 512, 1024])
@pytest.mark.parametrize("overlap", [0, 128, 248])
@pytest.mark.parametrize("context", [1, 5, 16, 32])
def test_every_attempt_can_run_and_is_smaller_than_the_one_before(tile: int, overlap: int, context: int) -> None:
    settings = TiledSettings(tile=tile, tile_overlap=overlap, context=context, context_overlap=context - 1)
    found = attempts(settings, 100, 2048)
    for each in found:
        assert 0 <= each.context_overlap < each.context
        assert 0 <= each.tile_overlap < each.tile
        assert each.tile % 8 == 0
    areas = [each.context * each.tile**2 for each in found]
    assert areas == sorted(set(areas), reverse=True)
