"""Describe one setting, as metadata of a dataclass's field: label, help, range and choices."""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, TypeVar

Cls = TypeVar("Cls", bound=type)
Part = TypeVar("Part")
ALWAYS, CHANGED, NEVER = "always", "changed", "never"  # when a setting is written into the infotext of a video


@dataclass(frozen=True)
class InVideo:
    """Say how a setting of Face VCD or Tiled VCD is shown among the settings of a video."""

    label: str  # which is its key in the infotext there
    help: str = ""  # in place of its own help
    more: str = ""  # what is to be said after its own help


@dataclass(frozen=True)
class Setting:
    """Hold what people are told about a field, and the values it takes. `label` is also its key in the infotext."""

    label: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    slider_maximum: float | None = None  # where the page's slider ends, if below the maximum
    choices: tuple[str, ...] | None = None
    in_video: InVideo | None = None  # None: a setting of the tab and its command alone
    infotext: str = ALWAYS  # CHANGED: where it is not the default, which is then restored where it is absent
    refused: Callable[[Any], str] | None = (
        None  # says why a value cannot be used, as the end of a sentence; "" if it can
    )

    @property
    def infotext_key(self) -> str:
        """Return its key in the infotext of a video."""
        return f"VCD {self.label.lower().removesuffix(' vcd')}"


def setting(default: Any, label: str, help: str, **ranges: Any) -> Any:
    """Make a field of a settings class. ranges: what else its `Setting` knows."""
    return field(default=default, metadata={"setting": Setting(label, help, **ranges)})


def span(minimum: float, maximum: float, step: float | None = None, slider: float | None = None) -> dict[str, Any]:
    """Return what a `setting` is told of a number's range. slider: where the page's slider ends, if below that."""
    return {"minimum": minimum, "maximum": maximum, "step": step, "slider_maximum": slider}


def same_as(cls: type, name: str, more: str = "", **other: Any) -> Any:
    """Make a field like that of another class. more: what is to be said after its help. other: what is not as there."""
    known = describe(cls)[name]
    told = replace(known, help=f"{known.help} {more}".rstrip(), **other)
    return field(default=default(cls, name), metadata={"setting": told})


def with_stages(**stages: type) -> Callable[[Cls], Cls]:
    """Decorate a class of settings, below `dataclass`: it gets those of its stages that are shown `in_video`.

    stages: the stages' own classes, by the fields that turn them on. After the field `face` comes `face_denoise`, which
    is `denoise` of its class by type, default and range, and so on.
    """

    def add(cls: Cls) -> Cls:
        annotations: dict[str, Any] = {}
        for name, kind in cls.__annotations__.items():
            annotations[name] = kind
            for found in fields(stages[name]) if name in stages else ():
                known: Setting = found.metadata["setting"]
                if (there := known.in_video) is not None:
                    told = replace(known, label=there.label, help=f"{there.help or known.help} {there.more}".rstrip())
                    annotations[f"{name}_{found.name}"] = found.type
                    setattr(cls, f"{name}_{found.name}", field(default=found.default, metadata={"setting": told}))
        cls.__annotations__ = annotations
        return cls

    return add


def with_all_of(*parts: type) -> Callable[[Cls], Cls]:
    """Decorate a class of settings, below `dataclass`: behind its own it gets all settings of other classes."""

    def add(cls: Cls) -> Cls:
        for found in (found for part in parts for found in fields(part)):
            cls.__annotations__[found.name] = found.type
            setattr(cls, found.name, field(default=found.default, metadata=found.metadata))
        return cls

    return add


def part_of_settings(part: type[Part], settings: Any) -> Part:
    """Return those of the settings that are of the class `part`, as such."""
    return part(**{found.name: getattr(settings, found.name) for found in fields(part)})  # type: ignore[arg-type]


def describe(cls: type) -> dict[str, Setting]:
    """Return the `Setting` of each field of a settings class, in order."""
    return {f.name: f.metadata["setting"] for f in fields(cls)}


def default(cls: type, name: str) -> Any:
    """Return the default of one field."""
    value = next(f.default for f in fields(cls) if f.name == name)
    assert value is not MISSING
    return value
