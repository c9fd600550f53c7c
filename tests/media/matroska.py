"""Matroska files whose timestamps are changed where they lie, as no muxer would write them."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

SEGMENT, CLUSTER, TIMESTAMP, SIMPLE_BLOCK = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75", b"\xe7", b"\xa3"


def retimed(path: Path, change: Callable[[list[int]], list[int]], track: int = 2) -> Path:
    """Give the simple blocks of a track the milliseconds that `change` makes of theirs. Returns the path."""
    data = bytearray(path.read_bytes())
    found: list[tuple[int, int]] = []  # where a block's time lies, and what it is counted from
    for _, begin, end in _all(data, SEGMENT, 0, len(data)):
        for _, first, last in _all(data, CLUSTER, begin, end):
            [(_, at, to)] = _all(data, TIMESTAMP, first, last)
            base = int.from_bytes(data[at:to], "big")
            found += [(at + 1, base) for _, at, _ in _all(data, SIMPLE_BLOCK, first, last) if data[at] == 0x80 | track]
    times = [base + struct.unpack_from(">h", data, at)[0] for at, base in found]
    for (at, base), time in zip(found, change(list(times)), strict=True):
        struct.pack_into(">h", data, at, time - base)
    path.write_bytes(data)
    return path


def _all(data: bytes, wanted: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the elements of a kind between two places: id, and where their content begins and ends."""
    while at < end:
        name = data[at : at + _length(data[at])]
        at += len(name)
        width = _length(data[at])
        size = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
        at += width
        if name == wanted:
            yield name, at, at + size
        at += size


def _length(first: int) -> int:
    """Return the number of bytes of a number that begins with this one."""
    return 9 - first.bit_length()
