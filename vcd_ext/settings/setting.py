"""What is known of one setting, as metadata of a dataclass's field: label, help, range and choices."""

from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any


@dataclass(frozen=True)
class Setting:
    """What people are told about a field, and the values it takes. `label` is also its key in the infotext."""

    label: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    slider_maximum: float | None = None  # where the page's slider ends, if below the maximum
    choices: tuple[str, ...] | None = None

    @property
    def infotext_key(self) -> str:
        return f"VCD {self.label.lower().removesuffix(' vcd')}"


def setting(default: Any, label: str, help: str, **ranges: Any) -> Any:
    """Make a field of a settings class. ranges: the rest of its `Setting`."""
    return field(default=default, metadata={"setting": Setting(label, help, **ranges)})


def relabelled(cls: type, name: str, label: str, more: str = "") -> Any:
    """Make a field like another class's, under a label of its own. more: what its help says in addition."""
    found = next(f for f in fields(cls) if f.name == name)
    known = found.metadata["setting"]
    return field(
        default=found.default,
        metadata={"setting": replace(known, label=label, help=f"{known.help} {more}".rstrip())},
    )


def describe(cls: type) -> dict[str, Setting]:
    """Return the `Setting` of each field of a settings class, in order."""
    return {f.name: f.metadata["setting"] for f in fields(cls)}


def default(cls: type, name: str) -> Any:
    """Return the default of one field."""
    value = next(f.default for f in fields(cls) if f.name == name)
    assert value is not MISSING
    return value
