"""Read a TOML file that a person wrote, and say in a sentence what in it cannot be meant."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

TOMLI = "pip install tomli"


class PlanError(ValueError):
    """A plan or protocol that cannot be carried out; the message is one sentence that says what to do."""


def read_toml(path: Path) -> dict[str, Any]:
    """Read a file; PlanError if it is not there, no TOML, or nothing here reads TOML."""
    toml = _toml()
    if not path.is_file():
        raise PlanError(f"There is no file at {path}; check the folder and the name.")
    try:
        return dict(toml.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise PlanError(f"{path.name} is not a TOML file that can be read: {error}.") from error


def _toml() -> Any:
    for name in ("tomllib", "tomli"):  # Python 3.11 has the first; 3.10 needs the second, a package
        with suppress(ModuleNotFoundError):
            return import_module(name)
    raise PlanError(f"Python 3.10 reads TOML by a package that is not installed: {TOMLI}.")


def check_known_keys(table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    """Raise PlanError for a key that is not known there."""
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
            raise PlanError(f"{where} has the unknown key {key}; {hint}")


def texts(table: Mapping[str, Any], key: str, where: str, usual: Sequence[str] = ()) -> list[str]:
    """Return a list of texts, or one text as a list; PlanError for anything else."""
    value = table.get(key, list(usual))
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise PlanError(f"{key} of {where} is {value!r}; it must be a list of texts.")
    return value


def tables(table: Mapping[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    """Return a list of tables; PlanError for anything else."""
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise PlanError(f"{key} of {where} must be tables: write each as [[{key}]].")
    return value


def table_of(table: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    """Return a table within a table, empty where there is none; PlanError for anything else."""
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise PlanError(f"{key} of {where} must be a table: write it as [{key}].")
    return value
