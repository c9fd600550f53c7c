"""`generate --control KIND FILE VIDEO`: each frame is guided by its own picture; what cannot be is refused before."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from tests.command_line import last_line
from vcd_ext import media
from vcd_ext.__main__ import main
from vcd_ext.hosts.diffusers.text_to_video import TextToVideo
from vcd_ext.media import Clip


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.controlnet(tmp_path_factory.mktemp("controlnet"), "control_tiny")


def folder(path: Path, frames: np.ndarray) -> Path:
    return media.write(path, Clip(np.ascontiguousarray(frames), 8))


def made(options: list[str], out: Path) -> np.ndarray:
    assert main([*options, "--formats", "png", "--out", f"{out}.png"]) == 0
    return media.read(out).frames


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (4, 64, 64, 3), dtype=np.uint8)


def test_each_frame_goes_by_the_picture_with_its_number(
    call: list[str], network: Path, noise: np.ndarray, tmp_path: Path
) -> None:
    options = [*call, "--frames", "4", "--gamma", "0"]
    changed = noise.copy()
    changed[2] = 255 - changed[2]
    guided = [*options, "--control", "hints", str(network)]
    one = made([*guided, str(folder(tmp_path / "one", noise))], tmp_path / "one-out")
    other = made([*guided, str(folder(tmp_path / "other", changed))], tmp_path / "other-out")
    assert [not np.array_equal(a, b) for a, b in zip(one, other, strict=True)] == [False, False, True, False]
    text = media.read(tmp_path / "one-out").metadata["parameters"]
    assert 'ControlNet 0: "Module: none, Model: control_tiny, Weight: 1"' in text
    assert "VCD hints: one" in text


def test_windows_of_long_videos_see_their_own_pictures(
    call: list[str], network: Path, noise: np.ndarray, tmp_path: Path
) -> None:
    # Without a motion module windows change nothing, if each frame keeps its picture.
    options = [*call, "--frames", "4", "--control", "hints", str(network), str(folder(tmp_path / "noise", noise))]
    whole, parts = (made([*options, "--context", count], tmp_path / count) for count in ("4", "2"))
    assert np.abs(whole.astype(int) - parts).max() <= 1


def test_key_frames_and_weights_hold_the_frames_they_name(
    call: list[str], network: Path, noise: np.ndarray, tmp_path: Path
) -> None:
    plain = [*call, "--frames", "4", "--gamma", "0"]
    pose = str(folder(tmp_path / "pose", noise[:1]))
    guided = [*plain, "--control", "openpose", str(network), pose, "--control-frames", "1"]
    without = made(plain, tmp_path / "without")

    def changed(*options: str) -> list[bool]:
        frames = made([*guided, *options], tmp_path / f"out{len(list(tmp_path.iterdir()))}")
        return [not np.array_equal(a, b) for a, b in zip(frames, without, strict=True)]

    assert changed("--control-reach", "1") == [False, True, False, False]
    assert changed("--control-reach", "2") == [True, True, True, False]
    assert changed("--control-weights", "0") == [False] * 4


def test_several_add_up_and_the_source_gives_edges(
    call: list[str],
    network: Path,
    noise: np.ndarray,
    tmp_path: Path,
    capsys: Any,
) -> None:
    walk = str(folder(tmp_path / "walk", noise))
    again = [*call, "--input", walk, "--denoise", "1"]
    edges = ["--control", "canny", str(network), "source"]
    depth = ["--control", "depth", str(network), walk]
    frames = [made([*again, *more], tmp_path / f"{i}") for i, more in enumerate(([], edges, depth, [*edges, *depth]))]
    assert all(not np.array_equal(a, b) for i, a in enumerate(frames) for b in frames[:i])
    assert "walk is taken as depth hints that are ready" in capsys.readouterr().err
    silent = str(tiny.controlnet(tmp_path, "silent", silent=True))
    assert np.array_equal(made([*again, "--control", "tile", silent, "source"], tmp_path / "silent-out"), frames[0])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["pose3d", "{network}", "{walk}"], "There is no kind of hints 'pose3d'; choose one of canny, tile, hints"),
        (["canny", "{network}", "source"], "takes the source, and no --input is given; name a video."),
        (["depth", "{network}", "source", "--input", "{walk}"], "--control depth cannot make hints of the source"),
        (["canny", "{network}", "{walk}", "--frames", "9"], "walk has 4 pictures for 9 frames"),
        (["canny", "{network}", "{walk}", "--width", "128"], "walk is 64x64 and the video is made at 128x64"),
        (["canny", "{network}", "missing.mp4"], "missing.mp4 does not exist"),
        (["canny", "missing.pth", "{walk}"], "There is no ControlNet at missing.pth"),
        (["canny", "{network}", "{walk}", "--control-frames", "7"], "key frame 7 is beyond the end: the 2 frames are"),
        (["canny", "{network}", "{walk}", "--control-weights", "1", "1"], "2 --control-weights were given for 1"),
        (["canny", "{network}", "{walk}", "--control-weights", "3"], "A weight of --control is 3; it must be from 0"),
    ],
)
def test_what_cannot_work_is_refused_before_the_generation(
    call: list[str],
    network: Path,
    noise: np.ndarray,
    tmp_path: Path,
    capsys: Any,
    monkeypatch: Any,
    options: list[str],
    reason: str,
) -> None:
    monkeypatch.setattr(TextToVideo, "_denoised", lambda *_: pytest.fail("the video was generated"))
    walk = folder(tmp_path / "walk", noise)
    assert main([*call, "--control", *(word.format(network=network, walk=walk) for word in options)]) == 2
    assert reason in last_line(capsys.readouterr().err)
