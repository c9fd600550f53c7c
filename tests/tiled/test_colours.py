"""Low frequencies of the source."""

import cv2
import numpy as np
import pytest

from vcd_ext.tiled.colours import with_low_frequencies


def picture(height: int, width: int, seed: int) -> np.ndarray:
    """Noise on all scales in [0, 1]."""
    rng = np.random.default_rng(seed)
    layers = [cv2.resize(rng.random((n, n, 3)), (width, height), interpolation=cv2.INTER_CUBIC) for n in (3, 17, 90)]
    return np.mean(layers, axis=0).astype(np.float32)


@pytest.mark.parametrize(
    ("height", "width", "sigma"), [(512, 512, 24), (512, 256, 24), (203, 317, 40), (1024, 1024, 24)]
)
def test_it_is_the_exchange_of_what_a_gaussian_leaves_over(height: int, width: int, sigma: float) -> None:
    made, source = picture(height, width, 1), picture(height, width, 2)
    found = with_low_frequencies(made, source, sigma)
    true = sigma * (height * width) ** 0.5 / 1024
    low = [cv2.GaussianBlur(p, (0, 0), true, borderType=cv2.BORDER_REFLECT) for p in (made, source)]
    error = np.abs(found - (made - low[0] + low[1])) * 255
    assert error.max() < 1, "of pictures that are a hundred levels apart"
    assert error.mean() < 0.15


def test_a_constant_shift_is_taken_away_whole() -> None:
    source = picture(128, 128, 1)
    shift = np.array([0.1, -0.05, 0.2], np.float32)
    assert np.abs(with_low_frequencies(source + shift, source, 24) - source).max() < 1e-5


def test_fine_detail_is_left_alone() -> None:
    source = picture(256, 256, 1)
    checks = (np.indices((256, 256)).sum(0) % 2 * 0.1 - 0.05).astype(np.float32)[..., None]
    found = with_low_frequencies(source + checks, source, 24)
    assert np.abs(found - source - checks).max() * 255 < 0.1


def test_equal_pictures_and_sigma_0_change_nothing() -> None:
    made, source = picture(64, 64, 1), picture(64, 64, 2)
    assert np.array_equal(with_low_frequencies(made, source, 0), made)
    assert np.array_equal(with_low_frequencies(made, made.copy(), 24), made)


def test_it_is_fast_because_it_is_blurred_small() -> None:
    """No timed assert: the kernel's side would be 193 on the whole picture."""
    seen = []
    blur = cv2.GaussianBlur
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            cv2, "GaussianBlur", lambda small, *rest, **more: (seen.append(small.shape), blur(small, *rest, **more))[1]
        )
        with_low_frequencies(picture(1024, 1024, 1), picture(1024, 1024, 2), 24)
    assert seen == [(171, 171, 3)]
