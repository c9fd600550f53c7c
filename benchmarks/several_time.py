"""What the UNet needs with two regions against without: `python -m benchmarks.several --time`."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch

from vcd_ext import motion, toyworld
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.metrics.intervals import interval
from vcd_ext.people import RegionBox, Regions
from vcd_ext.people.attention import heard_by_region, with_people, without_people

BAR, REPEATS = 1.15, 15
LEFT, RIGHT = RegionBox(0, 0, 0.5, 1), RegionBox(0.5, 0, 1, 1)
REGIONS = {"two regions": Regions([[LEFT], [RIGHT]]), "two that change places": Regions([[LEFT, RIGHT], [RIGHT, LEFT]])}


def unet_time(host: Standalone) -> str:
    """Return what a guided call of the UNet needs with two regions, as a share of what it needs without; paired."""
    frames = 16
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(2 * frames, 4, 16, 16, generator=generator)
    texts = torch.randn(4, 77, host.prompts.width, generator=generator)
    plain = texts[:2].repeat_interleave(frames, dim=0)
    two = torch.cat(
        [
            without_people(texts[0], 154).expand(frames, -1, -1),
            with_people(texts[1], list(texts[2:])).expand(frames, -1, -1),
        ]
    )
    lines = []
    with torch.no_grad(), motion.attached(host.unet, motion.load(toyworld.motion_module()), frames):
        for name, regions in REGIONS.items():
            ratios = [ours / theirs for ours, theirs in _alternating(host, regions, frames, latents, two, plain)]
            lines.append(f"UNet with {name}: {interval(ratios[1:])} times without")
    return "\n".join([*lines, f"{REPEATS} pairs of calls, of processor time; bar {BAR}"])


def _alternating(
    host: Standalone, regions: Regions, frames: int, latents: torch.Tensor, two: torch.Tensor, plain: torch.Tensor
) -> Iterator[tuple[float, float]]:
    for _ in range(REPEATS + 1):
        with heard_by_region(host.unet, regions, frames, (77, 77)):
            ours = _seconds(host, latents, two)
        yield ours, _seconds(host, latents, plain)


def _seconds(host: Standalone, latents: torch.Tensor, text: torch.Tensor) -> float:
    begun = time.process_time()
    host.unet(latents, torch.tensor(500), text)
    return time.process_time() - begun
