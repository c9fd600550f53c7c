"""The name of an identity as a word of a prompt."""

import re
from collections.abc import Callable, Sequence

LONGEST_NAME = 64
# CLIP's ids rise with rarity: below this are the commonest words and first names, each a token of its own.
COMMON = 10_000
LONGEST_CLASS = 4  # words


def check_name(name: str, tokens: Callable[[str], Sequence[int]] | None = None) -> str:
    """The name, if an identity can have it; ValueError says why not.

    tokens: gives CLIP's ids of words; with it, names are refused that are a common word, in upper or lower case:
    the WebUI would put the identity into every prompt that has the word.
    """
    if not name.strip() or name != name.strip():
        raise ValueError("The name is empty or has spaces around it; give the identity a word of its own.")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"The name has {len(name)} characters; use at most {LONGEST_NAME}.")
    if wrong := re.search(r"[^\w -]", name):
        raise ValueError(f"The name {name!r} has {wrong[0]!r} in it; use letters, digits, spaces, - and _ only.")
    if not re.search(r"[^\W\d_]", name):
        raise ValueError(f"The name {name!r} has no letter in it; use a word, for example rex{name.strip(' -_')}.")
    ids = tokens(name) if tokens else ()
    if len(ids) == 1 and ids[0] < COMMON:
        raise ValueError(
            f"{name} is a common word, and the identity would appear wherever a prompt has it; use a rarer name, for "
            f"example {name}01."
        )
    return name


def check_class_word(class_word: str, name: str) -> str:
    """The class of the identity `name`, if it can be one; ValueError says why not."""
    words = class_word.split()
    if not words:
        raise ValueError("The class is empty; say in a word what the photos show, for example man or dog.")
    if len(words) > LONGEST_CLASS:
        raise ValueError(f"The class has {len(words)} words; use at most {LONGEST_CLASS}, for example man or dog.")
    if wrong := re.search(r"[^\w '-]", class_word):
        raise ValueError(f"The class {class_word!r} has {wrong[0]!r} in it; use plain words, for example man or dog.")
    if mentions(class_word, name):
        raise ValueError(f"The name {name} is also in the class {class_word}; use another name.")
    return " ".join(words)


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
