"""The subcommand `train`: photos in, an embedding out; stopped, it goes on; a mistake is one sentence."""

import errno
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from tests.command_line import last_line, refused
from tests.conftest import Files
from vcd_ext.__main__ import main
from vcd_ext.cli import train
from vcd_ext.identity import load_embedding
from vcd_ext.progress import TRAINING, Progress

pytestmark = pytest.mark.usefixtures("_ctrl_c_as_in_a_terminal")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder of two photos that are cut out."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i, picture in enumerate(np.random.default_rng(2).integers(0, 256, (2, 64, 80, 4), np.uint8)):
        picture[..., 3] = 0
        picture[8:56, 16:64, 3] = 255
        Image.fromarray(picture).save(folder / f"{i}.png")
    return folder


@pytest.fixture
def call(files: Files, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a small job; options that come later count."""
    monkeypatch.chdir(tmp_path)
    small = "--size 64 --steps 3 --batch 1 --variants 1 --validate-every 0 --save-every 2 --seed 5"
    return ["train", "--checkpoint", str(files.checkpoint), "--photos", str(photos), "--class", "dog", "--name", "rex",
            *small.split()]  # fmt: skip


def test_photos_become_an_embedding_that_says_where_it_is_from(call, tmp_path, capsys):
    assert main([*call, "--tokens", "2", "--validate-every", "3"]) == 0
    said = capsys.readouterr()
    assert said.out == "rex.safetensors\n"
    assert "Training 100%" in said.err
    assert "left, loss" in said.err
    assert 'In prompts: "photo of rex dog".' in last_line(said.err)
    assert load_embedding(tmp_path / "rex.safetensors").shape == (2, 64)
    with safe_open(tmp_path / "rex.safetensors", "pt") as file:
        assert file.keys() == ["rex"]
        facts = file.metadata()
    assert (facts["class"], facts["steps"], facts["seed"], facts["tokens"]) == ("dog", "3", "5", "2")
    assert (facts["checkpoint"], facts["mask_source"], facts["schedule"]) == (
        "tiny.safetensors",
        "alpha",
        "animatediff",
    )
    assert len(facts["checkpoint_hash"]) == 10
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "rex.safetensors"}, "the state is gone"


def test_steps_are_kept_beside_the_file_and_not_over_another(call, tmp_path, capsys):
    assert main([*call, "--keep-every", "2"]) == 0
    assert {path.name for path in tmp_path.glob("*.safetensors")} >= {"rex.safetensors", "rex_2.safetensors"}
    with safe_open(tmp_path / "rex_2.safetensors", "pt") as file:
        assert file.keys() == ["rex_2"]
    capsys.readouterr()
    (tmp_path / "rex.safetensors").unlink()
    sentence = refused([*call, "--keep-every", "2"], capsys)
    assert "There is already an embedding called rex_2" in sentence
    assert "add --overwrite to replace it" in sentence


def test_ctrl_c_saves_and_the_same_command_goes_on(call, tmp_path, capsys, monkeypatch):
    @contextmanager
    def pressed_at_two() -> Iterator[object]:
        def press(progress: Progress) -> None:
            if progress.stage == TRAINING and progress.step == 2:
                signal.raise_signal(signal.SIGINT)

        yield press

    with monkeypatch.context() as patched:
        patched.setattr(train, "stage_bars", pressed_at_two)
        assert main(call) == 130
    said = capsys.readouterr()
    assert said.out == ""
    assert last_line(said.err) == "Stopped at step 2 of 3. The same command goes on from rex.training."
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "rex.training", "rex.training.bank"}
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    assert main(call) == 0
    resumed = load_embedding(tmp_path / "rex.safetensors")
    assert main([*call, "--overwrite"]) == 0
    assert torch.equal(load_embedding(tmp_path / "rex.safetensors"), resumed)
    capsys.readouterr()
    assert main([*call, "--overwrite", "--seed", "6"]) == 0
    assert not torch.equal(load_embedding(tmp_path / "rex.safetensors"), resumed)


def test_the_second_ctrl_c_stops_at_once(capsys):
    with train.interruption() as interrupted:
        assert not interrupted()
        signal.raise_signal(signal.SIGINT)
        assert interrupted()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_photos_without_masks_get_them_or_are_learned_as_a_whole(call, photos, tmp_path, capsys, monkeypatch):
    for file in photos.iterdir():
        Image.open(file).convert("RGB").save(file)

    def found(pixels, word):
        if not asked:
            asked.append(word)
            return np.pad(np.full((32, 40), 255, np.uint8), ((16, 16), (20, 20)))
        raise ValueError("no dog is in it.")

    asked: list[str] = []
    found.name = "test"
    monkeypatch.setattr("vcd_ext.identity.segment.segmenters", lambda *_: [found])
    assert main(call) == 0
    said = capsys.readouterr().err
    assert asked == ["dog"]
    assert "1.png gets no mask: no dog is in it." in said
    assert "Left out, because no mask was found: 1.png." in said
    with safe_open(tmp_path / "rex.safetensors", "pt") as file:
        assert (file.metadata()["mask_source"], file.metadata()["photos"]) == ("test", "1")

    assert main([*call, "--name", "rexa"]) == 2, "this time none is found"
    assert "No mask was found for any photo" in last_line(capsys.readouterr().err)
    assert main([*call, "--name", "rexa", "--no-masked"]) == 0
    assert len(asked) == 1


def test_one_photo_is_learned_from_with_a_warning(call, photos, capsys):
    (photos / "1.png").unlink()
    assert main(call) == 0
    assert capsys.readouterr().err.count("only one photo; with 5 to 10") == 1


@pytest.mark.parametrize(("share", "reason"), [(0, "is empty"), (0.005, "less than 1%"), (1, "more than 95%")])
def test_a_mask_of_no_use_is_told_by_its_photos_name_and_another_is_looked_for(
    call, photos, capsys, monkeypatch, share, reason
):
    found = np.pad(np.full((32, 40), 255, np.uint8), ((16, 16), (20, 20)))
    monkeypatch.setattr("vcd_ext.identity.segment.segmenters", lambda *_: [named(lambda *_: found)])
    mask = np.zeros(64 * 80, np.uint8)
    mask[: round(share * mask.size)] = 255
    Image.fromarray(mask.reshape(64, 80)).save(photos / "0.mask.png")
    assert main(call) == 0
    assert re.search(f"The mask of 0.png .*{reason}", capsys.readouterr().err)
    with safe_open("rex.safetensors", "pt") as file:
        assert file.metadata()["mask_source"] == "alpha, test"


def named(segmenter):
    segmenter.name = "test"
    return segmenter


def test_masks_that_are_all_empty_are_a_mistake_unless_masks_are_not_wanted(call, photos, tmp_path, capsys):
    for name in ("0", "1"):
        Image.new("L", (80, 64)).save(photos / f"{name}.mask.png")
    assert main(call) == 2
    said = capsys.readouterr().err
    assert said.startswith("vcd: The masks of all photos are empty; mark the subject white")
    assert len(said.splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"photos"}
    assert main([*call, "--no-masked"]) == 0


def test_an_sdxl_checkpoint_is_a_mistake(call, tmp_path, capsys):
    name = "conditioner.embedders.0.transformer.text_model.final_layer_norm.bias"
    save_file({name: torch.zeros(2)}, tmp_path / "xl.safetensors")
    assert main([*call, "--checkpoint", "xl.safetensors"]) == 2
    said = capsys.readouterr().err
    assert "SDXL" in said
    assert len(said.splitlines()) == 1


def test_a_full_disk_at_the_end_is_told_and_the_same_command_goes_on(call, tmp_path, capsys, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("vcd_ext.identity.save_embedding", full_disk)
        assert main(call) == 2
    assert last_line(capsys.readouterr().err) == "vcd: [Errno 28] No space left on device"
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "rex.training", "rex.training.bank"}
    assert main(call) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "rex.safetensors"}


def full_disk(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


MISTAKES = {
    "no photos": (["--photos", "."], "no pictures in it"),
    "missing checkpoint": (["--checkpoint", "missing.safetensors"], "There is no checkpoint at missing"),
    "missing photos": (["--photos", "missing"], "missing does not exist"),
    "name with a path": (["--name", "../rex"], "has '.' in it"),
    "common word": (["--name", "cat"], "cat is a common word"),
    "name as the class": (["--name", "dog"], "use another name"),
    "long class": (["--class", "my own very little dog"], "has 5 words"),
    "too many tokens": (["--tokens", "17"], "tokens is 17; it must be from 1 to 16"),
    "odd size": (["--size", "100"], "size is 100; it must be a multiple of 8"),
    "another file's name": (["--out", "max.safetensors"], "name it rex.safetensors"),
    "missing folder": (["--out", "missing/folder"], "a folder that exists"),
    "unknown schedule": (["--schedule", "cosine"], "invalid choice: 'cosine'"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gives_one_sentence_and_changes_nothing(call, tmp_path, capsys, mistake):
    options, reason = MISTAKES[mistake]
    assert reason in refused([*call, *options], capsys)
    assert {path.name for path in tmp_path.iterdir()} == {"photos"}


@pytest.mark.parametrize(
    ("theirs", "options", "remedy"),
    [
        ("rex.safetensors", [], "add --overwrite"),
        ("Rex.pt", [], "delete that file"),
        ("Rex.pt", ["--overwrite"], "delete that file"),
    ],
)
def test_an_embedding_of_that_name_is_not_overwritten_unasked_nor_joined_by_another(
    call, tmp_path, capsys, theirs, options, remedy
):
    (tmp_path / theirs).write_text("mine")
    assert main([*call, *options]) == 2
    said = last_line(capsys.readouterr().err)
    assert f"already an embedding called {Path(theirs).stem}" in said
    assert said.endswith(f"or {remedy}." if "delete" in remedy else f"or {remedy} to replace it.")
    assert {path.name for path in tmp_path.iterdir()} == {"photos", theirs}
    assert (tmp_path / theirs).read_text() == "mine"


def test_a_folder_can_be_given_for_the_file(tmp_path):
    assert train.output_path(tmp_path, "rex", False) == tmp_path / "rex.safetensors"
    assert train.output_path(None, "rex", False) == Path("rex.safetensors")
