"""How much each region counts at each place of the picture."""

import pytest
import torch

from vcd_ext.people import RegionBox, Regions
from vcd_ext.people.regions import along

LEFT, RIGHT = RegionBox(0, 0, 0.5, 1), RegionBox(0.5, 0, 1, 1)


@pytest.mark.parametrize("boxes", [[LEFT, RIGHT], [LEFT, RegionBox(0.3, 0.2, 0.8, 0.9)], [RegionBox(0, 0, 1, 1)]])
@pytest.mark.parametrize("base", [0.0, 0.3])
def test_shares_sum_to_one_at_each_place(boxes: list[RegionBox], base: float) -> None:
    shares = Regions([[box] for box in boxes], base=base).shares(13, 24)
    assert shares.shape == (1, 1 + len(boxes), 13, 24)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(1, 13, 24))
    assert float(shares.min()) >= -1e-6
    assert float(shares[:, 0].min()) >= base - 1e-6


def test_halves_meet_softly_and_reach_the_picture_s_edge() -> None:
    left = Regions([[LEFT], [RIGHT]], base=0, border=0.25).shares(8, 16)[0, 1]
    assert left[:, :6].eq(1).all()
    assert left[:, 10:].eq(0).all()
    assert (left[0, 6:10].diff() < 0).all()
    assert left[0, 7] + left[0, 8] == pytest.approx(1)
    assert left.eq(left[:1]).all()


def test_a_border_of_0_is_hard() -> None:
    left = Regions([[LEFT]], base=0, border=0).shares(4, 8)[0, 1]
    assert left.unique().tolist() == [0, 1]
    assert left.mean() == 0.5


def test_regions_that_overlap_share() -> None:
    shares = Regions([[LEFT], [RegionBox(0, 0, 1, 1)]], base=0.2).shares(8, 8)[0, :, 4]
    torch.testing.assert_close(shares[:, 0], torch.tensor([0.2, 0.4, 0.4]))
    torch.testing.assert_close(shares[:, 7], torch.tensor([0.2, 0, 0.8]))


def test_masks_take_the_place_of_boxes_frame_by_frame() -> None:
    masks = torch.zeros(2, 1, 16, 16)
    masks[0, 0, :, :8], masks[1, 0, :, 8:] = 1, 1
    shares = Regions([[LEFT]], masks, base=0).shares(4, 4)
    assert shares[:, 1, 0].tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]


def test_a_region_moves_evenly_from_box_to_box() -> None:
    assert along([LEFT, RIGHT], 0, 5) == LEFT
    assert along([LEFT, RIGHT], 2, 5) == RegionBox(0.25, 0, 0.75, 1)
    assert along([LEFT, RIGHT], 4, 5) == RIGHT
    assert along([LEFT, RIGHT, LEFT], 2, 5) == RIGHT
    assert along([LEFT, RIGHT], 0, 1) == LEFT
    shares = Regions([[LEFT, RIGHT], [RIGHT, LEFT]], base=0, border=0).shares(4, 8, frames=5)
    assert shares.shape == (5, 3, 4, 8)
    torch.testing.assert_close(shares[0], Regions([[LEFT], [RIGHT]], base=0, border=0).shares(4, 8)[0])
    torch.testing.assert_close(shares[4], Regions([[RIGHT], [LEFT]], base=0, border=0).shares(4, 8)[0])
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(5, 4, 8))
