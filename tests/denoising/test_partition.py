"""Tiles of a canvas: they cover it evenly, alike in size, and their weights sum to 1 on every place."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vcd_ext.denoising.partition import Tile, tiles


@st.composite
def requests(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """Height, width, size and overlap that can be asked for."""
    size = draw(st.integers(1, 40))
    sides = st.integers(1, 90)
    # More overlap than 3/4 makes hundreds of tiles and no other case.
    return draw(sides), draw(sides), size, draw(st.integers(0, size * 3 // 4))


def places(made: list[Tile]) -> list[tuple[int, int, int, int]]:
    return [tile[:4] for tile in made]


@given(requests())
@settings(max_examples=30)
def test_the_weights_sum_to_1_on_every_place(request_: tuple[int, int, int, int]) -> None:
    total = torch.zeros(request_[:2], dtype=torch.float64)
    for tile in tiles(*request_):
        assert tile.weights.dtype == torch.float32
        assert (tile.weights > 0).all()
        total[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width] += tile.weights
    assert (total - 1).abs().max() < 1e-6


@given(requests())
@settings(max_examples=30)
def test_all_are_alike_row_by_row_and_share_what_was_asked_for(request_: tuple[int, int, int, int]) -> None:
    height, width, size, overlap = request_
    made = tiles(*request_)
    assert {tile[2:4] for tile in made} == {(min(size, height), min(size, width))}
    assert {tuple(tile.weights.shape) for tile in made} == {made[0][2:4]}
    rows, columns = sorted({tile.top for tile in made}), sorted({tile.left for tile in made})
    assert [tile[:2] for tile in made] == [(top, left) for top in rows for left in columns]
    for starts, side in ((rows, height), (columns, width)):
        steps = [after - before for before, after in pairwise(starts)]
        assert (starts[0], starts[-1]) == (0, max(side - size, 0))
        assert all(0 < step <= size - overlap for step in steps)
        assert not steps or max(steps) - min(steps) <= 1, "evenly spread"
        assert side <= size or (len(steps) - 1) * (size - overlap) < side - size, "one less would not do"


def test_1024_square_is_four_tiles_of_576_whose_overlap_is_128() -> None:
    assert places(tiles(1024, 1024, 576, 128)) == [
        (0, 0, 576, 576),
        (0, 448, 576, 576),
        (448, 0, 576, 576),
        (448, 448, 576, 576),
    ]


def test_without_overlap_tiles_of_512_are_the_papers() -> None:
    made = tiles(1024, 1024, 512, 0)
    assert places(made) == [(top, left, 512, 512) for top in (0, 512) for left in (0, 512)]
    assert all(torch.equal(tile.weights, torch.ones(512, 512)) for tile in made)


def test_a_canvas_within_a_tile_is_one_tile_of_weight_1() -> None:
    [tile] = tiles(40, 64, 64, 16)
    assert tile[:4] == (0, 0, 40, 64)
    assert torch.equal(tile.weights, torch.ones(40, 64))


def test_along_one_side_only() -> None:
    assert places(tiles(64, 100, 72, 16)) == [(0, 0, 64, 72), (0, 28, 64, 72)]


def test_the_ramps_are_raised_cosines() -> None:
    left, right = tiles(1, 12, 8, 4)
    cosine = (1 + torch.cos(torch.pi * (torch.arange(4) + 0.5) / 4)) / 2
    torch.testing.assert_close(left.weights, torch.cat([torch.ones(4), cosine])[None])
    torch.testing.assert_close(right.weights, torch.cat([1 - cosine, torch.ones(4)])[None])


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ((128, 128, 64, 64), "overlap is 64; it must be from 0 to below their size, 64"),
        ((128, 128, 64, 80), "overlap is 80"),
        ((128, 128, 64, -8), "overlap is -8"),
        ((128, 128, 0, 0), "all must be at least 1"),
        ((0, 128, 64, 16), "all must be at least 1"),
    ],
)
def test_what_makes_no_tiles_is_refused(request_: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tiles(*request_)
