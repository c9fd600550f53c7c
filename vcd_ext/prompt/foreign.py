"""Prompt syntax of other extensions, which nobody has read: it reaches the text encoder as words, and is told."""

import re

_UNREAD = {
    re.compile(r"^[ \t]*\d+:[^\s\d:][^\n]*", re.MULTILINE): "a key frame without a space after its colon",
    re.compile(r"^[ \t]*\"\d+\"[ \t]*:[ \t]*[^\s\"][^\n]*", re.MULTILINE): "a key frame without quotes around its text",
    re.compile(r"(?<!\w)__[\w/*.-]+?__(?!\w)"): "a wildcard",
    re.compile(r"(?<!\\)\{[^{}]*\|[^{}]*\}"): "a choice (as in Dynamic Prompts)",
    re.compile(r"\b(?:ADDCOL|ADDROW|ADDBASE|ADDCOMM)\b"): "a region (as in Regional Prompter)",
}
SHOWN = 30  # characters


def unread(prompt: str) -> list[str]:
    """Return one sentence for each kind of syntax in a prompt that only another extension would have read."""
    told = []
    for pattern, kind in _UNREAD.items():
        if found := pattern.search(prompt):
            text = found[0].strip()
            shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
            told.append(
                f"The prompt has '{shown}', which looks like {kind}; VCD does not know that, and it is read as plain "
                "words in all frames."
            )
    return told
