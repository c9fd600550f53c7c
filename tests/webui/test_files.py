"""Files of a video as they are asked for: their place, their kind, no change of frames, and the same in both hosts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from tests.stages.test_film import network_file
from tests.webui.server import Server
from tests.webui.test_video import lsb
from vcd_ext import media
from vcd_ext.__main__ import main
from vcd_ext.media import Clip
from vcd_ext.media.order import frame_order
from vcd_ext.settings import VideoSettings
from vcd_ext.stages import film
from vcd_ext.stages.interpolation import interpolated

MOTION = {"motion_module": "mm_v2", "frames": 4}
FILES = {"formats": ["mp4", "png"], "lossless": True, "frame_format": "jpg", "text_file": True}
KINDS: dict[str, dict[str, Any]] = {
    "twice the rate": {"interpolate": 2, "lossless": True},
    "a loop at four times the rate": {"interpolate": 4, "loop": True, "lossless": True},
    "twice the rate by FILM": {"interpolate": 2, "interpolate_by": "FILM", "lossless": True},
    "backwards, in parts": {"order": "reverse", "frames_per_file": 3, "lossless": True},
    "there and back, three times": {"order": "ping-pong", "plays": 3, "lossless": True, "formats": ["webp"]},
    "small and quick, in whole colours": {"crf": 40, "preset": "veryfast", "chroma": "4:4:4", "text_file": True},
}


def test_files_lie_in_their_own_folder_with_text_and_frames(server: Server) -> None:
    usual = server.generate({**MOTION, "formats": ["mp4"]})
    result = server.generate({**MOTION, **FILES, "subfolder": "mine/[seed]"})
    assert np.array_equal(result.frames, usual.frames), "files change no frame"
    [video] = result.videos
    assert video.parent.parts[-2:] == ("mine", "7")
    assert np.array_equal(media.read(video).frames, result.frames)
    assert "VCD lossless: True" in video.with_suffix(".txt").read_text()
    assert "VCD lossless" not in usual.infotext
    folder = video.with_suffix("")
    assert [file.name for file in sorted(folder.iterdir())] == [f"0000{i}.jpg" for i in range(4)]
    with Image.open(folder / "00000.jpg") as frame:
        assert frame.size == (64, 64)


def test_a_folder_outside_is_refused(server: Server) -> None:
    refused = server.ask({**MOTION, "subfolder": "../../elsewhere"})
    assert refused.status_code != 200
    assert "subfolder is '../../elsewhere'; name a folder inside the output folder" in refused.text


@pytest.fixture(scope="module")
def film_there(server: Server, data: Path) -> Iterator[Path]:
    """Put a small network in the place of FILM's file, for both hosts, and say in which folder it lies."""
    folder, own = data / "models/FILM", film.BLAKE2B
    film.BLAKE2B = network_file(folder)
    server.post("/probe/film", blake2b=film.BLAKE2B).raise_for_status()
    yield folder
    film.BLAKE2B = own
    server.post("/probe/film", blake2b=own).raise_for_status()


def test_without_its_file_film_is_refused(server: Server) -> None:
    refused = server.ask({**MOTION, "interpolate": 2, "interpolate_by": "FILM"})
    assert refused.status_code == 422
    assert "interpolate_by is FILM, and there is no film_net_fp16.pt in its folders" in refused.json()["detail"]


def by_command(data: Path, out: Path, asked: dict[str, Any]) -> list[Path]:
    """Return the files that the command line writes of the same video."""
    options = ["--width=64", "--height=64", "--steps=2", "--cfg-scale=7", "--seed=7", "--negative-prompt=blurry"]
    for name, value in (MOTION | asked).items():
        option = f"--{name.replace('_', '-')}"
        if name == "motion_module":
            options.append(f"{option}={data / 'models/AnimateDiff/mm_v2.safetensors'}")
        else:
            options += [option] if value is True else [option, *map(str, value if isinstance(value, list) else [value])]
    checkpoint = data / "models/Stable-diffusion/tiny.safetensors"
    options.append(f"--weights={data / 'models/FILM'}")
    made = ["generate", f"--checkpoint={checkpoint}", "--prompt=a photo of a cat", *options]
    assert main([*made, f"--out={out}"]) == 0
    return sorted(path for path in out.parent.iterdir() if path.suffix in {".mp4", ".webp"})


def kind(path: Path) -> tuple[Any, ...]:
    """Return what a player is told of a file beside its frames."""
    if path.suffix == ".webp":
        with Image.open(path) as picture:
            return (picture.info["loop"],)
    with av.open(str(path)) as file:
        [stream] = file.streams.video
        return stream.codec_context.name, stream.codec_context.pix_fmt, stream.codec_context.profile


@pytest.mark.parametrize("asked", KINDS.values(), ids=KINDS.keys())
def test_both_hosts_write_the_same_files(
    server: Server, data: Path, tmp_path: Path, film_there: Path, asked: dict[str, Any]
) -> None:
    result = server.generate(MOTION | asked)
    ours = by_command(data, tmp_path / f"video.{asked.get('formats', ['mp4'])[0]}", asked)
    theirs = sorted(result.videos)
    assert [path.stem.partition("-part")[2] for path in theirs] == [path.stem.partition("-part")[2] for path in ours]
    assert len(ours) == (2 if "frames_per_file" in asked else 1)
    assert [kind(path) for path in theirs] == [kind(path) for path in ours]
    assert all(path.with_suffix(".txt").is_file() for path in [*theirs, *ours]) or "text_file" not in asked
    one, two = ([media.read(path) for path in paths] for paths in (theirs, ours))
    assert [clip.fps for clip in one] == [clip.fps for clip in two]
    frames, others = (np.concatenate([clip.frames for clip in clips]) for clips in (one, two))
    assert frames.shape == others.shape
    if not asked.get("lossless"):
        assert np.abs(frames.astype(int) - others).mean() < 2, "an encoder may decide otherwise for one level of 255"
        return
    times = asked.get("interpolate", 1)
    painted = Clip(result.frames[frame_order(4, asked.get("order", "forward"))], 8)
    by = film.interpolator(VideoSettings(**asked).onward, [film_there], print, "cpu")
    assert np.array_equal(frames, interpolated(painted, times, asked.get("loop", False), by).frames)
    assert lsb(frames[::times], others[::times]) <= 1
    assert np.abs(frames.astype(int) - others).mean() < 1, "flow may turn elsewhere for one level of 255"
