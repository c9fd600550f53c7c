"""The identities on the page: what there is, using one, deleting one."""

from html import escape
from typing import Any

import gradio as gr

from vcd_ext.hosts.protocols import Interrupted
from vcd_ext.identity import library
from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.training import TrainingJob
from vcd_ext.ui.cards import cards
from vcd_ext.ui.html import note_list
from vcd_ext.ui.session import Session
from vcd_ext.ui.training_panel import ready_prompt
from vcd_ext.ui.training_section import USE


class IdentitiesSection:
    """Creates its components where it is made; `shown` are those that `show` gives values to."""

    def __init__(self, jobs: Jobs):
        self.jobs = jobs
        self.cards = gr.HTML(elem_id="vcd_train_identities")
        with gr.Row(elem_classes="vcd-row"):
            self.chosen = gr.Dropdown([], label="Identity", scale=3, elem_id="vcd_train_identity")
            self.use = gr.Button(
                "Use it now",
                scale=1,
                min_width=100,
                visible=jobs.studio.makes_pictures,
                elem_id="vcd_train_use_identity",
            )
            self.delete = gr.Button("Delete", scale=1, min_width=100, elem_id="vcd_train_delete")
        with gr.Row(visible=False, elem_classes="vcd-row", elem_id="vcd_train_confirm_row") as self.confirm_row:
            self.question = gr.HTML()
            self.confirm = gr.Button("Yes, delete it", variant="stop", elem_id="vcd_train_confirm")
            self.cancel = gr.Button("No, keep it", elem_id="vcd_train_cancel")
        self.message = gr.HTML()
        self.prompt = gr.Textbox(visible=False)
        self.shown = [self.cards, self.chosen, self.confirm_row, self.message]

    def connect(self, session: Session) -> None:
        """Let the components do something."""
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_name": False}
        self.use.click(self.prompt_of, [self.chosen], [self.prompt], **quiet).then(None, [self.prompt], None, _js=USE)
        self.delete.click(self.ask, [self.chosen], [self.confirm_row, self.question], **quiet)
        session.on(self.cancel.click, self.show, [], self.shown, **quiet)
        session.on(self.confirm.click, self.remove, [self.chosen], self.shown, **quiet)

    def show(self, message: str = "", chosen: str | None = None) -> list[Any]:
        """Return values for `shown`. chosen: the identity that stays chosen, else the newest is."""
        found = library.identities(self.jobs.studio.folders.identities)
        names = [identity.name for identity in found]
        job = self.jobs.last_of(TrainingJob)
        newest = job.file.stem if job and job.file else ""
        wanted = next((name for name in (chosen, newest, *names) if name in names), None)
        return [
            gr.update(value=cards(found)),
            gr.update(choices=names, value=wanted),
            gr.update(visible=False),
            gr.update(value=note_list([message] if message else [])),
        ]

    def prompt_of(self, name: str | None) -> str:
        """Return a prompt for the chosen identity."""
        try:
            return ready_prompt(name or "", library.find(self.jobs.studio.folders.identities, name or "").class_word)
        except ValueError:
            return ""

    def ask(self, name: str | None) -> list[Any]:
        """Ask before deleting."""
        question = f"<b>Delete {escape(name)}?</b> Its file is deleted for good." if name else ""
        return [gr.update(visible=bool(name)), gr.update(value=question)]

    def remove(self, name: str | None) -> list[Any]:
        """Delete the chosen identity."""
        studio = self.jobs.studio
        try:
            self.jobs.trainings.check_own(name or "")
            with self.jobs.turn("Deleting an identity"):
                studio.forget(library.find(studio.folders.identities, name or "").path, self.jobs.given_up)
            self.jobs.trainings.free(name or "")
        except (ValueError, OSError) as error:
            return self.show(str(error))
        except Interrupted:
            return self.show(f"{name} was not deleted: it was stopped while it waited for the WebUI.")
        return self.show()
