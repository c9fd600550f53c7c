"""`generate` and Ctrl-C: the same command goes on with the video, and another one is told whose it is."""

import re
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.command_line import last_line, refused
from vcd_ext import media
from vcd_ext.__main__ import main
from vcd_ext.hosts.diffusers.loaded import LoadedCheckpoint

pytestmark = pytest.mark.usefixtures("_ctrl_c_as_in_a_terminal")


@pytest.fixture
def long(call: list[str], tmp_path: Path) -> list[str]:
    """Return a job of four steps."""
    return [*call, "--steps", "4", "--out", str(tmp_path / "clip.png")]


def pressed(patch: pytest.MonkeyPatch, step: int) -> list[int]:
    """Press Ctrl-C while a step of this number, from 1, is computed; the list counts the steps."""
    plain, made = LoadedCheckpoint.predict, list[int]()

    def predict(self: Any, *arguments: Any, **options: Any) -> Any:
        made.append(1)
        if len(made) == step:
            signal.raise_signal(signal.SIGINT)
        return plain(self, *arguments, **options)

    patch.setattr(LoadedCheckpoint, "predict", predict)
    return made


def stop(long: list[str], monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    with monkeypatch.context() as patch:
        pressed(patch, step)
        assert main(long) == 130


def test_ctrl_c_and_the_same_command_give_the_same_video(
    long: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main([*long, "--out", str(tmp_path / "whole.png")]) == 0
    stop(long, monkeypatch, 3)
    said = capsys.readouterr().err
    assert "Stopping after this step; press Ctrl-C again to stop at once." in said
    assert last_line(said) == f"Stopped. The same command goes on from {tmp_path / 'clip.generating'}."
    assert not (tmp_path / "clip").exists()
    made = pressed(monkeypatch, 99)
    assert main(long) == 0
    assert f"Goes on from {tmp_path / 'clip.generating'}: 3 steps are made." in capsys.readouterr().err
    assert len(made) == 1
    one, other = (media.read(tmp_path / name) for name in ("whole", "clip"))
    assert np.array_equal(one.frames, other.frames)
    assert one.metadata == other.metadata
    assert not (tmp_path / "clip.generating").exists()


def test_a_seed_that_was_drawn_stays(
    long: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = [*long, "--seed", "-1"]
    stop(drawn, monkeypatch, 2)
    assert main(drawn) == 0
    text = media.read(tmp_path / "clip").metadata["parameters"]
    seed = re.findall(r"Seed: (\d+)", text)[0]
    assert main([*long, "--seed", seed, "--out", str(tmp_path / "again.png")]) == 0
    one, other = (media.read(tmp_path / name).frames for name in ("clip", "again"))
    assert np.array_equal(one, other)


def test_another_command_is_refused_and_loses_nothing(
    long: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop(long, monkeypatch, 1)
    capsys.readouterr()
    sentence = refused([*long, "--prompt", "a cat", "--steps", "5"], capsys)
    assert "clip.generating belongs to another video: it differs in --prompt, --steps." in sentence
    assert (tmp_path / "clip.generating").is_file()
    assert main([*long, "--formats", "gif", "png", "--crf", "30"]) == 0, "what comes after the sampling may change"


def test_a_prompt_is_no_file_that_is_called_the_same(
    long: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named = [*long, "--prompt", "dog"]
    (tmp_path / "dog").write_text("notes")
    stop(named, monkeypatch, 1)
    (tmp_path / "dog").write_text("more notes")
    assert main(named) == 0


def test_a_file_that_has_changed_is_another_one(
    long: list[str], files: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    embedding = tmp_path / "someone.safetensors"
    embedding.write_bytes(files.embedding.read_bytes())
    named = [*long, "--embedding", str(embedding)]
    stop(named, monkeypatch, 1)
    capsys.readouterr()
    embedding.touch()
    assert "it differs in --embedding." in refused(named, capsys)


def test_what_finds_followed_people_counts_as_well(
    long: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("vcd_ext.cli.generate.followed_regions", lambda *_: None)
        people = [*long, "--people=- man @ followed left", "--face-words", "man"]
        stop(people, patch, 1)
    capsys.readouterr()
    assert "it differs in --face-words." in refused([*people, "--face-words", "cat"], capsys)


def test_ctrl_c_in_the_first_pass_of_followed_people_is_no_fault(
    long: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vcd_ext.cli.following.detectors", lambda *_: lambda _settings: lambda _frame: [])
    made = pressed(monkeypatch, 1)
    assert main([*long, "--people=- man @ followed left"]) == 130
    assert last_line(capsys.readouterr().err) == "Interrupted; no file was left half-written."
    assert len(made) == 1, "the pass ends after its step"


def test_a_second_ctrl_c_stops_at_once(
    long: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def predict(*_arguments: Any, **_options: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(LoadedCheckpoint, "predict", predict)
    assert main(long) == 130
    assert last_line(capsys.readouterr().err) == "Interrupted; no file was left half-written."
    assert list(tmp_path.glob("clip*")) == []
