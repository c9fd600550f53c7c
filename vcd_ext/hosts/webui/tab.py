"""The tab *VCD* of the WebUI."""

from typing import Any

import gradio as gr

from vcd_ext.hosts.webui.studio import JOBS
from vcd_ext.ui.train_tab import train_tab


def tabs() -> list[tuple[Any, str, str]]:
    """WebUI callback on_ui_tabs."""
    # Face VCD and Tiled VCD become tabs beside it.
    with (
        gr.Blocks(analytics_enabled=False) as blocks,
        gr.Tabs(elem_id="vcd_tabs"),
        gr.Tab("Train ID", id="train_id", elem_id="vcd_tab_train_id"),
    ):
        train_tab(JOBS)
    return [(blocks, "VCD", "vcd")]
