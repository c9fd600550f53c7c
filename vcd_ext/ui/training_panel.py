"""What the page shows of a training, as HTML."""

from html import escape

from PIL import Image

from vcd_ext.identity.training.estimate import duration
from vcd_ext.jobs.job import DONE, FAILED, STOPPED, STOPPING, WAITING
from vcd_ext.jobs.training import TrainingJob
from vcd_ext.progress import Progress
from vcd_ext.ui.html import bar, error_list, note_list, panel, share, stage, under_way
from vcd_ext.ui.inline import data_url
from vcd_ext.ui.plot import loss_plot


def training_panel(job: TrainingJob | None, doing: Progress | None, waiting_for: str = "") -> str:
    """Return the state of the last training; of what else is done, if that is the case.

    waiting_for: what a training that has not begun waits for.
    """
    if doing is not None:
        return under_way(doing)
    if job is None:
        return ""
    parts = [bar(_share(job), training_headline(job, waiting_for), job.state)]
    if job.losses or job.validation:
        parts.append(loss_plot(job.losses, job.validation, job.settings.steps))
    parts.append(error_list(job.error))
    parts.append(note_list(list(job.notes)))
    return panel("".join(parts), active=not job.ended)


def training_headline(job: TrainingJob, waiting_for: str = "") -> str:
    """Say in one line where a training is."""
    name, now, state = job.name, job.progress, job.state
    if state == DONE:
        went = f"{name} is ready after {job.losses[-1][0] if job.losses else 0} steps"
        return f"{went}. Its file: {job.file}"
    if state == FAILED:
        return f"{name} was not trained to the end."
    if state == STOPPED:
        steps = job.identity.steps if job.identity else 0
        return f"{name} stopped at step {steps} of {job.settings.steps}." + (" Resume it any time." if steps else "")
    if state == WAITING or now is None:
        return waiting_for or f"{name}: getting ready"
    line = f"{name}: {stage(now)}"
    if job.loss is not None:
        line += f", loss {job.loss:.3f}"
    if state == STOPPING:
        return f"{line}. Stopping after this step"
    if now.seconds_left is not None and now.step:
        line += f", about {duration(now.seconds_left)} left"
    return line


def preview(job: TrainingJob | None) -> str:
    """Return the last picture of what a training has learned; nothing without one."""
    if job is None or job.preview is None:
        return ""
    step, prompt, pixels = job.preview
    words = f"after step {step}: {prompt}"
    return (
        f'<figure class="vcd-preview"><img src="{data_url(Image.fromarray(pixels))}" alt="">'
        f"<figcaption>{escape(words)}</figcaption></figure>"
    )


def ready_prompt(name: str, class_word: str) -> str:
    """Return a prompt for an identity, with the words of its training."""
    return f"photo of {name} {class_word} on the beach"


def _share(job: TrainingJob) -> float:
    if job.state == DONE:
        return 1.0
    if job.ended and job.identity:
        return job.identity.steps / job.settings.steps
    return share(job.progress) if job.progress else 0.0
