"""`generate --face --tiled`: text in, the repaired and enlarged video out, and what is kept if that is cut short."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import film, tiny
from tests.command_line import last_line
from tests.conftest import Files
from tests.test_remake_command import pressed
from vcd_ext import media
from vcd_ext.__main__ import main
from vcd_ext.face import Detection
from vcd_ext.hosts.diffusers.host import Standalone

BOX = (16.0, 24.0, 40.0, 48.0)
FACE = np.s_[:, 30:42, 22:34]  # well within it

pytestmark = pytest.mark.usefixtures("_ctrl_c_as_in_a_terminal")


@pytest.fixture
def call(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a small job in the current folder, in whose video a face is always at the same place."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vcd_ext.face.detector", lambda *_: lambda frame: [Detection(BOX, 0.9)])
    models = {"checkpoint": files.checkpoint, "motion-module": files.motion_module, "embedding": files.embedding}
    sizes = {"width": 64, "height": 64, "steps": 2, "frames": 4, "face-size": 64, "face-min-face": 8, "tiled-tile": 64}
    named = {"prompt": "a photo", "gamma": 0.2, "cfg-scale": 3, "out": "clip.mp4", "tiled-tile-overlap": 16}
    return ["generate", *(f"--{name}={value}" for name, value in {**models, **sizes, **named}.items())]


def test_one_call_makes_repairs_and_enlarges_a_video(call: list[str], tmp_path: Path, capsys: Any) -> None:
    assert main([*call, "--face", "--tiled", "--save-stages", "--formats", "mp4", "png"]) == 0
    said = capsys.readouterr()
    assert said.out.split() == ["clip.mp4", "clip", "clip-face.mp4", "clip-face", "clip-t2v.mp4", "clip-t2v"]
    for stage in ("Face VCD: finding faces 100%", "Face VCD: repairing face 1 ", "Tiled VCD: enlarging and painting "):
        assert stage in said.err
    generated, faces, large = (media.read(tmp_path / f"clip{name}").frames for name in ("-t2v", "-face", ""))
    assert large.shape == (4, 128, 128, 3)
    changed = np.abs(faces.astype(int) - generated)
    assert changed[FACE].max() > 4
    assert not changed[:, :, 52:].any(), "what is no face is the generated video's, bit for bit"
    text = media.read(tmp_path / "clip.mp4").metadata["parameters"]
    assert text.startswith("a photo, tinyperson\n")
    for entry in ("VCD gamma: 0.2", "VCD face: True", "VCD face denoise: 0.8", "VCD tiled: True", "VCD tile: 64"):
        assert entry in text
    assert "VCD tiled" not in media.read(tmp_path / "clip-face.mp4").metadata["parameters"]
    assert "VCD face" not in media.read(tmp_path / "clip-t2v.mp4").metadata["parameters"]


def test_faces_have_a_prompt_and_tiles_a_controlnet_of_their_own(call: list[str], tmp_path: Path, capsys: Any) -> None:
    network = tiny.controlnet(tmp_path / "networks")
    stages = ["--face", "--tiled", "--save-stages", "--seed", "5", "--formats", "png"]
    own = ["--face-prompt", "close up of tinyperson, asleep", "--tiled-controlnet", str(network)]
    assert main([*call, *stages, "--out", "usual.png"]) == 0
    assert main([*call, *stages, *own, "--tiled-controlnet-weight", "0.5", "--out", "own.png"]) == 0
    assert "Tiled VCD: ControlNet: control_sd15_tile.safetensors, with weight 0.5." in capsys.readouterr().err
    usual, with_prompt = (media.read(tmp_path / f"{name}-face") for name in ("usual", "own"))
    assert not np.array_equal(usual.frames[FACE], with_prompt.frames[FACE])
    text = media.read(tmp_path / "own").metadata["parameters"]
    assert text.startswith("a photo, tinyperson\n"), "the video's own prompt"
    for entry in (
        'VCD face prompt: "close up of tinyperson, asleep"',
        "VCD tiled controlnet: control_sd15_tile.safetensors",
        "VCD tiled controlnet weight: 0.5",
    ):
        assert entry in text
    assert "VCD tiled controlnet: none" in media.read(tmp_path / "usual").metadata["parameters"]


def test_without_them_the_same_video_is_made(call: list[str], tmp_path: Path) -> None:
    assert main([*call, "--seed", "5", "--out", "plain.png"]) == 0
    assert main([*call, "--seed", "5", "--tiled", "--save-stages", "--formats", "png", "--out", "both.png"]) == 0
    plain, first = (media.read(tmp_path / name) for name in ("plain", "both-t2v"))
    assert np.array_equal(plain.frames, first.frames)
    assert "VCD face" not in plain.metadata["parameters"]


def test_ctrl_c_in_face_vcd_keeps_the_generated_video(call: list[str], tmp_path: Path, capsys: Any, monkeypatch: Any):
    pressed(monkeypatch, 1)
    assert main([*call, "--face", "--tiled"]) == 130
    said = capsys.readouterr()
    assert said.out == "clip.mp4\n"
    assert "Face VCD: Stopped: no face is finished" in said.err
    assert "Stopped before Tiled VCD." in said.err
    assert media.read(tmp_path / "clip.mp4").frames.shape == (4, 64, 64, 3)


def test_a_failure_in_tiled_vcd_keeps_the_video_before_it(call: list[str], tmp_path: Path, capsys: Any, monkeypatch):
    predict = Standalone.predict

    def fails(self: Standalone, latents: Any, *arguments: Any) -> Any:
        if latents.shape[-1] == 16:  # the canvas of the enlarged video
            raise ValueError("The model is tired.")
        return predict(self, latents, *arguments)

    monkeypatch.setattr(Standalone, "predict", fails)
    assert main([*call, "--face", "--tiled"]) == 1
    said = capsys.readouterr()
    assert last_line(said.err) == "Tiled VCD failed, and the video before it is kept. The model is tired."
    clip = media.read(tmp_path / "clip.mp4")
    assert clip.frames.shape == (4, 64, 64, 3)
    assert "VCD face: True" in clip.metadata["parameters"]
    assert "VCD tiled" not in clip.metadata["parameters"]


def test_a_full_disk_at_the_end_costs_no_stage(call: list[str], capsys: Any, monkeypatch: Any):
    film.fill_the_disk(monkeypatch)
    assert main([*call, "--tiled", "--save-stages"]) == 0
    said = capsys.readouterr()
    large, generated = map(Path, said.out.split())
    assert (large.name, generated.name) == ("clip.mp4", "clip-t2v.mp4")
    assert media.read(large).frames.shape == (4, 128, 128, 3)
    assert f"clip.mp4 was not written: the disk is full. It is in {large.parent} instead." in said.err


def test_a_video_that_is_made_again_keeps_its_sound_if_it_keeps_its_rate(call: list[str], tmp_path: Path, capsys: Any):
    again = [*call, "--input", str(film.film(tmp_path / "walk.mp4", count=4)), "--denoise", "0.5"]
    assert main([*again, "--tiled", "--save-stages"]) == 0
    assert media.has_sound(tmp_path / "clip.mp4")
    assert media.has_sound(tmp_path / "clip-t2v.mp4")
    assert main([*again, "--fps", "5", "--out", "slow.mp4"]) == 0
    assert not media.has_sound(tmp_path / "slow.mp4")
    assert "The sound is left out, as it would not be in time at 5 frames a second." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--tiled", "--tiled-upscaler", "magic"], "There is no upscaler magic; choose one of Lanczos."),
        (["--tiled", "--upscaler-weights", "none.pth"], "There is no upscaler at none.pth"),
        (["--tiled", "--tiled-tile-overlap", "64"], "tile_overlap is 64"),
        (["--tiled", "--tiled-controlnet", "missing.pth"], "There is no ControlNet at missing.pth"),
        (["--tiled", "--tiled-controlnet", "clip.mp4"], "clip.mp4 is not a ControlNet: its name must end in"),
        (["--tiled", "--tiled-controlnet-weight", "3"], "tiled_controlnet_weight is 3.0; it must be from 0 to 2"),
        (["--face", "--face-people", "rex"], "no face gets its words"),
    ],
)
def test_what_cannot_work_is_refused_before_the_generation(
    call: list[str], capsys: Any, monkeypatch: Any, options: list[str], reason: str
) -> None:
    monkeypatch.setattr(Standalone, "generate", lambda *_: pytest.fail("the video was generated"))
    assert main([*call, *options]) == 2
    assert reason in last_line(capsys.readouterr().err)
