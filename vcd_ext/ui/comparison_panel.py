"""What the page shows of a comparison of embeddings, as HTML."""

from html import escape

import numpy as np
from PIL import Image

from vcd_ext.identity.training.estimate import duration
from vcd_ext.jobs.comparison import ComparisonJob
from vcd_ext.jobs.job import DONE, FAILED, STOPPED, STOPPING, WAITING
from vcd_ext.metrics.registry import find_measure
from vcd_ext.progress import Progress
from vcd_ext.ui.html import stage, under_way
from vcd_ext.ui.inline import data_url
from vcd_ext.ui.job_panel import job_panel

SHOWN, SIDE = 8, 160  # pictures of each embedding; pixels of their sides


def comparison_panel(job: ComparisonJob | None, doing: Progress | None, waiting_for: str = "") -> str:
    """Return the state of the last comparison; of what else is done, if that is the case."""
    if doing is not None:
        return under_way(doing)
    return "" if job is None else job_panel(job, _headline(job, waiting_for))


def _headline(job: ComparisonJob, waiting_for: str) -> str:
    now, state, made = job.progress, job.state, len(job.samples)
    if state == DONE:
        pictures = "picture is" if made == 1 else "pictures are"
        return f"{made} {pictures} compared: {next(iter(job.means()))} is best."
    if state in (FAILED, STOPPED):
        return f"The comparison ended after {made} of {job.wanted.count} pictures."
    if state == WAITING or now is None:
        return waiting_for or "The comparison is getting ready"
    line = stage(now) + (". Stopping after this one" if state == STOPPING else "")
    return line + (f", about {duration(now.seconds_left)} left" if now.seconds_left is not None and made else "")


def comparison_table(job: ComparisonJob | None) -> str:
    """Return a row for each embedding with its means, best first, and its pictures below."""
    if job is None or not job.samples:
        return ""
    heads = "".join(f"<th>{escape(_label(name))}</th>" for name in job.measures)
    rows, strips = [], []
    for name, means in job.means().items():
        cells = "".join(f"<td>{_number(means[measure])}</td>" for measure in job.measures)
        rows.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
        strips.append(f"<h4>{escape(name)}</h4>{_strip(job, name)}")
    table = f'<table class="vcd-table"><tr><th></th>{heads}</tr>{"".join(rows)}</table>'
    return f'<div class="vcd-compared">{table}{"".join(strips)}</div>'


def _strip(job: ComparisonJob, name: str) -> str:
    figures = []
    for sample in job.best_first(name)[:SHOWN]:
        picture = Image.fromarray(sample.pixels)
        picture.thumbnail((SIDE, SIDE))
        said = f"{sample.prompt}, seed {sample.seed}"
        value = _number(sample.values[job.measures[0]])
        figures.append(
            f'<figure class="vcd-card" title="{escape(said)}"><img src="{data_url(picture)}" alt="{escape(said)}">'
            f"<figcaption>{value}</figcaption></figure>"
        )
    return f'<div class="vcd-cards">{"".join(figures)}</div>'


def _label(name: str) -> str:
    measure = find_measure(name)
    return measure.label + {1: " ↑", -1: " ↓", 0: ""}[measure.better]


def _number(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else "none"
