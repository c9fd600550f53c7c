"""Parse settings out of untrusted values."""

import math
from collections.abc import Mapping
from typing import Any, TypeVar, get_origin, get_type_hints

from vcd_ext.settings.face import FaceSettings
from vcd_ext.settings.files import FileSettings
from vcd_ext.settings.generate import GenerateSettings
from vcd_ext.settings.setting import Setting, describe
from vcd_ext.settings.tiled import TiledSettings
from vcd_ext.settings.train import TrainSettings
from vcd_ext.settings.video import VideoSettings

Settings = TypeVar(
    "Settings", VideoSettings, GenerateSettings, TrainSettings, TiledSettings, FaceSettings, FileSettings
)


class SettingError(ValueError):
    """Refuse a value that a job cannot run with. `key` names the setting; the message says what to use instead."""

    def __init__(self, key: str, message: str):
        super().__init__(message)
        self.key = key


def parse(cls: type[Settings], values: Mapping[str, Any]) -> Settings:
    """Build settings from untrusted values; unset fields keep their defaults.

    SettingError names the first key that is unknown, of the wrong type or out of range.
    """
    known = describe(cls)
    types = get_type_hints(cls)
    for key in values:
        if key not in known:
            raise SettingError(str(key), f"'{key}' is not a setting of VCD; known settings: {', '.join(known)}.")
    return cls(**{key: _checked(key, value, types[key], known[key]) for key, value in values.items()})


def _checked(key: str, value: Any, kind: Any, setting: Setting) -> Any:
    if get_origin(kind) is tuple:
        return _checked_choices(key, value, setting)
    wanted = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[kind]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is float and number:
        value = float(value)
    elif kind is int and number and math.isfinite(value) and int(value) == value:
        value = int(value)
    elif not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise SettingError(key, f"{key} is {value!r}; it must be {wanted}.")
    if kind in (int, float):
        _check_range(key, value, setting)
    if setting.choices and value not in setting.choices:
        raise SettingError(key, f"{key} is {value!r}; choose one of {', '.join(setting.choices)}.")
    if setting.refused is not None and (reason := setting.refused(value)):
        raise SettingError(key, f"{key} is {value!r}; {reason}")
    return value


def _check_range(key: str, value: float, setting: Setting) -> None:
    low = -math.inf if setting.minimum is None else setting.minimum
    high = math.inf if setting.maximum is None else setting.maximum
    if not low <= value <= high:  # also refuses NaN
        raise SettingError(key, f"{key} is {value}; it must be from {low:g} to {high:g}.")


def _checked_choices(key: str, value: Any, setting: Setting) -> tuple[str, ...]:
    choices = setting.choices or ()
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) and v in choices for v in value):
        raise SettingError(key, f"{key} is {value!r}; it must be a list of some of {', '.join(choices)}.")
    return tuple(dict.fromkeys(value))
