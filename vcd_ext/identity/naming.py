"""The name of an identity as a word of a prompt."""

import re


def word(name: str) -> str:
    """A pattern that finds `name` where it is no part of a longer word."""
    return rf"(?<!\w){re.escape(name)}(?!\w)"


def mentions(prompt: str, name: str) -> bool:
    """Whether a prompt has `name` as a word of its own; upper and lower case are one, as they are for CLIP."""
    return re.search(word(name), prompt, re.IGNORECASE) is not None


def with_name(prompt: str, name: str) -> str:
    """The prompt, with `name` at its end unless it has it already."""
    if mentions(prompt, name):
        return prompt
    return f"{prompt}, {name}" if prompt.strip() else name


def renamed(prompt: str, old: str, new: str) -> str:
    """The prompt with `new` wherever it has `old`."""
    return re.sub(word(old), lambda _: new, prompt, flags=re.IGNORECASE)
