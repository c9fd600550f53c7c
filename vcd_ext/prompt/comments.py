"""Comments: what stands between # and the end of a line is not meant for the model."""

import re

COMMENT = re.compile(r"#[^\n]*")


def without_comments(prompt: str) -> str:
    """Return the prompt without its comments."""
    return COMMENT.sub("", prompt)
