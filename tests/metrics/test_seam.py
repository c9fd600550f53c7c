"""A seam is a step, or a band that is blurred or sharper than the rest."""

import cv2
import numpy as np
import pytest

from vcd_ext.denoising.partition import tiles
from vcd_ext.metrics.seam import seams

SIDE = 256
OVERLAPPING = tiles(SIDE, SIDE, 144, 32)  # borders at 112 and 144
APART = tiles(SIDE, SIDE, 128, 0)
NOISE = np.random.default_rng(0).integers(60, 196, (2, SIDE, SIDE, 3)).astype(np.float32)
SOURCE = np.stack([cv2.GaussianBlur(frame, (0, 0), 1) for frame in NOISE]).astype(np.uint8)


def detailed() -> np.ndarray:
    """Return the source with new detail, int."""
    return SOURCE + np.random.default_rng(1).normal(0, 8, SOURCE.shape)


def as_bytes(frames: np.ndarray) -> np.ndarray:
    return np.rint(frames.clip(0, 255)).astype(np.uint8)


@pytest.mark.parametrize("parts", [OVERLAPPING, APART], ids=["overlapping", "apart"])
def test_even_pictures_have_none(parts: list) -> None:
    assert seams(SOURCE, SOURCE, parts) == (1, 1, 1, 0)
    found = seams(as_bytes(detailed()), SOURCE, parts)
    assert np.allclose(found[:3], 1, atol=0.03)
    assert found.step < 0.5


def test_a_step_shows_in_the_gradient() -> None:
    stepped = detailed()
    stepped[:, :, 128:] += 15
    found = seams(as_bytes(stepped), SOURCE, APART)
    assert found.gradient > 1.1
    assert found.step == pytest.approx(7.5, abs=0.5), "15 levels at one of two borders"


def test_a_blurred_band_shows_in_the_detail() -> None:
    frames = detailed()
    frames[:, :, 112:144] = (frames - SOURCE)[:, :, 112:144] * 0.7 + SOURCE[:, :, 112:144]
    found = seams(as_bytes(frames), SOURCE, OVERLAPPING)
    assert found.bands < 0.95
    assert found.edges < 0.97


def test_what_is_uneven_in_the_source_is_no_seam() -> None:
    flat = SOURCE.copy()
    flat[:, 112:144] = 128
    assert np.allclose(seams(flat, flat, OVERLAPPING), (1, 1, 1, 0))


def test_one_tile_has_no_borders() -> None:
    with pytest.raises(ValueError, match="1 tiles on 256x256 leave nothing to compare"):
        seams(SOURCE, SOURCE, tiles(SIDE, SIDE, 256, 0))
