r"""Emphasis: `(word)` is 1.1 times as strong, `[word]` 1/1.1 times, `(word:1.3)` 1.3 times; `\(` is a bracket."""

import re

BREAK = "BREAK"  # as a word of a prompt it ends a chunk of tokens
ROUND, SQUARE = 1.1, 1 / 1.1
ENDS_CHUNK = -1.0  # the weight by which BREAK is told from a word that is emphasised

_LEXEME = re.compile(
    r"\\(?P<escaped>[()\[\]\\]?)"
    r"|(?P<open>[(\[])"
    r"|:\s*(?P<weight>[+-]?[.\d]+)\s*\)"
    r"|(?P<close>[)\]])"
    r"|[^\\()\[\]:]+"
    r"|:"
)
_BREAK = re.compile(rf"\s*\b{BREAK}\b\s*")


def weighted(prompt: str) -> list[tuple[str, float]]:
    """Split a prompt into runs of text of one weight.

    `(BREAK, -1.0)` stands for the end of a chunk. A bracket that is never closed reaches to the end; one that was never
    opened is a letter. ValueError for a weight that is no number.
    """
    texts, weights = list[str](), list[float]()
    opened: dict[str, list[int]] = {"(": [], "[": []}

    def emphasise(first: int, factor: float) -> None:
        weights[first:] = [weight * factor for weight in weights[first:]]

    def add(text: str, weight: float = 1.0) -> None:
        texts.append(text)
        weights.append(weight)

    for match in _LEXEME.finditer(prompt):
        whole, bracket = match[0], match["open"]
        if match["escaped"] is not None:
            add(match["escaped"])
        elif bracket:
            opened[bracket].append(len(texts))
        elif match["weight"] and opened["("]:
            emphasise(opened["("].pop(), _number(match["weight"]))
        elif whole == ")" and opened["("]:
            emphasise(opened["("].pop(), ROUND)
        elif whole == "]" and opened["["]:
            emphasise(opened["["].pop(), SQUARE)
        else:
            first, *others = _BREAK.split(whole)
            add(first)
            for text in others:
                add(BREAK, ENDS_CHUNK)
                add(text)
    for bracket, factor in (("(", ROUND), ("[", SQUARE)):
        for first in opened[bracket]:
            emphasise(first, factor)
    return _joined(texts, weights)


def _joined(texts: list[str], weights: list[float]) -> list[tuple[str, float]]:
    """Join neighbouring runs of equal weight: a word may consist of several."""
    runs: list[tuple[str, float]] = []
    for text, weight in zip(texts, weights, strict=True):
        if runs and runs[-1][1] == weight:
            runs[-1] = (runs[-1][0] + text, weight)
        else:
            runs.append((text, weight))
    return runs or [("", 1.0)]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(
            f"The prompt has ':{text})', in which {text} is no number; write a weight as in (word:1.2)."
        ) from error
