"""*Speed* on the standalone host: fewer steps compute all of the UNet, in every way of making a video."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from torch import nn

from tests.conftest import Files
from tests.hosts.test_standalone import entries
from tests.hosts.test_video import soft
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.restyle import restyle
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.hosts.protocols import Tiling, VideoPass
from vcd_ext.media import Clip
from vcd_ext.settings import EXACT, FAST, FASTEST, GenerateSettings, PassSettings, VideoSettings, from_infotext
from vcd_ext.stages import pipeline

PICTURE = GenerateSettings(prompt="a cat", width=64, height=64, steps=6, cfg_scale=2, seed=5, denoise=1.0)
VIDEO = VideoSettings(frames=6, context=4, overlap=2)


@pytest.fixture
def deep(host: Standalone) -> Iterator[list[bool]]:
    """Note for each part of each step that the UNet's middle computes."""
    seen: list[bool] = []
    inner: nn.Module = host.unet.mid_block.resnets[0].conv1
    handle = inner.register_forward_hook(lambda *_: seen.append(True))
    yield seen
    handle.remove()


@pytest.mark.parametrize(("speed", "whole"), [(EXACT, 6), (FAST, 3), (FASTEST, 2)])
def test_a_video_from_text_in_windows(host: Standalone, files: Files, deep: list, speed: str, whole: int) -> None:
    made = host.generate(PICTURE, replace(VIDEO, speed=speed), files.motion_module)
    assert len(deep) == 2 * whole, "two windows"
    assert made.frames.std() > 10
    assert ("VCD speed" in entries(made)) == (speed != EXACT)
    assert from_infotext("speed", entries(made)) == speed


def test_free_init_begins_each_sampling_with_all_of_the_unet(host: Standalone, deep: list) -> None:
    host.generate(PICTURE, replace(VIDEO, frames=4, freeinit=1, speed=FASTEST))
    assert len(deep) == 2 * 2


def test_a_video_that_is_made_again(host: Standalone, deep: list) -> None:
    source = Clip(np.full((4, 64, 64, 3), 128, np.uint8), 8)
    made = restyle(host, source, "grey", PICTURE, replace(VIDEO, frames=4, speed=FAST))
    assert len(deep) == 3
    assert entries(made)["VCD speed"] == FAST


def test_frames_that_exist_in_tiles(host: Standalone, files: Files, deep: list) -> None:
    """As Face VCD and Tiled VCD are denoised."""
    work = VideoPass("a cat", steps=4, denoise=1.0, context=3, motion_module=str(files.motion_module), speed=FAST)
    work = replace(work, tiling=Tiling(48, 16), context_overlap=0)
    assert len(list(StandaloneVideo(host).denoise(soft(3, 64, 64), work))) == 3
    assert len(deep) == 2 * 4 * 2, "of two steps four tiles, each for the prompt and the negative prompt"


def test_what_follows_a_video_keeps_its_speed() -> None:
    stages = pipeline.stages(replace(VIDEO, face=True, tiled=True, speed=FASTEST), PassSettings("a cat"))
    assert [stage.settings.speed for stage in stages] == [FASTEST, FASTEST]
    assert VideoPass.of(stages[0].settings).speed == FASTEST
