"""Face VCD or Tiled VCD of one video, as page and API see it."""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vcd_ext.jobs.job import Job
from vcd_ext.media import Clip
from vcd_ext.stages.video_to_video import Settings, title


class VideoJob(Job):
    """A video that is made again. What is finished when it is stopped is kept."""

    kind = "video"
    too_small = "The memory is too small for this video; choose a smaller window or size, or close other programs."

    def __init__(
        self,
        identifier: str,
        source: Path,
        settings: Settings,
        formats: tuple[str, ...],
        scratch: "tempfile.TemporaryDirectory[str] | None" = None,
    ):
        """scratch: a folder that is needed as long as the job is known, for example that of the source."""
        super().__init__(identifier, source.name)
        self.source, self.settings, self.formats = source, settings, formats
        self.title = title(settings)
        self.sheet: NDArray[np.uint8] | None = None  # the people with their numbers, once they are found
        self.unsaved: Clip | None = None  # what was made, until it is saved
        self.complete = False  # whether it was made to its end
        self.files: list[Path] = []  # where it is saved, in the order of the formats
        self.before: Path | None = None  # the input as a browser plays it
        self.after: Path | None = None  # what was made, as a browser plays it
        self._scratch = scratch

    @property
    def saved(self) -> bool:
        """Whether the whole video lies in its files."""
        return self.complete and bool(self.files)

    @property
    def what(self) -> str:
        """What is done, in a few words."""
        return f"{self.title} of {self.name}"

    @property
    def shown(self) -> list[Path]:
        """All files that a page shows of it."""
        return [path for path in (self.before, self.after, *self.files) if path is not None]

    def scratch(self) -> Path:
        """A folder that is there as long as the job is known."""
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="vcd")
        return Path(self._scratch.name)
