"""Make renders look like generated pictures: soft, blotchy, a little off in colour. For training and testing judges.

A small autoencoder loses edges and shifts colours by patches of 8 pixels; the strengths here span about 21 to 31 dB
PSNR (middle 25), as measured by `tests/toyworld/test_softening.py`.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]


def soften(frames: Frames, rng: np.random.Generator) -> Frames:
    """Pictures of one clip, uint8 [F, H, W, 3]: one softness and one tone for all, spots and grain anew for each."""
    shrink, grain, spots = rng.uniform(1.0, 2.0), rng.uniform(0, 8), rng.uniform(0, 7)
    gain, shift = rng.uniform(0.95, 1.05, 3), rng.uniform(-8, 8, 3)
    quality = int(rng.integers(35, 95))
    return np.stack([_soft(frame, rng, shrink, grain, spots, gain, shift, quality) for frame in frames])


def _soft(
    frame: Frames, rng: np.random.Generator, shrink: float, grain: float, spots: float, gain: NDArray[np.float64],
    shift: NDArray[np.float64], quality: int,
) -> Frames:  # fmt: skip
    height, width = frame.shape[:2]
    small = cv2.resize(frame, (round(width / shrink), round(height / shrink)), interpolation=cv2.INTER_AREA)
    soft = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    coarse = rng.standard_normal((height // 8, width // 8, 3), np.float32) * spots + shift.astype(np.float32)
    soft *= gain.astype(np.float32)
    soft += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    if grain > 3:
        # Even noise of that standard deviation, six times as fast to draw as normal noise.
        even = np.frombuffer(rng.bytes(soft.size), np.uint8).reshape(soft.shape)
        soft += (even.astype(np.float32) - 127.5) * (grain / 73.9)
    # Channels are in the order RGB where JPEG expects BGR: it then keeps less of the blue than of the red.
    coded = cv2.imencode(".jpg", soft.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
