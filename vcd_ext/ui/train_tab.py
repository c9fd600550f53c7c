"""The tab *Train ID*: photos -> masks -> training -> identity."""

from typing import Any

import gradio as gr

from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.training import TrainingJob
from vcd_ext.ui.help_section import help_section
from vcd_ext.ui.html import heading
from vcd_ext.ui.identities_section import IdentitiesSection
from vcd_ext.ui.photos_section import AnyPage, PhotosSection
from vcd_ext.ui.session import Session
from vcd_ext.ui.training_section import TrainingSection


def train_tab(jobs: Jobs, session: Session) -> None:
    """Create the tab's content here, within a gr.Blocks."""
    with gr.Row(elem_id="vcd_train", elem_classes="vcd-tab"):
        with gr.Column(scale=6, min_width=480):
            help_section("train")
            gr.HTML(heading(1, "Photos and masks"))
            photos = PhotosSection(jobs)
        with gr.Column(scale=5, min_width=420):
            gr.HTML(heading(2, "Training"))
            training = TrainingSection(jobs, {"class_word": photos.class_word, "name": photos.name})
            gr.HTML(heading(3, "Identities"))
            identities = IdentitiesSection(jobs)
    for changed in photos.connect(session, training.panel):
        changed.then(
            training.tell_estimate,
            [photos.page, *training.form.inputs],
            [training.estimate],
            queue=False,
            show_progress="hidden",
            api_name=False,
        )
    training.connect(session, photos.page)
    identities.connect(session)
    _refresh_while_running(session, photos, training, identities)


def _refresh_while_running(
    session: Session, photos: PhotosSection, training: TrainingSection, identities: IdentitiesSection
) -> None:
    """Add a hidden button that the page's script presses for news."""
    tick = gr.Button("News", elem_id="vcd_train_tick", elem_classes="vcd-hidden")
    seen = gr.State("")

    def news(before: str, error: str, page: AnyPage, chosen: str | None, *values: Any) -> list[Any]:
        """Return what has changed; the panel always, the rest only where something happened."""
        job = training.jobs.last_of(TrainingJob)
        doing = training.jobs.beside(job)
        now = f"{job.id} {job.state} {job.preview and job.preview.step}" if job else "none"
        now += f" {doing.stage}" if doing else ""
        over = now != before and training.jobs.idle  # what the error was about
        shown = training.show("" if over else error)
        if now == before:
            return [now, shown[0], *[gr.update()] * (len(training.shown) - 1 + len(identities.shown) + 1)]
        return [now, *shown, *identities.show(chosen=_kept(job, before, chosen)), training.tell_estimate(page, *values)]

    session.on(
        tick.click,
        news,
        [seen, training.error, photos.page, identities.chosen, *training.form.inputs],
        [seen, *training.shown, *identities.shown, training.estimate],
        queue=False,
        show_progress="hidden",
        api_name=False,
    )


def _kept(job: TrainingJob | None, before: str, chosen: str | None) -> str | None:
    """Return the identity that stays chosen: a new one is chosen when its training ends."""
    ended_now = job is not None and job.ended and not before.startswith(f"{job.id} {job.state}")
    return None if ended_now else chosen
