"""Estimates of time and memory: what they grow with, and how they are said."""

import itertools
from dataclasses import replace

import pytest

from vcd_ext.identity.training import estimate
from vcd_ext.identity.training.estimate import Capacity, Estimate
from vcd_ext.settings import TrainSettings

SETTINGS = TrainSettings(name="rexy", class_word="dog", validate_every=0, variants=1)
CPU = Capacity("cpu", 4, None, None)
GPU = Capacity("cuda", 2, 24 * 2**30, None)
PACE = 1e12


def seconds(settings: TrainSettings, photos: int = 1, capacity: Capacity = GPU) -> float:
    return estimate.estimate(settings, photos, capacity, PACE).seconds


def test_time_grows_with_the_work() -> None:
    one = seconds(SETTINGS)
    assert seconds(replace(SETTINGS, steps=400)) == pytest.approx(2 * one, rel=0.01)
    assert seconds(replace(SETTINGS, batch=8)) == pytest.approx(2 * one, rel=0.01)
    assert seconds(replace(SETTINGS, size=256)) == pytest.approx(one / 4, rel=0.01)
    assert seconds(replace(SETTINGS, variants=16), photos=8) - one == pytest.approx(127 * estimate.ENCODE / PACE)
    validated = seconds(replace(SETTINGS, validate_every=25))
    assert validated - one == pytest.approx(9 * 8 * estimate.FORWARD / PACE)
    again = seconds(replace(SETTINGS, gradient_checkpointing="all"))
    assert one * 1.4 < again < one * 1.5


def test_a_smaller_network_takes_less_time() -> None:
    small = GPU._replace(parameters=int(estimate.PARAMETERS / 10))
    assert seconds(SETTINGS, capacity=small) == pytest.approx(seconds(SETTINGS) / 10)


def test_the_paper_s_training_fits_a_card_of_8_gb_and_not_half_a_gigabyte() -> None:
    assert estimate.estimate(SETTINGS, 8, GPU._replace(free=6 * 2**30), PACE).fits is True
    small = estimate.estimate(SETTINGS, 8, GPU._replace(free=2**29), PACE)
    assert small.fits is False
    assert "more than is free: choose a smaller size" in estimate.sentence(small, True)
    assert estimate.estimate(SETTINGS, 8, CPU, PACE).fits is None


def test_without_an_earlier_training_the_speed_is_measured() -> None:
    guessed = estimate.estimate(SETTINGS, 8, CPU)
    assert 10 < guessed.seconds < 1e7
    assert "a rough guess" in estimate.sentence(guessed, False)
    assert "as fast as the last training here" in estimate.sentence(guessed, True)


def test_a_machine_that_others_use_half_of_the_time_counts_for_half(monkeypatch: pytest.MonkeyPatch) -> None:
    def speed(*seconds: float) -> float:
        taken = itertools.chain([99.0], itertools.cycle(seconds))  # the first time is not counted
        monkeypatch.setattr(estimate, "_seconds", lambda matrix: next(taken))
        return estimate.speed.__wrapped__("cpu", 4)

    assert speed(0.01, 0.03) == pytest.approx(speed(0.01) / 2, rel=0.1)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (40, "40 s"), (99, "99 s"), (100, "2 min"), (720, "12 min"), (5_900, "98 min"),
     (6_001, "1 h 40 min"), (7_200, "2 h"), (12_000, "3 h 20 min")],
)  # fmt: skip
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert estimate.duration(seconds) == words


def test_the_sentence_is_plain() -> None:
    assert estimate.sentence(Estimate(720, 3.94, True), True) == (
        "About 12 min (as fast as the last training here), 3.9 GB of memory beside the checkpoint."
    )
