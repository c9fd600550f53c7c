"""Pictures with transparency as pictures without: on white, as there is none in what is made of a video."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vcd_ext.media.picture import separated
from vcd_ext.media.pyav import pyav
from vcd_ext.progress import Note

WHITE = 255
TOLD = "The video is transparent in places, and what is made of it cannot be; white is put behind it."
UNREAD = "The video has transparency that this machine's PyAV cannot read; its colours are taken as they are."
# FFmpeg's own decoders of these codecs leave transparency out, and say nothing; those of libvpx do not.
DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


def on_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay pixels uint8 [H, W, 4] on white: [H, W, 3]."""
    share = rgba[..., 3:].astype(np.float32) / 255
    return np.rint(share * rgba[..., :3] + (1 - share) * WHITE).astype(np.uint8)


def laid_on_white(image: Image.Image) -> tuple[NDArray[np.uint8], bool]:
    """Return the pixels [H, W, 3] of a loaded picture, and whether there was something to be seen through."""
    colours, alpha = separated(image)
    if alpha is None:
        return np.asarray(colours), False
    return on_white(np.dstack([np.asarray(colours), np.asarray(alpha)])), True


def has_alpha(frame: Any) -> bool:
    """Return whether a frame of PyAV's has transparency beside its colours."""
    return any(component.is_alpha for component in frame.format.components)


def decoded(packets: Iterable[Any], stream: Any, note: Note) -> Iterator[Any]:
    """Yield the frames of packets of a video stream of PyAV's, with their transparency.

    note: told if there is some that is lost.
    """
    mode = {name.lower(): value for name, value in stream.metadata.items()}.get("alpha_mode", "0")
    name = DECODERS.get(stream.codec_context.name)
    decoder = None
    if mode != "0" and name is not None:
        try:
            decoder = pyav().CodecContext.create(name, "r")
        except ValueError:  # this FFmpeg was built without it
            note(UNREAD)
    for packet in packets:
        yield from packet.decode() if decoder is None else decoder.decode(packet)


def once(note: Note) -> Callable[[], None]:
    """Make a function that tells it at its first call only."""
    told: list[bool] = []

    def tell() -> None:
        if not told:
            told.append(True)
            note(TOLD)

    return tell
