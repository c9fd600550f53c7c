"""Calm paths: the smoother of Rauch, Tung and Striebel, solved at once."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vcd_ext.face.track.smooth import STIFFNESS, smooth, smooth_adaptively, smooth_robustly, stiffness

Values = NDArray[np.float64]


def rauch_tung_striebel(values: Values, seen: NDArray[np.bool_], ratio: float) -> Values:
    """Smooth as the textbook does, place and speed in two passes; detections vary by 1, speeds drift by 1 / ratio."""
    step, drift = np.array([[1.0, 1], [0, 1]]), np.diag([0.0, 1 / ratio])
    state, spread = np.zeros(2), np.eye(2) * 1e9
    filtered, expected = [], []
    for value, known in zip(values, seen, strict=True):
        if filtered:
            state, spread = step @ state, step @ spread @ step.T + drift
        expected.append((state, spread))
        if known:
            gain = spread[:, 0] / (spread[0, 0] + 1)
            state, spread = state + gain * (value - state[0]), spread - np.outer(gain, spread[0])
        filtered.append((state, spread))
    path = [filtered[-1][0]]
    for (state, spread), (next_state, next_spread) in zip(filtered[-2::-1], expected[:0:-1], strict=True):
        back = spread @ step.T @ np.linalg.inv(next_spread)
        path.append(state + back @ (path[-1] - next_state))
    return np.array([state[0] for state in path[::-1]])


@pytest.mark.parametrize("lost", [0.0, 0.4])
def test_it_is_the_smoother_of_rauch_tung_and_striebel(lost: float) -> None:
    rng = np.random.default_rng(0)
    values, seen = rng.normal(0, 1, 30).cumsum(), rng.random(30) >= lost
    # The drift enters with the place one frame later, as it does there.
    found = smooth(values[:, None], seen.astype(float), 3.0)[:, 0]
    np.testing.assert_allclose(found, rauch_tung_striebel(values, seen, 3.0), atol=1e-4)


def test_a_straight_path_stays_and_is_continued_through_gaps_and_ends() -> None:
    line = np.stack([np.arange(12.0), 5 - 2 * np.arange(12.0)], axis=1)
    weights = np.ones(12)
    weights[[0, 1, 5, 6, 7, 11]] = 0
    np.testing.assert_allclose(smooth(np.where(weights[:, None] > 0, line, 99), weights, 50.0), line, atol=1e-6)


def test_a_single_detection_holds_for_all_frames() -> None:
    weights = np.array([0.0, 1, 0])
    assert smooth(np.array([[0.0], [7], [0]]), weights, 1.0).tolist() == [[7], [7], [7]]


def test_an_error_of_one_detector_does_not_pull_the_path() -> None:
    values = np.zeros((15, 1))
    values[7] = 40
    pulled = np.abs(smooth(values, np.ones(15), STIFFNESS)).max()
    assert np.abs(smooth_robustly(values, np.ones(15), STIFFNESS, 0.5)).max() < 0.1 * pulled


def test_it_follows_a_bouncing_face_of_an_exact_detector_and_calms_a_jittery_one() -> None:
    bounce = 5 * np.sin(2 * np.pi * np.arange(48) / 9)[:, None]
    seen, rng = np.ones(48), np.random.default_rng(0)
    assert np.abs(smooth_adaptively(bounce, seen, STIFFNESS, 0.7, lag=0.7) - bounce)[3:-3].max() < 1
    assert np.abs(smooth_robustly(bounce, seen, STIFFNESS, 0.7) - bounce)[3:-3].max() > 1.3
    jitter = rng.normal(0, 0.7, (48, 1))
    calm = smooth_adaptively(jitter, seen, STIFFNESS, 0.7, lag=0.7)
    usual = smooth_robustly(jitter, seen, STIFFNESS, 0.7)
    assert np.abs(np.diff(calm, 2, axis=0)).mean() < 0.5 * np.abs(np.diff(usual, 2, axis=0)).mean()


def test_the_steadier_a_face_moves_the_more_of_the_detectors_errors_are_averaged() -> None:
    seen, t = np.ones(48), np.arange(48)
    steady = np.stack([120 + 5.7 * t, 200 + 0.8 * t], axis=1)
    nodding = steady + np.stack([0 * t, 5 * np.sin(2 * np.pi * t / 9)], axis=1)

    def error(path: Values, seed: int) -> tuple[float, float]:
        detected = path + np.random.default_rng(seed).normal(0, 1.7, path.shape)
        adaptive = smooth_adaptively(detected, seen, STIFFNESS, 0.8, lag=0.8)
        found = (adaptive, smooth_robustly(detected, seen, STIFFNESS, 0.8))
        ours, usual = (float(np.sqrt(((one - path) ** 2).sum(1).mean())) for one in found)
        return ours, usual

    for seed in range(5):
        ours, usual = error(steady, seed)
        assert ours < 0.7 * usual
        ours, usual = error(nodding, seed)
        assert ours < 1.02 * usual, "a nod is no error of the detector"


def test_a_detector_that_errs_alike_for_some_frames_is_not_followed_more_closely() -> None:
    wander = np.convolve(np.random.default_rng(0).normal(0, 1, 60), np.ones(6) / 6, "valid")[:, None]
    seen = np.ones(len(wander))
    adaptive = smooth_adaptively(wander, seen, STIFFNESS, 0.7, lag=0.7)
    np.testing.assert_array_equal(adaptive, smooth_robustly(wander, seen, STIFFNESS, 0.7))


def test_more_smoothing_is_calmer_and_none_follows_every_detection() -> None:
    values = np.random.default_rng(1).normal(0, 1, (60, 2))
    unrest = [
        float(np.abs(np.diff(smooth(values, np.ones(60), stiffness(smoothing)), 2, axis=0)).mean())
        for smoothing in (0, 0.5, 1, 2, 10)
    ]
    assert unrest == sorted(unrest, reverse=True)
    np.testing.assert_allclose(smooth(values, np.ones(60), stiffness(0)), values, atol=0.05)


def test_long_tracks_with_long_gaps_are_solved() -> None:
    seen = np.zeros(5000)
    seen[::50] = 1
    t = np.linspace(0, 30, 5000)[:, None]
    for smoothing in (0.0, 1.0, 10.0):
        path = smooth(np.sin(t / 10), seen, stiffness(smoothing, 6))
        assert np.abs(path - np.sin(t / 10)).max() < 0.05
