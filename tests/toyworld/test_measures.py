"""Measures of the drawn world's videos say what is true of renders, and know nothing where nothing is asked."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import vcd_ext.toyworld.measures  # noqa: F401 - registers them
from tools.toyworld.subjects import SUBJECTS
from tools.toyworld.world import render, sample
from vcd_ext import toyworld
from vcd_ext.identity.photos.photo import Photo, read_photos
from vcd_ext.metrics.nearest import nearest_rate
from vcd_ext.metrics.registry import MeasureContext, find_measure
from vcd_ext.toyworld.measures import read_others

Clip = NDArray[np.uint8]


@cache
def photos() -> tuple[Photo, ...]:
    mara = next(subject for subject in toyworld.subjects() if subject.name == "mara")
    return tuple(read_photos(mara.folder).photos)


@cache
def clip(number: int) -> Clip:
    fixed = {"kind": "woman", "scene": "desert", "action": "running", "distance": "plain", "light": "day"}
    return render(sample(7, "eval", number=number, subjects=1, **fixed)).frames[:8]


def figure(name: str, frames: Clip, prompt: str = "photo of a woman", class_word: str = "woman") -> float:
    context = MeasureContext(prompt, "", class_word, photos())
    return find_measure(name).load([], "cpu")(frames, context)


def test_the_nearest_of_all_is_counted_frame_by_frame() -> None:
    subject, others = np.array([1.0, 0]), np.array([[0.0, 1], [-1, 0]])
    frames = np.array([[1.0, 0], [0.8, 0.6], [0.6, 0.8], [-1, 0]])  # the third is nearer to the first of the others
    assert nearest_rate(frames, subject, others) == 2 / 4
    frames[0] = np.nan
    assert np.isnan(nearest_rate(frames, subject, others))
    assert np.isnan(nearest_rate(frames[1:], subject, others[:0]))


def test_a_subject_is_the_nearest_of_200_and_another_one_is_not() -> None:
    herself, another = clip(SUBJECTS["mara"][1]), clip(11_000_777)
    assert figure("drawn_nearest", herself) > 0.7
    assert figure("drawn_nearest", another) < 0.1
    assert figure("drawn_likeness", herself) > figure("drawn_likeness", another) + 0.2
    assert figure("drawn_drift", herself) < 0.1


def test_what_the_prompt_names_is_judged_and_nothing_else() -> None:
    frames = clip(SUBJECTS["mara"][1])
    words = "photo of a woman in the desert, running"
    assert [figure(f"drawn_{what}", frames, words) for what in ("class", "scene", "action")] == [1, 1, 1]
    assert figure("drawn_scene", frames, "photo of a woman in the snow") == 0
    assert np.isnan(figure("drawn_scene", frames, "photo of a woman"))
    assert np.isnan(figure("drawn_action", frames[:7], words))
    assert np.isnan([figure(f"drawn_{what}", frames, class_word="owl") for what in ("class", "nearest")]).all()


def test_there_are_199_others_of_each_kind() -> None:
    others = read_others(toyworld.individuals(), toyworld.judges())
    assert {kind: vectors.shape for kind, vectors in others.items()} == dict.fromkeys(
        ("man", "woman", "dog", "cat"), (199, 64)
    )


def test_others_that_other_judges_have_seen_are_refused(tmp_path: Path) -> None:
    retrained = tmp_path / "judges.safetensors"
    retrained.write_bytes(b"other weights")
    with pytest.raises(ValueError, match=r"made with other judges than .*tools\.toyworld\.individuals"):
        read_others(toyworld.individuals(), retrained)
