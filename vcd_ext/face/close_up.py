"""A face's prompt from that of its video: it fills what is painted, however far away the video shows it.

Told of a 'photo of' somebody, the shipped world paints whole small figures where the face is, as it has learned to.
"""

import re

CLOSE_UP = "close up"
CLOSE_UP_OF = f"{CLOSE_UP} photo of"  # of one of several people, whose words follow
_DISTANCE = r"(?:(?:very )?far[ -]away|full[ -](?:body|length))"
_PICTURE = r"(?:photo|photograph|picture|image|portrait|shot)\b"
# Words of distance that tell how the picture is taken. Others mean things: "mountains far away", "full length dress".
_TOLD = (
    rf"(?<![\w-]){_DISTANCE}(?=[ -]{_PICTURE})",
    r"(?<![\w-])(?:extreme )?(?:long|wide|full)(?=[ -]shot\b)",
    rf"(?:(?<=[,(\[])|^)(?P<space>\s*){_DISTANCE}(?=\s*(?:[,:)\]]|$))",  # by themselves, as a tag
)
_FOUND = re.compile("|".join(_TOLD), re.IGNORECASE)
_CLOSE = re.compile(r"(?<!\w)close[ -]?up(?!\w)", re.IGNORECASE)
# The picture that a prompt begins with, after names of networks and brackets: "photo of", "a grainy old photo of".
_BEGINNING = re.compile(rf"^(?:<[^<>]*>|[^\w<])*(?:(?:an?|the) )?(?:[\w-]+ ){{0,2}}?(?={_PICTURE} of\b)", re.IGNORECASE)


def close_up(prompt: str) -> str:
    """Turn a prompt into a close up's: 'close up photo of rex' for 'photo of rex' and for 'far away photo of rex'.

    A prompt that says neither what kind of picture it is nor how far away it is taken stays as it is.
    """
    nearer = _FOUND.sub(lambda found: f"{found['space'] or ''}{CLOSE_UP}", prompt)
    if _CLOSE.search(nearer):
        return nearer
    return _BEGINNING.sub(lambda found: f"{found[0]}{CLOSE_UP} ", nearer)
