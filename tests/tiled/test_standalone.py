"""Tiled VCD on the standalone host with small random models: the whole way, and the model as it was before."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.conftest import Files
from tests.tiled.toy_host import noisy_frames
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.progress import Progress
from vcd_ext.settings import TiledSettings
from vcd_ext.tiled import upscale

FRAMES = noisy_frames(3, 35, 31)  # a canvas of 64x72: two tiles of 64, and edges that are added
SETTINGS = TiledSettings(prompt="a lake, tinyperson", identity="tinyperson", steps=5, tile=64, tile_overlap=16, seed=3)


@pytest.fixture(scope="module")
def host(files: Files) -> StandaloneVideo:
    return StandaloneVideo(Standalone.load(files.checkpoint, torch.float32, "cpu"), [files.embedding])


@pytest.fixture(autouse=True)
def _left_as_it_was(host: StandaloneVideo) -> Iterator[None]:
    unet = host.standalone.unet
    weights = {name: value.clone() for name, value in unet.state_dict().items()}
    yield
    assert all(torch.equal(value, weights[name]) for name, value in unet.state_dict().items())
    assert "forward" not in vars(unet)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in unet.modules())


def test_a_video_is_enlarged_with_motion_module_windows_and_tiles(host: StandaloneVideo, files: Files) -> None:
    settings = replace(SETTINGS, motion_module=str(files.motion_module), context=2, context_overlap=1)
    told = []
    made = upscale(host, FRAMES, settings, told.append)
    assert made.shape == (3, 70, 62, 3)
    assert made.std() > 1
    steps = [progress.step for progress in told]
    assert steps == sorted(steps)
    assert (steps[-1], told[-1].total) == (9, 9)  # three frames encoded, denoised by a step, decoded
    assert told[-1].seconds_left == 0
    assert np.array_equal(made, upscale(host, FRAMES, settings)), "the same seed makes the same video"
    alone = upscale(host, FRAMES, replace(settings, motion_module="none"))
    assert not np.array_equal(made, alone)


@pytest.mark.parametrize("frames", [1, 8, 20])
def test_the_last_that_is_told_is_the_end(host: StandaloneVideo, frames: int) -> None:
    told: list[Progress] = []
    upscale(host, noisy_frames(frames, 32, 32), SETTINGS, told.append)
    assert (told[-1].step, told[-1].total) == (3 * frames, 3 * frames)


def test_the_subjects_place_tells_where_its_name_counts(host: StandaloneVideo) -> None:
    nowhere = np.full((3, 1, 4), np.nan)
    above = nowhere.copy()
    above[:] = 2, 0, 12, 2  # on the canvas' first rows, which the lower tile has not
    everywhere, some = upscale(host, FRAMES, SETTINGS), upscale(host, FRAMES, SETTINGS, boxes=above)
    assert np.array_equal(everywhere, upscale(host, FRAMES, SETTINGS, boxes=nowhere))
    assert not np.array_equal(everywhere, some), "the lower tile has another prompt"
    named = upscale(host, FRAMES, replace(SETTINGS, elsewhere=SETTINGS.prompt), boxes=above)
    assert np.array_equal(everywhere, named), "there is nothing to leave out"


@pytest.mark.parametrize("questions", [2, 5])
def test_interrupted_anywhere_the_finished_frames_come_back(host: StandaloneVideo, questions: int) -> None:
    whole = upscale(host, FRAMES, SETTINGS)
    made = upscale(host, FRAMES, SETTINGS, interrupted=iter_stops(questions))
    assert len(made) < 3
    assert np.array_equal(made, whole[: len(made)])


def test_interrupted_after_the_first_frame_it_is_kept(host: StandaloneVideo) -> None:
    decoded = []

    def stop() -> bool:
        return len(decoded) == 1

    def progress(now: Progress) -> None:
        if now.step > now.total - 3:
            decoded.append(now.step)

    assert len(upscale(host, FRAMES, SETTINGS, progress, interrupted=stop)) == 1


def test_out_of_memory_inside_a_tile_goes_on_with_smaller_windows(host: StandaloneVideo) -> None:
    frames, notes = FRAMES[np.arange(8) % 3], []
    rows = []

    def fail(_module: object, args: tuple[torch.Tensor, ...]) -> None:
        rows.append(len(args[0]))
        if len(args[0]) > 4:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    hook = host.standalone.unet.conv_in.register_forward_pre_hook(fail)
    try:
        made = upscale(host, frames, SETTINGS, note=notes.append)
    finally:
        hook.remove()
    assert len(made) == 8
    assert rows[0] == 8, "a window, with or without the prompt"
    assert set(rows[1:]) == {4}
    assert notes == ["The memory was too small; it goes on with windows of 4 frames and tiles of 64."]


def iter_stops(questions: int) -> Callable[[], bool]:
    """Says stop after so many questions."""
    left = iter(range(questions))
    return lambda: next(left, None) is None
