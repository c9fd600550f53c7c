"""Make VCD's settings axes of the WebUI's X/Y/Z plot, from the settings' own table: a new one is an axis by itself."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from typing import Any, get_type_hints

from modules import scripts

from vcd_ext.hosts.webui.page import section
from vcd_ext.settings import FileSettings, SettingError, VideoSettings, describe, parse
from vcd_ext.settings.setting import NEVER
from vcd_ext.ui.form import USUAL

PREFIX = "[VCD] "
TRUTH = {"true": True, "false": False}
COST = 0.5  # of names that stand for files, which are read anew where they differ; a checkpoint has 1


def add_axes() -> None:
    """Add the axes once the plot's own script is loaded; WebUI callback on_before_ui."""
    plot = next((data.module for data in scripts.scripts_data if data.path.endswith("xyz_grid.py")), None)
    if plot is None or any(axis.label.startswith(PREFIX) for axis in plot.axis_options):
        return
    plot.axis_options += [_axis(plot, name) for name in varied()]


def varied() -> list[str]:
    """Return the settings that are axes: all with one value that shows in the pictures, or in what is told of them."""
    types, files = get_type_hints(VideoSettings), {field.name for field in fields(FileSettings)}
    return [
        name
        for name, setting in describe(VideoSettings).items()
        if types[name] in (bool, int, float, str) and setting.infotext != NEVER and name not in files
    ]


def _axis(plot: Any, name: str) -> Any:
    setting, kind = describe(VideoSettings)[name], get_type_hints(VideoSettings)[name]
    named = section.lists().get(name)
    fixed = ("True", "False") if kind is bool else setting.choices
    return plot.AxisOption(
        PREFIX + setting.label,
        str if kind is bool else kind,
        _apply(name),
        confirm=lambda _p, values: _confirm(name, values),
        cost=COST if named else 0.0,
        choices=partial(list, fixed) if fixed else named,
    )


def value_of(name: str, written: Any) -> Any:
    """Return the value of a setting that an axis writes; SettingError, in one sentence, for one that it cannot have."""
    kind = get_type_hints(VideoSettings)[name]
    value = written
    if kind is bool:
        value = TRUTH.get(str(written).strip().lower(), written)
    elif kind is str and written == USUAL and name in section.lists():
        value = ""
    return getattr(parse(VideoSettings, {name: value}), name)


def _confirm(name: str, values: Sequence[Any]) -> None:
    """Refuse what no cell could be made with, before the first is."""
    for value in values:
        try:
            value_of(name, value)
        except SettingError as error:
            raise RuntimeError(f"X/Y/Z plot, {describe(VideoSettings)[name].label}: {error}") from error


def _apply(name: str) -> Callable[[Any, Any, Any], None]:
    def apply(p: Any, written: Any, _values: Any) -> None:
        value = value_of(name, written)
        # A new dict each time: the plot hands out shallow copies of one `p`.
        p.vcd_overrides = getattr(p, "vcd_overrides", {}) | {name: value}
        if name == "identity" and isinstance(p.prompt, str):
            p.prompt = section.prompt_with_identity(value, p.prompt)

    return apply
