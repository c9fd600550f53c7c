"""Where a video cuts."""

import numpy as np
from numpy.typing import NDArray

from tests.face.synthetic import scenes
from vcd_ext.face.track.scan import Scan

Frames = NDArray[np.uint8]


def shots(frames: Frames) -> list[range]:
    scan = Scan(lambda frame: [], 0.6)
    for frame in frames:
        scan.add(frame)
    return scan.shots()


def place(seed: int, frames: int, drift: int = 2) -> Frames:
    """Return the frames of a camera that moves over a picture."""
    whole = np.random.default_rng(seed).integers(0, 256, (12, 30, 3), np.uint8).repeat(10, 0).repeat(10, 1)
    return np.stack([whole[:100, drift * i : drift * i + 160] for i in range(frames)])


def test_a_moving_camera_does_not_cut() -> None:
    assert shots(place(0, 20)) == [range(20)]


def test_each_shot_is_found() -> None:
    clip = np.concatenate([place(0, 7), place(1, 1), place(2, 9)])
    assert shots(clip) == [range(7), range(7, 8), range(8, 17)]


def test_a_flash_is_no_cut() -> None:
    clip = place(0, 15).copy()
    clip[7] = 255
    assert shots(clip) == [range(15)]


def test_fast_movement_is_no_cut() -> None:
    assert shots(place(3, 12, drift=11)) == [range(12)]


def test_a_face_that_runs_through_the_picture_does_not_cut() -> None:
    clip = scenes(96, 16)["nearing"]()
    assert shots(clip.frames) == [range(16)]


def test_one_frame_is_one_shot() -> None:
    assert shots(place(0, 1)) == [range(1)]
    assert shots(np.concatenate([place(0, 1), place(1, 1)])) == [range(1), range(1, 2)]
