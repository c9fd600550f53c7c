"""News of what runs: a hidden button that the page's script presses."""

from typing import Any

import gradio as gr

from vcd_ext.ui.people_section import PeopleSection, pictured
from vcd_ext.ui.remake_section import RemakeSection


def keep_fresh(section: RemakeSection[Any], people: PeopleSection | None = None) -> None:
    """Create the button of a tab of videos here."""
    tick = gr.Button("News", elem_id=f"vcd_{section.layout.tab}_tick", elem_classes="vcd-hidden")
    seen = gr.State("")
    sheets = [] if people is None else [people.sheet]

    def news(before: str, error: str) -> list[Any]:
        """What has changed; the panel always, the rest where a job has begun, ended or found its faces."""
        job = section.job
        doing = section.jobs.beside(job)
        now = f"{job.id} {job.state} {len(job.files)} {job.sheet is not None}" if job else "none"
        now += f" {doing.stage}" if doing else ""
        over = now != before and section.jobs.idle  # what the error was about
        shown = section.show("" if over else error)
        if now == before:
            return [now, shown[0], *[gr.update()] * (len(shown) - 1 + len(section.lists) + len(sheets))]
        sheet = pictured(job.sheet) if job is not None and job.sheet is not None else None
        found = [] if people is None else [gr.update() if sheet is None else gr.update(value=sheet)]
        return [now, *shown, *section.refreshed(), *found]

    outputs = [seen, *section.shown, *section.lists, *sheets]
    tick.click(news, [seen, section.error], outputs, queue=False, show_progress="hidden", api_name=False)
