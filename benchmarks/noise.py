"""The noise prior's cost: `correlate` beside drawing the same noise.

    python -m benchmarks.noise

A few seconds. 1,024 frames of 4x64x64 (512x512 pixels), one copy of the noise. Expected: below 1 s and below the time
that drawing takes; at most one extra copy, 64 MiB.
"""

import resource
import time

import torch

from vcd_ext.noise import correlate

FRAMES, SHAPE = 1024, (4, 64, 64)
MIB = 2**20


def seconds(work: object) -> float:
    """Measure the best of five calls."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        work()  # type: ignore[operator]
        times.append(time.perf_counter() - start)
    return min(times)


def peak() -> float:
    """Largest resident memory so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    white = torch.randn(FRAMES, *SHAPE)
    copy = white.numel() * white.element_size() / MIB
    before = peak()
    correlate(white, 0.15)
    extra = peak() - before
    drawing = seconds(lambda: torch.randn(FRAMES, *SHAPE))
    print(f"drawing {FRAMES} frames: {drawing:.3f} s; correlating them takes {extra / copy:.2f} copies of extra memory")
    for dtype in (torch.float32, torch.float16):
        noise = white.to(dtype)
        mixing = seconds(lambda noise=noise: correlate(noise, 0.15))
        print(f"{dtype}: correlate {mixing:.3f} s, {mixing / drawing:.2f} of drawing")


if __name__ == "__main__":
    main()
