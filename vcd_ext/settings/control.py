"""Define how pictures guide a video's frames through ControlNet, each frame by its own."""

from dataclasses import dataclass

from vcd_ext.settings.setting import CHANGED, NEVER, setting, span


@dataclass(frozen=True)
class ControlSettings:
    """Set up ControlNet over time; `VideoSettings` has all of it."""

    control_video: str = setting(
        "",
        "ControlNet video",
        "A video whose frames guide those that are made, one by one, through each unit of sd-webui-controlnet that is "
        "on and has no picture of its own; the unit's preprocessor works on each frame. Empty: in img2img the video "
        "that is made again. A unit's tab 'Batch' takes a folder or a file of its own. In the API: a file or a folder "
        "that may be read, or a file in base64.",
        infotext=NEVER,
    )
    control_frames: str = setting(
        "",
        "ControlNet key frames",
        "Only these frames are guided, such as 0, 8, 15, counted from 0 as in prompt travel: by as many pictures in "
        "their order, or by those of a whole video. Empty: all frames are.",
        infotext=CHANGED,
    )
    control_reach: int = setting(
        8,
        "ControlNet reach",
        "With key frames: the weight falls in equal steps from 1 at a key frame to 0 so many frames before and after "
        "it; each frame goes by the key frame that is nearest. 1: the key frames alone are guided.",
        **span(1, 1024, 1, 32),
        infotext=CHANGED,
    )
