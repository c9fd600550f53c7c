"""VCD's own jobs take their turn in the WebUI's queue."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from modules import call_queue, devices, shared

from vcd_ext.jobs.locking import held


@contextmanager
def queued(job: str, stops: Callable[[], bool] | None = None) -> Iterator[None]:
    """Wait for the WebUI's queue and hold it, as the job that its progress calls `job`.

    Whoever pressed Interrupt before has not interrupted this one. stops: asked while it waits; then Interrupted.
    """
    with held(call_queue.queue_lock, stops):
        shared.state.begin(job=job)
        try:
            yield
        finally:
            shared.state.end()
            devices.torch_gc()
