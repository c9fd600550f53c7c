"""Define what a video begins from and ends with, how it goes on, and what is put between its frames."""

from dataclasses import dataclass

from vcd_ext.settings.setting import CHANGED, setting

MOST_TIMES = 4


@dataclass(frozen=True)
class OnwardSettings:
    """Set up what goes on from pictures and videos that exist; `VideoSettings` has all of it."""

    interpolate: int = setting(
        1,
        "Interpolate",
        "Times the rate of the video's files: 2 makes 16 frames a second of 8, of the same length. What is between two "
        "frames is found by optical flow (OpenCV's DIS), not by a network such as RIFE or FILM: good for small, steady "
        "movements; what turns or appears is blended. Cuts are left alone, and the last frame stays until the end. The "
        "pictures in the gallery are those that were painted. 1 is off.",
        minimum=1,
        maximum=MOST_TIMES,
        step=1,
        infotext=CHANGED,
    )
