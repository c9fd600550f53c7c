"""The button under the player: there where something can measure, and it reads no file that it may not."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from tests.film import film
from tests.toy_studio import ToyStudio
from vcd_ext.metrics import registry
from vcd_ext.metrics.registry import Compute, Measure, register_measure
from vcd_ext.ui.likeness_section import LikenessSection


@pytest.fixture(autouse=True)
def _bright() -> Iterator[None]:
    """Register a measure that compares brightness, which needs no weights."""

    def load(*_: Any) -> Compute:
        return lambda frames, context: -abs(float(frames.mean()) - float(context.photos[0].pixels.mean()))

    register_measure(Measure("bright", "Brightness", load, of_photos=True))
    yield
    registry._MEASURES.pop("bright")


class Measuring(ToyStudio):
    """A studio with that measure alone."""

    def measures(self) -> tuple[str, ...]:
        return ("bright",)


def section(studio: ToyStudio) -> LikenessSection:
    with gr.Blocks():
        return LikenessSection(studio, "txt2img", lambda info: str(json.loads(info).get("path", "")))


def told(path: Path) -> str:
    return json.dumps({"path": str(path)})


def test_each_frame_is_drawn(tmp_path: Path) -> None:
    path = film(tmp_path / "walk.mp4", 6)
    drawn = section(Measuring(tmp_path)).measure(told(path))
    assert '<svg class="vcd-plot"' in drawn
    (points,) = re.findall('<polyline class="vcd-average" points="([^"]*)"', drawn)
    assert len(points.split()) == 6
    assert "Brightness: each frame beside frames 0 to 2" in drawn


def test_the_button_is_there_where_there_is_a_video_and_a_measure(tmp_path: Path) -> None:
    info = told(tmp_path / "walk.mp4")
    assert section(Measuring(tmp_path)).offered(info) == [gr.update(visible=True), ""]
    assert section(Measuring(tmp_path)).offered("{}") == [gr.update(visible=False), ""]


def test_where_nothing_can_measure_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcd_ext.jobs.likeness.GENERAL", ("clip_i",))
    shown = section(ToyStudio(tmp_path))
    assert shown.offered(told(tmp_path / "walk.mp4")) == [gr.update(visible=False), ""]
    assert "No measure of likeness can be made here." in shown.measure(told(film(tmp_path / "walk.mp4", 4)))


def test_a_page_that_others_can_reach_reads_no_other_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    studio = Measuring(tmp_path / "studio")
    monkeypatch.setattr(studio, "private", False)
    outside = film(tmp_path / "secret.mp4", 4)
    assert "<svg" not in section(studio).measure(told(outside))
    (tmp_path / "studio/videos").mkdir(parents=True)
    inside = film(tmp_path / "studio/videos/walk.mp4", 4)
    assert "<svg" in section(studio).measure(told(inside))


@pytest.mark.parametrize("info", ["{}", json.dumps({"path": "/nowhere/at/all.mp4"})])
def test_what_is_no_video_is_said_in_a_sentence(tmp_path: Path, info: str) -> None:
    said = section(Measuring(tmp_path)).measure(info)
    assert "<svg" not in said
    assert len(said) > 20
