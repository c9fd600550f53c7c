"""The WebUI's infotext: a prompt, a negative prompt, and a line of settings from which the same can be made again."""

import json
import re
from collections.abc import Mapping

PARAMETERS = "parameters"  # its name in the metadata of a file
NEGATIVE = "Negative prompt: "

# What the WebUI takes for the line of settings: a key, a colon and a value that has no comma or is quoted.
_ENTRY = r'\s*[\w \-/]+:\s*(?:"(?:\\.|[^\\"])+"|[^,]*)(?:,|$)'
_FEWEST = 3  # entries of such a line


def quoted(value: str) -> str:
    """Quote an entry's value by the WebUI's rule: what could pass for the next entry becomes a JSON text."""
    return json.dumps(value, ensure_ascii=False) if any(sign in value for sign in ",\n:") else value


def line(entries: Mapping[str, object]) -> str:
    """Return the line of settings."""
    return ", ".join(f"{key}: {quoted(str(value))}" for key, value in entries.items())


def extended(text: str, entries: Mapping[str, object]) -> str:
    """Add entries to the end of an infotext, in place of those with the same keys; "" if it is no infotext."""
    before, _, last = text.rstrip().rpartition("\n")
    if len(re.findall(_ENTRY, last)) < _FEWEST:
        return ""
    kept = [entry for entry in re.findall(_ENTRY, last) if entry.partition(":")[0].strip() not in entries]
    joined = ", ".join([*(entry.strip().rstrip(",") for entry in kept), line(entries)])
    return f"{before}\n{joined}" if before else joined


def composed(prompt: str, negative_prompt: str, entries: Mapping[str, object]) -> str:
    """Compose a new infotext."""
    return "\n".join([prompt, *([NEGATIVE + negative_prompt] if negative_prompt else []), line(entries)])


def read_entries(text: str) -> dict[str, str]:
    """Read the line of settings of an infotext: values by key; empty for a text that is no infotext."""
    last = text.rstrip().rpartition("\n")[2]
    found = re.findall(_ENTRY, last)
    if len(found) < _FEWEST:
        return {}
    pairs = (entry.strip().removesuffix(",").partition(":") for entry in found)
    return {key.strip(): _unquoted(value.strip()) for key, _, value in pairs}


def _unquoted(value: str) -> str:
    if value.startswith('"'):
        try:
            return str(json.loads(value))
        except ValueError:
            pass
    return value
