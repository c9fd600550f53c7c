"""The WebUI's prompt syntax, by what its documentation says of it; tests/webui compares with the WebUI itself."""

import pytest

from vcd_ext.prompt import parts, schedule, weighted
from vcd_ext.prompt.networks import check_no_networks

EMPHASIS = {
    "a cat": [("a cat", 1.0)],
    "": [("", 1.0)],
    "a (cat)": [("a ", 1.0), ("cat", 1.1)],
    "a ((cat))": [("a ", 1.0), ("cat", 1.1 * 1.1)],
    "a [cat]": [("a ", 1.0), ("cat", 1 / 1.1)],
    "a (cat:1.3), b": [("a ", 1.0), ("cat", 1.3), (", b", 1.0)],
    "(a (cat:0.5))": [("a ", 1.1), ("cat", 0.5 * 1.1)],
    r"rex \(1\)": [("rex (1)", 1.0)],
    r"a \[b\] \\": [("a [b] \\", 1.0)],
    "(a cat": [("a cat", 1.1)],
    "a cat)": [("a cat)", 1.0)],
    "a:b": [("a:b", 1.0)],
    "a BREAK b": [("a", 1.0), ("BREAK", -1.0), ("b", 1.0)],
    "BREAKFAST": [("BREAKFAST", 1.0)],
}


@pytest.mark.parametrize("prompt", EMPHASIS)
def test_emphasis(prompt: str):
    assert weighted(prompt) == EMPHASIS[prompt]


def test_a_weight_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match=r"1\.2\.3 is no number"):
        weighted("(cat:1.2.3)")


SCHEDULES = {
    "a cat": [(10, "a cat")],
    "a [cat:dog:0.5]": [(5, "a cat"), (10, "a dog")],
    "a [cat:dog:3]": [(3, "a cat"), (10, "a dog")],
    "a [cat: 3 ]": [(3, "a "), (10, "a cat")],
    "a [cat::.5]": [(5, "a cat"), (10, "a ")],
    "[a [b:c:2]:d:6]": [(2, "a b"), (6, "a c"), (10, "d")],
    "[(a:1.2):3]": [(3, ""), (10, "(a:1.2)")],
    "[a:b]": [(10, "[a:b]")],
    "[a:b:c:3]": [(10, "[a:b:c:3]")],
    "a (b:1.2) [c]": [(10, "a (b:1.2) [c]")],
    "[a:b:99]": [(10, "a")],
    "[a:b:0]": [(10, "b")],
    "[a:b:-1]": [(10, "b")],
    "a | b [c:d:3]": [(10, "a | b [c:d:3]")],
    r"\[a:b:3\]": [(10, r"\[a:b:3\]")],
    "a) [b:c:3] (d": [(3, "a) b (d"), (10, "a) c (d")],
    "[a:b:3] \\": [(10, "[a:b:3] \\")],
    "[" * 500 + "a": [(10, "[" * 500 + "a")],
}


@pytest.mark.parametrize("prompt", SCHEDULES)
def test_changes_while_it_is_painted(prompt: str):
    assert schedule(prompt, 10) == SCHEDULES[prompt]


def test_texts_by_turns():
    assert schedule("[a|b|] c", 5) == [(1, "a c"), (2, "b c"), (3, " c"), (4, "a c"), (5, "b c")]


PARTS = {
    "a cat": [("a cat", 1.0)],
    "a cat AND a dog :0.5": [("a cat", 1.0), (" a dog", 0.5)],
    "a AND b:-1 AND c:.5 ": [("a", 1.0), (" b", -1.0), (" c", 0.5)],
    "ANDROID and SAND": [("ANDROID and SAND", 1.0)],
    "(big:1.2) cat": [("(big:1.2) cat", 1.0)],
    "": [("", 1.0)],
}


@pytest.mark.parametrize("prompt", PARTS)
def test_parts_that_are_joined(prompt: str):
    assert parts(prompt) == PARTS[prompt]


@pytest.mark.parametrize("network", ["<lora:rexly:0.8>", "<hypernet:a>", "<lyco:b:1:2>"])
def test_a_network_is_refused_by_name(network: str):
    check_no_networks("photo of <rex>, a < b > c: d")
    with pytest.raises(
        ValueError, match=rf"The prompt has {network}, which is not among the LoRAs that were given; name its"
    ):
        check_no_networks("photo", f"blurry {network} ugly")
