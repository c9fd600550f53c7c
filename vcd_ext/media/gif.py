"""GIF: assembled here, its compressed frames from Pillow, which would merge equal frames if left to itself.

Layout: https://www.w3.org/Graphics/GIF/spec-gif89a.txt
"""

import math
import mmap
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image
from scipy.spatial import cKDTree

from vcd_ext.media.animation import animated_clip, delays
from vcd_ext.media.clip import Clip
from vcd_ext.media.part import Part
from vcd_ext.media.record import labels, understood
from vcd_ext.progress import Note
from vcd_ext.settings import FileSettings

APPLICATION, COMMENT = b"!\xff", b"!\xfe"
VCD = b"VCDWebUI1.0"  # the 11 bytes that name an application extension
TICKS, SHORTEST = 100, 2  # delays a second, and the least one that browsers accept
SAMPLED_PIXELS = 2**16  # four times as many cost a second and gain 0.1 dB


def write_gif(path: Path, clip: Clip, settings: FileSettings) -> None:
    """Write 256 colours, chosen once for all frames, so that what does not move does not flicker.

    All metadata survives: "parameters" is the comment, the rest an application extension. Delays are whole
    hundredths of a second; above 50 fps it plays at 50, the fastest that browsers accept.
    """
    palette = _palette(clip.frames)
    nearest = NearestColours(palette)
    duration = delays(len(clip.frames), clip.fps, TICKS, SHORTEST)
    with path.open("wb") as file:
        _write_header(file, clip, palette, settings.plays)
        for picture, hundredths in zip(clip.frames, duration, strict=True):
            # No dithering: it gains nothing with chosen colours and would crawl over moving surfaces.
            coloured = Image.fromarray(nearest.indices(picture), "P")
            coloured.putpalette(palette.tobytes())
            for block in GifImagePlugin.getdata(coloured, duration=10 * hundredths):
                file.write(block)
        file.write(b";")


class NearestColours:
    """Finds the nearest colour of a palette exactly, where Pillow takes colours that are alike in 6 bits for one."""

    def __init__(self, palette: NDArray[np.uint8]):
        """palette: colours [N, 3]."""
        self._tree = cKDTree(palette)
        # By a colour's 24 bits: 1 + the place of the nearest, 0 as long as that is not known. The system gives memory
        # only to the parts that are touched.
        self._places = np.frombuffer(mmap.mmap(-1, 2 * 2**24), np.uint16)

    def indices(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the places uint8 [H, W] of the nearest colours of a picture [H, W, 3]."""
        red, green, blue = np.moveaxis(picture.astype(np.int32), -1, 0)
        colours = red << 16 | green << 8 | blue
        places = self._places[colours]
        new = np.unique(colours[places == 0])
        if len(new):
            self._places[new] = 1 + self._tree.query(np.stack([new >> 16, new >> 8 & 255, new & 255], axis=-1))[1]
            places = self._places[colours]
        return (places - 1).astype(np.uint8)


def read_gif(path: Path, note: Note, part: Part) -> Clip:
    """Return a part of any GIF; its comment is "parameters", as in the WebUI."""
    with Image.open(path, formats=["GIF"]) as image:
        stored = gif_labels(image)
        return animated_clip(image, understood(stored), note, part, TICKS, SHORTEST)


def _palette(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Choose the colours [N, 3], N at most 256, that suit an even sample of all frames' pixels."""
    step = math.ceil(math.sqrt(frames.size / 3 / SAMPLED_PIXELS))
    sample = frames[:, ::step, ::step].reshape(1, -1, 3)
    begin = Image.fromarray(sample).quantize(256, method=Image.Quantize.MEDIANCUT, kmeans=1)
    colours = np.array(begin.getpalette("RGB")).reshape(-1, 3)
    return colours.astype(np.uint8)


def _write_header(file: BinaryIO, clip: Clip, palette: NDArray[np.uint8], plays: int) -> None:
    _, height, width, _ = clip.frames.shape
    colour_table_of_256 = 0xF7
    file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, colour_table_of_256, 0, 0))
    file.write(palette.tobytes().ljust(768, b"\0"))
    stored = labels(clip)
    if plays != 1:  # without this extension it plays once; with it, so often once more, and 0 for ever
        file.write(APPLICATION + _blocks(b"NETSCAPE2.0", struct.pack("<BH", 1, max(plays - 1, 0))))
    if "parameters" in stored:
        file.write(COMMENT + _blocks(stored["parameters"].encode()))
    # Last of the application extensions: Pillow tells only where that one is.
    file.write(APPLICATION + _blocks(VCD, stored["vcd"].encode()))


def _blocks(*parts: bytes) -> bytes:
    """Divide each part into blocks of at most 255 bytes, each behind its length, with the empty block at the end."""
    pieces = [part[i : i + 255] for part in parts for i in range(0, len(part), 255)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


def gif_labels(image: Image.Image) -> dict[str, str]:
    """Return the labels of an open GIF."""
    stored = {}
    if "comment" in image.info:
        stored["parameters"] = image.info["comment"].decode("utf-8", "replace")
    name, position = image.info.get("extension", (b"", 0))
    if name == VCD:
        stored["vcd"] = _text_at(Path(image.filename), position)  # type: ignore[attr-defined]
    return stored


def _text_at(path: Path, position: int) -> str:
    with path.open("rb") as file:
        file.seek(position)
        pieces = []
        while length := file.read(1)[0]:
            pieces.append(file.read(length))
    return b"".join(pieces).decode("ascii")
