"""Lenders that a worker of a cluster can import, and that make it die on purpose."""

import os
import signal
import time

from tests.batch.fake_lender import FakeLender
from vcd_ext.batch.unit import VideoWork
from vcd_ext.hosts.diffusers.lender import StandaloneLender
from vcd_ext.media import Clip
from vcd_ext.progress import StepReport


class DiesOnce(StandaloneLender):
    """Kills its process in the middle of the first video of seed 2, as the kernel does where memory is short."""

    def generate(self, work: VideoWork, progress: StepReport) -> Clip:
        dead = work.models.checkpoint.with_name("died")

        def step(done: int, total: int) -> None:
            if work.picture.seed == 2 and done and not dead.exists():
                dead.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            progress(done, total)

        return super().generate(work, step)


class Waits(FakeLender):
    """Goes on with its first video until it is interrupted."""

    def generate(self, work: VideoWork, progress: StepReport) -> Clip:
        work.models.checkpoint.with_name("begun").touch()
        for _ in range(1200):
            progress(1, 2)  # which ends it, when the person has interrupted
            time.sleep(0.05)
        raise AssertionError("nobody interrupted")
