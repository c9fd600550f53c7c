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
    """The best of five calls."""
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
    for dtype in (torch.float16, torch.float32):  # the smaller first: the peak only grows
        white = torch.randn(FRAMES, *SHAPE).to(dtype)
        copy = white.numel() * white.element_size() / MIB
        before = peak()
        correlate(white, 0.15)
        extra = peak() - before
        drawing = seconds(lambda: torch.randn(FRAMES, *SHAPE))
        mixing = seconds(lambda white=white: correlate(white, 0.15))
        print(
            f"{dtype}: correlate {mixing:.3f} s, {mixing / drawing:.2f} of drawing ({drawing:.3f} s); "
            f"extra memory {extra:.0f} MiB, {extra / copy:.2f} copies of {copy:.0f} MiB"
        )


if __name__ == "__main__":
    main()
