"""Decoded frames as upright RGB of square pixels, by FFmpeg's own filters."""

import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vcd_ext.media.hdr import BT2020, HDR, WIDE, table_file
from vcd_ext.media.opaque import has_alpha
from vcd_ext.media.pyav import pyav
from vcd_ext.progress import Note

# libswscale's flags. Without the last three each pass through a file darkens by 1/255 and the error on photographs is
# half as large again.
PRECISE = "bicubic+full_chroma_int+full_chroma_inp+accurate_rnd"
# libavutil's numbers: matrices that libswscale knows, those of BT.709, BT.601 and BT.2020, and ranges.
MATRICES = (1, 4, 5, 6, 7, 9, 10)
BT709, BT601, BT2020_MATRIX = 1, 5, 9
RANGES = {1: "limited", 2: "full"}
# What players go by where no matrix is marked (mpv's rule).
HD_WIDTH, SD_HEIGHT = 1280, 576
SMALLEST_INTERLACED = 8  # pixels; the filter takes no plane of fewer than 4 lines
WIDEST_PIXEL = 8  # damaged files tell of pixels that are longer
# The three bits of a display matrix that turns by quarters and mirrors: are rows and columns swapped, is what then
# runs to the right and what runs down reversed? With FFmpeg's filters.
TURNS: dict[tuple[bool, bool, bool], tuple[tuple[str, str], ...]] = {
    (False, False, False): (),
    (False, True, False): (("hflip", ""),),
    (False, False, True): (("vflip", ""), ("copy", "")),  # vflip alone only counts its lines upwards
    (False, True, True): (("hflip", ""), ("vflip", ""), ("copy", "")),
    (True, False, False): (("transpose", "cclock_flip"),),
    (True, True, False): (("transpose", "clock"),),
    (True, False, True): (("transpose", "cclock"),),
    (True, True, True): (("transpose", "clock_flip"),),
}

Pixels = NDArray[np.uint8]
Filter = tuple[str, dict[str, str]]


@dataclass(frozen=True)
class Marks:
    """What a film's stream says of all its frames, as far as PyAV's frames do not."""

    pixel_aspect: Fraction | None = None  # width by height
    primaries: int = 2  # libavutil's numbers, as all of these
    transfer: int = 2


@dataclass(frozen=True)
class Kind:
    """What decides how a frame is converted."""

    width: int
    height: int
    format: str
    alpha: bool
    matrix: int | None  # None where there are no colours but RGB
    range: int
    marks: Marks
    turn: tuple[bool, bool, bool]
    interlaced: bool

    @property
    def square(self) -> tuple[int, int]:
        """Width and height in square pixels."""
        aspect = self.marks.pixel_aspect
        if not aspect or not Fraction(1, WIDEST_PIXEL) <= aspect <= WIDEST_PIXEL:
            return self.width, self.height
        return max(round(self.width * aspect), 1), self.height

    @property
    def unusual(self) -> bool:
        """Whether its colours are not those of ordinary pictures."""
        return self.marks.transfer in HDR or self.marks.primaries in WIDE


def kind_of(frame: Any, marks: Marks, interlaced: bool) -> Kind:
    """Return the kind of a frame of PyAV's. interlaced: whether one before it was; then progressive ones pass along."""
    large = min(frame.width, frame.height) >= SMALLEST_INTERLACED
    return Kind(
        frame.width,
        frame.height,
        frame.format.name,
        has_alpha(frame),
        None if frame.format.is_rgb else _matrix(frame, marks),
        int(frame.color_range),
        marks,
        _turn(frame),
        large and (interlaced or bool(frame.interlaced_frame)),
    )


def converted(
    frames: Iterator[Any], marks: Callable[[], Marks], size: tuple[int, int] | None, note: Note
) -> Iterator[Pixels]:
    """Yield frames of PyAV's as uint8 [H, W, 3], or [H, W, 4] where they have transparency.

    Upright, of square pixels, deinterlaced, in the colours of sRGB; what is done for that is told once. marks: asked
    once the first frame is decoded. size: height and width of what was padded to even sides, to be cut out.
    """
    kind: Kind | None = None
    graph: Any = None
    told = set[str]()
    for frame in frames:
        now = kind_of(frame, kind.marks if kind else marks(), kind is not None and kind.interlaced)
        if now != kind:
            if kind is not None:
                yield from _drained(graph)
            graph, kind = _graph(now, size), now
            for sentence in _sentences(now):
                if sentence not in told:
                    told.add(sentence)
                    note(sentence)
        graph.push(frame)
        yield from _pulled(graph)
    if kind is not None:
        yield from _drained(graph)


