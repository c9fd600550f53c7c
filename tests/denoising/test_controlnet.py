"""A ControlNet beside either host's UNet: each part of a call sees its own pictures, and nothing is left behind."""

from contextlib import nullcontext
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests import tiny
from tests.unets import diffusers, ldm, two_videos
from vcd_ext.denoising.controlnet import ControlNet, controlnet_attached
from vcd_ext.denoising.multidiffusion import Parts, multidiffusion
from vcd_ext.denoising.partition import tiles
from vcd_ext.hosts.protocols import Picture
from vcd_ext.hosts.shared import controlnet_file
from vcd_ext.motion import attached, load, windows

FRAMES, LENGTH, HEIGHT, WIDTH = 5, 3, 16, 8
WINDOWS, TILES = windows(FRAMES, LENGTH, 1), tiles(HEIGHT, WIDTH, 8, 2)  # two windows, three tiles
PARTS = Parts(FRAMES, WINDOWS, TILES)
RUN = {"ldm": ldm, "diffusers": diffusers}


@pytest.fixture(scope="module")
def inputs() -> dict[str, Tensor]:
    return two_videos(FRAMES, HEIGHT, WIDTH)


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    """Values that half precision holds, as those of Tiled VCD."""
    levels = np.random.default_rng(0).integers(0, 65, (FRAMES, 8 * HEIGHT, 8 * WIDTH, 3))
    return list((levels / 64).astype(np.float32))


