"""Files whose frames are not shown for equally long, as phones make them in changing light, or end too early."""

from collections.abc import Callable, Sequence
from fractions import Fraction

FRAMES_APART = 1.5  # that nobody notices
MISSING, MISSING_SHARE = 0.5, 0.05  # seconds, and share of a file's length, by which sound may well outlast pictures

Note = Callable[[str], None]


def tell_uneven(begins: Sequence[float], fps: Fraction | float, note: Note) -> None:
    """Tell in a sentence if frames that begin at these seconds are shifted by much when they are shown at one rate."""
    if not begins:
        return
    apart = max(abs(begin - begins[0] - i / float(fps)) for i, begin in enumerate(begins))
    if apart * float(fps) > FRAMES_APART:
        note(
            f"The video's frame rate varies; all frames are kept and shown at {float(fps):.4g} a second, by which they "
            f"move up to {apart:.2g} seconds against the sound. Convert it to a constant rate first where that matters."
        )


def tell_short(begins: Sequence[float], fps: Fraction | float, seconds: float, note: Note) -> None:
    """Tell in a sentence if frames that begin at these seconds end long before the length that the file speaks of."""
    if not begins:
        return
    end = begins[-1] + 1 / float(fps)
    if seconds - end > max(MISSING, MISSING_SHARE * seconds):
        note(
            f"The pictures end after {end:.3g} of the {seconds:.3g} seconds that the file should have; if that is too "
            "early, it was cut off: copy it again."
        )
