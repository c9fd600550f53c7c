"""Read and write video with its metadata: .mp4, .webm, .gif, .webp and folders of PNG frames."""

from vcd_ext.media.clip import Clip
from vcd_ext.media.files import check_readable, left_out, length, read, write
from vcd_ext.media.metadata import read_metadata
from vcd_ext.media.part import WHOLE, Part
from vcd_ext.media.sound import SoundError, carries_sound, has_sound

__all__ = [
    "WHOLE",
    "Clip",
    "Part",
    "SoundError",
    "carries_sound",
    "check_readable",
    "has_sound",
    "left_out",
    "length",
    "read",
    "read_metadata",
    "write",
]
