"""The video that comes in: dropped, named by its path, or sent from elsewhere on the page."""

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from vcd_ext import media
from vcd_ext.jobs.service import Jobs
from vcd_ext.media.files import READERS
from vcd_ext.media.infotext import PARAMETERS
from vcd_ext.storage.allowed_folders import inside
from vcd_ext.ui.html import error_list
from vcd_ext.ui.player import video_html
from vcd_ext.ui.uploads import UploadField

USE_INFOTEXT = "use_infotext"  # how the id of the button ends that sends a video's infotext to txt2img
NONE_YET = "There is no video yet; drop one first, or name its path."


class InputSection:
    """Creates its components where it is made; `shown` are those that `show` gives values to."""

    def __init__(self, jobs: Jobs, tab: str):
        self.jobs = jobs
        self.source = gr.State("")  # the path; kept on this side, where nobody can change it
        self.file = UploadField(
            label="Video", file_types=list(READERS), elem_id=f"vcd_{tab}_file", elem_classes="vcd-drop"
        )
        with gr.Row(elem_classes="vcd-row"):
            self.path = gr.Textbox(
                label="or a path on the machine that runs this",
                max_lines=1,
                elem_id=f"vcd_{tab}_path",
                placeholder="a video, or a folder of frames",
                scale=4,
            )
            self.read = gr.Button("Use it", scale=1, min_width=110, elem_id=f"vcd_{tab}_read")
        self.about = gr.HTML(elem_id=f"vcd_{tab}_about")
        self.infotext = gr.Textbox(
            label="How it was made",
            lines=2,
            max_lines=8,
            interactive=False,
            visible=False,
            elem_id=f"vcd_{tab}_infotext",
        )
        # What it does is the WebUI's own; the page without it has no such tab.
        self.use = gr.Button("Send to txt2img", visible=False, elem_id=f"vcd_{tab}_{USE_INFOTEXT}")
        self.shown = [self.source, self.about]

    def connect(self) -> None:
        """Let the components do something."""
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_name": False}
        taken = [
            self.file.upload(self.take_file, [self.file], self.shown, **quiet),
            self.file.clear(self.take_nothing, [], self.shown, **quiet),
            self.read.click(self.take_path, [self.path], self.shown, **quiet),
            self.path.submit(self.take_path, [self.path], self.shown, **quiet),
        ]
        for event in taken:
            event.then(self.tell_infotext, [self.source], [self.infotext, self.use], **quiet)

    def take_file(self, file: Any) -> list[Any]:
        """Take a file that was dropped."""
        return self._take(Path(file.name)) if file else self.take_nothing()

    def take_path(self, text: str) -> list[Any]:
        """Take a path that was named or sent. Pages that others can reach may read only the studio's folders."""
        try:
            if not text.strip():
                raise ValueError("No path was named; write that of a video or of a folder of frames, or drop a video.")
            path, studio = Path(text.strip()).expanduser(), self.jobs.studio
            return self._take(path if studio.private else inside(path, studio.folders.sources, "videos"))
        except ValueError as error:
            return ["", error_list(str(error))]

    def take_nothing(self) -> list[Any]:
        """Begin again without a video."""
        return ["", ""]

    def tell_infotext(self, source: str) -> list[Any]:
        """Tell how the video was made, if it says so, and show a button that makes the same again."""
        text = media.read_metadata(Path(source)).get(PARAMETERS, "") if source else ""
        sendable = bool(text) and self.jobs.studio.makes_pictures
        return [gr.update(value=text, visible=bool(text)), gr.update(visible=sendable)]

    def _take(self, path: Path) -> list[Any]:
        path = path.absolute()
        try:
            media.check_readable(path)
        except (ValueError, OSError) as error:
            return ["", error_list(str(error))]
        self.about.temp_files.add(str(path))  # lets the page play it
        return [str(path), f'{video_html(path)}<div class="vcd-about">{escape(path.name)}</div>']
