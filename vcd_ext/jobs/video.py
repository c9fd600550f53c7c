"""Face VCD or Tiled VCD of one video in the background: the job, what it does, and how one is begun."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vcd_ext import media
from vcd_ext.hosts.protocols import Interrupted
from vcd_ext.jobs.job import Job
from vcd_ext.jobs.queue import JobQueue
from vcd_ext.jobs.studio import Studio
from vcd_ext.media import Clip, output_files
from vcd_ext.media.names import SPARE, cut
from vcd_ext.media.originals import ORIGINALS
from vcd_ext.progress import Callbacks, Progress
from vcd_ext.settings import FaceSettings, FileSettings, VideoSettings, parse
from vcd_ext.stages.video_to_video import Settings, check, find_faces, part_of, run_stage, title

READING, WRITING = "Reading the video", "Writing the files"
PLAYED = (".mp4", ".webm")  # by every browser
USUAL = FileSettings()


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
        written: FileSettings = USUAL,
    ):
        """scratch: a folder that is needed as long as the job is known, such as the source's. written: the files."""
        super().__init__(identifier, source.name)
        self.written = written
        self.source, self.settings, self.formats = source, settings, formats
        self.title = title(settings)
        self.sheet: NDArray[np.uint8] | None = None  # the people with their numbers, once they are found
        self.unsaved: Clip | None = None  # the result, until it is saved
        self.complete = False  # whether it was made to its end
        self.files: list[Path] = []  # where it is saved, in the order of the formats, and of a divided video's parts
        self.before: Path | None = None  # the input as a browser plays it
        self.after: Path | None = None  # the result as a browser plays it
        self._scratch = scratch

    @property
    def saved(self) -> bool:
        """Whether the whole video lies in its files."""
        return self.complete and bool(self.files)

    @property
    def what(self) -> str:
        """Return what is done, in a few words."""
        return f"{self.title} of {self.name}"

    @property
    def shown(self) -> list[Path]:
        """Return all files that a page shows of it."""
        return [path for path in (self.before, self.after, *self.files) if path is not None]

    def scratch(self) -> Path:
        """Return a folder that exists as long as the job is known."""
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="vcd")
        return Path(self._scratch.name)

    def run(self, studio: Studio) -> None:
        """Make the video, or what of it is finished when it is stopped. ValueError or OSError in a sentence.

        Interrupted if it is stopped while it waits for its turn.
        """
        with studio.remaking(self.note, self.stops) as host:
            self.report(Progress(READING, 0, 1))
            part = part_of(self.settings)
            clip = part.cut(ORIGINALS.find(self.source)) or media.read(self.source, self.note, part)
            self.report(Progress(READING, 1, 1))
            self.before = self._playable(self.source, lambda: clip, part.whole)
            callbacks = Callbacks(self.report, self.note, lambda: self.stops() or studio.interrupted())
            made = run_stage(host, clip, self.settings, studio.finder, callbacks)
        self.sheet, self.complete, self.unsaved = made.sheet, made.complete, made.clip
        self.save(studio)

    def save(self, studio: Studio) -> None:
        """Write what was made and is not saved yet. OSError, in a sentence, if that is not possible now."""
        clip = self.unsaved
        if clip is None:
            return
        self.report(Progress(WRITING, 0, 1))
        ending = f"-{self.title.partition(' ')[0].lower()}"
        folder = output_files.subfolder_of(studio.folders.videos, self.written.subfolder)
        name = cut(self.source.stem, folder, len(ending) + SPARE) + ending
        settings = replace(self.written, text_file=self.written.text_file or studio.text_files)
        files = output_files.save(clip, output_files.free(folder, name, self.formats), self.source, self.note, settings)
        whole = not output_files.is_divided(clip, settings)
        plays = whole and settings.chroma == USUAL.chroma and not settings.lossless
        played = next((file for file in files if file.suffix in PLAYED), files[0])
        self.after = self._playable(played, lambda: clip, plays)
        if whole:
            ORIGINALS.keep(files, clip)
        self.files, self.unsaved = files, None
        self.report(Progress(WRITING, 1, 1))

    def _playable(self, path: Path, clip: Callable[[], Clip], as_it_is: bool = True) -> Path | None:
        """Return the file itself if browsers play it, else a copy that they do; None, and a note, if that fails.

        as_it_is: whether the clip is all of the file, and its pixels are stored as every browser knows it.
        """
        if as_it_is and path.suffix.lower() in PLAYED:
            return path
        try:
            return media.write(self.scratch() / f"{cut(path.stem, self.scratch())}.mp4", clip())
        except (OSError, ValueError, ImportError) as error:  # the video itself is not lost
            self.note(f"The page cannot show {path.name}. {error}")
            return None


class Videos:
    """The videos that are made again, among the jobs of a queue."""

    def __init__(self, queue: JobQueue):
        self.queue, self.studio = queue, queue.studio

    def start(
        self,
        source: Path,
        settings: Settings,
        formats: Sequence[str] = ("mp4",),
        scratch: "tempfile.TemporaryDirectory[str] | None" = None,
        written: FileSettings = USUAL,
    ) -> VideoJob:
        """Begin Face VCD or Tiled VCD, as the settings are, of a video file or a folder of frames.

        scratch: a folder that is kept as long as the job is known, if the source lies in one. written: its files.
        ValueError or OSError, in one sentence, if it cannot begin; BusyError if something else is done.
        """
        settings, chosen = check(settings), parse(VideoSettings, {"formats": list(formats)}).formats
        if not chosen:
            raise ValueError("No format is chosen; choose mp4, for example.")
        self.studio.check(settings)
        media.check_readable(source)
        return self.queue.begin(
            lambda identifier: VideoJob(identifier, source, settings, chosen, scratch, written),
            lambda job: job.run(self.studio),
        )

    def save(self, job: VideoJob) -> None:
        """Write what could not be written when a job ended; OSError, ValueError or ImportError if it still cannot."""
        with self.queue.turn("Saving a video"):
            job.save(self.studio)
            job.error = ""

    def find_faces(self, source: Path, settings: FaceSettings) -> tuple[NDArray[np.uint8], list[str]]:
        """Return the sheet of the people in a video, with their numbers, and notes. ValueError or OSError.

        `JobQueue.doing` tells how far it is; it can be stopped. BusyError if something else is done.
        """
        notes: list[str] = []
        with self.queue.turn(READING):
            part = part_of(settings)
            clip = part.cut(ORIGINALS.find(source)) or media.read(source, notes.append, part)
            callbacks = Callbacks(self.queue.tell, notes.append, self.queue.stops)
            try:
                with self.studio.finding(self.queue.given_up):
                    return find_faces(clip, settings, self.studio.finder, callbacks), notes
            except Interrupted as stopped:
                raise ValueError("Stopped before all faces were found.") from stopped
