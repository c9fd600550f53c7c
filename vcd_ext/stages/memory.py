"""List what goes through the UNet for a video and its stages, so that the memory for it can be told."""

from vcd_ext.denoising.video_memory import Denoised
from vcd_ext.settings import VideoSettings
from vcd_ext.stages.pipeline import T2V, own_settings

ENLARGED = 2  # what Tiled VCD makes of width and height


def parts_of(video: VideoSettings, at_once: int, *passes: tuple[int, int]) -> list[Denoised]:
    """Return what goes through the UNet for a video and its stages.

    at_once: frames of a window; passes: width and height of the video in pixels, then of hires fix if there is one.
    """
    parts = [Denoised(name, at_once, *size) for name, size in zip((T2V, "Hires. fix"), passes, strict=False)]
    if video.face:
        side = int(own_settings(video, "face")["size"])
        parts.append(Denoised("Face VCD", at_once, side, side))
    if video.tiled:
        side = int(own_settings(video, "tiled")["tile"])
        width, height = (min(side, ENLARGED * each) for each in passes[-1])
        parts.append(Denoised("Tiled VCD", at_once, width, height))
    return parts
