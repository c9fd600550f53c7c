"""Write the settings of a video into entries of its infotext, and read them."""

from collections.abc import Mapping
from typing import Any, get_origin, get_type_hints

from vcd_ext.settings.parsing import parse
from vcd_ext.settings.setting import CHANGED, NEVER, default, describe
from vcd_ext.settings.video import STAGES, VideoSettings

SOURCE_KEY = "VCD source"  # in the infotext: the video that was made again
HINTS_KEY = "VCD hints"  # in the infotext: the videos that ControlNet's hints were made of


def to_infotext(settings: VideoSettings) -> dict[str, str | int | float | bool]:
    """Return a run's infotext entries, from which `from_infotext` restores all settings that may be written.

    Of Face VCD and Tiled VCD there are entries where they are asked for.
    """
    entries: dict[str, str | int | float | bool] = {}
    for name, setting in describe(type(settings)).items():
        value = getattr(settings, name)
        if _matters(settings, name, value):
            entries[setting.infotext_key] = " ".join(value) if isinstance(value, tuple) else value
    return entries


def _matters(settings: VideoSettings, name: str, value: Any) -> bool:
    when = describe(VideoSettings)[name].infotext
    if when in (CHANGED, NEVER):
        return when == CHANGED and bool(value != default(VideoSettings, name))
    if name == "save_stages":
        return settings.face or settings.tiled
    stage = _stage(name)
    return stage is None or (getattr(settings, stage) and value != "")


def _stage(name: str) -> str | None:
    """Return the stage after the generation that a setting belongs to."""
    return next((stage for stage in STAGES if name == stage or name.startswith(f"{stage}_")), None)


def from_infotext(name: str, entries: Mapping[str, str]) -> Any:
    """Read one setting's value out of pasted infotext (all texts); None where it is absent or damaged."""
    keys = {known: setting.infotext_key for known, setting in describe(VideoSettings).items()}
    if name == "enabled":
        return keys["frames"] in entries
    when = describe(VideoSettings)[name].infotext
    text, stage = None if when == NEVER else entries.get(keys[name]), _stage(name)
    if text is None:
        if name in STAGES or when == CHANGED:
            return default(VideoSettings, name) if keys["frames"] in entries else None
        return default(VideoSettings, name) if stage and keys[stage] in entries else None
    kind = get_type_hints(VideoSettings)[name]
    try:
        if get_origin(kind) is tuple:
            value: Any = text.split()
        elif kind is bool:
            value = {"True": True, "False": False}[text]
        else:
            value = kind(text)
        return getattr(parse(VideoSettings, {name: value}), name)
    except (KeyError, ValueError):
        return None
