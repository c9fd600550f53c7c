"""A prompt is said without its syntax, and with the class in place of the identity's name."""

import pytest

from vcd_ext.metrics.text import plain_text


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("photo of rex dog in the snow", "photo of a dog in the snow"),
        ("Rex, running", "a dog, running"),
        ("photo of (rex dog:1.2), (running)", "photo of a dog, running"),
        ("photo of (rex:1.2) dog", "photo of a dog"),
        ("photo of a rex dog <lora:rex:0.8> BREAK at night # rex", "photo of a dog at night"),
        ("a dog and a trex", "a dog and a trex"),
    ],
)
def test_what_is_left_of_a_prompt(prompt: str, text: str) -> None:
    assert plain_text(prompt, "rex", "dog") == text


def test_a_name_with_brackets_is_found_as_it_is_written() -> None:
    assert plain_text(r"photo of rex \(1\) dog", "rex (1)", "dog") == "photo of a dog"


def test_without_a_class_the_name_is_left_out() -> None:
    assert plain_text("photo of rex, running", "rex") == "photo of, running"
