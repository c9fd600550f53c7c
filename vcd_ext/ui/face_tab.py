"""The tab *Face VCD*: a video -> who is in it -> the video with their faces repaired."""

import gradio as gr

from vcd_ext.jobs.service import Jobs
from vcd_ext.ui.help_section import help_section
from vcd_ext.ui.html import heading
from vcd_ext.ui.input_section import InputSection
from vcd_ext.ui.layouts import FACE
from vcd_ext.ui.people_section import PeopleSection
from vcd_ext.ui.refresh import refresh_while_running
from vcd_ext.ui.session import Session
from vcd_ext.ui.video_section import VideoSection


def face_tab(jobs: Jobs, session: Session) -> None:
    """Create the tab's content here, within a gr.Blocks."""
    with gr.Row(elem_id="vcd_face", elem_classes="vcd-tab"):
        with gr.Column(scale=5, min_width=420):
            help_section(FACE.tab)
            gr.HTML(heading(1, "Video"))
            taken = InputSection(jobs, FACE.tab)
            gr.HTML(heading(2, "Who is in it"))
            people = PeopleSection(jobs)
        with gr.Column(scale=6, min_width=480):
            gr.HTML(heading(3, "Faces painted anew"))
            section = VideoSection(jobs, FACE, {"people": people.people}, "Repair faces", other=("tiled", "Tiled VCD"))
    taken.connect()
    people.connect(session, taken.source, section.form, section.panel)
    section.connect(session, taken.source)
    refresh_while_running(session, section, people)
