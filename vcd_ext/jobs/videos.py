"""Face VCD and Tiled VCD in the background, and what is looked at before."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vcd_ext import media
from vcd_ext.hosts.protocols import Interrupted
from vcd_ext.jobs.video_job import VideoJob
from vcd_ext.jobs.video_run import READING, VideoRun
from vcd_ext.media.originals import ORIGINALS
from vcd_ext.settings import FaceSettings, VideoSettings, parse
from vcd_ext.stages.video_to_video import Settings, Telling, check, find_faces, part_of

if TYPE_CHECKING:
    from vcd_ext.jobs.queue import Jobs


class Videos:
    """The videos that are made again, among the jobs."""

    def __init__(self, jobs: "Jobs"):
        self.jobs, self.studio = jobs, jobs.studio

    def start(
        self,
        source: Path,
        settings: Settings,
        formats: Sequence[str] = ("mp4",),
        scratch: "TemporaryDirectory[str] | None" = None,
    ) -> VideoJob:
        """Begin Face VCD or Tiled VCD, as the settings are, of a video file or a folder of frames.

        scratch: a folder that is kept as long as the job is known, if the source lies in one.
        ValueError or OSError, in one sentence, if it cannot begin; BusyError if something else is done.
        """
        settings, chosen = check(settings), parse(VideoSettings, {"formats": list(formats)}).formats
        if not chosen:
            raise ValueError("No format is chosen; choose mp4, for example.")
        self.studio.check(settings)
        media.check_readable(source)
        return self.jobs.begin(
            lambda identifier: VideoJob(identifier, source, settings, chosen, scratch),
            lambda job: VideoRun(self.studio, job).go(),
        )

    def save(self, job: VideoJob) -> None:
        """Write what could not be written when a job ended; OSError, ValueError or ImportError if it still cannot."""
        with self.jobs.turn("Saving a video"):
            VideoRun(self.studio, job).save()
            job.error = ""

    def find_faces(self, source: Path, settings: FaceSettings) -> tuple[NDArray[np.uint8], list[str]]:
        """The sheet of the people in a video, with their numbers, and notes. ValueError or OSError in one sentence.

        `Jobs.doing` tells how far it is; it can be stopped. BusyError if something else is done.
        """
        notes: list[str] = []
        with self.jobs.turn(READING):
            part = part_of(settings)
            clip = part.cut(ORIGINALS.find(source)) or media.read(source, notes.append, part)
            telling = Telling(self.jobs.tell, notes.append, self.jobs.stops)
            try:
                with self.studio.finding(self.jobs.given_up):
                    return find_faces(clip, settings, self.studio.finder, telling), notes
            except Interrupted as stopped:
                raise ValueError("Stopped before all faces were found.") from stopped
