"""What is left after a fault: the model, the files, and what the next run makes."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.reliability.scenarios import Ended, Run, digest
from tests.webui.server import Server
from vcd_ext import media
from vcd_ext.storage import record

HIDDEN = ".part"  # the end of the names of files that are being written


@dataclass(frozen=True)
class Verdict:
    """What was not as before; empty where all was."""

    model: str = ""
    files: str = ""
    following: str = ""


class Judge:
    """Knows how things were before."""

    def __init__(self, server: Server, folders: Iterable[Path]):
        self.server, self.folders = server, tuple(folders)
        self.picture()  # what the WebUI makes only once is made now
        self.plain, self.model = self.picture(), server.get("/probe/fingerprint")
        self.details = server.get("/probe/details")
        self.known = self.there()

    def picture(self) -> str:
        """Return the digest of a plain picture of the WebUI."""
        return digest(self.server.generate(None).frames)

    def there(self) -> set[Path]:
        """All files that lie in the folders now."""
        return {path for folder in self.folders for path in folder.rglob("*") if path.is_file()}

    def of_model(self) -> str:
        """Return what of the model is not as it was."""
        found = self.server.get("/probe/fingerprint")
        changed = [name for name, value in self.model.items() if found[name] != value]
        details = self.server.get("/probe/details")
        changed += [name for name, value in self.details.items() if details[name] != value]
        if self.picture() != self.plain:
            changed.append("a plain picture")
        return ", ".join(changed)

    def of_files(self) -> str:
        """Which files are new and not whole; all new ones are deleted but for those of a training."""
        bad = []
        for path in sorted(self.there() - self.known):
            if reason := damage(path):
                bad.append(f"{path.name}: {reason}")
            if "trainings" not in path.parts and path.parent.name != "embeddings":
                path.unlink()
        return "; ".join(bad)

    def of_following(self, run: Run, expected: Ended) -> str:
        """Return what the same run makes now that it did not make before."""
        now = run(self.server)
        if now.like(expected):
            return ""
        return f"{now.state} instead of {expected.state}: {' '.join(now.said) or 'another result'}"


def is_hidden(path: Path) -> bool:
    """Return whether a file, or the folder of frames that it is in, has not got its name yet."""
    return any(part.endswith(HIDDEN) for part in path.parts)


def damage(path: Path) -> str:
    """Return why a file is not whole; "" for one that is."""
    if is_hidden(path):
        return "left behind"
    try:
        _read(path)
    except Exception as error:  # readers raise nearly anything on half a file
        return f"{type(error).__name__}: {error}"
    return ""


def _read(path: Path) -> Any:
    if path.suffix in (".mp4", ".webm", ".gif", ".webp"):
        return media.read(path)
    if path.suffix == ".png":
        with Image.open(path) as picture:
            picture.load()
        return None
    if path.suffix in (".bank", ".training", ".photos", ".safetensors"):
        return record.read(path)
    return path.read_bytes()
