"""Lines of key frames give each frame its text; everything else is a prompt as it always was."""

import pytest

from vcd_ext.prompt.names import with_name, without_name
from vcd_ext.prompt.travel import Place, Travel, each_text, network_notes, styled, travel, travels

ANIMATEDIFF = "1girl, <lora:line:0.7>, \n0: closed mouth\n8: open mouth\nsmile"


def test_what_stands_around_the_key_frames_belongs_to_all_of_them() -> None:
    first, last = "1girl, <lora:line:0.7>, closed mouth, smile", "1girl, <lora:line:0.7>, open mouth, smile"
    assert travel(ANIMATEDIFF) == Travel((0, 8), (first, last))


@pytest.mark.parametrize(
    ("prompt", "frames", "texts"),
    [
        ("0: a\n4: b", (0, 4), ("a", "b")),
        ("4: b\n\n0: a", (0, 4), ("a", "b")),
        ("one,\ntwo\n3: a\nthree\nfour", (3,), ("one, two, a, three, four",)),
        ("head\n0:\n8:   b  \r\ntail", (0, 8), ("head, tail", "head, b, tail")),
        ("<lora:x:1> 0:<lora:y:1> a\n8: b", (0, 8), ("<lora:x:1> <lora:y:1> a", "b")),
        (" 0 : a\n 12: b: c", (0, 12), ("a", "b: c")),
        ('"0": "a \\"b\\"",\n  "16" :"(c:1.2), \\(d\\)"', (0, 16), ('a "b"', "(c:1.2), \\(d\\)")),
        ("0: [a:b:0.5] AND c\n1: (d:1.2)", (0, 1), ("[a:b:0.5] AND c", "(d:1.2)")),
    ],
)
def test_lines_are_read_as_people_write_them(prompt: str, frames: tuple[int, ...], texts: tuple[str, ...]) -> None:
    assert travel(prompt, 17) == Travel(frames, texts)
    assert travels(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "a dog",
        "16:9 aspect",
        "a dog\n16:9",
        "12:30, a clock",
        "[a:b:0.5]",
        "[a:b:8]\n(c:1.2)",
        "2001\\: a space odyssey",
        "photo of rex\n(8: smiling)",
        "a, 0: b",
        "x0: b",
        "1.5: b",
        "0:closed mouth",
        '"0": closed mouth',
        "# 0: a",
    ],
)
def test_other_prompts_are_left_alone(prompt: str) -> None:
    assert travel(prompt, 1) is None
    assert not travels(prompt)


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("0: a\n16: b", r"line '16: b', but the video's last frame is 15; .* write '16\\:' if it is no key frame"),
        ("0: a\n-4: b", "line '-4: b', but frames count from 0"),
        ("8: a\n8: b", "line '8: b', but frame 8 has a text already"),
        ("0: a\ntail\n8: b", "line '8: b', but it stands after 'tail', which is no key frame"),
        ("2001: " + "a" * 60, r"line '2001: a{34}\.\.\.', but the video's last frame is 15"),
    ],
)
def test_a_wrong_key_frame_is_refused_in_a_sentence(prompt: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"The negative prompt has the {sentence}"):
        travel(prompt, 16, "negative prompt")
    assert travels(prompt)


def test_a_frame_is_between_its_neighbours_and_stays_at_the_ends() -> None:
    keys = Travel((2, 4, 8), ("a", "b", "c"))
    places = [keys.place(frame) for frame in (0, 2, 3, 4, 5, 8, 15)]
    assert places == [
        Place(0, 0, 0.0), Place(0, 1, 0.0), Place(0, 1, 0.5), Place(1, 2, 0.0), Place(1, 2, 0.25), Place(2, 2, 0.0),
        Place(2, 2, 0.0),
    ]  # fmt: skip


def test_a_change_is_made_in_each_text() -> None:
    assert each_text("rex,\n0: a\n8: b", lambda text: text.replace("rex", "dog")) == "0: dog, a\n8: dog, b"
    assert each_text("rex\nand a cat", str.upper) == "REX\nAND A CAT"


def test_a_comment_does_not_swallow_what_is_put_behind_it() -> None:
    assert each_text("rex # 1: x\n0: a # AND\n8: b", str) == "0: rex, a\n8: rex, b"


def test_a_name_is_added_and_left_out_in_all_frames() -> None:
    named = with_name("0: a # x\n8: b", "rex")
    assert named == "0: a # x\n8: b\nrex"
    assert travel(named) == Travel((0, 8), ("a # x, rex", "b, rex"))
    assert with_name(named, "rex") == named
    assert without_name("photo of\n0: rex\n8: (rex) and a\n cat", "rex") == "0: photo of, cat\n8: photo of, and a, cat"


@pytest.mark.parametrize(
    ("style", "texts"),
    [
        ("oil on canvas", ("a, oil on canvas", "b, oil on canvas")),
        ("oil of {prompt}, sharp", ("oil of, a, sharp", "oil of, b, sharp")),
        ("{prompt}", ("a", "b")),
        ("", ("a", "b")),
    ],
)
def test_a_style_goes_around_the_key_frames(style: str, texts: tuple[str, str]) -> None:
    assert travel(styled("0: a\n8: b", style)) == Travel((0, 8), texts)


def test_networks_of_some_frames_are_told() -> None:
    [note] = network_notes("<lora:a:1>\n0: <lora:b:1> x\n8: <lora:b:1> <lora:c:0.5>")
    assert note.startswith("<lora:c:0.5> stands at a key frame")
    assert network_notes("a <lora:a:1>") == []


def test_in_a_closed_loop_the_last_key_frame_leads_on_to_the_first() -> None:
    keys = Travel((2, 8), ("a", "b")).around(10)
    assert [keys.place(frame) for frame in (0, 1, 2, 5, 8, 9)] == [
        Place(0, 1, 0.5), Place(0, 1, 0.75), Place(1, 2, 0.0), Place(1, 2, 0.5), Place(2, 3, 0.0), Place(2, 3, 0.25)
    ]  # fmt: skip
    assert keys.texts == ("b", "a", "b", "a")
