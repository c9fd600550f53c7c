"""The tab *Tiled VCD*: a video -> the video at twice its size."""

import gradio as gr

from vcd_ext.jobs.service import Jobs
from vcd_ext.ui.help_section import help_section
from vcd_ext.ui.html import heading
from vcd_ext.ui.input_section import InputSection
from vcd_ext.ui.layouts import TILED
from vcd_ext.ui.refresh import refresh_while_running
from vcd_ext.ui.session import Session
from vcd_ext.ui.video_section import VideoSection


def tiled_tab(jobs: Jobs, session: Session) -> None:
    """Create the tab's content here, within a gr.Blocks."""
    with gr.Row(elem_id="vcd_tiled", elem_classes="vcd-tab"):
        with gr.Column(scale=5, min_width=420):
            help_section(TILED.tab)
            gr.HTML(heading(1, "Video"))
            taken = InputSection(jobs, TILED.tab)
        with gr.Column(scale=6, min_width=480):
            gr.HTML(heading(2, "Twice as large"))
            section = VideoSection(jobs, TILED, {}, "Enlarge", other=("face", "Face VCD"))
    taken.connect()
    section.connect(session, taken.source)
    refresh_while_running(session, section)
