"""How the files of a video are written, in an accordion that is closed."""

from typing import Any

import gradio as gr

from vcd_ext.settings import FileSettings, describe
from vcd_ext.ui.form import Form, Layout, component
from vcd_ext.ui.layouts import FILE_ROWS


def files_section(tab: str) -> Form[FileSettings]:
    """Create the components here. tab: a part of their ids."""
    layout = Layout(FileSettings, tab, elsewhere=(), first=FILE_ROWS, advanced={})
    made: dict[str, Any] = {}
    with gr.Accordion("Files", open=False, elem_id=f"vcd_{tab}_files"):
        for row in FILE_ROWS:
            with gr.Row(elem_classes=["vcd-row", "vcd-names"]):
                made |= {name: component(layout, name) for name in row}
    return Form(FileSettings, {name: made[name] for name in describe(FileSettings)})
