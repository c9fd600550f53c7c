"""V2V without the WebUI: a clip made again, from the command line and from Python."""

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Files
from tests.hosts.test_video import soft
from vcd_ext import media
from vcd_ext.__main__ import main
from vcd_ext.cli import generate
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.restyle import fitting, restyle
from vcd_ext.media import Clip
from vcd_ext.settings import GenerateSettings, VideoSettings

PICTURE = GenerateSettings("a photo", width=64, height=64, steps=2, seed=1, denoise=0.5)


def clip(frames: int, height: int = 64, width: int = 64, fps: str = "12.5") -> Clip:
    return Clip(np.rint(np.stack(soft(frames, height, width)) * 255).astype(np.uint8), fps)


@pytest.fixture
def call(files: Files, tmp_path: Path) -> list[str]:
    """Return a small job; options that come later count."""
    media.write(tmp_path / "in.webm", clip(3, 68, 126))
    job = {"--checkpoint": files.checkpoint, "--out": tmp_path / "out.mp4", "--input": tmp_path / "in.webm"}
    small = {"--steps": 2, "--denoise": 0.5, "--seed": 1, "--prompt": "a photo"}
    return ["generate", *(str(word) for option in (job | small).items() for word in option)]


def test_the_command_line_makes_a_clip_again_at_its_own_size_rate_and_length(call, tmp_path, capsys):
    assert main(call) == 0
    made = media.read(tmp_path / "out.mp4")
    assert made.frames.shape == (3, 64, 128, 3), "the nearest multiples of 8"
    assert made.fps == 12.5
    prompt, settings = made.metadata["parameters"].splitlines()
    assert prompt == "a photo"
    for entry in ("Denoising strength: 0.5", "Steps: 2", "Size: 128x64", "VCD frames: 3", "VCD source: in.webm"):
        assert entry in settings.split(", ")
    assert "100%" in capsys.readouterr().err


def test_what_is_chosen_goes_before_what_the_clip_brings_along(call, tmp_path):
    assert main([*call, "--height", "72", "--frames", "2", "--fps", "5"]) == 0
    made = media.read(tmp_path / "out.mp4")
    assert made.frames.shape == (2, 72, 136, 3), "the width follows from the height"
    assert made.fps == 5


def test_more_frames_than_there_are_is_all_of_them(call, tmp_path):
    assert main([*call, "--frames", "50", "--width", "64", "--height", "64"]) == 0
    assert media.read(tmp_path / "out.mp4").frames.shape == (3, 64, 64, 3)


def test_a_part_of_a_clip_is_made_again_and_written_down(call, tmp_path, capsys):
    assert main([*call, "--first-frame", "2", "--last-frame", "3", "--width", "64", "--height", "64"]) == 0
    made = media.read(tmp_path / "out.mp4")
    assert made.frames.shape == (2, 64, 64, 3)
    for entry in ("VCD frames: 2", "VCD first frame: 2", "VCD last frame: 3"):
        assert entry in made.metadata["parameters"].splitlines()[-1].split(", ")
    assert main([*call, "--first-frame", "3", "--last-frame", "2"]) == 2
    assert "choose a last frame from 3 on, or 0" in capsys.readouterr().err


def test_a_clip_that_is_too_long_is_cut_and_this_is_said(call, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(generate, "MOST_FRAMES", 2)
    assert main(call) == 0
    assert media.read(tmp_path / "out.mp4").frames.shape[0] == 2
    assert "in.webm has 3 frames; the first 2 are used." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--input", "missing.mp4"], "missing.mp4 does not exist"),
        (["--width", "4096"], "width is 4096"),
        (["--denoise", "0"], "denoise is 0.0; it must be from 0.01 to 1"),
        (["--input", "wide.gif"], "is 2600x24 and would be made at 2600x24; sides go from 64 to 2048 pixels"),
    ],
)
def test_a_mistake_gives_one_sentence_and_status_2(call, tmp_path, capsys, monkeypatch, options, reason):
    monkeypatch.chdir(tmp_path)
    media.write(tmp_path / "wide.gif", clip(1, 24, 2600))
    assert main([*call, *options]) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert len(said.strip().splitlines()) == 1


def test_an_identity_is_named_and_a_motion_module_moves(host: Standalone, files: Files):
    source, video = clip(3), VideoSettings(frames=3)
    plain = restyle(host, source, "a.mp4", PICTURE, video)
    moved = restyle(host, source, "a.mp4", PICTURE, video, files.motion_module, [files.embedding])
    assert moved.metadata["parameters"].startswith("a photo, tinyperson\n")
    assert "VCD motion module: mm_v2.safetensors" in moved.metadata["parameters"]
    assert np.abs(plain.frames.astype(int) - moved.frames).mean() > 1


@pytest.mark.parametrize(
    ("size", "chosen", "fits"),
    [((360, 640), (0, 0), (360, 640)), ((361, 638), (0, 0), (360, 640)), ((1080, 1920), (0, 512), (288, 512)),
     ((1920, 1080), (512, 0), (512, 288)), ((3, 3), (0, 0), (8, 8)), ((360, 640), (512, 512), (512, 512))],
)  # fmt: skip
def test_sides_are_multiples_of_8_and_keep_the_shape(size, chosen, fits):
    source = Clip(np.zeros((1, *size, 3), np.uint8), 8)
    assert fitting(*chosen, source) == fits
