"""Under the player: a button that draws how much each frame is like the video's first ones, so that drift is seen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from vcd_ext.jobs.likeness import likeness_measure, measured_frames
from vcd_ext.jobs.studio import Studio
from vcd_ext.storage.allowed_folders import inside
from vcd_ext.ui.html import error_list
from vcd_ext.ui.plot import likeness_plot

NONE_YET = "There is no video yet; press Generate first."


class LikenessSection:
    """Creates its components where it is made; the button shows where there is something to measure with."""

    def __init__(self, studio: Studio, tab: str, video_of: Callable[[str], str]):
        """Take what reads the path of a finished run's video from what the page knows of the run."""
        self.studio, self.video_of = studio, video_of
        self.button = gr.Button(
            "Likeness of each frame",
            visible=False,
            elem_id=f"vcd_{tab}_likeness_measure",
            tooltip="How much each frame is like the first ones, by what there is to measure with: the drawn world's "
            "judges, faces (dlib), CLIP or DINO. Where the curve falls the video becomes another.",
        )
        self.shown = gr.HTML(elem_id=f"vcd_{tab}_likeness")

    def connect(self, info: Any) -> None:
        """Let the button measure the video of what `info` tells."""
        self.button.click(self.measure, inputs=[info], outputs=[self.shown])

    def offered(self, info: str) -> list[Any]:
        """Return the button and an empty drawing for a run that has just finished."""
        can = bool(self.video_of(info)) and bool(likeness_measure(self.studio))
        return [gr.update(visible=can), ""]

    def measure(self, info: str) -> str:
        """Return the drawing, or a sentence. A page that others can reach has only the studio's folders measured."""
        name = self.video_of(info)
        try:
            if not name:
                raise ValueError(NONE_YET)
            path = Path(name) if self.studio.private else inside(Path(name), self.studio.folders.sources, "videos")
            label, found = measured_frames(self.studio, path)
        except (ValueError, OSError) as error:
            return error_list(str(error))
        points = list(zip(found.frames, found.values, strict=True))
        return likeness_plot(points, found.frames[-1], f"{label}: each frame beside frames 0 to {found.first - 1}")
