"""A video whose sampling was interrupted goes on, and is the video that it would have been, bit for bit."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Files
from tests.face.test_restore import Stop
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.unfinished_video import UnfinishedVideo
from vcd_ext.hosts.protocols import Interrupted
from vcd_ext.media import Clip
from vcd_ext.settings import SAMPLERS, GenerateSettings, VideoSettings
from vcd_ext.stages.given_frames import Reader
from vcd_ext.storage import record

PICTURE = GenerateSettings(prompt="a photo of tinyperson", width=64, height=64, steps=3, seed=5)
VIDEO = VideoSettings(frames=2, gamma=0.2)
ASKED = {"--prompt": "a photo of tinyperson", "--embedding": ["tinyperson.pt", 5]}


def stopped(host: Standalone, path: Path, steps: int, *how: Any, **more: Any) -> None:
    """Begin a video and stop it after so many steps."""
    kept = UnfinishedVideo(path, ASKED)
    kept.interrupted = Stop(steps - 1)
    with pytest.raises(Interrupted):
        host.generate(*how, **more, unfinished=kept)
    assert path.is_file()


def gone_on(host: Standalone, path: Path, *how: Any, **more: Any) -> Clip:
    return host.generate(*how, **more, unfinished=UnfinishedVideo(path, ASKED))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_video_of_each_sampler_is_the_same(host: Standalone, tmp_path: Path, sampler: str) -> None:
    how = replace(PICTURE, sampler=sampler), replace(VIDEO, step_noise=True)
    # Of two steps more the first needs what a sampler of several steps has kept; the last never does.
    stopped(host, tmp_path / "state", 1, *how)
    assert np.array_equal(gone_on(host, tmp_path / "state", *how).frames, host.generate(*how).frames)


@pytest.mark.parametrize("steps", [3, 4])
def test_freeinits_second_sampling_goes_on_as_well(host: Standalone, files: Files, tmp_path: Path, steps: int) -> None:
    how = PICTURE, replace(VIDEO, frames=4, context=3, overlap=1, freeinit=1), files.motion_module
    stopped(host, tmp_path / "state", steps, *how)
    assert np.array_equal(gone_on(host, tmp_path / "state", *how).frames, host.generate(*how).frames)


@pytest.mark.parametrize("blended", [False, True])
def test_a_video_from_a_picture_goes_on(host: Standalone, tmp_path: Path, blended: bool) -> None:
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)).save(tmp_path / "first.png")
    video = replace(VIDEO, start_picture="first.png", from_picture=blended)
    reader = Reader(lambda name, _: tmp_path / name, ("CPU",), print, moving=True)
    given = reader.blended(video, 64, 64) or reader.given(video, 64, 64)
    how = replace(PICTURE, denoise=0.7), video
    stopped(host, tmp_path / "state", 2, *how, given=given)
    again = gone_on(host, tmp_path / "state", *how, given=given)
    assert np.array_equal(again.frames, host.generate(*how, given=given).frames)


def test_it_can_be_stopped_again_and_again(host: Standalone, tmp_path: Path) -> None:
    path = tmp_path / "state"
    for _ in range(2):
        stopped(host, path, 1, PICTURE, VIDEO)
    assert UnfinishedVideo(path, ASKED).position == (0, 2, 0)
    assert np.array_equal(gone_on(host, path, PICTURE, VIDEO).frames, host.generate(PICTURE, VIDEO).frames)


def test_it_can_be_stopped_while_frames_are_decoded(host: Standalone, tmp_path: Path) -> None:
    path = tmp_path / "state"
    stopped(host, path, PICTURE.steps + 1, PICTURE, VIDEO)
    assert UnfinishedVideo(path, ASKED).position == (0, PICTURE.steps, 0)
    stopped(host, path, 1, PICTURE, VIDEO)
    assert np.array_equal(gone_on(host, path, PICTURE, VIDEO).frames, host.generate(PICTURE, VIDEO).frames)


def test_the_progress_goes_on_where_it_was(host: Standalone, tmp_path: Path) -> None:
    stopped(host, tmp_path / "state", 2, PICTURE, VIDEO)
    told: list[tuple[int, int]] = []
    gone_on(host, tmp_path / "state", PICTURE, VIDEO, progress=lambda done, total: told.append((done, total)))
    assert told[:3] == [(4, 8), (6, 8), (7, 8)]
    assert told[-1] == (8, 8)


def test_what_is_quick_leaves_no_file_and_what_is_killed_loses_little(host: Standalone, tmp_path: Path) -> None:
    quick = UnfinishedVideo(tmp_path / "quick", ASKED)
    host.generate(PICTURE, VIDEO, unfinished=quick)
    assert not quick.path.exists()
    slow = UnfinishedVideo(tmp_path / "slow", ASKED, every=0.0)
    host.generate(PICTURE, VIDEO, unfinished=slow)
    assert UnfinishedVideo(slow.path, ASKED).position == (0, 3, 0)
    slow.discard()
    assert not slow.path.exists()


def test_a_full_disk_ends_no_video(host: Standalone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, *_: Any) -> None:
        raise OSError(f"{path} was not written: the disk is full.")

    monkeypatch.setattr(record, "write", full)
    told: list[str] = []
    kept = UnfinishedVideo(tmp_path / "state", ASKED, every=0.0)
    kept.tell = told.append
    host.generate(PICTURE, VIDEO, unfinished=kept)
    assert len(told) == 1
    assert told[0].endswith("the disk is full. The video is made all the same; an interruption may lose steps.")
    kept.interrupted = lambda: True
    with pytest.raises(OSError, match="the disk is full"):
        host.generate(PICTURE, VIDEO, unfinished=kept)


def test_another_videos_file_and_a_damaged_one_are_refused(host: Standalone, tmp_path: Path) -> None:
    path = tmp_path / "clip.generating"
    stopped(host, path, 1, PICTURE, VIDEO)
    with pytest.raises(ValueError, match=r"belongs to another video: it differs in --prompt, --steps\. Ask for it"):
        UnfinishedVideo(path, {"--steps": 30, **ASKED, "--prompt": "a photo"})
    assert path.is_file()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="is no unfinished video, or is damaged; delete it"):
        UnfinishedVideo(path, ASKED)


def test_the_seed_that_was_drawn_is_known_again(host: Standalone, tmp_path: Path) -> None:
    stopped(host, tmp_path / "state", 2, replace(PICTURE, seed=77), VIDEO)
    assert UnfinishedVideo(tmp_path / "state", ASKED).seed == 77