def _graph(kind: Kind, size: tuple[int, int] | None) -> Any:
    """Build the filters for frames of a kind, ready to be used."""
    graph = pyav().filter.Graph()
    source = {"video_size": f"{kind.width}x{kind.height}", "pix_fmt": kind.format, "time_base": "1/1000000"}
    with ExitStack() as stack:
        filters: list[Filter] = [("buffer", source)]
        if kind.interlaced:
            filters.append(("bwdif", {"mode": "send_frame", "parity": "auto", "deint": "interlaced"}))
        filters += _to_rgb(kind, stack)
        if size is not None and kind.square == (_even(size[1]), _even(size[0])):
            filters.append(("crop", {"w": str(size[1]), "h": str(size[0]), "x": "0", "y": "0"}))
        filters += [(name, {"dir": way} if way else {}) for name, way in TURNS[kind.turn]]
        nodes = [graph.add(name, **options) for name, options in [*filters, ("buffersink", {})]]
        graph.link_nodes(*nodes).configure()  # reads the table of colours
    return graph


def _to_rgb(kind: Kind, stack: ExitStack) -> list[Filter]:
    """Return the filters that make RGB of 8 bits and square pixels."""
    width, height = kind.square
    scale = {"w": str(width), "h": str(height), "flags": PRECISE}
    if kind.matrix is not None:
        scale["in_color_matrix"] = str(kind.matrix)
    if kind.range in RANGES:
        scale["in_range"] = RANGES[kind.range]
    planar = "gbrap" if kind.alpha else "gbrp"
    filters: list[Filter] = [("scale", scale)]
    if kind.unusual:
        table = stack.enter_context(table_file(kind.marks.transfer, kind.marks.primaries))
        filters += [("format", {"pix_fmts": f"{planar}16"}), ("lut3d", {"file": str(table), "interp": "tetrahedral"})]
    if kind.matrix is not None:  # libswscale is three times as fast to planes, with the same result
        filters.append(("format", {"pix_fmts": planar}))
    return [*filters, ("scale", {"flags": PRECISE}), ("format", {"pix_fmts": "rgba" if kind.alpha else "rgb24"})]


def _sentences(kind: Kind) -> Iterator[str]:
    """Yield the sentences that tell people what is converted."""
    marks = kind.marks
    if marks.transfer in HDR:
        yield (
            f"The video is HDR ({HDR[marks.transfer]}); it was tone-mapped to the range of ordinary pictures (SDR), as "
            "checkpoints know no other."
        )
    elif marks.primaries in WIDE:
        yield f"The video has the wide colours of {WIDE[marks.primaries][0]}; they were converted to those of sRGB."
    if kind.interlaced:
        yield "The video is interlaced; its frames were deinterlaced, and none was added or left out."
    if kind.square != (kind.width, kind.height):
        wide, tall = kind.square
        yield (
            f"The video's pixels are not square; its frames of {kind.width}x{kind.height} were resampled to {wide}x"
            f"{tall} square ones."
        )
    if any(kind.turn):
        yield "The video is marked to be turned or mirrored when it is shown; its frames were."


def _pulled(graph: Any) -> Iterator[Pixels]:
    """Yield the pictures that a graph has ready."""
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, EOFError):
            return
        yield _pixels(frame)


def _drained(graph: Any) -> Iterator[Pixels]:
    """Yield the pictures that a graph still holds."""
    graph.push(None)
    yield from _pulled(graph)


def _pixels(frame: Any) -> Pixels:
    """Return the pixels of an RGB or RGBA frame without a copy; they keep the frame alive."""
    plane, channels = frame.planes[0], 4 if has_alpha(frame) else 3
    rows = np.frombuffer(plane, np.uint8).reshape(frame.height, plane.line_size)
    return rows[:, : frame.width * channels].reshape(frame.height, frame.width, channels)


def _matrix(frame: Any, marks: Marks) -> int:
    """Return the frame's YUV matrix; players guess an unmarked or senseless one by the size."""
    if frame.colorspace in MATRICES:
        return int(frame.colorspace)
    if marks.transfer in HDR or marks.primaries == BT2020:
        return BT2020_MATRIX
    return BT709 if frame.width >= HD_WIDTH or frame.height > SD_HEIGHT else BT601


def _turn(frame: Any) -> tuple[bool, bool, bool]:
    """Return the turn of a frame's display matrix, as `TURNS` has it: to the nearest quarter."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return False, False, False
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(data))
    # The picture's x goes to (a, b) of the screen and its y to (c, d).
    swapped = abs(b) + abs(c) > abs(a) + abs(d)
    return (swapped, c < 0, b < 0) if swapped else (False, a < 0, d < 0)


def _even(length: int) -> int:
    return length + length % 2
