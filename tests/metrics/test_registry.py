"""Measures are found by their names; what a video is compared with says its text without the identity's name."""

import numpy as np
import pytest

import vcd_ext.metrics.measures  # noqa: F401 - registers them
from vcd_ext.metrics.registry import MeasureContext, find_measure


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("photo of rex dog in the snow", "photo of a dog in the snow"),
        ("photo of a rex dog in the snow", "photo of a dog in the snow"),
        ("rex, running", "a dog, running"),
        ("a dog and a trex", "a dog and a trex"),
    ],
)
def test_the_text_has_the_class_in_place_of_the_name(prompt: str, text: str) -> None:
    assert MeasureContext(prompt, "rex", "dog").text == text


def test_a_class_with_a_vowel_has_its_article() -> None:
    assert MeasureContext("photo of ollie owl", "ollie", "owl").text == "photo of an owl"


def test_without_an_identity_the_text_is_the_prompt() -> None:
    assert MeasureContext("photo of a dog", "", "dog").text == "photo of a dog"


def test_measures_are_found_by_name_and_others_are_refused() -> None:
    still = np.full((3, 32, 32, 3), 90, np.uint8)
    assert find_measure("flicker").load([], "cpu")(still, MeasureContext()) == 0
    with pytest.raises(ValueError, match=r"no measure called beauty; choose some of .*flow, flicker"):
        find_measure("beauty")
