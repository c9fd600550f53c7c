"""Syntax of other extensions is told, and what looks like it is not."""

import pytest

from vcd_ext.prompt.foreign import unread

UNREAD = {
    "a dog\n0:in spring\n8:in winter": ("'0:in spring'", "a key frame without a space after its colon"),
    '"0": a dog, \n"12": a cat': ("'\"0\": a dog,'", "a key frame without quotes"),
    "a dog\n0: in __season__\n8: in winter": ("'__season__'", "wildcard"),
    "a __animal__ on the beach": ("'__animal__'", "wildcard"),
    "a __colors/warm*__ dog": ("__colors/warm*__", "wildcard"),
    "a {red|green} dog": ("'{red|green}'", "choice"),
    "sky ADDROW sea ADDROW sand": ("'ADDROW'", "region"),
}


@pytest.mark.parametrize("prompt", UNREAD)
def test_it_is_told(prompt: str):
    [sentence] = unread(prompt)
    assert all(word in sentence for word in (*UNREAD[prompt], "read as plain words"))


@pytest.mark.parametrize(
    "prompt",
    [
        "a clock, 12:30",
        "a [cat:dog:0.5]",
        "[a|b]",
        "snake_case __init",
        "{a}",
        "photo of rex 1: smiling",
        "",
        "12:30",
        "0: a\n8: b",
        '"0": "a", \n"8": "b"',
    ],
)
def test_other_prompts_are_not(prompt: str):
    assert unread(prompt) == []
