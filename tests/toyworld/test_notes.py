"""What is told of a video of the drawn world: unknown words, once, and files of another edition."""

import json
import re
from pathlib import Path

import pytest

from tools.toyworld.vocabulary import write
from vcd_ext import toyworld
from vcd_ext.cli import demo
from vcd_ext.toyworld import notes


@pytest.fixture(autouse=True)
def _trained_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Know the words of this edition, whatever is shipped."""
    folder = write(tmp_path / "shipped/clip").parent
    (folder / "toyworld.safetensors").write_bytes(b"a checkpoint")
    monkeypatch.setattr(notes, "FOLDER", folder)
    monkeypatch.setattr(toyworld, "FOLDER", folder)
    notes._vocabulary.cache_clear()


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        ("close up photo of a tan dog with floppy ears and red scarf in the snow, running, facing left, at night", []),
        ("photo of (rex dog:1.2) on a moonlit Street BREAK jumping <lora:thing:1> # nonsense", ["moonlit"]),
        ("photo of [a man:a woman:0.5] AND a horse, a horse", ["horse"]),
        ("0: mouth closed\n8: mouth open", ["mouth", "closed", "open"]),
        ("photo of my rex in the snow", ["my"]),
    ],
)
def test_words_that_no_caption_has_are_told_once(prompt: str, unknown: list[str]) -> None:
    assert notes.unknown_words([prompt, prompt], ["rex"]) == unknown


def test_one_sentence_and_only_on_the_drawn_world(tmp_path: Path) -> None:
    own = toyworld.FOLDER / "toyworld.safetensors"
    [sentence] = notes.drawn_notes(own, None, ["photo of a horse in the rain"], [])
    assert sentence.startswith("The drawn world does not know horse, rain; ")
    assert notes.drawn_notes(own, None, ["photo of a dog in the snow"], []) == []
    (tmp_path / "other.safetensors").write_bytes(b"another one, not of the drawn world")
    assert notes.drawn_notes(tmp_path / "other.safetensors", None, ["photo of a horse"], []) == []


def test_a_copy_of_another_edition_is_told(tmp_path: Path) -> None:
    header = json.dumps({"__metadata__": {"drawn_world": "3"}}).encode()
    later = tmp_path / "toyworld.safetensors"
    later.write_bytes(len(header).to_bytes(8, "little") + header)
    [sentence] = notes.drawn_notes(later, later, [], [])[:1]
    assert "toyworld.safetensors is edition 3 of the drawn world, and this version of VCD has edition 2" in sentence
    assert notes.other_edition(tmp_path / "none.safetensors") == ""


def test_everything_that_the_product_asks_for_is_known() -> None:
    protocol = Path(toyworld.__file__).parents[1] / "batch/protocols/drawn.toml"
    asked = [text.replace("{subject}", "a dog") for text in re.findall(r'"(photo of [^"]*)"', protocol.read_text())]
    assert asked
    asked += [f"photo of a woman {demo.PLACE}", f"far away photo of a woman {demo.FAR}"]
    asked += [f"photo of a dog {scene}, {action}" for scene in toyworld.SCENES for action in toyworld.ACTIONS]
    assert notes.unknown_words(asked) == []
