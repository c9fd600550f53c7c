"""Deep features used again: which steps compute what, for which parts, and that nothing is left behind."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from torch import Tensor, nn

from tests import tiny
from tests.denoising.test_controlnet import Witness
from tests.motion.test_attach import assert_untouched, traces
from tests.unets import diffusers, ldm, two_videos
from vcd_ext.denoising.controlnet import ControlNet, controlnet_attached
from vcd_ext.denoising.deep_features import deep_features_reused, skipped_blocks
from vcd_ext.denoising.multidiffusion import Parts, multidiffusion
from vcd_ext.denoising.partition import tiles
from vcd_ext.motion import attached, load, windows
from vcd_ext.settings import EXACT, FAST, FASTEST, SPEEDS

FRAMES = 4
TIMES = (900, 750, 600, 450, 300, 150)
RUN: dict[str, Callable[..., Tensor]] = {"ldm": ldm, "diffusers": diffusers}


@pytest.fixture
def deep(unet: nn.Module) -> Iterator[list[bool]]:
    """Note for each part of each call that the UNet's middle computes."""
    seen: list[bool] = []
    model: Any = unet
    middle = model.middle_block if hasattr(model, "middle_block") else model.mid_block
    inner = next(module for module in middle.modules() if isinstance(module, nn.Conv2d))
    handle = inner.register_forward_hook(lambda *_: seen.append(True))
    yield seen
    handle.remove()


def steps(kind: str, unet: nn.Module, at: tuple[int, ...] = TIMES, **changes: Callable[[int], Tensor]) -> list:
    """Run the UNet for steps whose latents drift a little. changes: other inputs, by the step's number."""
    results = []
    for i, time in enumerate(at):
        inputs = two_videos(FRAMES)
        inputs |= {"latents": inputs["latents"] * (1 + 0.02 * i), "times": torch.full((2 * FRAMES,), time)}
        inputs |= {name: change(i) for name, change in changes.items()}
        results.append(RUN[kind](unet, inputs))
    return results


@pytest.mark.parametrize(("speed", "whole"), [(EXACT, 6), (FAST, 3), (FASTEST, 2)])
def test_every_second_or_third_step_computes_all(
    unet: nn.Module, kind: str, deep: list[bool], speed: str, whole: int
) -> None:
    exact = steps(kind, unet)
    deep.clear()
    with deep_features_reused(unet, speed):
        made = steps(kind, unet)
    assert len(deep) == whole
    every = SPEEDS.index(speed) + 1
    for i, (one, other) in enumerate(zip(made, exact, strict=True)):
        assert torch.equal(one, other) == (i % every == 0)
        assert (one - other).norm() / other.norm() < 0.2, "the steps between are near"


def test_both_unets_agree_with_a_motion_module_in_windows_and_tiles(
    ldm_unet: nn.Module,
    diffusers_unet: nn.Module,
    tmp_path: Path,
) -> None:
    module = load(tiny.motion_module(tmp_path))
    parts = Parts(FRAMES, windows(FRAMES, 3, 1), tiles(16, 8, 8, 2))
    made = {}
    for kind, unet in (("ldm", ldm_unet), ("diffusers", diffusers_unet)):
        with attached(unet, module, 3), deep_features_reused(unet, FASTEST), multidiffusion(unet, parts):
            made[kind] = steps(kind, unet)
    for one, other in zip(*made.values(), strict=True):
        assert (one - other).norm() / one.norm() < 1e-4


def test_each_part_has_deep_features_of_its_own(unet: nn.Module, kind: str) -> None:
    """The step between is computed with what the same part gave: as it would be if each were a video by itself."""
    whole, part = windows(FRAMES, 2, 0), two_videos(FRAMES)
    with deep_features_reused(unet, FAST), multidiffusion(unet, Parts(FRAMES, whole)):
        made = steps(kind, unet, TIMES[:2])
    for window in whole:
        rows = [*window.frames, *(FRAMES + frame for frame in window.frames)]

        def cut(i: int, rows: list[int] = rows) -> Tensor:
            return part["latents"][rows] * (1 + 0.02 * i)

        with deep_features_reused(unet, FAST):
            alone = steps(
                kind, unet, TIMES[:2], latents=cut,
                times=lambda i, rows=rows: torch.full((len(rows),), TIMES[i]),
                context=lambda _, rows=rows: part["context"][rows],
            )  # fmt: skip
        torch.testing.assert_close(made[1][rows], alone[1], rtol=1e-4, atol=1e-5)


