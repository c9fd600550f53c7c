"""Whether a file was cut off, by the sizes that it tells of itself."""

import struct
from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def is_cut_off(path: Path) -> bool:
    """Return whether an MP4, QuickTime, Matroska or AVI file is shorter than it says; False where it says nothing."""
    with path.open("rb") as file:
        begin, length = file.read(12), path.stat().st_size
        file.seek(0)
        if begin[:4] == _EBML:
            return _matroska_end(file) > length
        if begin[:4] == b"RIFF":
            return struct.unpack_from("<I", begin, 4)[0] + 8 > length
        return _boxes_end(file, length) > length


def _boxes_end(file: BinaryIO, length: int) -> int:
    """Return the end of the last box of an MP4 or QuickTime file, whose first 8 or 16 bytes are its size and name."""
    end = 0
    while end < length:
        file.seek(end)
        head = file.read(16)
        if len(head) < 8:
            return length + 1
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:], "big")
        if size == 0:  # to the end of the file
            return length
        end += max(size, 8)
    return end


def _matroska_end(file: BinaryIO) -> int:
    """Return the end of a Matroska file's segment; 0 where it does not tell, as when it was sent live."""
    file.seek(4)
    header = _size(file)
    if header is None:
        return 0
    file.seek(header, 1)
    if file.read(4) != _SEGMENT:
        return 0
    size = _size(file)
    return 0 if size is None else file.tell() + size


def _size(file: BinaryIO) -> int | None:
    """Decode a number of EBML: as many bytes as its first one has zeros in front, and one; None for unknown sizes."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    bytes_ = 9 - first[0].bit_length()
    number = int.from_bytes(first + file.read(bytes_ - 1), "big") & ((1 << 7 * bytes_) - 1)
    return None if number == (1 << 7 * bytes_) - 1 else number
