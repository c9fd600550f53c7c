"""`generate` lets regions go with their people: as the input shows them, or a first pass; or says that they stay."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Files
from tests.webui.probe.crossing import Crossing
from vcd_ext import media
from vcd_ext.__main__ import main
from vcd_ext.media import Clip

FRAMES, SIDE = 3, 64
FIRST_PASS = "A first pass finds out where those are who are followed."
STILL = "- man @ left; - woman @ right"


@pytest.fixture
def call(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a small job, in which two faces cross wherever faces are looked for."""
    monkeypatch.setattr("vcd_ext.cli.following.detectors", lambda *_: lambda _settings: Crossing(FRAMES))
    small = {
        "--steps": 2,
        "--seed": 1,
        "--prompt": "a photo",
        "--width": SIDE,
        "--height": SIDE,
        "--frames": FRAMES,
        "--formats": "png",
    }
    job = {"--checkpoint": files.checkpoint, "--motion-module": files.motion_module}
    return ["generate", *(str(word) for option in (job | small).items() for word in option)]


def frames(call: list[str], people: str, tmp_path: Path) -> np.ndarray:
    place = tmp_path / f"{len(list(tmp_path.iterdir()))}.png"
    assert main([*call, f"--people={people}", "--out", str(place)]) == 0
    return media.read(place.with_suffix("")).frames


def follow(people: str) -> str:
    return people.replace("@ ", "@ followed ")


def test_from_text_a_first_pass_shows_where_people_are(call, tmp_path, capsys):
    followed = frames(call, follow(STILL), tmp_path)
    assert FIRST_PASS in capsys.readouterr().err
    assert not np.array_equal(followed, frames(call, STILL, tmp_path))
    assert FIRST_PASS not in capsys.readouterr().err


def test_a_video_that_is_made_again_shows_them_itself(call, tmp_path, capsys):
    media.write(tmp_path / "in.webm", Clip(np.full((FRAMES, SIDE, SIDE, 3), 120, np.uint8), 8))
    call += ["--input", str(tmp_path / "in.webm"), "--denoise", "0.5"]
    followed = frames(call, follow(STILL), tmp_path)
    assert "first pass" not in capsys.readouterr().err
    assert not np.array_equal(followed, frames(call, STILL, tmp_path))


def test_a_region_moves_by_itself(call, tmp_path):
    moving = frames(call, "- man @ left -> right; - woman @ right -> left", tmp_path)
    assert not np.array_equal(moving, frames(call, STILL, tmp_path))


def test_where_pictures_are_given_regions_stay_and_this_is_told(call, tmp_path, capsys):
    Image.new("RGB", (SIDE, SIDE), (200, 30, 30)).save(tmp_path / "first.png")
    call += ["--start-picture", str(tmp_path / "first.png")]
    followed = frames(call, follow(STILL), tmp_path)
    said = capsys.readouterr().err
    assert "man is not followed where the video begins from given pictures; the region stays where it begins." in said
    assert np.array_equal(followed, frames(call, STILL, tmp_path))
