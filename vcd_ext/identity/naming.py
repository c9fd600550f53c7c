"""Which names and class words an identity can have."""

import re
from collections.abc import Callable, Sequence

from vcd_ext.prompt.emphasis import BREAK
from vcd_ext.prompt.names import mentions
from vcd_ext.settings import SettingError

LONGEST_NAME = 64
LONGEST_FILE = 3 * LONGEST_NAME  # bytes; what is behind the name of a training's file comes to 40 more
# CLIP's ids rise with rarity: below this are the commonest words and first names, each a token of its own.
COMMON = 10_000
LONGEST_CLASS = 4  # words


def check_name(name: str, tokens: Callable[[str], Sequence[int]] | None = None) -> str:
    """Return the name if an identity can have it; SettingError says why not.

    tokens: gives CLIP's ids of words; with it, names are refused that are a common word, in upper or lower case:
    the WebUI would put the identity into every prompt that has the word.
    """
    if problem := _problem_of_name(name, tokens(name) if tokens else ()):
        raise SettingError("name", problem)
    return name


def check_class_word(class_word: str, name: str) -> str:
    """Return the class of the identity `name`, with single spaces, if it can be one; SettingError says why not."""
    if problem := _problem_of_class(class_word, name):
        raise SettingError("class_word", problem)
    return " ".join(class_word.split())


def _problem_of_name(name: str, ids: Sequence[int]) -> str:
    if not name.strip() or name != name.strip():
        return "The name is empty or has spaces around it; give the identity a word of its own."
    if len(name) > LONGEST_NAME or len(name.encode()) > LONGEST_FILE:
        return f"The name has {len(name)} characters; use at most {LONGEST_NAME}, or fewer of scripts of many bytes."
    if wrong := re.search(r"[^\w -]", name):
        return f"The name {name!r} has {wrong[0]!r} in it; use letters, digits, spaces, - and _ only."
    if not re.search(r"[^\W\d_]", name):
        return f"The name {name!r} has no letter in it; use a word, for example rexy."
    if wrong := re.search(rf"\b(?:AND|{BREAK})\b", name):
        return f"The name {name!r} has {wrong[0]} in it, which divides prompts; write it as {name.lower()!r}."
    if len(ids) == 1 and ids[0] < COMMON:
        return (
            f"{name} is a common word, and the identity would appear wherever a prompt has it; use a rarer name, for "
            f"example {name}01."
        )
    return ""


def _problem_of_class(class_word: str, name: str) -> str:
    count, example = len(class_word.split()), "for example man or dog."
    if not count:
        return f"The class is empty; say in a word what the photos show, {example}"
    if count > LONGEST_CLASS:
        return f"The class has {count} words; use at most {LONGEST_CLASS}, {example}"
    if wrong := re.search(r"[^\w '-]", class_word):
        return f"The class {class_word!r} has {wrong[0]!r} in it; use plain words, {example}"
    if mentions(class_word, name):
        return f"The name {name} is also in the class {class_word}; use another name."
    if mentions(name, class_word):
        return (
            f"The class {class_word} is also in the name {name}, so the identity would appear in prompts that mean "
            f"another {class_word}; use a word of its own, for example rexy."
        )
    return ""
