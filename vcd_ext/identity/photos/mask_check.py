"""When a mask is of use, wherever it comes from: a file, transparency, a brush or a network."""

import numpy as np
from numpy.typing import NDArray

MIN_SUBJECT_SHARE, MAX_SUBJECT_SHARE = 0.01, 0.95  # shares of the picture


def check_mask(mask: NDArray[np.uint8], name: str) -> str | None:
    """Return why the mask [H, W] of the photo `name` is of no use for training, in one sentence; None if it is.

    Below 1% of the picture there is nothing to learn from, above 95% the background would be learned.
    """
    if is_empty(mask):
        return f"The mask of {name} is empty; paint the subject white, choose another mask or drop the photo."
    share = float(np.count_nonzero(mask >= 128)) / mask.size
    if share < MIN_SUBJECT_SHARE:
        return (
            f"The mask of {name} covers {share:.2%} of the picture, less than 1%, too little to learn from; correct "
            "it, crop the photo closer or drop it."
        )
    if share > MAX_SUBJECT_SHARE:
        return (
            f"The mask of {name} covers {share:.0%} of the picture, more than 95%, so it leaves no background out; "
            "correct it or drop the photo."
        )
    return None


def is_empty(mask: NDArray[np.uint8]) -> bool:
    """Return whether a mask [H, W] marks nothing; faint grey does not count."""
    return not (mask >= 128).any()
