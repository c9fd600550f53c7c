"""What goes through the UNet for a video: itself, hires fix, faces at their size, tiles at theirs."""

from vcd_ext.denoising.video_memory import Denoised
from vcd_ext.settings import VideoSettings
from vcd_ext.stages.memory import parts_of


def test_a_video_alone_is_its_only_part() -> None:
    assert parts_of(VideoSettings(), 16, (512, 768)) == [Denoised("T2V VCD", 16, 512, 768)]


def test_hires_fix_and_stages_have_parts_of_their_own() -> None:
    video = VideoSettings(face=True, face_size=512, tiled=True, tiled_tile=576)
    assert parts_of(video, 8, (256, 384), (512, 768)) == [
        Denoised("T2V VCD", 8, 256, 384),
        Denoised("Hires. fix", 8, 512, 768),
        Denoised("Face VCD", 8, 512, 512),
        Denoised("Tiled VCD", 8, 576, 576),
    ]


def test_a_tile_is_not_larger_than_the_picture() -> None:
    parts = parts_of(VideoSettings(tiled=True, tiled_tile=2048), 8, (256, 384))
    assert parts[-1] == Denoised("Tiled VCD", 8, 512, 768)
