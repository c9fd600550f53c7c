"""Download a known file: streamed, resumed where the line breaks, checked, and under its name only when it is whole."""

import hashlib
import http.client
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vcd_ext.storage.atomic import atomically, sweep

PIECE = 1 << 20
TRIES = 5  # connections in a row that bring nothing
TIMEOUT = 60.0  # seconds without a byte

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class WeightFile:
    """A file that can be downloaded."""

    name: str
    folder: str  # where it belongs within the WebUI's `models`
    size: int  # bytes
    sha256: str
    url: str


def is_there(file: WeightFile, folder: Path) -> bool:
    """Return whether a folder has the whole file, judged by its size."""
    path = folder / file.name
    return path.is_file() and path.stat().st_size == file.size


def download(file: WeightFile, folder: Path, progress: Progress | None = None, url: str | None = None) -> Path:
    """Bring a file into `folder`; its path. A file of that name is replaced, once the new one is whole.

    progress: called with (bytes done, bytes); what it raises ends the download. url: another source than the file's
    own, for the same content. ValueError, in one sentence, where the server or the line fails or sends something
    else; OSError where the disk does. Neither leaves anything behind.
    """
    source = url or file.url
    by_hand = f"get it with a browser from {source} and put it into {folder}."
    sweep(folder)
    _check_space(file, folder)
    path = folder / file.name
    with atomically(path) as part:
        digest = hashlib.sha256()
        with part.open("wb") as target:
            for piece in _pieces(file, source, by_hand):
                target.write(piece)
                digest.update(piece)
                if progress:
                    progress(target.tell(), file.size)
        if digest.hexdigest() != file.sha256:
            raise ValueError(
                f"{source} sent something else than {file.name} (SHA-256 {digest.hexdigest()[:12]}..., not "
                f"{file.sha256[:12]}...), so it was not kept; try again or {by_hand}"
            )
    return path


def _check_space(file: WeightFile, folder: Path) -> None:
    existing = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < file.size:
        raise ValueError(
            f"{file.name} needs {file.size / 1e6:.0f} MB, but {folder} has only {free / 1e6:.0f} MB left; free some "
            "space and try again."
        )


def _pieces(file: WeightFile, source: str, by_hand: str) -> Iterator[bytes]:
    """Yield exactly `file.size` bytes, over as many connections as it takes."""
    done, failures, reason = 0, 0, ""
    while done < file.size:
        if failures == TRIES:
            raise ValueError(f"{file.name} could not be downloaded ({reason}); try again or {by_hand}")
        failures, reason = failures + 1, "the connection broke"
        try:
            with closing(_opened(file, source, done, by_hand)) as answer:
                while piece := answer.read(min(PIECE, file.size - done)):
                    done, failures = done + len(piece), 0
                    yield piece
        except urllib.error.HTTPError as error:
            raise ValueError(
                f"{file.name} could not be downloaded: {source} answers {error.code} ({error.reason}); {by_hand}"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__


def _opened(file: WeightFile, source: str, start: int, by_hand: str) -> Any:
    """Return the server's answer, at byte `start`. ValueError if it announces another size than the file's."""
    headers = {"User-Agent": "vcd", "Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    answer = urllib.request.urlopen(urllib.request.Request(source, headers=headers), timeout=TIMEOUT)
    skipped = 0 if answer.status == http.client.PARTIAL_CONTENT else start
    announced = answer.headers["Content-Length"]
    if announced is not None and int(announced) != file.size - start + skipped:
        answer.close()
        raise ValueError(
            f"{source} sends {announced} bytes, but {file.name} has {file.size}; the file may have moved: try again "
            f"or {by_hand}"
        )
    while skipped > 0 and (piece := answer.read(min(PIECE, skipped))):
        skipped -= len(piece)
    return answer
