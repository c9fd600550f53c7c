"""What a host tells in steps, as the progress of a stage."""

import pytest

from vcd_ext import progress
from vcd_ext.progress import Progress, steps


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Progress]:
    seconds = iter(range(0, 1000, 10))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds))
    return []


def test_steps_of_a_stage_with_the_time_left(told: list[Progress]) -> None:
    tell = steps(told.append, "Painting")
    assert tell is not None
    tell(0, 4)
    tell(1, 4)
    tell(4, 4)
    assert [(one.stage, one.step, one.total) for one in told] == [("Painting", n, 4) for n in (0, 1, 4)]
    assert [one.seconds_left for one in told] == [None, 10 * 3, 0]


@pytest.mark.parametrize("again", [(0, 4), (1, 2)], ids=["from the start", "with other steps"])
def test_where_the_host_begins_anew_so_does_the_clock(told: list[Progress], again: tuple[int, int]) -> None:
    tell = steps(told.append, "Painting")
    assert tell is not None
    tell(0, 4)
    tell(3, 4)
    tell(*again)
    tell(2, again[1])
    done, total = 2, again[1]
    since = 10 if again[0] == 0 else 20  # by the clock that was started at `again`
    assert told[-1].seconds_left == since / done * (total - done)


def test_where_nobody_listens_nothing_is_told() -> None:
    assert steps(None, "Painting") is None