@pytest.fixture(scope="module")
def network(diffusers_unet: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    return controlnet_file.load(tiny.controlnet(tmp_path_factory.mktemp("controlnet")), diffusers_unet)


@torch.no_grad()
def by_the_library(unet: nn.Module, control: ControlNet, inputs: dict[str, Tensor]) -> Tensor:
    """Return what diffusers' own pipeline computes with whole frames."""
    shown = torch.from_numpy(np.stack(2 * list(control.pictures))).permute(0, 3, 1, 2)
    call = inputs["latents"], inputs["times"], inputs["context"]
    down, middle = control.network(*call, shown, control.weight, return_dict=False)
    made: Tensor = unet(*call, down_block_additional_residuals=down, mid_block_additional_residual=middle).sample
    return made


def test_both_unets_compute_what_the_library_computes(
    kind: str,
    unet: nn.Module,
    diffusers_unet: nn.Module,
    network: nn.Module,
    inputs: dict[str, Tensor],
    pictures: list[Picture],
) -> None:
    control = ControlNet(network, pictures, 0.4)
    expected, without = by_the_library(diffusers_unet, control, inputs), RUN[kind](unet, inputs)
    with controlnet_attached(unet, control):
        made = RUN[kind](unet, inputs)
    assert (made - expected).norm() / expected.norm() < 1e-4
    assert (made - without).norm() / without.norm() > 0.02, "it has a say"


def test_one_that_was_never_trained_changes_nothing_bit_for_bit(
    kind: str, unet: nn.Module, inputs: dict[str, Tensor], pictures: list[Picture], tmp_path: Path
) -> None:
    silent = controlnet_file.load(tiny.controlnet(tmp_path, silent=True), unet)
    plain = RUN[kind](unet, inputs)
    with controlnet_attached(unet, ControlNet(silent, pictures)):
        assert torch.equal(RUN[kind](unet, inputs), plain)


def test_both_unets_agree_in_windows_and_tiles_with_a_motion_module(
    ldm_unet: nn.Module,
    diffusers_unet: nn.Module,
    network: nn.Module,
    inputs: dict[str, Tensor],
    pictures: list[Picture],
    tmp_path: Path,
) -> None:
    module, control, made = load(tiny.motion_module(tmp_path)), ControlNet(network, pictures), []
    for unet, run in ((ldm_unet, ldm), (diffusers_unet, diffusers)):
        with (
            attached(unet, module, LENGTH),
            controlnet_attached(unet, control),
            multidiffusion(unet, PARTS),
        ):
            made.append(run(unet, inputs))
    ours, theirs = made
    assert (ours - theirs).norm() / ours.norm() < 1e-4


class Witness(nn.Module):
    """In a ControlNet's place: notes what it is shown, and has nothing to say."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.shown: list[Tensor] = []

    def forward(self, latents: Tensor, *inputs: Any, **_: Any) -> tuple[list[Tensor], Tensor]:
        self.shown.append(inputs[2])
        widths = [32] * 4 + [64] * 3 + [128] * 5
        sides = [1] * 3 + [2] * 3 + [4] * 3 + [8] * 3
        down = [
            torch.zeros(len(latents), width, latents.shape[2] // side, latents.shape[3] // side)
            for width, side in zip(widths, sides, strict=True)
        ]
        return down, down[-1]


def marked() -> list[Picture]:
    """Pictures whose values are the number of their frame, of the row and of the column of latents, in 64ths."""
    rows, columns = np.mgrid[: 8 * HEIGHT, : 8 * WIDTH] // 8
    return [np.stack([np.full_like(rows, i), rows, columns], axis=2).astype(np.float32) / 64 for i in range(FRAMES)]


def test_each_video_is_shown_its_own_frames_and_tile_in_each_part(
    kind: str, unet: nn.Module, inputs: dict[str, Tensor]
) -> None:
    witness = Witness()
    with controlnet_attached(unet, ControlNet(witness, marked())), multidiffusion(unet, PARTS):
        RUN[kind](unet, inputs)
    parts = iter(witness.shown)
    for window, tile, _video in product(WINDOWS, TILES, range(2)):
        shown = 64 * next(parts)
        assert shown.shape == (LENGTH, 3, 64, 64), "no more than a part is on the device"
        assert shown[:, 0, 0, 0].tolist() == list(window.frames)
        assert shown[0, 1, ::8, 0].tolist() == list(range(tile.top, tile.top + tile.height))
        assert shown[0, 2, 0, ::8].tolist() == list(range(tile.left, tile.left + tile.width))
    assert next(parts, None) is None


def test_a_picture_is_read_once_for_all_tiles_of_a_window(unet: nn.Module, kind: str, inputs: dict) -> None:
    read: list[int] = []

    class Noting(list[Picture]):
        def __getitem__(self, index: Any) -> Any:
            read.append(index)
            return super().__getitem__(index)

    with (
        controlnet_attached(unet, ControlNet(Witness(), Noting(marked()))),
        multidiffusion(unet, PARTS),
    ):
        RUN[kind](unet, inputs)
    assert read == [0, 1, 2, 2, 3, 4]


@pytest.mark.parametrize("failing", ["unet", "network", None])
def test_all_of_it_comes_off(
    kind: str,
    unet: nn.Module,
    network: nn.Module,
    inputs: dict[str, Tensor],
    pictures: list[Picture],
    failing: str | None,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("by the test")

    before, plain = traces(unet), RUN[kind](unet, inputs)
    last = {"unet": (unet.out if kind == "ldm" else unet.conv_out), "network": network.mid_block}.get(failing or "")
    handle = last.register_forward_pre_hook(fail) if last is not None else None  # type: ignore[union-attr,operator]
    ends = pytest.raises(RuntimeError, match="by the test") if failing else nullcontext()
    with ends, controlnet_attached(unet, ControlNet(network, pictures)), multidiffusion(unet, PARTS):
        RUN[kind](unet, inputs)
    if handle is not None:
        handle.remove()
    assert traces(unet) == before
    assert torch.equal(RUN[kind](unet, inputs), plain)


def traces(unet: nn.Module) -> list[Any]:
    hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks), len(m._forward_pre_hooks_with_kwargs),
              "forward" in vars(m)) for m in unet.modules()]  # fmt: skip
    return [hooks, {name: float(value.double().sum()) for name, value in unet.state_dict().items()}]


def test_it_may_visit_the_device_for_each_call_alone(kind: str, unet: nn.Module, inputs: dict[str, Tensor]) -> None:
    moves: list[str] = []

    class Moving(Witness):
        def to(self, *args: Any, **kwargs: Any) -> "Moving":
            moves.append(str(args[0]))
            return super().to(*args, **kwargs)

        def forward(self, latents: Tensor, *inputs: Any, **more: Any) -> Any:
            moves.append("call")
            return super().forward(latents, *inputs, **more)

    with controlnet_attached(unet, ControlNet(Moving(), marked()), visiting=True):
        RUN[kind](unet, inputs)
    assert moves == ["cpu", "cpu", "call", "cpu", "cpu"]


def test_rows_that_are_no_whole_videos_are_refused(ldm_unet: nn.Module, inputs: dict) -> None:
    with (
        controlnet_attached(ldm_unet, ControlNet(Witness(), marked())),
        pytest.raises(ValueError, match="7 pictures.*of 5 frames"),
    ):
        ldm(ldm_unet, inputs, slice(0, 7))
