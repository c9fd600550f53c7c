"""FreeInit in the WebUI: its sampler, called once, samples several times, each time as a job of the progress bar."""

from typing import Any

from modules import shared
from torch import Tensor

from vcd_ext.denoising.free_init import reinitialised
from vcd_ext.denoising.free_noise import InitialNoise
from vcd_ext.hosts.webui import report
from vcd_ext.settings import VideoSettings


def sample_again(p: Any, settings: VideoSettings, prior: InitialNoise) -> None:
    """Let the sampler of `p`, a txt2img whose first pass is about to begin, sample `settings.free.freeinit` times more.

    The WebUI makes a sampler for each pass, so this one is gone with it, and hires fix has another. Fresh noise is what
    the frames' own generators give next. A sampling that is interrupted or skipped is the last, and the video is that
    of the one before it, which is finished; that of the first is what the WebUI has of it.
    """
    once, last = p.sampler.sample, settings.free.freeinit - 1
    # Before the sampler draws: Euler's, for one, draws at each step what it does not use.
    fresh = [prior.of(p.rng.next()) for _ in range(settings.free.freeinit)]

    def sample(p: Any, begun: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        begun = begun.clone()  # some samplers work in place
        made: Tensor = once(p, begun.clone(), *args, **kwargs)
        for number, new in enumerate(fresh):
            if _stopped():
                shared.state.job_no += 1 + last - number
                break
            shared.state.nextjob()
            signal = float(p.sd_model.alphas_cumprod[-1])
            again = reinitialised(made, begun, new, signal, settings.free.freeinit_cutoff)
            better = once(p, again, *args, **kwargs)
            made = made if _stopped() else better
        return made

    p.sampler.sample = sample


def count_jobs(p: Any, settings: VideoSettings) -> None:
    """Count the samplings of all videos of a request among its jobs and steps; called once, before the first."""
    more = p.n_iter * settings.free.freeinit
    if more and shared.state.job_count > 0:
        shared.state.job_count += more
        report.add_steps(more * p.steps)


def _stopped() -> bool:
    return bool(shared.state.interrupted or shared.state.skipped)
