r"""Names of identities in prompts: how they are written, where they stand, and how they come in and out.

A name is looked for among the words that reach the text encoder: `rex (1)` is written `rex \(1\)`, and neither
`<lora:rex:0.8>` nor a comment mentions anybody.
"""

import re
from typing import NamedTuple

from vcd_ext.prompt.comments import COMMENT, without_comments
from vcd_ext.prompt.emphasis import BREAK, weighted
from vcd_ext.prompt.networks import NETWORK
from vcd_ext.prompt.parts import parts
from vcd_ext.prompt.schedule import schedule
from vcd_ext.prompt.travel import each_text, travels

_ESCAPED = re.compile(r"[\\()\[\]|]")
_LEXEME = re.compile(
    rf"(?P<apart>{NETWORK.pattern}|{COMMENT.pattern}|\b(?:AND|{BREAK})\b|[()\[\]])|\\?(?P<letter>.)", re.DOTALL
)
_APART = "\0"  # stands for what no name reaches over


class _Letter(NamedTuple):
    text: str
    start: int  # where it is in the prompt
    end: int


def written(name: str) -> str:
    """Return a name as a prompt has it, with its brackets escaped.

    ValueError, in one sentence, for a name that no prompt can have.
    """
    marked = _ESCAPED.sub(lambda found: f"\\{found[0]}", name)
    # What the parser makes of it, between other words and at the end.
    last = f"a, {marked}"
    whole = parts(last) == [(last, 1.0)] and schedule(last, 2) == [(2, last)] and weighted(marked) == [(name, 1.0)]
    if not whole or NETWORK.search(marked) or COMMENT.search(marked):
        raise ValueError(
            f"The embedding's name {name!r} means something else in a prompt, so it cannot be written there; give the "
            "file a name without ':', '#', '<', AND and BREAK."
        )
    return marked


def found(prompt: str, name: str) -> list[tuple[int, int]]:
    """Find `name` as a word of its own in a prompt: (from, to). Case does not matter, as for CLIP."""
    letters = [_Letter(match["letter"] or _APART, *match.span()) for match in _LEXEME.finditer(prompt)]
    words = r"\s+".join(map(re.escape, name.split()))
    if not words:
        return []
    matches = re.finditer(rf"(?<!\w){words}(?!\w)", "".join(letter.text for letter in letters), re.IGNORECASE)
    return [(letters[match.start()].start, letters[match.end() - 1].end) for match in matches]


def mentions(prompt: str, name: str) -> bool:
    """Return whether a prompt has `name` as a word of its own."""
    return bool(found(prompt, name))


def with_name(prompt: str, name: str) -> str:
    """Add `name` at the prompt's end unless the prompt has it; ValueError for a name that cannot be written.

    Behind key frames it gets a line of its own, for all frames.
    """
    if mentions(prompt, name):
        return prompt
    if not prompt.strip():
        return written(name)
    if travels(prompt):
        return f"{prompt}\n{written(name)}"
    after = "\n" if COMMENT.search(prompt.rpartition("\n")[2]) else ""
    return f"{prompt}{after}, {written(name)}"


def renamed(prompt: str, old: str, new: str) -> str:
    """Replace the name `old` by `new` in a prompt; ValueError for a name that cannot be written."""
    return _replaced(prompt, old, written(new))


def without_name(prompt: str, name: str) -> str:
    """Return the prompt without an identity's name, and without the brackets and commas that it leaves empty."""
    return each_text(prompt, lambda text: _without(text, name))


def _without(prompt: str, name: str) -> str:
    rest, before = without_comments(_replaced(prompt, name, "")), ""
    while rest != before:
        before = rest
        rest = re.sub(r"(?<!\\)[(\[]\s*(:\s*[\d.]*\s*)?[)\]]", "", rest)
    rest = re.sub(r"\s+", " ", rest)
    rest = re.sub(r"(\s*,)+", ",", rest)
    return rest.strip(" ,")


def _replaced(prompt: str, name: str, by: str) -> str:
    for start, end in reversed(found(prompt, name)):
        prompt = prompt[:start] + by + prompt[end:]
    return prompt
