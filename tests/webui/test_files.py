"""Files of a video as they are asked for: their place, their kind, and nothing else of the video."""

import numpy as np
from PIL import Image

from tests.webui.server import Server
from vcd_ext import media

MOTION = {"motion_module": "mm_v2", "frames": 4}
FILES = {"formats": ["mp4", "png"], "lossless": True, "frame_format": "jpg", "text_file": True}


def test_files_lie_in_their_own_folder_with_text_and_frames(server: Server) -> None:
    usual = server.generate({**MOTION, "formats": ["mp4"]})
    result = server.generate({**MOTION, **FILES, "subfolder": "mine/[seed]"})
    assert np.array_equal(result.frames, usual.frames), "files change no frame"
    [video] = result.videos
    assert video.parent.parts[-2:] == ("mine", "7")
    assert np.array_equal(media.read(video).frames, result.frames)
    assert "VCD lossless: True" in video.with_suffix(".txt").read_text()
    assert "VCD lossless" not in usual.infotext
    folder = video.with_suffix("")
    assert [file.name for file in sorted(folder.iterdir())] == [f"0000{i}.jpg" for i in range(4)]
    with Image.open(folder / "00000.jpg") as frame:
        assert frame.size == (64, 64)


def test_a_folder_outside_is_refused(server: Server) -> None:
    refused = server.ask({**MOTION, "subfolder": "../../elsewhere"})
    assert refused.status_code != 200
    assert "subfolder is '../../elsewhere'; name a folder inside the output folder" in refused.text
