"""Tell the page how far a download is, and end it where the person has stopped it."""

from collections.abc import Callable

from vcd_ext.jobs.service import Jobs
from vcd_ext.progress import Progress

MEGABYTE = 1_000_000


class StoppedError(Exception):
    """The person has stopped the download."""


def download_teller(jobs: Jobs, name: str) -> Callable[[int, int], None]:
    """Return what `storage.download` calls with (bytes done, bytes); it raises StoppedError.

    Only the section's own button ends it: an Interrupt of the host may have been meant for another work.
    """

    def tell(done: int, total: int) -> None:
        if jobs.given_up():
            raise StoppedError
        jobs.tell(Progress(f"Downloading {name}: MB", done // MEGABYTE, total // MEGABYTE))

    return tell
