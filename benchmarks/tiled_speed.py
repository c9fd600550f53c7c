"""One step of the denoiser over a canvas of 1024x1024: four tiles of 576 against nine of 512, in time and memory.

Every run is a process of its own, on a CPU one for the time and one for the memory: where what is freed is given back
at once, so that it can be seen, much of the time goes into getting it again. Weights are random, SD1.5's layout and
size; a motion module hangs on the UNet. One frame tells as much as 16: every frame costs the same in both. A narrower
UNet would not: most of its work would be attention over a tile's places, which grows with their square.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.rows import Row
from benchmarks.watched import MIB, Watch, giving_back_at_once
from tests import tiny
from vcd_ext import motion
from vcd_ext.denoising.multidiffusion import Parts, multidiffusion
from vcd_ext.denoising.partition import Tile, tiles
from vcd_ext.hosts.protocols import FACTOR

FULL = 320  # channels of SD1.5's UNet
CANVAS, NINE_TILE, NINE_OVERLAP = 1024 // FACTOR, 512 // FACTOR, 64 // FACTOR  # in latents
OURS, NINE = "four tiles of 576", "nine tiles of 512"
VIDEOS = 2  # in one call: uncond and cond


@dataclass(frozen=True)
class Size:
    """What is computed: the UNet's width (320 is SD1.5's), frames of the video, and where."""

    width: int = FULL
    frames: int = 1
    device: str = "cpu"
    dtype: str = "float32"
    rounds: int = 1


class Cost(NamedTuple):
    """Of one step."""

    seconds: float
    bytes: float  # beyond the models


def rows(size: Size) -> list[Row]:
    """Ratios of time and memory at this size, and of the arithmetic at SD1.5's."""
    runs = [{way: _apart(size, way) for way in (OURS, NINE)} for _ in range(size.rounds)]
    cost = {
        way: Cost(min(run[way].seconds for run in runs), statistics.median(run[way].bytes for run in runs))
        for way in (OURS, NINE)
    }
    note = f"width {size.width}, {size.frames} frames, {size.device}, {size.dtype}; best of {size.rounds}"
    absolute = [
        Row(f"{way}: {what}", value)
        for way in (OURS, NINE)
        for what, value in (("seconds a step", cost[way].seconds), ("MiB", cost[way].bytes / MIB))
    ]
    return [
        Row("time over that of nine tiles", cost[OURS].seconds / cost[NINE].seconds, high=0.65, note=note),
        Row("memory over that of nine tiles", cost[OURS].bytes / cost[NINE].bytes, high=1.0),
        Row("arithmetic over that of nine tiles, SD1.5's true size", _arithmetic(FULL), high=0.65, note="counted"),
        *absolute,
    ]


def nine() -> list[tuple[int, int]]:
    """Tops and lefts of the WebUI's `images.split_grid` of 1024x1024 in tiles of 512 that share at least 64: 3 by 3.

    Each is denoised by itself there, uncond and cond together, as its setting batch_cond_uncond has it unless changed.
    """
    number = -(-(CANVAS - NINE_OVERLAP) // (NINE_TILE - NINE_OVERLAP))
    starts = [int(i * (CANVAS - NINE_TILE) / (number - 1)) for i in range(number)]
    return list(product(starts, starts))


def four() -> list[Tile]:
    """Tiled VCD's default."""
    return tiles(CANVAS, CANVAS, 576 // FACTOR, 128 // FACTOR)


def _apart(size: Size, way: str) -> Cost:
    cost = _in_a_process(size, way)
    if size.device != "cpu":
        return cost
    with giving_back_at_once():
        return cost._replace(bytes=_in_a_process(size, way).bytes)


def _in_a_process(size: Size, way: str) -> Cost:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_step, size, way).result()


@torch.no_grad()
def _step(size: Size, way: str) -> Cost:
    """One guided call of the UNet on the whole canvas."""
    torch.set_num_threads(torch.get_num_threads() if size.device != "cpu" else 1)
    device, dtype = torch.device(size.device), getattr(torch, size.dtype)
    unet = random_unet(size.width).to(device, dtype)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        module = motion.load(tiny.motion_module(Path(folder), width=size.width))
        stack.enter_context(motion.attached(unet, module, size.frames))
        if way == OURS:
            stack.enter_context(multidiffusion(unet, Parts(size.frames, motion.windows(size.frames, 16, 4), four())))
        latents = torch.randn(VIDEOS * size.frames, 4, CANVAS, CANVAS).to(device, dtype)
        text = torch.randn(len(latents), 77, unet.config.cross_attention_dim).to(device, dtype)

        def step() -> None:
            if way == OURS:
                unet(latents, 100, text)
            else:
                for top, left in nine():
                    unet(latents[..., top : top + NINE_TILE, left : left + NINE_TILE], 100, text)

        cost = _on_gpu(step) if device.type == "cuda" else _on_cpu(step)
        print(f"{way}: {cost.seconds:.1f} s, {cost.bytes / MIB:.0f} MiB", flush=True)
        return cost


def random_unet(width: int) -> Any:
    channels = (width, 2 * width, 4 * width, 4 * width)
    return UNet2DConditionModel(block_out_channels=channels, cross_attention_dim=768, attention_head_dim=8).eval()


def _on_gpu(step: Callable[[], None]) -> Cost:
    torch.cuda.reset_peak_memory_stats()
    before, start = torch.cuda.memory_allocated(), time.perf_counter()
    step()
    torch.cuda.synchronize()
    return Cost(time.perf_counter() - start, torch.cuda.max_memory_allocated() - before)


def _on_cpu(step: Callable[[], None]) -> Cost:
    """Its own time alone: others may work there as well."""
    watch = Watch()
    step()
    seconds = watch.seconds()
    return Cost(seconds, (max(mib for _, mib in watch.end()) - watch.before) * MIB)


def _arithmetic(width: int) -> float:
    """Multiplications of the UNet over all tiles, without a motion module, which has as many for each place."""
    with torch.device("meta"):
        unet = random_unet(width)
    unet.set_attn_processor(AttnProcessor())  # one whose products are counted
    ours, theirs = len(four()) * _counted(unet, four()[0].height), len(nine()) * _counted(unet, NINE_TILE)
    return ours / theirs


@torch.no_grad()
def _counted(unet: Any, side: int) -> int:
    latents = torch.empty(1, 4, side, side, device="meta")
    text = torch.empty(1, 77, unet.config.cross_attention_dim, device="meta")
    with FlopCounterMode(display=False) as counter:
        unet(latents, torch.empty(1, device="meta"), text)
    return int(counter.get_total_flops())
