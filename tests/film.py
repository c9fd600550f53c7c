"""A short film for the ways in to Face VCD and Tiled VCD: a bright face walks through grey noise, and a tone sounds."""

import errno
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from vcd_ext.face import Detection
from vcd_ext.media import Clip, output_files, write

FRAMES, HEIGHT, WIDTH, FPS = 5, 64, 96, 10
FACE = 20  # pixels
SMALL_FACES = {"size": 64, "min_face": 8, "min_track": 2, "steps": 2, "seed": 3}  # settings for such a film
PARAMETERS = "a dog\nSteps: 20, Sampler: Euler, Seed: 1, Size: 96x64"

Frames = NDArray[np.uint8]


def frames(count: int = FRAMES, faces: int = 1) -> Frames:
    """uint8 [count, 64, 96, 3]: noise, and bright squares that move to the right by 4 pixels a frame."""
    made = np.random.default_rng(1).integers(60, 120, (count, HEIGHT, WIDTH, 3), dtype=np.uint8)
    for i in range(count):
        for k in range(faces):
            left = 8 + 4 * i + 36 * k
            made[i, 20 : 20 + FACE, left : left + FACE] = 250
    return made


def clip(count: int = FRAMES, faces: int = 1) -> Clip:
    """Those frames at 10 a second, with the infotext of a video of the WebUI and a title."""
    return Clip(frames(count, faces), FPS, {"parameters": PARAMETERS, "title": "A walk"})


def film(path: Path, count: int = FRAMES, faces: int = 1) -> Path:
    """Return the film as a file; mp4 with sound."""
    if path.suffix != ".mp4":
        return write(path, clip(count, faces))
    return write(path, clip(count, faces), sound=_tone(path.with_name(f"{path.stem}.tone.mp4")))


def bright_squares(frame: Frames) -> list[Detection]:
    """Return the detector of such films: squares of the face's size that are bright all over."""
    bright = frame.min(axis=2) >= 200
    found = []
    columns = np.flatnonzero(bright.any(axis=0))
    for run in np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1):
        if len(run):
            rows = np.flatnonzero(bright[:, run].any(axis=1))
            box = (float(run[0]), float(rows[0]), float(run[-1] + 1), float(rows[-1] + 1))
            found.append(Detection(box, 0.9))
    return found


def fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every file that is to be written into the working folder find its disk full."""

    def full(path: Path, *arguments: object, **options: object) -> Path:
        if path.parent == Path():
            raise OSError(errno.ENOSPC, f"{path} was not written: the disk is full.")
        return write(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(output_files.media, "write", full)


def _tone(path: Path) -> Path:
    """Return a second of sound, with one picture."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = 16, 16, "yuv420p"
        audio = container.add_stream("aac", rate=44100)
        audio.layout = "mono"
        for stream, frame in (
            (video, av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")),
            (audio, av.AudioFrame.from_ndarray(np.sin(np.arange(44100, dtype=np.float32)[None] / 16), "fltp", "mono")),
        ):
            if stream is audio:
                frame.sample_rate = 44100
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path
