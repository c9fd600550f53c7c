"""The subcommand `ui`: what it says before it serves anything."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Files
from vcd_ext.__main__ import main, parser
from vcd_ext.cli import ui


def test_without_gradio_one_sentence_says_how_to_get_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["ui", "--checkpoint", "sd15.safetensors"]) == 2
    assert capsys.readouterr().err == (
        "vcd: The page needs gradio, which is not installed: pip install gradio==3.41.2\n"
    )


def test_a_checkpoint_that_is_not_there_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ui", "--checkpoint", "nowhere.safetensors"]) == 2
    said = capsys.readouterr().err
    assert "nowhere.safetensors" in said
    assert len(said.splitlines()) == 1


def test_identities_and_states_lie_in_the_chosen_folder() -> None:
    arguments = parser().parse_args(
        ["ui", "--checkpoint", "c", "--embeddings", "mine", "--weights", "a", "b", "--port", "9"]
    )
    folders = ui.studio_folders(arguments)
    assert folders.identities == folders.trainings == Path("mine")
    assert folders.weights == (Path("a"), Path("b"))


def test_the_page_is_served_to_this_machine_alone(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gradio

    served: dict[str, Any] = {}
    monkeypatch.setattr(gradio.Blocks, "launch", lambda self, **options: served.update(options, page=self))
    options = ["--embeddings", str(tmp_path), "--port", "7999"]
    assert main(["ui", "--checkpoint", str(files.checkpoint), *options]) == 0
    assert (served["server_name"], served["server_port"]) == ("127.0.0.1", 7999)
    assert served["page"].title == "VCD"
