"""A motion module on a UNet: what it does there, for which rows, and that it comes off again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests import tiny
from tests.unets import diffusers, ldm
from vcd_ext.motion import MotionModule, attached, load


@pytest.fixture(params=["v2", "v3", "AnimateLCM"])
def module(request: pytest.FixtureRequest, tmp_path: Path) -> MotionModule:
    return load(tiny.motion_module(tmp_path, request.param))


@pytest.fixture
def v2(tmp_path: Path) -> MotionModule:
    return load(tiny.motion_module(tmp_path))


def traces(unet: nn.Module) -> dict[str, Any]:
    """All that attaching might leave behind."""
    return {
        "modules": [name for name, _ in unet.named_modules()],
        "state": {name: (id(tensor), tensor.clone()) for name, tensor in unet.state_dict(keep_vars=True).items()},
        "hooks": [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in unet.modules()],
        "attributes": [sorted(vars(m)) for m in unet.modules()],
    }


def assert_untouched(before: dict[str, Any], unet: nn.Module) -> None:
    now = traces(unet)
    for kind in ("modules", "hooks", "attributes"):
        assert now[kind] == before[kind]
    for name, (identity, tensor) in before["state"].items():
        assert now["state"][name][0] == identity
        assert torch.equal(now["state"][name][1], tensor)


def test_ldm_and_diffusers_unets_agree(
    ldm_unet: nn.Module, diffusers_unet: nn.Module, module: MotionModule, inputs: dict[str, Tensor]
) -> None:
    still = ldm(ldm_unet, inputs)
    with attached(ldm_unet, module, 4):
        a = ldm(ldm_unet, inputs)
    with attached(diffusers_unet, module, 4):
        b = diffusers(diffusers_unet, inputs)
    assert (a - b).norm() / a.norm() < 1e-4
    assert (a - still).norm() / a.norm() > 0.05, "the module must have had an effect"


def test_every_block_of_the_module_is_used(ldm_unet: nn.Module, module: MotionModule, inputs: dict) -> None:
    used = []
    handles = [b.register_forward_hook(lambda m, *_: used.append(m)) for b in module.blocks.values()]
    with attached(ldm_unet, module, 4):
        ldm(ldm_unet, inputs)
    assert len(used) == len(set(used)) == len(module.blocks) == (20 if module.version == "v3" else 21)
    for handle in handles:
        handle.remove()


def test_videos_in_one_call_do_not_see_each_other(ldm_unet: nn.Module, v2: MotionModule, inputs: dict) -> None:
    with attached(ldm_unet, v2, 4):
        both = ldm(ldm_unet, inputs)
        first, second = ldm(ldm_unet, inputs, slice(0, 4)), ldm(ldm_unet, inputs, slice(4, 8))
    torch.testing.assert_close(both, torch.cat([first, second]), rtol=1e-4, atol=1e-5)


def test_frames_of_one_video_do(ldm_unet: nn.Module, v2: MotionModule, inputs: dict) -> None:
    changed = inputs | {"latents": inputs["latents"].clone()}
    changed["latents"][3] += 1
    with attached(ldm_unet, v2, 4):
        difference = (ldm(ldm_unet, inputs) - ldm(ldm_unet, changed)).abs().amax(dim=(1, 2, 3))
    assert (difference[:4] > 1e-4).all()
    assert (difference[4:] < 1e-6).all()


@pytest.mark.parametrize("rows", [3, 6, 7])
def test_rows_that_are_no_whole_videos_are_refused(
    ldm_unet: nn.Module, v2: MotionModule, inputs: dict, rows: int
) -> None:
    with attached(ldm_unet, v2, 4), pytest.raises(ValueError, match=f"{rows} pictures.*not whole videos of 4 frames"):
        ldm(ldm_unet, inputs, slice(0, rows))


def comes_off(unet: nn.Module, kind: str, module: MotionModule, inputs: dict) -> None:
    """After a call with the module the UNet is what it was, to the last trace, and gives what it gave."""
    run = ldm if kind == "ldm" else diffusers
    before, output = traces(unet), run(unet, inputs)
    with attached(unet, module, 4):
        run(unet, inputs)
    assert_untouched(before, unet)
    assert torch.equal(run(unet, inputs), output)


def test_it_comes_off(unet: nn.Module, kind: str, v2: MotionModule, inputs: dict) -> None:
    comes_off(unet, kind, v2, inputs)


@contextmanager
def comes_off_after(unet: nn.Module, inputs: dict) -> Iterator[None]:
    """After this context an LDM UNet is what it was, to the last trace, and gives what it gave."""
    before, output = traces(unet), ldm(unet, inputs)
    yield
    assert_untouched(before, unet)
    assert torch.equal(ldm(unet, inputs), output)


def fails(unet: nn.Module, place: nn.Module, module: MotionModule, inputs: dict) -> None:
    """Raise in a place of the UNet while it carries the module."""

    def fail(*_: object) -> None:
        raise RuntimeError("out of memory")

    handle = place.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="out of memory"), attached(unet, module, 4):
        ldm(unet, inputs)
    handle.remove()


def test_it_comes_off_when_the_unet_raises(ldm_unet: nn.Module, v2: MotionModule, inputs: dict) -> None:
    with comes_off_after(ldm_unet, inputs):
        fails(ldm_unet, ldm_unet.output_blocks[4], v2, inputs)  # type: ignore[index]


def test_it_comes_off_when_attaching_fails_half_way(
    ldm_unet: nn.Module, v2: MotionModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = traces(ldm_unet)
    last = ldm_unet.output_blocks[11]  # type: ignore[index]

    def refuse(_hook: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(last, "register_forward_hook", refuse)
        with pytest.raises(MemoryError), attached(ldm_unet, v2, 4):
            pass
    assert_untouched(before, ldm_unet)


def test_a_unet_carries_one_module_at_a_time(ldm_unet: nn.Module, v2: MotionModule) -> None:
    with attached(ldm_unet, v2, 4), pytest.raises(RuntimeError, match="already carries"), attached(ldm_unet, v2, 4):
        pass
    with attached(ldm_unet, v2, 4):
        pass


def test_the_weights_can_be_loaded_anew_meanwhile(ldm_unet: nn.Module, v2: MotionModule) -> None:
    with attached(ldm_unet, v2, 4):
        ldm_unet.load_state_dict(ldm_unet.state_dict(), strict=True)


def test_it_takes_the_unet_s_precision_unless_told(ldm_unet: nn.Module, v2: MotionModule) -> None:
    with attached(ldm_unet, v2, 4):
        assert {p.dtype for p in v2.parameters()} == {torch.float32}
    with attached(ldm_unet, v2, 4, dtype=torch.bfloat16):
        assert {p.dtype for p in v2.parameters()} == {torch.bfloat16}


def test_visiting_blocks_go_home_after_their_call(
    ldm_unet: nn.Module, v2: MotionModule, inputs: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No second device here: the moves are recorded instead."""
    moves: list[str] = []
    for block in v2.blocks.values():
        monkeypatch.setattr(block, "to", lambda device: moves.append(str(device)))
    with attached(ldm_unet, v2, 4):
        staying = ldm(ldm_unet, inputs)
    assert moves == []
    with attached(ldm_unet, v2, 4, visiting=True):
        visiting = ldm(ldm_unet, inputs)
    assert len(moves) == 2 * len(v2.blocks)
    assert torch.equal(staying, visiting)


@pytest.mark.parametrize("frames", [0, -1, 33, 2.0, None])
def test_frames_beyond_the_module_are_refused_with_the_limit(
    ldm_unet: nn.Module, v2: MotionModule, frames: Any
) -> None:
    with pytest.raises(ValueError, match="holds 1 to 32"), attached(ldm_unet, v2, frames):
        pass


def test_one_frame_is_a_picture(ldm_unet: nn.Module, v2: MotionModule, inputs: dict) -> None:
    with attached(ldm_unet, v2, 1):
        assert ldm(ldm_unet, inputs).isfinite().all()


def test_a_module_for_another_unet_is_refused(ldm_unet: nn.Module, tmp_path: Path) -> None:
    wide = load(tiny.motion_module(tmp_path, width=64))
    with pytest.raises(ValueError, match="Use an SD1.5 checkpoint with"), attached(ldm_unet, wide, 4):
        pass
    with pytest.raises(ValueError, match="neither an LDM UNetModel nor"), attached(nn.Linear(1, 1), wide, 4):
        pass
