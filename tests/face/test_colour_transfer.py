"""Light and colours matched on the ring around a face."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vcd_ext.face.colour_transfer import NO_TRANSFER, REACH, ColourTransfer, fit_transfer, smoothed
from vcd_ext.face.repair import _coloured, _Repainted
from vcd_ext.face.resample import Area
from vcd_ext.hosts.protocols import Picture

RING = np.zeros((48, 48), np.float32)
RING[6:42, 6:42] = 1
RING[14:34, 14:34] = 0


def picture(seed: int = 0) -> Picture:
    noise = np.random.default_rng(seed).uniform(0.25, 0.7, (8, 8, 3)).astype(np.float32)
    return np.asarray(cv2.resize(noise, (48, 48), interpolation=cv2.INTER_CUBIC), np.float32)


def lab(some: Picture) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(some, cv2.COLOR_RGB2LAB))


def tinted(some: Picture) -> Picture:
    return some * np.array([0.95, 0.9, 1.05], np.float32) + np.float32(0.03)


def paled(some: Picture) -> Picture:
    return np.float32(0.8) * some + np.float32(0.2) * some.mean(axis=2, keepdims=True)


def another_curve(some: Picture) -> Picture:
    return np.asarray(some ** np.float32(1.2))


@pytest.mark.parametrize(("cast", "share"), [(tinted, 0.05), (paled, 0.15), (another_curve, 0.3)])
def test_another_light_is_taken_back_everywhere(cast: Callable[[Picture], Picture], share: float) -> None:
    original, other = picture(), cast(picture())
    back = fit_transfer(other, original, RING).apply(other, 1.0)
    was, remains = (np.abs(lab(some) - lab(original)).mean() for some in (other, back))
    assert was > 2
    assert remains < share * was


def test_what_is_inside_the_ring_does_not_count() -> None:
    original, other = picture(), picture()
    other[14:34, 14:34] = (0.9, 0.4, 0.1)
    transfer = fit_transfer(other, original, RING)
    np.testing.assert_array_equal(transfer.apply(other, 1.0), other)


def test_a_strength_of_a_half_goes_half_the_way() -> None:
    original = picture()
    darker = original * 0.8
    transfer = fit_transfer(darker, original, RING)
    dark, half, full = (float(lab(transfer.apply(darker, strength)).mean(axis=(0, 1))[0]) for strength in (0, 0.5, 1))
    assert half == pytest.approx((dark + full) / 2, abs=0.3)
    assert np.array_equal(transfer.apply(darker, 0.0), darker)


def test_contrast_is_matched_within_bounds_only() -> None:
    """A ring that was painted anew has another contrast; the face's must not follow that."""
    original = picture()
    flat = original.mean(axis=(0, 1)) + 0.1 * (original - original.mean(axis=(0, 1)))
    more, less = fit_transfer(flat, original, RING), fit_transfer(original, flat, RING)
    np.testing.assert_allclose(np.linalg.eigvalsh(more.contrast), 1.25, atol=1e-4)
    np.testing.assert_allclose(np.linalg.eigvalsh(less.contrast), 0.8, atol=1e-4)


def test_a_ring_of_no_pixels_changes_nothing() -> None:
    assert fit_transfer(picture(), picture(1), np.zeros_like(RING)) is NO_TRANSFER
    np.testing.assert_array_equal(NO_TRANSFER.apply(picture(), 1.0), picture())


def transfers(added: NDArray[np.float64]) -> list[ColourTransfer]:
    ones = np.ones(3, np.float32)
    return [ColourTransfer(0.5 * ones, np.eye(3, dtype=np.float32), value * ones) for value in added]


def test_shifts_are_calmed_over_the_frames_around() -> None:
    flickering = transfers(np.array([0, 10, 0, 10, 0, 10, 0, 10, 0]))
    assert float(smoothed(flickering, 4).added[0]) == pytest.approx(5, abs=2.5)
    noise = np.random.default_rng(0).normal(0, 1, 400)
    found = [float(smoothed(transfers(noise[k - 4 : k + 5]), 4).added[0]) for k in range(4, 396)]
    assert np.std(found) < 0.65


def test_a_light_that_changes_slowly_is_followed() -> None:
    light = np.sin(2 * np.pi * np.arange(9) / 16)
    assert float(smoothed(transfers(light), 4).added[0]) == pytest.approx(light[4], abs=0.06)
    assert float(smoothed(transfers(3 + 2 * np.arange(5.0)), 0).added[0]) == pytest.approx(3, abs=1e-4)


def test_few_frames_have_shifts_too() -> None:
    assert float(smoothed(transfers(np.array([4.0])), 0).added[0]) == pytest.approx(4)
    assert float(smoothed(transfers(np.array([4.0, 6])), 1).added[0]) == pytest.approx(6, abs=1e-4)


def test_each_frame_has_the_shift_that_all_frames_around_it_say() -> None:
    """Not one frame less on either side, at the beginning and the end neither."""
    draw = np.random.default_rng(4)
    grey = np.full((6, 6, 3), 0.5, np.float32)
    transfers = [replace(NO_TRANSFER, added=draw.uniform(-0.2, 0.2, 3).astype(np.float32)) for _ in range(3 * REACH)]
    place = Area(slice(6), slice(6))
    backs = [_Repainted(i, place, np.ones((6, 6), np.float32), grey, transfer) for i, transfer in enumerate(transfers)]
    coloured = list(_coloured(iter(backs), 1.0))
    assert [back.frame for back in coloured] == list(range(3 * REACH))
    for i, back in enumerate(coloured):
        first = max(0, i - REACH)
        around = transfers[first : min(i + REACH, len(transfers) - 1) + 1]
        np.testing.assert_allclose(back.picture, smoothed(around, i - first).apply(grey, 1.0), atol=1e-6)
