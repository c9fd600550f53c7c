"""Read and write video with its metadata: .mp4, .webm, .gif, .webp and folders of PNG frames."""

from vcd_ext.media.clip import Clip
from vcd_ext.media.files import read, write

__all__ = ["Clip", "read", "write"]
