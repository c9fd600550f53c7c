"""Several people on the page: lines are written by choosing, and a map shows who is where."""

import pytest

from vcd_ext.people import placed_people
from vcd_ext.ui.people_table import ANYBODY, people_map, with_person, without_person


def test_somebody_is_added_moved_and_removed() -> None:
    lines = with_person("", "rexly", "man, red jacket", "left")
    assert lines == "rexly man, red jacket @ left"
    lines = with_person(lines, ANYBODY, "dog", "0.50 0.40 1.00 1.00")
    assert lines == "rexly man, red jacket @ left\n- dog @ 0.50 0.40 1.00 1.00"
    lines = with_person(lines, "rexly", "", "left third")
    assert lines == "rexly man, red jacket @ left third\n- dog @ 0.50 0.40 1.00 1.00", "moved, with its words"
    lines = with_person(lines, "rexly", "man", "followed left")
    assert [(person.name, person.words, person.followed) for person in placed_people(lines)] == [
        ("rexly", "rexly man", True), ("", "dog", False),
    ]  # fmt: skip
    assert without_person(lines, ANYBODY, "") == "rexly man @ followed left"
    assert without_person(lines, "Rexly", "") == "- dog @ 0.50 0.40 1.00 1.00"


def test_who_stood_side_by_side_has_a_place_from_then_on() -> None:
    lines = with_person("rexly man\nmarla woman", ANYBODY, "dog", "bottom")
    assert lines == "rexly man @ 0 0 0.5 1\nmarla woman @ 0.5 0 1 1\n- dog @ bottom"


def test_a_name_with_brackets_is_written_as_a_prompt_has_it() -> None:
    lines = with_person("", "rex (1)", "dog", "left")
    assert lines == r"rex \(1\) dog @ left"
    assert with_person(lines, "rex (1)", "", "right") == r"rex \(1\) dog @ right"


def test_a_name_that_begins_another_is_somebody_else() -> None:
    lines = with_person("rex dog @ left", "rex_2", "dog", "right")
    assert lines.count("\n") == 1
    assert without_person(lines, "rex", "") == "rex_2 dog @ right"


@pytest.mark.parametrize(
    ("lines", "who", "words", "place", "sentence"),
    [
        ("", ANYBODY, " ", "left", "A person without an identity needs words"),
        ("", "rexly", "man", "nowhere", "whose region 'nowhere' is unknown"),
        ("rexly man @ left", "marla", "woman", "left", "in the same region"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(lines: str, who: str, words: str, place: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        with_person(lines, who, words, place)


def test_nobody_is_removed_who_is_not_there() -> None:
    with pytest.raises(ValueError, match="There is no line of marla; choose somebody"):
        without_person("rexly man @ left", "marla", "")


def test_the_map_has_each_region_in_a_colour_of_its_own_and_no_markup_of_others() -> None:
    shown = people_map("rexly man <b> @ left\nmarla woman @ followed 0.5 0.25 1 1")
    assert "left: 0%; top: 0%; width: 50%; height: 100%; --colour: #ff4081" in shown
    assert "left: 50%; top: 25%; width: 50%; height: 75%; --colour: #2979ff" in shown
    assert "rexly man &lt;b&gt;" in shown
    assert "(followed)" in shown
    assert "Nobody is placed yet" in people_map("")
    assert "which names nobody" in people_map("@ left")
