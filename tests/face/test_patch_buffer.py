"""Patches come out as they went in, whether they lie in memory or on the disk."""

import tracemalloc

import numpy as np
import pytest

from vcd_ext.face.patch_buffer import PatchBuffer
from vcd_ext.face.repair import Patch
from vcd_ext.face.resample import Area


def patches(count: int, side: int = 6) -> list[Patch]:
    draw = np.random.default_rng(1)
    place = Area(slice(2, 2 + side), slice(4, 9))
    return [Patch(i, place, draw.integers(0, 256, (side, 5, 3), np.uint8)) for i in range(count)]


@pytest.mark.parametrize("most", [1, 200, 2**20])
def test_they_come_out_as_they_went_in(most: int) -> None:
    given = patches(7)
    with PatchBuffer(most) as waiting:
        waiting.extend(iter(given))
        for _ in range(2):
            for one, other in zip(waiting, given, strict=True):
                assert one[:2] == other[:2]
                assert np.array_equal(one.pixels, other.pixels)


def test_many_of_them_need_no_memory() -> None:
    [large] = patches(1, side=20_000)  # 300 KB
    tracemalloc.start()
    with PatchBuffer(2**20) as waiting:
        waiting.extend(large for _ in range(100))
        assert sum(patch.pixels.nbytes for patch in waiting) == 30_000_000
        _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000
