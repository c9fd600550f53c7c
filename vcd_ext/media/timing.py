"""Files whose frames are not shown for equally long, as phones make them in changing light."""

from collections.abc import Callable, Sequence
from fractions import Fraction

FRAMES_APART = 1.5  # that nobody notices


def tell_uneven(begins: Sequence[float], fps: Fraction | float, note: Callable[[str], None]) -> None:
    """Tell in a sentence if frames that begin at these seconds are shifted by much when they are shown at one rate."""
    if not begins:
        return
    apart = max(abs(begin - begins[0] - i / float(fps)) for i, begin in enumerate(begins))
    if apart * float(fps) > FRAMES_APART:
        note(
            f"The video's frame rate varies; all frames are kept and shown at {float(fps):.4g} a second, by which they "
            f"move up to {apart:.2g} seconds against the sound. Convert it to a constant rate first where that matters."
        )
