"""How a batch fits into the memory that is free."""

from itertools import pairwise

import pytest

from vcd_ext.identity.training.plan import GIB, RESERVE, MicroBatchPlan, activations, micro_batch_plans
from vcd_ext.settings import TrainSettings

HALF, SINGLE = 2, 4


def first(gib: float, **settings) -> MicroBatchPlan:
    value_bytes = settings.pop("value_bytes", HALF)
    return micro_batch_plans(TrainSettings(**settings), int((gib + RESERVE) * GIB), value_bytes)[0]


@pytest.mark.parametrize(
    ("free", "plan"),
    [
        (3.4, MicroBatchPlan(4, None)),
        (3.2, MicroBatchPlan(2, None)),
        (1.65, MicroBatchPlan(4, False)),
        (0.9, MicroBatchPlan(1, None)),
        (0.81, MicroBatchPlan(4, True)),
        (0.5, MicroBatchPlan(1, False)),
        (0.3, MicroBatchPlan(1, True)),
        (0.0, MicroBatchPlan(1, True)),
    ],
)
def test_the_fastest_plan_that_fits_is_chosen(free: float, plan: MicroBatchPlan):
    assert first(free) == plan


def test_precision_and_size_count():
    assert first(3.4, value_bytes=SINGLE) == MicroBatchPlan(2, None)
    assert first(3.4, size=768).micro_batch < 4
    assert first(0.9, size=256) == MicroBatchPlan(4, None)


def test_what_is_set_is_kept():
    assert first(0.1, micro_batch=3, gradient_checkpointing="off") == MicroBatchPlan(3, None)
    assert first(1.0, gradient_checkpointing="all") == MicroBatchPlan(4, True)
    assert first(9.0, micro_batch=8, batch=2) == MicroBatchPlan(2, None)


def test_each_next_plan_needs_no_more():
    ladder = micro_batch_plans(TrainSettings(batch=6), 100 * GIB, HALF)
    assert ladder[0] == MicroBatchPlan(6, None)
    assert ladder[-1] == MicroBatchPlan(1, True)
    assert {plan.micro_batch for plan in ladder} == {6, 3, 2, 1}
    assert all(activations(a, 512, HALF) >= activations(b, 512, HALF) for a, b in pairwise(ladder))


def test_on_a_cpu_pictures_are_computed_one_by_one():
    assert micro_batch_plans(TrainSettings(), None, SINGLE) == [
        MicroBatchPlan(1, None),
        MicroBatchPlan(1, False),
        MicroBatchPlan(1, True),
    ]
    assert micro_batch_plans(TrainSettings(micro_batch=2, gradient_checkpointing="all"), None, SINGLE) == [
        MicroBatchPlan(2, True)
    ]
