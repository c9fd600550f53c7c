"""Small films of the kinds that cameras, browsers and editors make, drawn and encoded here."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
BARS = np.array(
    [(255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)],
    np.uint8,
)
BT709, BT601, BT2020 = 1, 5, 9  # libavutil's numbers of matrices
LIMITED, FULL = 1, 2
MILLISECOND = Fraction(1, 1000)


def film(
    path: Path,
    pictures: Sequence[Pixels | av.VideoFrame],
    codec: str = "mpeg4",
    pix: str = "yuv420p",
    rate: Fraction | int = 25,
    begins: Sequence[int] | None = None,
    tick: Fraction = MILLISECOND,
    colours: dict[str, Any] | None = None,
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    frame: Callable[[av.VideoFrame], av.VideoFrame] = lambda frame: frame,
    **marks: Any,
) -> Path:
    """Return a film of these pictures.

    begins: when each is shown, in ticks; else `rate`. colours: how `reformat` makes the encoder's pixels of RGB.
    marks: attributes of the encoder. frame: the last thing that is done to each frame.
    """
    with av.open(str(path), "w", options=container or {}) as made:
        stream = made.add_stream(codec, rate=rate if begins is None else 1 / tick, options=options or {})
        first = pictures[0]
        height, width = (first.height, first.width) if isinstance(first, av.VideoFrame) else first.shape[:2]
        stream.width, stream.height, stream.pix_fmt = width, height, pix
        for name, value in marks.items():
            setattr(stream.codec_context, name, value)
        if begins is not None:
            stream.codec_context.time_base = tick
        for i, picture in enumerate(pictures):
            one = picture if isinstance(picture, av.VideoFrame) else av.VideoFrame.from_ndarray(picture, "rgb24")
            one = one.reformat(**colours) if colours else one
            if begins is not None:
                one.pts, one.time_base = begins[i], tick
            made.mux(stream.encode(frame(one)))
        made.mux(stream.encode(None))
    return path


def greys(count: int, height: int = 16, width: int = 32, step: int = 7) -> list[Pixels]:
    """Pictures that grow brighter by `step`, so that each can be told from its neighbours."""
    return [np.full((height, width, 3), i * step % 256, np.uint8) for i in range(count)]


def bars(height: int, width: int) -> Pixels:
    """Upright bars in eight colours."""
    return np.broadcast_to(BARS[np.arange(width) * len(BARS) // width], (height, width, 3)).copy()


def bars_seen(picture: Pixels) -> NDArray[np.int64]:
    """Return the colours [8, 3] in the middle of such bars."""
    height, width, _ = picture.shape
    return picture[height // 2, [int((i + 0.5) * width / len(BARS)) for i in range(len(BARS))]].astype(np.int64)


def milliseconds(fps: Fraction | int, frames: int) -> list[int]:
    """When frames begin, as browsers and muxers of Matroska round it."""
    return [round(1000 * i / fps) for i in range(frames)]
