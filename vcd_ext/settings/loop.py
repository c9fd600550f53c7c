"""Define how a video ends: open, as a closed loop, or with its frames in another order."""

from dataclasses import dataclass

from vcd_ext.settings.passes import PassSettings
from vcd_ext.settings.setting import CHANGED, same_as, setting

ORDERS = FORWARD, REVERSE, PING_PONG = ("forward", "reverse", "ping-pong")


@dataclass(frozen=True)
class LoopSettings:
    """Set up loops; `VideoSettings` has all of it."""

    loop: bool = same_as(PassSettings, "loop", "Face VCD and Tiled VCD keep it.", infotext=CHANGED)
    order: str = setting(
        FORWARD,
        "Order",
        "In which the frames stand in the video's files: 'reverse' begins with the last one, 'ping-pong' goes back to "
        "the first, so that it repeats without a jump. The frames themselves are the same, and so are single pictures.",
        choices=ORDERS,
        infotext=CHANGED,
    )

    @property
    def closed(self) -> bool:
        """Return whether the last frame of a file leads on to its first."""
        return self.loop or self.order == PING_PONG
