"""What the page shows of a video job, as HTML."""

from vcd_ext.identity.training.estimate import duration
from vcd_ext.jobs.job import DONE, FAILED, STOPPED, STOPPING, WAITING
from vcd_ext.jobs.video import VideoJob
from vcd_ext.progress import Progress
from vcd_ext.ui.html import stage, under_way
from vcd_ext.ui.job_panel import job_panel
from vcd_ext.ui.player import compared, links, send


def video_panel(job: VideoJob | None, doing: Progress | None, waiting_for: str = "") -> str:
    """Return the state of the tab's last job; of what else is done, if that is the case."""
    if doing is not None:
        return under_way(doing)
    return "" if job is None else job_panel(job, video_headline(job, waiting_for))


def video_headline(job: VideoJob, waiting_for: str = "") -> str:
    """Say in one line where a job is."""
    now, state = job.progress, job.state
    if state == DONE:
        return f"{job.title} of {job.name} is ready."
    if state == FAILED:
        return f"{job.title} of {job.name} was made, but not saved." if job.unsaved else f"{job.what} failed."
    if state == STOPPED:
        return f"{job.what} was stopped. " + ("What is finished is kept." if job.files else "Nothing was finished.")
    if state == WAITING or now is None:
        return waiting_for or f"{job.what}: getting ready"
    line = f"{job.what}: {stage(now)}"
    if state == STOPPING:
        return f"{line}. Stopping after this step"
    if now.seconds_left is not None and now.step:
        line += f", about {duration(now.seconds_left)} left"
    return line


def result(job: VideoJob | None, other: tuple[str, str] | None) -> str:
    """Show what a job has made: before and after, the files, and a button that sends it to another tab.

    other: that tab's part of ids, and its title.
    """
    if job is None or not job.files:
        return ""
    players = compared(job.before, job.after) if job.before and job.after else ""
    button = send(job.files[0], *other) if other is not None else ""
    return f'<div class="vcd-result">{players}{links(job.files)}{button}</div>'
