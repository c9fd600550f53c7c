"""Which picture guides which frame: all frames by their own, or key frames alone with weights that fall between."""

from pathlib import Path

import numpy as np
import pytest

from vcd_ext import media
from vcd_ext.hosts.shared.hint_video import KeyFrames, hint_video, key_frames, read_hints
from vcd_ext.media import Clip
from vcd_ext.settings import SettingError

PICTURES = np.broadcast_to(np.arange(12, dtype=np.uint8)[:, None, None, None], (12, 8, 16, 3))


def test_without_key_frames_each_frame_has_its_own_picture_with_full_weight() -> None:
    video = hint_video("walk.mp4", PICTURES, 5, KeyFrames())
    assert [int(video.pictures[i, 0, 0, 0]) for i in video.picture_of] == [0, 1, 2, 3, 4]
    assert video.weights is None


def test_as_many_pictures_as_key_frames_are_theirs_in_order() -> None:
    video = hint_video("poses", PICTURES[:2], 8, KeyFrames([1, 6], 4))
    assert list(video.picture_of) == [0, 0, 0, 0, 1, 1, 1, 1]
    assert video.weights == [0.75, 1, 0.75, 0.5, 0.5, 0.75, 1, 0.75]


def test_of_a_whole_video_the_key_frames_own_pictures_are_taken() -> None:
    video = hint_video("walk.mp4", PICTURES, 12, KeyFrames([3, 9], 1))
    assert video.pictures[:, 0, 0, 0].tolist() == [3, 9]
    assert [i for i, weight in enumerate(video.weights or []) if weight] == [3, 9], "a reach of 1 is the frames alone"


def test_key_frames_are_read_with_commas_or_spaces() -> None:
    assert key_frames(" 0, 8 15", 3, 16) == KeyFrames([0, 8, 15], 3)
    assert key_frames("", 3, 16).frames == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0, x", "there is 'x' among the key frames; write frames as numbers"),
        ("-1", "there is '-1' among the key frames"),
        ("16", "key frame 16 is beyond the end: the 16 frames are 0 to 15"),
        ("8, 8", "key frame 8 comes after 8; write each once"),
        ("8, 3", "key frame 3 comes after 8"),
    ],
)
def test_wrong_key_frames_are_refused_in_a_sentence(text: str, reason: str) -> None:
    with pytest.raises(SettingError, match=reason):
        key_frames(text, 8, 16)


def test_too_few_pictures_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"walk\.mp4 has 12 pictures for 16 frames; give one for each frame"):
        hint_video("walk.mp4", PICTURES, 16, KeyFrames())
    with pytest.raises(ValueError, match="1 picture for 2 key frames up to 9; give 2, one for each, or a whole video"):
        hint_video("pose", PICTURES[:1], 16, KeyFrames([3, 9]))


def test_of_a_file_no_more_is_read_than_is_needed(tmp_path: Path) -> None:
    folder = media.write(tmp_path / "walk", Clip(np.ascontiguousarray(PICTURES), 8))
    (folder / "00011.png").write_bytes(b"broken")
    video = read_hints(folder, "walk", 8, KeyFrames(), lambda _: None)
    assert np.array_equal(video.pictures, PICTURES[:8])
    with pytest.raises(ValueError, match=r"00011\.png"):
        read_hints(folder, "walk", 12, KeyFrames(), lambda _: None)
