"""Infotext is composed and extended by the WebUI's rules."""

import pytest

from vcd_ext.media.infotext import composed, extended, quoted

TEXT = 'a dog, running: fast\nNegative prompt: blur\nSteps: 20, Sampler: Euler, Hashes: "a, b", Seed: 1'


def test_entries_go_to_the_end_of_the_line_of_settings() -> None:
    assert extended(TEXT, {"Face VCD denoise": 0.8}) == f"{TEXT}, Face VCD denoise: 0.8"
    assert extended("Steps: 20, Sampler: Euler, Seed: 1", {"Size": "8x8"}) == (
        "Steps: 20, Sampler: Euler, Seed: 1, Size: 8x8"
    )


def test_an_entry_that_is_there_is_replaced() -> None:
    once = extended(TEXT, {"Face VCD denoise": 0.8, "Face VCD people": "1: rex"})
    twice = extended(once, {"Face VCD denoise": 0.5})
    assert twice == f'{TEXT}, Face VCD people: "1: rex", Face VCD denoise: 0.5'


@pytest.mark.parametrize("text", ["", "a film of a dog", "a dog\nmade on Monday", "Steps: 20"])
def test_what_is_no_infotext_is_not_extended(text: str) -> None:
    assert extended(text, {"Size": "8x8"}) == ""


def test_values_that_could_be_taken_for_entries_are_quoted() -> None:
    assert [quoted(value) for value in ("rex", "1: rex; 2: -", "a, b", 'a\n"b"')] == [
        "rex", '"1: rex; 2: -"', '"a, b"', r'"a\n\"b\""',
    ]  # fmt: skip


def test_a_new_one_has_prompt_negative_prompt_and_settings() -> None:
    entries = {"Steps": 4, "Seed": 1, "Size": "8x8"}
    assert composed("a dog", "blur", entries) == "a dog\nNegative prompt: blur\nSteps: 4, Seed: 1, Size: 8x8"
    assert composed("", "", entries) == "\nSteps: 4, Seed: 1, Size: 8x8"
    assert extended(composed("a dog", "", entries), {"Seed": 2}) == "a dog\nSteps: 4, Size: 8x8, Seed: 2"
