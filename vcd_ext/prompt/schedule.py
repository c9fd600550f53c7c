"""Prompts that change while a picture is painted: `[before:after:0.5]`, `[later:5]`, `[a|b]` by turns.

A prompt becomes a tree. What looks like a change and is none, such as `[a:b]`, is text; but a `|` outside of brackets,
or a backslash at the end, makes all of the prompt text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

DEEPEST = 60  # brackets within each other that are read; nobody writes so many

_PLAIN = re.compile(r"(?:[^\\\[\]():|]|\\.)+")
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)\s*")


class _Change(NamedTuple):
    """Text that becomes another one after a step."""

    before: "_Tree"
    after: "_Tree"
    number: str


class _Turns(NamedTuple):
    """Texts that take turns, one a step."""

    options: "list[_Tree]"


_Node = str | _Change | _Turns
_Tree = list[_Node]


def schedule(prompt: str, steps: int) -> list[tuple[int, str]]:
    """Return a prompt's texts, as (last step, text) in order; steps count from 1, and the last is `steps`.

    A number with a point in it is a share of the steps, another the step itself.
    """
    tree = _Reader(prompt).tree
    if tree is None:
        return [(steps, prompt)]
    ends = {end for end in _ends(tree, steps) if end >= 1} | {steps}
    return [(end, _text(tree, end, steps)) for end in sorted(ends)]


def _when(number: str, steps: int) -> int:
    """Return the last step of the text before a change."""
    value = float(number) * (steps if "." in number else 1)
    return int(min(max(value, 0), steps))


def _ends(tree: _Tree, steps: int) -> Iterator[int]:
    for node in tree:
        if isinstance(node, _Change):
            yield _when(node.number, steps)
            yield from _ends(node.before, steps)
            yield from _ends(node.after, steps)
        elif isinstance(node, _Turns):
            yield from range(1, steps + 1)
            for option in node.options:
                yield from _ends(option, steps)


def _text(tree: _Tree, step: int, steps: int) -> str:
    said = []
    for node in tree:
        if isinstance(node, _Change):
            said.append(_text(node.before if step <= _when(node.number, steps) else node.after, step, steps))
        elif isinstance(node, _Turns):
            said.append(_text(node.options[(step - 1) % len(node.options)], step, steps))
        else:
            said.append(node)
    return "".join(said)


@dataclass
class _Reader:
    """Reads the tree of a prompt by recursive descent."""

    prompt: str

    @cached_property
    def tree(self) -> _Tree | None:
        """The whole prompt; None where it can only be text."""
        found, place = _Tree(), 0
        while place < len(self.prompt):
            group = self._group(place, 0)
            if group is not None:
                nodes, place = group
                found += nodes
            elif self.prompt[place] in "()[]:":
                found.append(self.prompt[place])
                place += 1
            elif plain := _PLAIN.match(self.prompt, place):
                found.append(plain[0])
                place = plain.end()
            else:
                return None
        return found

    def _group(self, start: int, depth: int) -> tuple[_Tree, int] | None:
        """Parse the group that a bracket at `start` opens; returns it and its end, None where nothing is opened."""
        if self.prompt[start] not in "([" or depth > DEEPEST:
            return None
        closing = ")" if self.prompt[start] == "(" else "]"
        segments, separators, begins, place = list[_Tree](), "", list[int](), start
        while True:
            begins.append(place + 1)
            read = self._segment(place + 1, depth)
            if read is None:
                return None
            nodes, place = read
            segments.append(nodes)
            if place == len(self.prompt):
                return None
            if self.prompt[place] == closing:
                break
            if self.prompt[place] not in ":|":
                return None
            separators += self.prompt[place]
        last = self.prompt[begins[-1] : place]
        made = _emphasised(segments, separators) if closing == ")" else _changing(segments, separators, last)
        return None if made is None else (made, place + 1)

    def _segment(self, place: int, depth: int) -> tuple[_Tree, int] | None:
        """Parse nodes up to the next separator or closing bracket; returns them and its place, None for no group."""
        found = _Tree()
        while place < len(self.prompt) and self.prompt[place] not in ":|)]":
            if plain := _PLAIN.match(self.prompt, place):
                found.append(plain[0])
                place = plain.end()
                continue
            group = self._group(place, depth + 1)
            if group is None:
                return None
            nodes, place = group
            found += nodes
        return found, place


def _emphasised(segments: Sequence[_Tree], separators: str) -> _Tree | None:
    """Round brackets, which stay in the text, with a weight or without."""
    if separators not in ("", ":"):
        return None
    return ["(", *segments[0], *(node for segment in segments[1:] for node in (":", *segment)), ")"]


def _changing(segments: list[_Tree], separators: str, last: str) -> _Tree | None:
    """Parse square brackets: less emphasis, which stays in the text, alternating texts, or a change at `last`."""
    if not separators:
        return ["[", *segments[0], "]"]
    if not separators.strip("|"):
        return [_Turns(segments)]
    number = _NUMBER.fullmatch(last)
    if separators not in (":", "::") or not number:
        return None
    before = segments[0] if separators == "::" else []
    return [_Change(before, segments[-2], number[1])]
