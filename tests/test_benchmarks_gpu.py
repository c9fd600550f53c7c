"""The command that measures on a GPU runs small on the CPU, so that it works where there is one."""

from pathlib import Path

import pytest
import torch

from benchmarks import gpu, growth
from vcd_ext.settings import SPEEDS


def test_every_row_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gpu.main(["--small", "--out", str(tmp_path / "gpu.md")])
    page = (tmp_path / "gpu.md").read_text()
    assert "failed" not in page
    rows = [line for line in page.splitlines() if line.startswith("| ") and "seconds" not in line]
    assert len(rows) == 1 + 2 * len(SPEEDS) + 1 + 1 + len(gpu.MODES) + 2
    assert all(float(row.split("|")[2]) > 0 for row in rows)
    assert page in capsys.readouterr().out


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU to measure")
def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        gpu.main([])
    assert "There is no CUDA here; --small tries the command on the CPU." in capsys.readouterr().err


@pytest.mark.parametrize(("power", "expected"), [(1, 1.0), (2, 2.0), (0, 0.0)])
def test_the_exponent_of_a_power_is_the_power(power: int, expected: float) -> None:
    points = [growth.Point(value, 3.0 * value**power, 1.0) for value in (16, 64, 256)]
    assert growth.exponent(points, "seconds") == pytest.approx(expected, abs=1e-9)
