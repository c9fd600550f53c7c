"""What a prompt says, for encoders that know neither its syntax nor anybody's name."""

import re

from vcd_ext.prompt.comments import without_comments
from vcd_ext.prompt.emphasis import ENDS_CHUNK, weighted
from vcd_ext.prompt.names import found
from vcd_ext.prompt.networks import NETWORK

_NAME = "\ue000"  # stands for the identity's name; nobody writes it


def plain_text(prompt: str, name: str = "", class_word: str = "") -> str:
    """Return a prompt as one would say it, with the class in place of the identity's name.

    "photo of a dog" for "photo of (rex dog:1.2) <lora:a:1>": neither weights nor networks nor comments are left.
    ValueError for a weight that is no number.
    """
    for start, end in reversed(found(prompt, name)):
        prompt = prompt[:start] + _NAME + prompt[end:]
    runs = weighted(NETWORK.sub("", without_comments(prompt)))
    text = "".join(" " if weight == ENDS_CHUNK else run for run, weight in runs)
    what = class_word.strip()
    article = "an" if what[:1].lower() in tuple("aeiou") else "a"
    again = rf"(?:\s+{re.escape(what)}(?!\w))?" if what else ""
    text = re.sub(
        rf"(?:\b(?:an?|the)\s+)?{_NAME}{again}", f"{article} {what}" if what else "", text, flags=re.IGNORECASE
    )
    return re.sub(r"\s+([,.])", r"\1", " ".join(text.split())).strip(" ,")
