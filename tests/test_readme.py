"""README's list of what is not supported has the sentences that people see: each is in the code."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GAP = "..."


def sentences() -> list[str]:
    """Return the table's right column."""
    section = (ROOT / "README.md").read_text().partition("## What is not supported")[2].partition("\n## ")[0]
    rows = [row.strip("|").split(" | ") for row in section.splitlines() if row.startswith("| ")]
    return [row[-1].strip() for row in rows[1:]]


def spoken() -> str:
    """All texts of the package, one a line, with a gap for what is put in; f-strings and their parts joined."""
    texts = []
    for path in (ROOT / "vcd_ext").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else GAP for part in node.values]
                texts.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return "\n".join(" ".join(text.split()) for text in texts)


@pytest.fixture(scope="module")
def said() -> str:
    return spoken()


def test_there_is_a_list() -> None:
    assert len(sentences()) > 20


@pytest.mark.parametrize("sentence", sentences())
def test_each_sentence_is_in_the_code(said: str, sentence: str) -> None:
    pieces = [re.escape(piece.strip()) for piece in sentence.split(GAP) if piece.strip(" .,;")]
    assert re.search("[^\n]*".join(pieces), said)
