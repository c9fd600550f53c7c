"""The identities as cards: what each looks like, its class, steps and size."""

import base64
from collections.abc import Sequence
from html import escape
from io import BytesIO
from pathlib import Path

from PIL import Image

from vcd_ext.identity.shelf import Shelved

SIDE = 112  # pixels
EMPTY = "Nothing here yet: what you train appears here, ready for every prompt."


def cards(identities: Sequence[Shelved]) -> str:
    """HTML of all identities."""
    if not identities:
        return f'<div class="vcd-empty">{EMPTY}</div>'
    return f'<div class="vcd-cards">{"".join(map(_card, identities))}</div>'


def _card(identity: Shelved) -> str:
    facts = f"{identity.class_word}, {identity.steps} steps, {size(identity.size)}"
    return (
        f'<figure class="vcd-card">{_picture(identity)}<figcaption><b>{escape(identity.name)}</b>'
        f"<span>{escape(facts)}</span></figcaption></figure>"
    )


def _picture(identity: Shelved) -> str:
    try:
        if identity.picture is not None:
            return f'<img src="{_embedded(identity.picture)}" alt="">'
    except OSError:  # damaged, or deleted in this moment
        pass
    return f'<div class="vcd-initial">{escape(identity.name[0].upper())}</div>'


def _embedded(path: Path) -> str:
    """A small copy of a picture as a data URL: no route of the page has to serve it."""
    with Image.open(path) as image:
        small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    small.save(buffer, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def size(count: int) -> str:
    """Bytes in words."""
    return f"{count / 1024:.1f} KB" if count < 2**20 else f"{count / 2**20:.1f} MB"
