"""Axes of the WebUI's X/Y/Z plot: gamma, frames and motion module."""

from collections.abc import Callable
from typing import Any

from modules import scripts

from vcd_ext.hosts.webui import library
from vcd_ext.settings import VideoSettings, describe

AXES: dict[str, type] = {"gamma": float, "frames": int, "motion_module": str}


def _override(name: str) -> Callable[[Any, Any, Any], None]:
    def apply(p: Any, value: Any, _values: Any) -> None:
        # A new dict each time: the plot hands out shallow copies of one `p`.
        p.vcd_overrides = getattr(p, "vcd_overrides", {}) | {name: value}

    return apply


def add_axes() -> None:
    """Add VCD's axes once the plot's own script is loaded."""
    plot = next((data.module for data in scripts.scripts_data if data.path.endswith("xyz_grid.py")), None)
    if plot is None or any(axis.label.startswith("[VCD]") for axis in plot.axis_options):
        return
    for name, kind in AXES.items():
        choices = library.choices if name == "motion_module" else None
        label = f"[VCD] {describe(VideoSettings)[name].label}"
        plot.axis_options.append(plot.AxisOption(label, kind, _override(name), choices=choices))
