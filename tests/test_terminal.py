"""What the commands show in a terminal."""

import pytest

from vcd_ext.cli.terminal import stage_bars
from vcd_ext.progress import Progress


def test_a_stage_that_begins_anew_with_another_total_ends_full(capsys: pytest.CaptureFixture[str]) -> None:
    with stage_bars() as show:
        for total in (20, 8):
            for step in (0, total):
                show(Progress("Repairing face 1", step, total))
    assert capsys.readouterr().err.rpartition("\r")[2].startswith("Repairing face 1 100% |")
