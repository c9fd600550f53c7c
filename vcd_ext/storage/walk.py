"""List the files in a folder and those within it, wherever links lead."""

import os
from collections.abc import Iterator
from pathlib import Path


def files(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and those within it, in order; links to folders are followed, as the WebUI does.

    (`Path.rglob` does not.) Each folder is looked into once, so that links which lead back do no harm; a folder that
    is not there or may not be read has none.
    """
    seen: set[tuple[int, int]] = set()
    for root, folders, names in os.walk(folder, followlinks=True):
        try:
            stat = Path(root).stat()
        except OSError:
            folders.clear()
            continue
        if (stat.st_dev, stat.st_ino) in seen:
            folders.clear()
            continue
        seen.add((stat.st_dev, stat.st_ino))
        folders.sort()
        yield from (path for name in sorted(names) if (path := Path(root, name)).is_file())
