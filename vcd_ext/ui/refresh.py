"""News of what runs: a hidden button that the page's script presses."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from vcd_ext.jobs.service import Jobs
from vcd_ext.ui.people_section import PeopleSection, pictured
from vcd_ext.ui.session import Session
from vcd_ext.ui.video_section import VideoSection


def refresh_while_running(session: Session, section: VideoSection[Any], people: PeopleSection | None = None) -> None:
    """Create the button of a tab of videos here."""
    tick = gr.Button("News", elem_id=f"vcd_{section.layout.tab}_tick", elem_classes="vcd-hidden")
    seen = gr.State(("", ""))
    sheets = [] if people is None else [people.sheet]

    def news(before: tuple[str, str], error: str) -> list[Any]:
        """Return what has changed; the panel always, the rest only where something happened.

        The lists also where an identity was learned or deleted; a player that is playing is left alone then.
        """
        job = section.job
        doing = section.jobs.beside(job)
        now = f"{job.id} {job.state} {len(job.files)} {job.sheet is not None}" if job else "none"
        now += f" {doing.stage}" if doing else ""
        known = _identities(section.jobs)
        lists = _unchanged(section.lists) if (now, known) == before else section.refreshed()
        over = now != before[0] and section.jobs.idle  # what the error was about
        shown = section.show("" if over else error)
        if now == before[0]:
            return [(now, known), shown[0], *_unchanged(shown[1:]), *lists, *_unchanged(sheets)]
        sheet = pictured(job.sheet) if job is not None and job.sheet is not None else None
        found = [] if people is None else [gr.update() if sheet is None else gr.update(value=sheet)]
        return [(now, known), *shown, *lists, *found]

    outputs = [seen, *section.shown, *section.lists, *sheets]
    session.on(tick.click, news, [seen, section.error], outputs, queue=False, show_progress="hidden", api_name=False)


def _identities(jobs: Jobs) -> str:
    """Return another text once an identity was learned or deleted."""
    folder = jobs.studio.folders.identities
    # The host knows a new one when its training has ended, whoever's it is, which is after its file is there.
    return f"{jobs.idle} {folder.stat().st_mtime_ns if folder.is_dir() else 0}"


def _unchanged(components: Sequence[Any]) -> list[Any]:
    return [gr.update() for _ in components]
