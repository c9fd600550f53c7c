"""Conditions of frames between key frames: mixed by their distance, over other lengths, steps and numbers of parts."""

import pytest
import torch
from torch import Tensor

from vcd_ext.hosts.shared.prompt_travel import Subprompt, UpTo, mixed, travelled
from vcd_ext.prompt.travel import Place

EMPTY = torch.full((2, 3), 9.0)


def cond(value: float, tokens: int = 2) -> Tensor:
    return torch.full((tokens, 3), float(value))


def part(*entries: tuple[int, Tensor], weight: float = 1.0) -> Subprompt:
    return Subprompt([UpTo(*entry) for entry in entries], weight)


def values(made: Subprompt) -> list[tuple[int, list[float]]]:
    return [(entry.end_at_step, entry.cond[:, 0].tolist()) for entry in made.schedule]


def test_the_share_is_exact_at_both_ends() -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, 77, 8, generator=generator)
    for mode in ("linear", "slerp"):
        assert torch.equal(mixed(one, other, 0.0, mode), one)
        assert torch.allclose(mixed(one, other, 1.0, mode), other, atol=1e-6)


def test_linear_is_the_weighted_mean_and_slerp_goes_round_the_sphere() -> None:
    east, north = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    assert torch.equal(mixed(east, north, 0.25, "linear"), torch.tensor([[1.5, 0.5]]))
    third = mixed(east, north, 1 / 3, "slerp")
    assert torch.allclose(third, torch.tensor([[3**0.5, 1.0]]))  # 30 degrees of 90, as long as before
    assert torch.equal(mixed(east, 2 * east, 0.5, "slerp"), 1.5 * east)  # no angle: linear


@pytest.mark.parametrize("mode", ["linear", "slerp"])
def test_half_precision_stays_half(mode: str) -> None:
    one, other = torch.eye(2).half()
    assert mixed(one[None], other[None], 0.5, mode).dtype == torch.float16


def test_a_key_frame_has_its_own_condition_and_others_a_mixture() -> None:
    keys = [[part((4, cond(0)))], [part((4, cond(8)))]]
    places = [Place(0, 0, 0.0), Place(0, 1, 0.0), Place(0, 1, 0.25), Place(1, 1, 0.0)]
    rows = travelled(keys, places, "linear", EMPTY)
    assert [values(row[0]) for row in rows] == [[(4, [v, v])] for v in (0, 0, 2, 8)]
    assert rows[0][0].schedule[0].cond is keys[0][0].schedule[0].cond


def test_a_shorter_condition_gets_empty_chunks() -> None:
    keys = [[part((4, cond(0)))], [part((4, cond(8, tokens=4)))]]
    rows = travelled(keys, [Place(0, 0, 0.0), Place(0, 1, 0.5)], "linear", EMPTY)
    assert values(rows[0][0]) == [(4, [0, 0, 9, 9])]
    assert values(rows[1][0]) == [(4, [4, 4, 8.5, 8.5])]


def test_each_step_is_mixed_of_what_both_say_there() -> None:
    keys = [[part((2, cond(0)), (8, cond(4)))], [part((5, cond(8)), (8, cond(0)))]]
    [[made]] = travelled(keys, [Place(0, 1, 0.5)], "linear", EMPTY)
    assert values(made) == [(2, [4, 4]), (5, [6, 6]), (8, [2, 2])]


def test_a_part_that_a_key_frame_lacks_fades_by_its_weight() -> None:
    keys = [[part((4, cond(0)))], [part((4, cond(0))), part((4, cond(8)), weight=0.8)], [part((4, cond(1)))]]
    places = [Place(0, 0, 0.0), Place(0, 1, 0.25), Place(1, 2, 0.0), Place(2, 2, 0.0)]
    rows = travelled(keys, places, "linear", EMPTY)
    assert [round(row[1].weight, 6) for row in rows] == [0.0, 0.2, 0.8, 0.0]
    assert [values(row[1]) for row in rows] == [[(4, [8, 8])]] * 4


def test_the_conditions_of_a_long_video_are_not_kept() -> None:
    keys = [[part((1, cond(0)))], [part((1, cond(1024)))]]
    places = [Place(0, 1, i / 1024) for i in range(1024)]
    rows = travelled(keys, places, "linear", EMPTY)
    kept = {entry.before.data_ptr() for row in rows[1:] for entry in row[0].schedule}
    assert kept == {keys[0][0].schedule[0].cond.data_ptr()}
    assert [row[0].schedule[0].cond[0, 0].item() for row in rows] == list(range(1024))
