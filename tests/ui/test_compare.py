"""The tab Compare: embeddings of one identity make the same pictures, and the best comes first; reports are shown."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
import torch

from tests.identity.toy_host import PHOTOS
from tests.toy_studio import ToyStudio
from tests.waiting import until
from vcd_ext.identity import save_embedding
from vcd_ext.jobs.comparison import Comparison, ComparisonJob
from vcd_ext.jobs.job import DONE, STOPPED
from vcd_ext.jobs.service import Jobs
from vcd_ext.metrics import registry
from vcd_ext.metrics.registry import Measure, register_measure
from vcd_ext.ui.compare_tab import ReportSection
from vcd_ext.ui.comparison_panel import comparison_panel, comparison_table

ALIKE = {"rex50": 0.2, "rex100": 0.9, "rex200": float("nan")}
WANTED = Comparison(tuple(PHOTOS), "dog", tuple(ALIKE), ("photo of {subject}", "a {class} and {subject}"), 2, 64)


class Compared(ToyStudio):
    """Tells embeddings apart by their names."""

    def measures(self) -> tuple[str, ...]:
        return ("alike", "said")


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    monkeypatch.setattr(registry, "_MEASURES", dict(registry._MEASURES))
    register_measure(Measure("alike", "Alike", lambda *_: lambda _, told: ALIKE[told.name], of_photos=True))
    register_measure(Measure("said", "Said", lambda *_: lambda _, told: float(len(told.text))))
    studio = Compared(tmp_path)
    for name in ALIKE:
        (tmp_path / "embeddings").mkdir(exist_ok=True)
        save_embedding(tmp_path / f"embeddings/{name}.safetensors", torch.ones(2, studio.host.width))
    return Jobs(studio)


def ended(job: ComparisonJob) -> ComparisonJob:
    until(lambda: job.ended)
    return job


def test_the_best_comes_first_and_one_without_a_number_last(jobs: Jobs) -> None:
    job = ended(jobs.comparisons.start(WANTED))
    assert (job.state, job.error, len(job.samples)) == (DONE, "", 12)
    assert list(job.means()) == ["rex100", "rex50", "rex200"]
    table = comparison_table(job)
    places = [table.index(f"<h4>{name}</h4>") for name in job.means()]
    assert places == sorted(places)
    assert "rex100 is best" in comparison_panel(job, None)


def test_each_makes_the_same_prompts_with_the_same_seeds(jobs: Jobs) -> None:
    job = ended(jobs.comparisons.start(WANTED))
    made = {(sample.name, sample.prompt.replace(sample.name, "X"), sample.seed) for sample in job.samples}
    assert len(made) == 12
    assert {prompt for _, prompt, _ in made} == {"photo of X dog", "a dog and X dog"}


def test_one_that_is_interrupted_shows_what_is_made(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.studio, "interrupted", lambda: len(getattr(jobs.last, "samples", ())) == 5)
    job = ended(jobs.comparisons.start(WANTED))
    assert (job.state, len(job.samples)) == (STOPPED, 5)
    assert comparison_table(job)
    assert "after 5 of 12 pictures" in comparison_panel(job, None)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"photos": ()}, "There are no photos"),
        ({"names": ()}, "Nothing is chosen"),
        ({"names": ("max",)}, "There is no embedding called max"),
        ({"seeds": 400}, "These are 2400 pictures; choose fewer"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_sentence(jobs: Jobs, change: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        jobs.comparisons.start(replace(WANTED, **change))


def test_without_any_measure_of_likeness_it_says_which_file_is_missing(jobs: Jobs, monkeypatch) -> None:
    monkeypatch.setattr(jobs.studio, "measures", tuple)
    monkeypatch.setattr("vcd_ext.jobs.comparison.GENERAL", ("dino", "clip_i"))
    with pytest.raises(ValueError, match="No measure of likeness can be made here. .*ViT-B-32.pt"):
        jobs.comparisons.start(WANTED)


def test_a_report_is_shown_in_a_frame_that_runs_nothing(jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text('<p title="a">Table 1</p>')
    with gr.Blocks():
        section = ReportSection(jobs)
    assert 'sandbox srcdoc="&lt;p title=&quot;a&quot;&gt;Table 1' in section.shown(str(tmp_path))
    assert "There is no report at" in section.shown(str(tmp_path / "elsewhere"))
    assert "No folder is named" in section.shown(" ")


def test_another_machine_s_page_reads_reports_in_allowed_folders_alone(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report.html").write_text("secret")
    monkeypatch.setattr(jobs.studio, "private", False)
    with gr.Blocks():
        section = ReportSection(jobs)
    assert "is not in a folder that reports may be read from" in section.shown(str(tmp_path))
    (_made(tmp_path / "videos") / "report.html").write_text("open")
    assert "open" in section.shown(str(tmp_path / "videos"))


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder
