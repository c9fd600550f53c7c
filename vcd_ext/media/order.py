"""Put the frames of a finished video into another order: backwards, or there and back again."""

from dataclasses import replace

from vcd_ext.media.clip import Clip, stacked
from vcd_ext.settings.loop import FORWARD, PING_PONG, REVERSE


def frame_order(frames: int, order: str) -> list[int]:
    """Return which frame stands at each place of a file.

    order: "forward"; "reverse", from the last to the first; "ping-pong", to the last and back to the second, so that
    the first follows when it is played again: 2 * frames - 2 places, each frame as far from its neighbours as before.
    """
    there = list(range(frames))
    return {FORWARD: there, REVERSE: there[::-1], PING_PONG: there + there[-2:0:-1]}[order]


def ordered(clip: Clip, order: str) -> Clip:
    """Return the clip with its frames in an order; the very clip where they stand in it."""
    places = frame_order(len(clip.frames), order)
    if places == list(range(len(clip.frames))):
        return clip
    return replace(clip, frames=stacked((clip.frames[i] for i in places), len(places)))


def soundless(order: str) -> str:
    """Say in a sentence why a file with its frames in this order has no sound."""
    return f"The sound is left out, as it would not go with frames in the order '{order}'."
