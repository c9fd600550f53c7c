"""What VCD needs of a GPU's memory, counted from the tensors of SD1.5's exact layout: no GPU, no weights, a minute.

    python -m benchmarks.counted

The networks lie on PyTorch's device 'meta', where tensors have sizes and no values; every tensor that lives at the same
time is counted, in half precision, with attention that keeps no matrix (PyTorch's, xformers'). The sum has the weights
of SD1.5 (UNet, text encoder, VAE) and of the motion module. What a library needs inside of one operation, what the
driver takes, and the desktop's own windows are not in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from benchmarks.gpu import MODES
from vcd_ext.denoising.deep_features import deep_features_reused
from vcd_ext.denoising.video_memory import GIB
from vcd_ext.hosts.diffusers.training import recomputed_blocks
from vcd_ext.identity.training.plan import RECOMPUTE
from vcd_ext.motion import MotionModule, attached
from vcd_ext.motion.attach import points
from vcd_ext.motion.module import BlockSize
from vcd_ext.settings import EXACT, FAST

TEXT, WIDTH = 77, 768
TEXT_ENCODER = 123_060_480  # parameters of CLIP ViT-L/14's text encoder
BARS = {"16 frames of 512x512, v2, exact": 6.0, "training of 512x512, one at a time, low": 3.4}
BARS["the pipeline from 512x512 to 1024x1024, v2"] = 8.0


class Counted(TorchDispatchMode):
    """Count the bytes of all tensors that are made within this context and live at the same time."""

    def __init__(self, *networks: nn.Module):
        super().__init__()
        self.weights = {t.untyped_storage()._cdata for n in networks for t in (*n.parameters(), *n.buffers())}
        self.living: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak = 0

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Do what is asked for, and look at what lives."""
        result = func(*args, **(kwargs or {}))
        for each in tree_flatten(result)[0]:
            if isinstance(each, Tensor) and (store := each.untyped_storage())._cdata not in self.weights:
                self.living[store._cdata] = StorageWeakRef(store), store.nbytes()
        self.living = {key: found for key, found in self.living.items() if not found[0].expired()}
        self.peak = max(self.peak, sum(size for _, size in self.living.values()))
        return result


class FusedAttention(torch.autograd.Function):
    """Attention that keeps for its gradient what the kernels on a GPU keep: its inputs and its output."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Return what has the output's size."""
        result = torch.empty_like(q)
        ctx.save_for_backward(q, k, v, result)
        return result

    @staticmethod
    def backward(ctx: Any, *_gradients: Any) -> Any:
        """Return what has the sizes of the inputs."""
        return tuple(torch.empty_like(each) for each in ctx.saved_tensors[:3])


def _fused(q: Tensor, k: Tensor, v: Tensor, *_: Any, **__: Any) -> Tensor:
    return FusedAttention.apply(q, k, v)


@contextmanager
def without_values() -> Iterator[None]:
    """Let what computes with values work on 'meta' within this context: attention as on a GPU, numbers 0.

    Patches, as a mode of PyTorch's is not there where a block is computed again for its gradient.
    """
    with ExitStack() as stack:
        stack.enter_context(patch.object(F, "scaled_dot_product_attention", _fused))
        stack.enter_context(patch.object(Tensor, "__float__", lambda _: 0.0))  # by which *Speed* knows a text again
        stack.enter_context(patch.object(torch, "meta", torch.cpu, create=True))  # which `checkpoint` looks for
        yield


def networks() -> tuple[nn.Module, nn.Module]:
    """Return SD1.5's UNet and VAE in half precision, without values."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=WIDTH, attention_head_dim=8)
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
        )
    return unet.half().requires_grad_(False), vae.half().requires_grad_(False)


def motion_module(unet: nn.Module, middle: bool) -> MotionModule:
    """Return a motion module of AnimateDiff's size for a UNet; middle: with a block there, as v2 has and v3 has not."""
    places = {name: point.channels for name, point in points(unet).items() if middle or "mid_block" not in name}
    with torch.device("meta"):
        module = MotionModule("v2", {name: BlockSize(channels, 1, 2, 32) for name, channels in places.items()})
    return module.half().requires_grad_(False)


