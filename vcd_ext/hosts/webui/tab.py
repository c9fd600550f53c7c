"""The tab *VCD* of the WebUI."""

from typing import Any

import gradio as gr

from vcd_ext.hosts.webui.studio import JOBS
from vcd_ext.ui.tabs import tabs as all_tabs


def tabs() -> list[tuple[Any, str, str]]:
    """WebUI callback on_ui_tabs."""
    with gr.Blocks(analytics_enabled=False) as blocks:
        all_tabs(JOBS)
    return [(blocks, "VCD", "vcd")]
