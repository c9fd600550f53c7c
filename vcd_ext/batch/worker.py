"""What does units of work in a process of its own, near a GPU: it keeps the checkpoint that it loaded last."""

import hashlib
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import vcd_ext
from vcd_ext.batch.lender import Lender
from vcd_ext.batch.preflight import check_on_models
from vcd_ext.batch.unit import TrainingWork, Unit, UnitResult
from vcd_ext.batch.work import do, done
from vcd_ext.hosts.protocols import Interrupted
from vcd_ext.progress import Callbacks, Progress

MATTER = ("torch", "diffusers", "transformers", "numpy", "Pillow", "opencv-python-headless", "av")
Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Expected:
    """What a worker must have so that its files are those that the others make."""

    versions: dict[str, str]
    sizes: dict[Path, int | None]  # of files, -1 for folders


class Worker:
    """Does one unit after the other. `progress` and `stop` may be called from another thread meanwhile."""

    def __init__(self, make_lender: Callable[[], Lender]):
        self._lender = make_lender()
        self._stop = threading.Event()
        self._reached: Progress | None = None

    def unfit(self, expected: Expected) -> str:
        """Return why this worker cannot be used, as the end of a sentence; "" if it can."""
        for name, wanted in expected.versions.items():
            if (own := versions().get(name)) != wanted:
                return f"has {name} {own}, and {wanted} is here; install the same there."
        for path, size in expected.sizes.items():
            if _size(path) != size:
                return (
                    f"does not see {path} as it is here; models, photos and the folder to write must be there under "
                    "the same names, such as on a drive that all share."
                )
        return ""

    def check(self, units: Sequence[Unit]) -> str:
        """Return in a sentence what loaded models say against units; "" for nothing."""
        try:
            check_on_models(units, self._lender)
        except ValueError as error:
            return str(error)
        return ""

    def do(self, unit: Unit) -> UnitResult | OSError | None:
        """Do a unit. OSError is a full disk, as a value; None says that it was stopped."""
        if done(unit):  # by a worker that was lost before it could say so
            return UnitResult(unit.name, 0.0)
        self._reached = None
        try:
            return do(unit, self._lender, Callbacks(self._tell, lambda _: None, self._stop.is_set))
        except Interrupted:
            return None
        except OSError as error:
            return error

    def _tell(self, progress: Progress) -> None:
        self._reached = replace(progress, vectors=None)  # which are large, and for pictures alone

    def progress(self) -> Progress | None:
        """Return how far the unit is."""
        return self._reached

    def stop(self) -> None:
        """Let the unit end at its next step, and all later ones at once."""
        self._stop.set()


def expected(units: Sequence[Unit], token: Path) -> Expected:
    """Return what workers must have for units: versions, models, photos, and a file in the folder to write."""
    made = {file for unit in units for file in unit.files}
    inputs = dict.fromkeys(path for unit in units for path in _inputs(unit) if path not in made)
    return Expected(versions(), {path: _size(path) for path in [*inputs, token]})


@contextmanager
def token_in(out: Path) -> Iterator[Path]:
    """Put a file into the folder to write, by which workers show that they see the same folder."""
    out.mkdir(parents=True, exist_ok=True)
    path = (out / f".seen-{secrets.token_hex(8)}").absolute()
    path.write_bytes(secrets.token_bytes(1 + secrets.randbelow(1000)))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _inputs(unit: Unit) -> Iterator[Path]:
    models = unit.work.models
    found = [getattr(models, field.name) for field in fields(models)]
    for value in found:
        yield from value if isinstance(value, tuple) else [value] if isinstance(value, Path) else []
    if isinstance(unit.work, TrainingWork):
        yield unit.work.photos
    else:
        yield from unit.work.embeddings


def _size(path: Path) -> int | None:
    return None if not path.exists() else -1 if path.is_dir() else path.stat().st_size


@cache
def versions() -> dict[str, str]:
    """Return what decides how videos come out: this project, by its code, and its libraries."""
    sha = hashlib.sha256()
    folder = Path(vcd_ext.__file__).parent
    for file in sorted(folder.rglob("*.py")):
        sha.update(file.relative_to(folder).as_posix().encode() + file.read_bytes())
    own = f"{vcd_ext.__version__} (code {sha.hexdigest()[:8]})"
    return {"VCD for WebUI": own} | {name: version(name) for name in MATTER}


def at_whole_paths(value: Kind) -> Kind:
    """Return plain data with all its paths absolute: a worker's working folder is another."""
    known: Any = value
    if isinstance(known, Path):
        return known.absolute()  # type: ignore[return-value]
    if isinstance(known, tuple):
        return tuple(map(at_whole_paths, known))  # type: ignore[return-value]
    if is_dataclass(known):
        found = {field.name: at_whole_paths(getattr(known, field.name)) for field in fields(known)}
        return replace(known, **found)  # type: ignore[type-var, return-value]
    return value
