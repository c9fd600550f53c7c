"""Parts of a prompt that guide side by side: `a cat AND a dog :0.5` (composable diffusion, arXiv 2206.01714)."""

import re

_AND = re.compile(r"\bAND\b")
_WEIGHT = re.compile(r"(.*?)\s*:\s*([-+]?(?:\d+\.?|\d*\.\d+))\s*", re.DOTALL)


def parts(prompt: str) -> list[tuple[str, float]]:
    """Split the texts that AND joins, each with its weight: the number behind a colon at its end, or 1."""
    found = []
    for text in _AND.split(prompt):
        match = _WEIGHT.fullmatch(text)
        found.append((match[1], float(match[2])) if match else (text.rstrip(), 1.0))
    return found
