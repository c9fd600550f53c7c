"""All tabs, as the WebUI and the page without it show them."""

import gradio as gr

from vcd_ext.jobs.service import Jobs
from vcd_ext.ui.compare_tab import compare_tab
from vcd_ext.ui.face_tab import face_tab
from vcd_ext.ui.session import Session
from vcd_ext.ui.tiled_tab import tiled_tab
from vcd_ext.ui.train_tab import train_tab

TABS = (
    ("Train ID", "train_id", train_tab),
    ("Face VCD", "face", face_tab),
    ("Tiled VCD", "tiled", tiled_tab),
    ("Compare", "compare", compare_tab),
)


def create_tabs(jobs: Jobs) -> None:
    """Create the tabs here, within a gr.Blocks."""
    session = Session()
    with gr.Tabs(elem_id="vcd_tabs"):
        for title, name, create in TABS:
            with gr.Tab(title, id=name, elem_id=f"vcd_tab_{name}"):
                create(jobs, session)
