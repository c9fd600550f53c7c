"""The identities as cards: what each looks like, its class, steps and size."""

from collections.abc import Sequence
from contextlib import suppress
from html import escape

from PIL import Image

from vcd_ext.identity.library import StoredIdentity
from vcd_ext.media.picture import PictureError, read_picture
from vcd_ext.ui.inline import data_url

SIDE = 112  # pixels
EMPTY = "Nothing here yet: what you train appears here, ready for every prompt."


def cards(identities: Sequence[StoredIdentity]) -> str:
    """Return HTML of all identities."""
    if not identities:
        return f'<div class="vcd-empty">{EMPTY}</div>'
    return f'<div class="vcd-cards">{"".join(map(_card, identities))}</div>'


def _card(identity: StoredIdentity) -> str:
    facts = f"{identity.class_word}, {identity.steps} steps, {size(identity.size)}"
    return (
        f'<figure class="vcd-card">{_picture(identity)}<figcaption><b>{escape(identity.name)}</b>'
        f"<span>{escape(facts)}</span></figcaption></figure>"
    )


def _picture(identity: StoredIdentity) -> str:
    if identity.picture is not None:
        with suppress(PictureError):  # damaged, or deleted in this moment: the initial does
            picture = Image.fromarray(read_picture(identity.picture).pixels)
            small = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            return f'<img src="{data_url(small)}" alt="">'
    return f'<div class="vcd-initial">{escape(identity.name[0].upper())}</div>'


def size(count: int) -> str:
    """Put a number of bytes into words."""
    return f"{count / 1024:.1f} KB" if count < 2**20 else f"{count / 2**20:.1f} MB"