def test_a_motion_module_computes_at_the_shallow_place_alone_between(
    unet: nn.Module, kind: str, tmp_path: Path
) -> None:
    module, used = load(tiny.motion_module(tmp_path)), []
    for name, block in module.blocks.items():
        block.register_forward_hook(lambda *_, name=name: used.append(name))
    with attached(unet, module, FRAMES), deep_features_reused(unet, FAST):
        steps(kind, unet, TIMES[:1])
        assert len(used) == len(module.blocks)
        used.clear()
        steps(kind, unet, TIMES[1:2])
    assert used == ["up_blocks.3.motion_modules.2"]


def test_a_controlnet_is_computed_where_the_deep_blocks_are(unet: nn.Module, kind: str) -> None:
    witness = Witness()
    pictures = [np.zeros((128, 64, 3), np.float32)] * FRAMES
    looks: list[int] = []
    witness.register_forward_hook(lambda *_: looks.append(1))
    with controlnet_attached(unet, ControlNet(witness, pictures)), deep_features_reused(unet, FASTEST):
        made = steps(kind, unet)
    assert len(looks) == 2
    assert all(each.isfinite().all() for each in made)


@pytest.mark.parametrize("other", ["context", "latents"])
def test_where_text_or_size_are_others_all_is_computed(
    unet: nn.Module, kind: str, deep: list[bool], other: str
) -> None:
    """As where the prompt changes from step to step, or the WebUI leaves out the negative prompt."""
    inputs = two_videos(FRAMES)

    def changed(i: int) -> Tensor:
        return inputs[other] * (1 + i) if other == "context" else inputs[other][..., : 8 + 8 * (i % 2), :]

    with deep_features_reused(unet, FAST):
        steps(kind, unet, TIMES[:4], **{other: changed})
    assert len(deep) == 4


def test_a_new_sampling_begins_anew(unet: nn.Module, kind: str, deep: list[bool]) -> None:
    with deep_features_reused(unet, FASTEST):
        steps(kind, unet, (900, 500, 900, 500))
    assert len(deep) == 2


def test_calls_at_one_time_are_parts_of_one_step(unet: nn.Module, kind: str, deep: list[bool]) -> None:
    with deep_features_reused(unet, FAST):
        steps(kind, unet, (900, 900, 500, 500))
    assert len(deep) == 2


def test_what_does_not_fit_into_the_memory_is_computed(
    unet: nn.Module, kind: str, deep: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Little:
        available = 0

    monkeypatch.setattr(psutil, "virtual_memory", Little)
    exact = steps(kind, unet)
    deep.clear()
    with deep_features_reused(unet, FAST):
        made = steps(kind, unet)
    assert len(deep) == len(TIMES)
    assert all(torch.equal(one, other) for one, other in zip(made, exact, strict=True))


@pytest.mark.parametrize("failing", [False, True])
def test_it_comes_off(unet: nn.Module, kind: str, failing: bool) -> None:
    before = traces(unet)
    with ExitStack() as stack:
        if failing:
            stack.enter_context(pytest.raises(RuntimeError, match="out of memory"))
        stack.enter_context(deep_features_reused(unet, FAST))
        steps(kind, unet, TIMES[:2])
        if failing:
            model: Any = unet
            last = model.out if hasattr(model, "out") else model.conv_out

            def fail(*_: object) -> None:
                raise RuntimeError("out of memory")

            stack.callback(last.register_forward_pre_hook(fail).remove)
            steps(kind, unet, TIMES[3:4])
    assert_untouched(before, unet)


def test_all_but_the_last_block_and_the_entrance_is_passed_over(ldm_unet: nn.Module) -> None:
    blocks, model = skipped_blocks(ldm_unet), ldm_unet
    assert blocks.last is model.output_blocks[-2]  # type: ignore[index]
    assert len(blocks.skipped) == 11 + 1 + 11


def test_another_word_is_refused(unet: nn.Module) -> None:
    with pytest.raises(ValueError, match="choose one of exact, fast, fastest"), deep_features_reused(unet, "slow"):
        pass
