"""The people of a video on the page: found, shown with their numbers, and told who they are."""

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.video import READING
from vcd_ext.progress import Progress
from vcd_ext.settings import FaceSettings
from vcd_ext.ui.form import Form, component
from vcd_ext.ui.html import error_list, note_list, under_way
from vcd_ext.ui.inline import data_url
from vcd_ext.ui.input_section import NONE_YET
from vcd_ext.ui.layouts import FACE
from vcd_ext.ui.session import Session


class PeopleSection:
    """Creates its components where it is made."""

    def __init__(self, jobs: Jobs):
        self.jobs = jobs
        self.find = gr.Button("Find faces", elem_id="vcd_face_find")
        self.sheet = gr.HTML(elem_id="vcd_face_sheet")
        self.people = component(FACE, "people")

    def connect(self, session: Session, source: Any, form: Form[FaceSettings], progress: Any) -> None:
        """Let the components do something. source: the input's path. progress: the HTML that shows what is done."""
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_name": False}
        shown = self.find.click(self.begin, [], [progress], queue=False, **quiet)
        session.on(shown.then, self.find_faces, [source, *form.inputs], [self.sheet], **quiet)
        self.form = form

    def begin(self) -> str:
        """Show at once that something happens."""
        return under_way(self.jobs.doing or Progress(READING, 0, 1))

    def find_faces(self, source: str, *values: Any) -> str:
        """Make the sheet of the people in the input."""
        try:
            if not source:
                raise ValueError(NONE_YET)
            sheet, found = self.jobs.videos.find_faces(Path(source), self.form.read(values))
        except (ValueError, OSError, ImportError) as error:
            return error_list(str(error))
        return pictured(sheet) + note_list(found)


def pictured(sheet: NDArray[np.uint8]) -> str:
    """Return the sheet as HTML."""
    return f'<img class="vcd-sheet" src="{data_url(Image.fromarray(sheet))}" alt="The faces and their numbers">'
