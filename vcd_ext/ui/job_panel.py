"""What the page shows of a job that makes something, as HTML."""

from vcd_ext.jobs.job import DONE, Job
from vcd_ext.ui.html import bar, error_list, note_list, panel, share


def job_panel(job: Job, headline: str) -> str:
    """Return a job's state below the line that says where it is."""
    done = 1.0 if job.state == DONE else share(job.progress) if job.progress else 0.0
    parts = [bar(done, headline, job.state), error_list(job.error), note_list(list(job.notes))]
    return panel("".join(parts), active=not job.ended)