def weights(*networks: nn.Module) -> int:
    """Return the bytes of their parameters."""
    return sum(parameter.numel() * parameter.element_size() for each in networks for parameter in each.parameters())


def of_unet(unet: nn.Module, frames: int, side: int, module: MotionModule | None = None, speed: str = EXACT) -> int:
    """Return the bytes at the peak of two guided steps of a video of side x side pixels, without weights."""
    rows = 2 * frames
    with torch.no_grad(), ExitStack() as stack:
        if module is not None:
            stack.enter_context(attached(unet, module, frames))
        stack.enter_context(deep_features_reused(unet, speed))
        counted = Counted(unet, *([] if module is None else [module]))
        stack.enter_context(without_values())
        stack.enter_context(counted)
        latents = torch.empty(rows, 4, side // 8, side // 8, dtype=torch.half, device="meta")
        text = torch.empty(rows, TEXT, WIDTH, dtype=torch.half, device="meta")
        for time in (900, 800):
            unet(latents, torch.tensor(time), text)
    return counted.peak


def of_decoding(vae: Any, side: int) -> int:
    """Return the bytes at the peak of decoding one picture; attention in the middle keeps no matrix."""
    with torch.no_grad(), without_values(), Counted(vae) as counted:
        vae.decode(torch.empty(1, 4, side // 8, side // 8, dtype=torch.half, device="meta"))
    return counted.peak


def of_training(unet: nn.Module, side: int, every_block: bool | None) -> int:
    """Return the bytes at the peak of one step of training for one picture, without weights."""
    with _recomputed(unet, every_block), without_values(), Counted(unet) as counted:
        text = torch.empty(1, TEXT, WIDTH, dtype=torch.half, device="meta", requires_grad=True)
        latents = torch.empty(1, 4, side // 8, side // 8, dtype=torch.half, device="meta")
        unet(latents, torch.tensor(900), text).sample.float().square().mean().backward()
    return counted.peak


@contextmanager
def _recomputed(unet: nn.Module, every_block: bool | None) -> Iterator[None]:
    with ExitStack() as stack:
        if every_block is not None:
            stack.enter_context(recomputed_blocks(unet, every_block))
        yield


def rows() -> Iterator[tuple[str, int, int]]:
    """Yield what is counted: its name, the bytes of its weights, and those at its peak."""
    unet, vae = networks()
    basis = weights(unet, vae) + 2 * TEXT_ENCODER
    v2, v3 = motion_module(unet, True), motion_module(unet, False)
    yield "16 frames of 512x512, no motion module", basis, of_unet(unet, 16, 512)
    for name, module in (("v2", v2), ("v3", v3)):
        for speed in (EXACT, FAST):
            peak = of_unet(unet, 16, 512, module, speed)
            yield f"16 frames of 512x512, {name}, {speed}", basis + weights(module), peak
    stages = [of_unet(unet, 16, 512, v2), of_unet(unet, 16, 576, v2), of_decoding(vae, 1024)]
    yield "the pipeline from 512x512 to 1024x1024, v2", basis + weights(v2), max(stages)
    yield "of it, decoding a picture of 1024x1024", basis + weights(v2), stages[-1]
    for mode, checkpointing in MODES.items():
        peak = of_training(unet, 512, RECOMPUTE[checkpointing])
        yield f"training of 512x512, one at a time, {mode}", basis, peak


def main() -> None:
    """Print the table."""
    print("| | weights, GiB | at the peak, GiB | together | bar |\n|---|---|---|---|---|")
    for name, held, peak in rows():
        bar = f"{BARS[name]:g}" if name in BARS else ""
        print(f"| {name} | {held / GIB:.2f} | {peak / GIB:.2f} | {(held + peak) / GIB:.2f} | {bar} |")


if __name__ == "__main__":
    main()
