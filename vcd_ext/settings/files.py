"""Define how the files of a video are written: what is in them, into how many they are divided, where they lie."""

import re
from dataclasses import dataclass

from vcd_ext.settings.setting import CHANGED, NEVER, setting, span

OWN_CRF = -1
PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
)  # fmt: skip
CHROMAS = ("4:2:0", "4:4:4")
AUTO_FORMAT = "auto"
FRAME_FORMATS = (AUTO_FORMAT, "png", "jpg", "webp")
MOST_PLAYS = 65535  # what 16 bits hold, in GIF and in WebP
_FORBIDDEN = re.compile(r'[:"|?*\\\x00-\x1f]')  # "<" and ">" stand in the WebUI's patterns


def refused_folder(name: str) -> str:
    """Say why a sub-folder cannot be used, as the end of a sentence; "" if it can."""
    parts = name.split("/")
    if not name or not (_FORBIDDEN.search(name) or any(part.strip(" .") == "" for part in parts)):
        return ""
    return "name a folder inside the output folder, such as videos or videos/[date], without '..' and a leading '/'."


@dataclass(frozen=True)
class FileSettings:
    """Set up the files of a video; nothing here changes a frame.

    `VideoSettings` has all of them, and hands them on as `VideoSettings.files`; the tabs and the commands *face* and
    *tiled* have them beside their own.
    """

    crf: int = setting(
        OWN_CRF,
        "CRF",
        "Quality of mp4 and webm: smaller is better and larger on the disk, 0 to 51. -1 takes 18 for mp4 and 20 for "
        "webm, at which hardly anybody sees a loss.",
        **span(OWN_CRF, 51, 1),
        infotext=CHANGED,
    )
    preset: str = setting(
        "medium",
        "Preset",
        "How long the encoder of mp4 may search: slower ones make smaller files of the same quality.",
        choices=PRESETS,
        infotext=CHANGED,
    )
    chroma: str = setting(
        "4:2:0",
        "Chroma",
        "Sharpness of the colours in mp4 and webm: 4:2:0 halves it and plays everywhere; 4:4:4 keeps it, and some "
        "players, such as Firefox for mp4, show nothing.",
        choices=CHROMAS,
        infotext=CHANGED,
    )
    lossless: bool = setting(
        False,
        "Lossless",
        "mp4, webm and webp keep every pixel exactly; files are about ten times as large, and some players do not know "
        "such mp4s. 'CRF' and 'Chroma' are then without effect. gif always has 256 colours.",
        infotext=CHANGED,
    )
    plays: int = setting(
        0,
        "Plays",
        "How often gif and webp play before they stand still; 0 is without end.",
        **span(0, MOST_PLAYS, 1, 10),
        infotext=CHANGED,
    )
    frames_per_file: int = setting(
        0,
        "Frames per file",
        "A longer video is divided into files of so many frames, name-part1 and so on; 0 divides nothing.",
        **span(0, 100_000, 1, 240),
        infotext=CHANGED,
    )
    frame_format: str = setting(
        AUTO_FORMAT,
        "Frames as",
        "What the format 'png' writes: a folder of png, jpg (quality 95) or webp (lossless) for each video. With "
        "'auto' txt2img and img2img save frames as they save all pictures, and everything else writes png.",
        choices=FRAME_FORMATS,
        infotext=CHANGED,
    )
    text_file: bool = setting(
        False,
        "Text file",
        "Also write the infotext into a text file beside each video, whatever the WebUI's own setting says.",
        infotext=NEVER,
    )
    subfolder: str = setting(
        "",
        "Sub-folder",
        "Folder within the output folder, such as videos. In txt2img and img2img it takes the place of the WebUI's own "
        "sub-folders, and may hold their patterns, such as videos/[date].",
        refused=refused_folder,
        infotext=NEVER,
    )
