"""Face VCD on a real host with a small checkpoint, a motion module and an identity: all its parts together."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.conftest import Files
from tests.face.conftest import SETTINGS
from tests.face.synthetic import Jittery, Scene
from tests.face.test_restore import Stop, far_from
from vcd_ext.face import find_people, restore
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.video import StandaloneVideo

FRAMES = 4


@pytest.fixture(scope="module")
def host(files: Files) -> StandaloneVideo:
    return StandaloneVideo(Standalone.load(files.checkpoint, device="cpu"), [files.embedding])


def weights(host: StandaloneVideo) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in host.standalone.unet.state_dict().items()}


def hooks(host: StandaloneVideo) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in host.standalone.unet.modules())


@pytest.mark.parametrize("stopped_after", [None, 3, 9, 12])
def test_faces_are_painted_anew_and_model_and_surroundings_stay(
    stopped_after: int | None, host: StandaloneVideo, files: Files, made: Callable[[str], Scene]
) -> None:
    truth = made("walk")
    frames = truth.frames[:FRAMES]
    settings = replace(
        SETTINGS, size=96, steps=2, people="1: tinyperson", prompt="a face", motion_module=str(files.motion_module),
        context=8, context_overlap=2, fade=0,
    )  # fmt: skip
    tracks = find_people(frames, settings, Jittery(truth, lost=0.0))
    before, hung = weights(host), hooks(host)
    stop = Stop(stopped_after) if stopped_after else None
    restored = restore(host, frames, settings, people=tracks, interrupted=stop)
    assert all(torch.equal(value, before[name]) for name, value in host.standalone.unet.state_dict().items())
    assert hooks(host) == hung
    far = far_from(tracks, Scene(frames, truth.people, truth.visible))
    assert np.array_equal(restored[far], frames[far])
    if stopped_after is None:
        assert (restored != frames).any(axis=(1, 2, 3)).all()
    else:
        assert np.array_equal(restored, frames)
