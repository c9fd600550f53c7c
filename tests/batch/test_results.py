"""What was made is measured once, compared with intervals, and shown on one page; NaN is counted, not hidden."""

import csv
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from tests.batch.fake_lender import FakeLender
from tests.batch.test_protocol import TEXT, read
from vcd_ext.batch import results
from vcd_ext.batch.comparison import figures, paired_differences
from vcd_ext.batch.protocol import Protocol
from vcd_ext.batch.report import markdown, write_evaluation
from vcd_ext.batch.results import Row, check_measures, measure_all, write_rows
from vcd_ext.batch.run import in_process, run_units
from vcd_ext.batch.toml_file import PlanError
from vcd_ext.metrics.intervals import nested_interval
from vcd_ext.metrics.registry import Measure, register_measure
from vcd_ext.progress import Callbacks

QUIET = Callbacks(lambda _: None, lambda _: None, lambda: False)
SMALL = TEXT.replace("steps = 3", "steps = 1\nmasked = false\nsize = 64\nbatch = 1\nvariants = 1").replace(
    '"flow", "flicker"', '"brightness"'
)
register_measure(Measure("brightness", "Brightness", lambda *_: lambda frames, _: float(frames.mean()) / 20))
register_measure(
    Measure("unweighed", "Unweighed", lambda *_: lambda *_: 0.0, missing=lambda _: "scales.pt is not in models.")
)


@pytest.fixture
def made(folder: Path) -> Protocol:
    """Return a protocol whose videos, of the colour of their seed, are made."""
    protocol = read(folder, SMALL)
    run_units(protocol.units, protocol.out, in_process(FakeLender()), QUIET)
    return protocol


def test_each_video_is_measured_once(made: Protocol, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = measure_all(made, QUIET)
    assert [round(row.values["brightness"]) for row in rows] == [row.cell.seed for row in rows]
    monkeypatch.setattr(results, "measure_video", lambda *_: pytest.fail("measured again"))
    assert [row.values for row in measure_all(made, QUIET)] == [row.values for row in rows]


def test_a_line_that_was_cut_off_is_measured_again(made: Protocol) -> None:
    before = [row.values for row in measure_all(made, QUIET)]
    log = made.out / results.MEASURED
    log.write_text(log.read_text()[:-20])
    assert [row.values for row in measure_all(made, QUIET)] == before


def test_videos_that_are_missing_are_counted(made: Protocol) -> None:
    lost = next(cell for cell in made.cells if cell.method == "ours")
    lost.unit.files[0].unlink()
    figure = figures(made, measure_all(made, QUIET))["ours", "brightness"]
    assert (figure.videos, figure.without) == (7, 1)
    assert "7 (and 1 NaN)" in str(figure)


def test_differences_are_those_of_the_same_prompt_and_seed(folder: Path) -> None:
    protocol = read(folder, SMALL)
    base = {"class word": -1.0, "ours": 0.0, "gamma 0": 0.25, "1 token": 0.5}
    rows = [Row(cell, {"brightness": base[cell.method] + 10 * cell.seed}) for cell in protocol.cells]
    gap = paired_differences(protocol, rows)["gamma 0", "brightness"].interval
    assert (gap.mean, gap.low, gap.high) == (0.25, 0.25, 0.25), "what seeds differ by drops out"
    assert figures(protocol, rows)["ours", "brightness"].interval.high > 15


def test_subjects_that_differ_make_a_wider_interval_than_seeds_that_do() -> None:
    subjects, seeds = np.zeros((4, 3, 4)), np.zeros((4, 3, 4))
    subjects[:2], seeds[..., :2] = 1, 1
    between, within = nested_interval(subjects), nested_interval(seeds)
    assert between.mean == within.mean == 0.5
    assert between.high - between.low > 2 * (within.high - within.low)


def test_an_interval_of_nothing_is_not_a_number() -> None:
    assert math.isnan(nested_interval(np.full((2, 1, 1), np.nan)).mean)


def test_figures_are_written_as_csv_and_json(made: Protocol) -> None:
    table, lines = write_rows(made, measure_all(made, QUIET))
    rows = list(csv.DictReader(table.open()))
    assert len(rows) == 32
    assert rows[0]["file"].endswith(".gif")
    assert (made.out / rows[0]["file"]).is_file()
    assert [json.loads(line)["seed"] for line in lines.read_text().splitlines()] == [int(row["seed"]) for row in rows]


def test_the_page_shows_everything_and_needs_no_network(made: Protocol) -> None:
    page = write_evaluation(made, measure_all(made, QUIET)).read_text()
    assert page.count("data:image/gif") == 2 * 4 + 2, "a clip of each subject and method; the best and the worst"
    assert page.count("data:image/jpeg") == 2 * 2, "photos of each subject"
    assert "8 videos" in page
    assert not re.findall(r'(?:src|href)="(?!data:|rows\.|videos/)[^"]*"', page)
    for link in re.findall(r'href="(videos/[^"]*)"', page):
        assert (made.out / link).is_file()


def test_large_clips_are_linked(made: Protocol, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcd_ext.batch.report.EMBEDDED", 0)
    page = write_evaluation(made, measure_all(made, QUIET)).read_text()
    assert "data:image/gif" not in page
    assert 'src="videos/ours/rex01/' in page


def test_the_table_names_each_method_with_its_videos(made: Protocol) -> None:
    text = markdown(made, measure_all(made, QUIET))
    assert "| ours | 1.50 (1.12 to 1.88), 8 |" in text
    assert "| minus ours | Brightness |" in text


def test_a_measure_without_weights_is_refused_before_the_work(folder: Path) -> None:
    protocol = read(folder, SMALL.replace('"brightness"', '"brightness", "unweighed"'))
    with pytest.raises(PlanError, match="unweighed cannot be made: scales.pt is not in models"):
        check_measures(protocol, False)
    check_measures(protocol, True)
