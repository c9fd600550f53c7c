"""When the frames of a file are shown: at what rate, and what is told where that varies or ends too early."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vcd_ext.progress import Note

FRAMES_APART = 1.5  # that nobody notices
MISSING, MISSING_SHARE = 0.5, 0.05  # seconds, and share of a file's length, by which sound may well outlast pictures
# Rates that cameras, screens and animations have, to which a measured one is rounded.
STANDARD = tuple(
    map(Fraction, (5, 6, 8, 10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 72, 75, 90, 100, 120, 144, 240))
) + tuple(Fraction(whole * 1000, 1001) for whole in (24, 30, 48, 60, 120))
NEAR = 0.025  # share by which a rate is off that frames of wavering length still mean; 24 and 25 are 0.04 apart
SLIPPED = 0.5  # frames by which the last one is off then
ROUNDED = 0.001  # seconds to which cameras and browsers round moments, whatever the file could hold
DENOMINATORS = (1, 2, 3, 4, 5, 10, 100, 1001)
# Browsers take delays up to this for those of old files that nobody meant, and show such frames as long as the other.
HASTY, UNHURRIED = 10, 100  # milliseconds

Rate = Fraction | float
Seconds = NDArray[np.float64]


def shown_for(delay: float) -> float:
    """Return for how many milliseconds browsers show a frame of an animated picture with this delay."""
    return UNHURRIED if delay <= HASTY else delay


def rate(begins: Sequence[Rate], tick: Rate, likely: Sequence[Fraction | None] = ()) -> Fraction | None:
    """Return the frames per second of frames that begin at these seconds; None for fewer than two moments.

    tick: seconds to which the file rounds moments. likely: rates that the file speaks of, the most trusted first; one
    counts where it gives these moments. Else it is the standard rate or the simplest fraction that gives them, the
    standard rate that is near where they waver, or their average.
    """
    if len(begins) < 2 or begins[-1] <= begins[0]:
        return None
    since = np.array([float(begin - begins[0]) for begin in begins])
    exact = (len(since) - 1) / (Fraction(begins[-1]) - Fraction(begins[0]))
    average = float(exact)
    by_distance = sorted(STANDARD, key=lambda known: abs(float(known) - average))
    exactly, roughly = (1.01 * max(float(tick), step) for step in (0, ROUNDED))
    for known in filter(None, likely):
        if _apart(since, known) <= exactly:
            return known
    if float(tick) > ROUNDED and np.ptp(np.diff(since)) < ROUNDED:
        return exact  # a coarse clock that fits all frames is made for their rate
    simple = (Fraction(round(average * d), d) for d in DENOMINATORS if round(average * d))
    for known in (*by_distance, *simple):
        if _apart(since, known) <= roughly:
            return known
    return _meant(since, average, by_distance) or exact


def _apart(since: Seconds, fps: Rate) -> float:
    """Return the seconds by which one rate moves frames that begin at these seconds, the first at 0, at the most."""
    return float(np.abs(since - np.arange(len(since)) / float(fps)).max())


def _meant(since: Seconds, average: float, standard: Sequence[Fraction]) -> Fraction | None:
    """Return the standard rate that was meant by frames of wavering length; None if it is none.

    Where they waver too much to tell 30 from 30000/1001, it is 30.
    """
    wavering = 2 * _apart(since, average) * average  # of the first frame and of the last

    def slipped(known: Fraction) -> float:
        return float(abs(since[-1] * float(known) - (len(since) - 1)))

    near = [known for known in standard if abs(float(known) / average - 1) <= NEAR and slipped(known) <= SLIPPED]
    return min(near, key=lambda known: (slipped(known) > wavering, known.denominator)) if near else None


def tell_uneven(begins: Sequence[Rate], fps: Rate, note: Note) -> None:
    """Tell in a sentence if frames that begin at these seconds are shifted by much when they are shown at one rate."""
    if not begins:
        return
    apart = _apart(np.array([float(begin - begins[0]) for begin in begins]), fps)
    if apart * float(fps) > FRAMES_APART:
        note(
            f"The video's frame rate varies; all frames are kept and shown at {float(fps):.4g} a second, by which they "
            f"move up to {apart:.2g} seconds against the sound. Convert it to a constant rate first where that matters."
        )


def tell_short(begins: Sequence[Rate], fps: Rate, seconds: float, note: Note) -> None:
    """Tell in a sentence if frames that begin at these seconds end long before the length that the file speaks of."""
    if not begins:
        return
    end = float(begins[-1]) + 1 / float(fps)
    if seconds - end > max(MISSING, MISSING_SHARE * seconds):
        note(
            f"The pictures end after {end:.3g} of the {seconds:.3g} seconds that the file should have; if that is too "
            "early, it was cut off: copy it again."
        )
