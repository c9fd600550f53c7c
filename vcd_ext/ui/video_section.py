"""Face VCD or Tiled VCD on the page: settings, start and interrupt, progress, before and after, files."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import gradio as gr

from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.studio import Choices
from vcd_ext.jobs.video import VideoJob
from vcd_ext.settings import (
    AUTO,
    EVERYWHERE,
    FORMATS,
    NO_MODULE,
    FaceSettings,
    FileSettings,
    TiledSettings,
    VideoSettings,
    default,
    describe,
)
from vcd_ext.ui.files_section import files_section
from vcd_ext.ui.form import USUAL, Form, Layout, settings_form
from vcd_ext.ui.html import error_list
from vcd_ext.ui.input_section import NONE_YET
from vcd_ext.ui.session import Session
from vcd_ext.ui.tried import tried
from vcd_ext.ui.video_panel import result, video_panel

Settings = TypeVar("Settings", FaceSettings, TiledSettings)


class VideoSection(Generic[Settings]):
    """Creates its components where it is made; `shown` are those that `show` gives values to.

    start: what the button that starts says. other: the tab that results can be sent to, its part of ids and title.
    """

    def __init__(
        self,
        jobs: Jobs,
        layout: Layout[Settings],
        made: Mapping[str, Any],
        start: str,
        other: tuple[str, str] | None = None,
    ):
        self.jobs, self.other = jobs, other
        self.layout: Layout[Settings] = layout
        tab, lists = layout.tab, _lists(jobs.studio.choices())
        self.form: Form[Settings] = settings_form(layout, made, lists)
        self.form.components["motion_module"].value = jobs.studio.motion_module()
        self.lists = [self.form.components[name] for name in lists if name in self.form.components]
        formats = describe(VideoSettings)["formats"]
        self.formats = gr.CheckboxGroup(
            list(FORMATS),
            value=list(default(VideoSettings, "formats")),
            label=formats.label,
            info=formats.help,
            elem_id=f"vcd_{tab}_formats",
        )
        self.files: Form[FileSettings] = files_section(tab)
        with gr.Row():
            self.start = gr.Button(start, variant="primary", elem_id=f"vcd_{tab}_start")
            self.stop = gr.Button("Interrupt", interactive=False, elem_id=f"vcd_{tab}_stop")
            self.save = gr.Button("Save again", visible=False, elem_id=f"vcd_{tab}_save")
        self.panel = gr.HTML(elem_id=f"vcd_{tab}_panel")
        self.result = gr.HTML(elem_id=f"vcd_{tab}_result")
        self.error = gr.State("")  # what went wrong with the last click; the panel keeps showing it
        self.shown = [self.panel, self.start, self.stop, self.save, self.result, self.error]

    @property
    def job(self) -> VideoJob | None:
        """The last job of this tab."""
        return self.jobs.last_of(VideoJob, lambda job: isinstance(job.settings, self.layout.cls))

    def connect(self, session: Session, source: Any) -> None:
        """Let the components do something. source: the state with the input's path."""
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_name": False}
        session.on(
            self.start.click,
            self.begin,
            [source, self.formats, *self.files.inputs, *self.form.inputs],
            self.shown,
            **quiet,
        )
        session.on(self.stop.click, self.interrupt, [], self.shown, queue=False, **quiet)
        session.on(self.save.click, self.save_again, [], self.shown, **quiet)

    def show(self, error: str = "") -> list[Any]:
        """Return values for `shown`."""
        job: VideoJob | None = self.job
        runs, doing = job is not None and not job.ended, self.jobs.beside(job)
        if job is not None:
            self.result.temp_files.update(map(str, job.shown))  # lets the page play and link them
        return [
            gr.update(value=video_panel(job, doing, self.jobs.studio.busy()) + error_list(error)),
            gr.update(interactive=not runs),
            gr.update(interactive=self.jobs.stoppable),
            gr.update(visible=job is not None and job.ended and job.unsaved is not None),
            gr.update(value=result(job, self.other)),
            error,
        ]

    def begin(self, source: str, formats: list[str], *values: Any) -> list[Any]:
        """Begin a job with the input on the page."""

        def start() -> None:
            if not source:
                raise ValueError(NONE_YET)
            count = len(self.files.inputs)
            written = self.files.read(values[:count])
            self.jobs.videos.start(Path(source), self.form.read(values[count:]), formats, written=written)

        return self._tried(start)

    def interrupt(self) -> list[Any]:
        """Stop what is done; what is finished is kept."""
        return self._tried(self.jobs.stop)

    def save_again(self) -> list[Any]:
        """Write what could not be written when the job ended."""
        job = self.job
        return self._tried(lambda: self.jobs.videos.save(job)) if job else self.show()

    def refreshed(self) -> list[Any]:
        """Return values for `lists`: what can be chosen now."""
        lists = _lists(self.jobs.studio.choices())
        return [gr.update(choices=lists[name]) for name in lists if name in self.form.components]

    def _tried(self, do: Callable[[], object]) -> list[Any]:
        return tried(do, self.show)


def _lists(choices: Choices) -> dict[str, list[str]]:
    """Return what can be chosen, by the setting that names it."""
    return {
        "motion_module": choices.motion_modules,
        "identity": choices.identities,
        "sampler": [USUAL, *choices.samplers],
        "upscaler": [USUAL, *choices.upscalers],
        "controlnet": [AUTO, NO_MODULE, *choices.controlnets],
        "detector": list(choices.detectors),
        "subject": [EVERYWHERE, *choices.detectors],
    }
