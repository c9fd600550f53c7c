"""A face's prompt from that of its video: it fills what is painted, however far away the video shows it."""

import re

CLOSE_UP = "close up"
_DISTANCE = r"(?:(?:very )?far[ -]away|full[ -](?:body|length))"
_PICTURE = r"(?:photo|photograph|picture|image|portrait|view|shot)\b"
# Words of distance that tell how the picture is taken. Others mean things: "mountains far away", "full length dress".
_TOLD = (
    rf"(?<![\w-]){_DISTANCE}(?=[ -]{_PICTURE})",
    r"(?<![\w-])(?:extreme )?(?:long|wide|full)(?=[ -]shot\b)",
    rf"(?:(?<=[,(\[])|^)(?P<space>\s*){_DISTANCE}(?=\s*(?:[,:)\]]|$))",  # by themselves, as a tag
)
_FOUND = re.compile("|".join(_TOLD), re.IGNORECASE)


def close_up(prompt: str) -> str:
    """The prompt with 'close up' where it says that its picture is taken far away or shows the full body."""
    return _FOUND.sub(lambda found: f"{found['space'] or ''}{CLOSE_UP}", prompt)
