"""The tab *VCD* of the WebUI."""

from typing import Any

import gradio as gr

from vcd_ext.hosts.webui.studio import JOBS
from vcd_ext.ui.tabs import tabs as all_tabs

APART = ("vcd_face_", "vcd_tiled_")  # how the ids of these tabs' components begin
SUGGESTED = "_motion_module"  # how the ids of those end whose value is found anew at each start


def tabs() -> list[tuple[Any, str, str]]:
    """WebUI callback on_ui_tabs."""
    with gr.Blocks(analytics_enabled=False) as blocks:
        all_tabs(JOBS)
    _keep_apart(blocks)
    return [(blocks, "VCD", "vcd")]


def _keep_apart(blocks: gr.Blocks) -> None:
    """Give the tabs defaults of their own: the WebUI saves them by label, and a label stands in several tabs."""
    for component in blocks.blocks.values():
        name = getattr(component, "elem_id", None) or ""
        tab = next((beginning for beginning in APART if name.startswith(beginning)), None)
        if tab is not None:
            component.custom_script_source = tab.rstrip("_")  # the WebUI puts it in front of the label
            component.do_not_save_to_config = name.endswith(SUGGESTED)
