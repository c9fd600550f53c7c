"""Names of identities among the words of a prompt: where they are, how they come in, and what is left without them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcd_ext.prompt import parts, schedule, weighted
from vcd_ext.prompt.names import mentions, renamed, with_name, without_name, written

MENTIONS = {
    "photo of rexly.": True,
    "REXLY's hat": True,
    "a (rexly:1.2)": True,
    "[cat:rexly:0.5]": True,
    "photo, <lora:dogs:1> rexly": True,
    "rexlyland": False,
    "photo <lora:rexly:0.8>": False,
    "<lora:a_rexly:1> <hypernet:rexly>": False,
    "a dog # like rexly": False,
    "a dog # like rexly\nrexly": True,
}


@pytest.mark.parametrize("prompt", MENTIONS)
def test_a_name_is_a_word_that_reaches_the_text_encoder(prompt: str):
    assert mentions(prompt, "rexly") is MENTIONS[prompt]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rex (1)", r"rex \(1\)"),
        ("rex [v2]", r"rex \[v2\]"),
        ("(rex", r"\(rex"),
        ("a|b", r"a\|b"),
        ("re\\x", r"re\\x"),
        ("re:x", "re:x"),
        ("rex, junior", "rex, junior"),
    ],
)
def test_a_name_is_written_so_that_the_parser_leaves_it(name: str, said: str):
    prompt = with_name("a (dog:1.2)", name)
    assert prompt == f"a (dog:1.2), {said}"
    assert mentions(prompt, name)
    assert with_name(prompt, name) == prompt
    assert weighted(prompt)[-1] == (f", {name}", 1.0)
    assert renamed("photo of rexly", "rexly", name) == f"photo of {said}"
    assert without_name(prompt, name) == "a (dog:1.2)"


@pytest.mark.parametrize("name", ["rex:2", "12:30", "me AND you", "BREAK rex", "<lora:rex>", "rex #2", "a [b:c:2]:.5"])
def test_a_name_that_no_prompt_can_have_is_refused(name: str):
    with pytest.raises(ValueError, match="means something else in a prompt"):
        with_name("a dog", name)


@given(
    st.text(st.characters(codec="ascii", exclude_characters="\n\r\t\x0b\x0c\x1c\x1d\x1e\x1f"), min_size=1, max_size=8)
)
def test_what_is_written_reaches_the_encoder_as_it_is(name: str):
    try:
        said = written(name)
    except ValueError:
        return
    prompt = f"a dog, {said}"
    assert parts(prompt) == [(prompt, 1.0)]
    assert schedule(prompt, 4) == [(4, prompt)]
    assert weighted(prompt) == [(f"a dog, {name}", 1.0)]


def test_a_name_is_not_put_into_a_comment():
    assert with_name("a dog # good\n# boy", "rexly") == "a dog # good\n# boy\n, rexly"


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("<lora:rexly:0.8> photo of rexly dog", "<lora:rexly:0.8> photo of dog"),
        ("photo of <lora:rexly:1>", "photo of <lora:rexly:1>"),
        ("a [cat:rexly:0.5] here", "a [cat::0.5] here"),
        ("a dog # of rexly\nin snow", "a dog in snow"),
        (r"\(rexly\) dog", r"\(\) dog"),
    ],
)
def test_only_the_name_is_taken_out(prompt: str, expected: str):
    assert without_name(prompt, "rexly") == expected
