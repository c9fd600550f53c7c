"""What is told of a video of the drawn world: words that it does not know, and files of another edition."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from vcd_ext.prompt.comments import without_comments
from vcd_ext.prompt.emphasis import BREAK
from vcd_ext.prompt.names import found
from vcd_ext.prompt.networks import NETWORK
from vcd_ext.storage import tensor_file
from vcd_ext.toyworld import EDITION, FOLDER, is_checkpoint

# Size and SHA-256 of what the first edition shipped: its files do not say that they are of it.
_FIRST = {
    23_104_046: "1465a671eacfd5e458d43bfc61b0c33ea1f7b6c8379a850d6342a3d120550972",
    9_424_680: "729220a33026993e39f84b04965dfd11a51bf191da9c35999e942009fb0d53ec",
}
_JOINING = re.compile(rf"\b(?:AND|{BREAK})\b")
SHOWN = 8  # words


def drawn_notes(
    checkpoint: Path, motion_module: Path | None, prompts: Iterable[str], names: Iterable[str]
) -> list[str]:
    """Return what somebody who makes a video should know, one sentence each; none for other checkpoints.

    names: those of the embeddings, which the prompts may have.
    """
    files = [checkpoint, *([motion_module] if motion_module else [])]
    notes = [sentence for path in files if (sentence := other_edition(path))]
    if is_checkpoint(checkpoint) and (words := unknown_words(prompts, names)):
        listed = ", ".join(words[:SHOWN]) + (" and others" if len(words) > SHOWN else "")
        notes.append(
            f"The drawn world does not know {listed}; it knows the words of captions such as 'photo of a tan dog with "
            "red scarf in the snow, running, facing left', and others change a video by chance."
        )
    return notes


def other_edition(path: Path) -> str:
    """Return a sentence if a file is the drawn world's in another edition than this version of VCD has; else ''."""
    try:
        edition = _edition(path)
    except (OSError, ValueError, tensor_file.SafetensorError):
        return ""  # whoever loads it says what is wrong with it
    if edition in (0, EDITION):
        return ""
    return (
        f"{path.name} is edition {edition} of the drawn world, and this version of VCD has edition {EDITION}, whose "
        "prompts and judges do not fit it; copy the new files with the button 'Try it with the drawn world' or `python "
        "-m vcd_ext toyworld`."
    )


def _edition(path: Path) -> int:
    """Return the edition of the drawn world that a file is of; 0 if of none."""
    size = path.stat().st_size
    if size in _FIRST:
        return int(hashlib.sha256(path.read_bytes()).hexdigest() == _FIRST[size])
    if path.suffix != ".safetensors":
        return 0
    with tensor_file.safetensors.safe_open(str(path), "np") as file:  # type: ignore[attr-defined]
        return int((file.metadata() or {}).get("drawn_world", 0))


def unknown_words(prompts: Iterable[str], names: Iterable[str] = ()) -> list[str]:
    """Return the words of prompts, each once, that no caption of the drawn world has and no embedding is called."""
    known, names = _vocabulary(), list(names)
    words = [word for prompt in prompts for word in _words(prompt, names) if word not in known]
    return list(dict.fromkeys(words))


def _words(prompt: str, names: Sequence[str]) -> list[str]:
    for name in names:
        for begin, end in reversed(found(prompt, name)):
            prompt = prompt[:begin] + " " + prompt[end:]
    text = _JOINING.sub(" ", NETWORK.sub(" ", without_comments(prompt)))
    return re.findall(r"[^\W\d_]+", text.lower())


@cache
def _vocabulary() -> frozenset[str]:
    """Return the words that are one token of the shipped text encoder, so that training read them."""
    tokens = json.loads((FOLDER / "clip/vocab.json").read_text(encoding="utf-8"))
    return frozenset(token.removesuffix("</w>") for token in tokens if token.endswith("</w>"))
