"""The training on the page: settings, estimate, start and stop, progress, and what to do with the identity."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from vcd_ext.identity.training import estimate, unfinished
from vcd_ext.jobs.job import DONE
from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.training import TrainingJob
from vcd_ext.ui import selection as photos
from vcd_ext.ui.form import settings_form
from vcd_ext.ui.html import error_list, note_list
from vcd_ext.ui.layouts import TRAINING
from vcd_ext.ui.photos_section import AnyPage
from vcd_ext.ui.session import Session
from vcd_ext.ui.training_panel import preview, ready_prompt, training_panel

# Settings on which time and memory depend.
COSTLY = ("steps", "size", "batch", "micro_batch", "gradient_checkpointing", "variants", "validate_every")
PREVIEW_EVERY = 50
USE = "(prompt) => vcdUse(prompt)"  # in javascript/vcd.js


class TrainingSection:
    """Creates its components where it is made; `shown` are those that `show` gives values to."""

    def __init__(self, jobs: Jobs, name_and_class: dict[str, Any]):
        self.jobs = jobs
        self.form = settings_form(TRAINING, name_and_class)
        self.preview_every = gr.Slider(
            maximum=200,
            value=PREVIEW_EVERY,
            step=10,
            label="Preview",
            info="Steps between pictures of what has been learned. One takes as long as three steps; 0 makes none.",
            elem_id="vcd_train_preview_every",
        )
        self.replace = gr.Checkbox(
            False, label="Replace the identity of this name if there is one", elem_id="vcd_train_replace"
        )
        self.estimate = gr.HTML(elem_id="vcd_train_estimate")
        with gr.Row():
            self.train = gr.Button("Train", variant="primary", elem_id="vcd_train_start")
            self.stop = gr.Button("Interrupt", interactive=False, elem_id="vcd_train_stop")
            self.keep = gr.Button("Stop and save", interactive=False, elem_id="vcd_train_keep")
        self.panel = gr.HTML(elem_id="vcd_train_panel")
        self.preview = gr.HTML(elem_id="vcd_train_preview")
        with gr.Row(visible=False, elem_classes="vcd-row", elem_id="vcd_train_unfinished_row") as self.unfinished_row:
            self.unfinished = gr.Dropdown([], label="Unfinished trainings", scale=3, elem_id="vcd_train_unfinished")
            self.resume = gr.Button("Resume", scale=1, min_width=100, elem_id="vcd_train_resume")
            self.discard = gr.Button("Discard", scale=1, min_width=100, elem_id="vcd_train_discard")
        with gr.Row(visible=False, elem_classes="vcd-row", elem_id="vcd_train_use_row") as self.use_row:
            self.prompt = gr.Textbox(
                label="A prompt for it", max_lines=1, scale=4, show_copy_button=True, elem_id="vcd_train_prompt"
            )
            self.use = gr.Button(
                "Use it now", variant="primary", scale=1, min_width=110, visible=jobs.studio.makes_pictures,
                elem_id="vcd_train_use",
            )  # fmt: skip
        self.error = gr.State("")  # what went wrong with the last click; the panel keeps showing it
        self.shown = [
            self.panel, self.preview, self.train, self.stop, self.keep, self.unfinished_row, self.unfinished,
            self.use_row, self.prompt, self.error,
        ]  # fmt: skip

    def connect(self, session: Session, page: Any) -> None:
        """Let the components do something. page: the state with the photos."""
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_name": False}
        session.on(
            self.train.click,
            self.start,
            [page, self.replace, self.preview_every, *self.form.inputs],
            self.shown,
            **quiet,
        )
        session.on(self.stop.click, self.interrupt, [], self.shown, queue=False, **quiet)
        session.on(self.keep.click, self.stop_and_save, [], self.shown, **quiet)
        session.on(self.resume.click, self.go_on, [self.unfinished, self.preview_every], self.shown, **quiet)
        session.on(self.discard.click, self.throw_away, [self.unfinished], self.shown, **quiet)
        self.use.click(None, [self.prompt], None, _js=USE, api_name=False)
        for name in COSTLY:
            self.form.components[name].change(
                self.tell_estimate, [page, *self.form.inputs], [self.estimate], queue=False, **quiet
            )

    def show(self, error: str = "") -> list[Any]:
        """Return values for `shown`."""
        job, studio = self.jobs.last_of(TrainingJob), self.jobs.studio
        runs, done = job is not None and not job.ended, job is not None and job.state == DONE
        left = [] if runs else unfinished.unfinished(studio.folders.trainings)
        left = [one for one in left if self.jobs.trainings.is_own(one.name)]
        choices = [f"{one.name}: {one.step} of {one.total} steps" for one in left]
        can_keep = runs or (job is not None and job.file is None and job.identity is not None)
        doing = self.jobs.beside(job)
        return [
            gr.update(value=training_panel(job, doing, studio.busy()) + error_list(error)),
            gr.update(value=preview(job)),
            gr.update(interactive=not runs),
            gr.update(interactive=self.jobs.stoppable),
            gr.update(interactive=can_keep),
            gr.update(visible=bool(choices)),
            gr.update(choices=choices, value=choices[0] if choices else None),
            gr.update(visible=done),
            gr.update(value=_prompt(job)) if done else gr.update(),
            error,
        ]

    def start(self, page: AnyPage, replace_existing: bool, preview_every: int, *values: Any) -> list[Any]:
        """Begin a training with the photos on the page."""
        return self._tried(
            lambda: self.jobs.trainings.start(
                photos.training_photos(page.opened().selection), self.form.read(values), replace_existing, preview_every
            )
        )

    def interrupt(self) -> list[Any]:
        """Stop what is done; a training can be gone on with later."""
        return self._tried(self.jobs.stop)

    def stop_and_save(self) -> list[Any]:
        """Stop the training and save what it has learned."""
        job = self.jobs.last_of(TrainingJob)
        return self._tried(lambda: self.jobs.trainings.keep(job)) if job else self.show()

    def go_on(self, choice: str | None, preview_every: int) -> list[Any]:
        """Resume an unfinished training."""
        return self._tried(lambda: self.jobs.trainings.resume(_name(choice), preview_every))

    def throw_away(self, choice: str | None) -> list[Any]:
        """Discard an unfinished training."""
        return self._tried(lambda: self.jobs.trainings.discard(_name(choice)))

    def _tried(self, do: Callable[[], object]) -> list[Any]:
        try:
            do()
        except (ValueError, OSError) as error:
            return self.show(str(error))
        return self.show()

    def tell_estimate(self, page: AnyPage, *values: Any) -> str:
        """Time and memory of a training with these photos and settings."""
        try:
            settings, capacity = self.form.read(values), self.jobs.studio.capacity()
            made = estimate.estimate(settings, page.used, capacity, self.jobs.trainings.pace)
            return note_list([estimate.sentence(made, self.jobs.trainings.pace is not None)], "vcd-estimate")
        except ValueError as error:
            return note_list([str(error)])


def _name(choice: str | None) -> str:
    """Return the name in a choice such as "rexy: 5 of 20 steps"; names have no colon."""
    return (choice or "").partition(":")[0]


def _prompt(job: TrainingJob | None) -> str:
    return ready_prompt(job.settings.name, job.settings.class_word) if job else ""
