"""Make the tab *VCD* of the WebUI."""

from typing import Any

import gradio as gr
from modules.infotext_utils import ParamBinding, register_paste_params_button

from vcd_ext.hosts.webui.studio import JOBS
from vcd_ext.ui.input_section import USE_INFOTEXT
from vcd_ext.ui.tabs import create_tabs

APART = ("vcd_face_", "vcd_tiled_")  # how the ids of these tabs' components begin
SUGGESTED = "_motion_module"  # how the ids of those end whose value is found anew at each start


def tabs() -> list[tuple[Any, str, str]]:
    """Return the tab; WebUI callback on_ui_tabs."""
    with gr.Blocks(analytics_enabled=False) as blocks:
        create_tabs(JOBS)
    _keep_apart(blocks)
    _let_infotext_be_sent(blocks)
    return [(blocks, "VCD", "vcd")]


def _keep_apart(blocks: gr.Blocks) -> None:
    """Give the tabs defaults of their own: the WebUI saves them by label, and a label stands in several tabs."""
    for component in blocks.blocks.values():
        name = getattr(component, "elem_id", None) or ""
        tab = next((beginning for beginning in APART if name.startswith(beginning)), None)
        if tab is not None:
            component.custom_script_source = tab.rstrip("_")  # the WebUI puts it in front of the label
            component.do_not_save_to_config = name.endswith(SUGGESTED)


def _let_infotext_be_sent(blocks: gr.Blocks) -> None:
    """Have the tabs' buttons set up txt2img by the infotext of a video, as PNG Info does by that of a picture."""
    components = {getattr(component, "elem_id", None): component for component in blocks.blocks.values()}
    for beginning in APART:
        button, text = components[f"{beginning}{USE_INFOTEXT}"], components[f"{beginning}infotext"]
        register_paste_params_button(ParamBinding(button, "txt2img", source_text_component=text))
