"""Who is who: `1: rex; 2: -`."""

from dataclasses import replace

import numpy as np
import pytest

from vcd_ext.face import Track
from vcd_ext.face.prompts import face_prompts, parse_people
from vcd_ext.settings import FaceSettings, SettingError


def tracks(count: int) -> list[Track]:
    return [Track(k + 1, range(2), np.array([[0.0, 0, 9, 9]] * 2), np.ones(2, bool), np.ones(2)) for k in range(count)]


def test_numbers_get_words_or_are_left_alone() -> None:
    assert parse_people("1: rex; 2: -") == {1: "rex", 2: None}
    assert parse_people("3:photo of (rex:1.2), smiling\n1 : - ;") == {3: "photo of (rex:1.2), smiling", 1: None}
    assert parse_people("  ") == {}


@pytest.mark.parametrize("text", ["rex", "1 rex", "1:", "one: rex", "-1: rex", "1: rex; 2"])
def test_other_texts_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingError, match="write it as in '1: rex; 2: -'") as refusal:
        parse_people(text)
    assert refusal.value.key == "people"


def test_a_face_is_named_once() -> None:
    with pytest.raises(SettingError, match="names face 2 twice"):
        parse_people("2: rex; 2: -")


def test_words_are_put_into_the_prompt_and_the_others_get_the_identity() -> None:
    settings = FaceSettings(prompt="close-up of a dog", identity="mara", people="1: rex; 2: -")
    assert face_prompts(tracks(3), settings) == {1: "close-up of a dog, rex", 2: None, 3: "close-up of a dog, mara"}
    assert face_prompts(tracks(1), replace(settings, people="1: dog")) == {1: "close-up of a dog"}
    assert face_prompts(tracks(1), replace(settings, people="", identity="none")) == {1: "close-up of a dog"}
    assert face_prompts(tracks(1), FaceSettings(people="1: photo of rex")) == {1: "photo of rex"}


def test_a_number_that_is_not_there_is_refused() -> None:
    with pytest.raises(SettingError, match="names face 4, but there are faces 1 to 3"):
        face_prompts(tracks(3), FaceSettings(people="4: rex; 1: -"))
    with pytest.raises(SettingError, match="names face 2, but there is only face 1"):
        face_prompts(tracks(1), FaceSettings(people="2: rex"))


def test_words_of_a_person_are_in_the_syntax_of_prompts_and_an_identity_is_a_name() -> None:
    settings = FaceSettings(prompt="a dog", identity="rex (1)", people="1: (mara:1.2), smiling")
    assert face_prompts(tracks(2), settings) == {1: "a dog, (mara:1.2), smiling", 2: r"a dog, rex \(1\)"}
