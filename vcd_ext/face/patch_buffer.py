"""Patches that wait until all of a face are there: a face that is repaired in half of its frames would jump."""

from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile, gettempdir
from types import TracebackType

import numpy as np

from vcd_ext.face.repair import Patch
from vcd_ext.face.resample import Area
from vcd_ext.storage.disk_array import IN_MEMORY


class PatchBuffer:
    """Patches; their pixels go to the disk when they are more than `most` bytes. Gone at the end of the context."""

    def __init__(self, most: int = IN_MEMORY):
        self._file = SpooledTemporaryFile(max_size=most)
        self._places: list[tuple[int, Area, tuple[int, ...]]] = []

    def __enter__(self) -> "PatchBuffer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def extend(self, patches: Iterable[Patch]) -> None:
        """Take all of them as they are made. OSError, in one sentence, for a full disk."""
        for frame, place, pixels in patches:
            self._places.append((frame, place, pixels.shape))
            try:
                self._file.write(np.ascontiguousarray(pixels).data)
            except OSError as error:
                explained = OSError(
                    f"The repaired face needs more room in {gettempdir()} than there is; free some space there, set "
                    "TMPDIR to another folder, or use a shorter video."
                )
                explained.errno = error.errno
                raise explained from error

    def __iter__(self) -> Iterator[Patch]:
        """Yield all patches, in the order in which they came."""
        self._file.seek(0)
        for frame, place, shape in self._places:
            pixels = np.frombuffer(self._file.read(int(np.prod(shape))), np.uint8)
            yield Patch(frame, place, pixels.reshape(shape))
