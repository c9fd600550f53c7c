"""What a video job does from its input to its files."""

from collections.abc import Callable
from pathlib import Path

from vcd_ext import media
from vcd_ext.jobs.studio import Studio
from vcd_ext.jobs.video_job import VideoJob
from vcd_ext.media import Clip, output_files
from vcd_ext.media.infotext import PARAMETERS
from vcd_ext.media.names import SPARE, cut
from vcd_ext.media.originals import ORIGINALS
from vcd_ext.progress import Progress
from vcd_ext.stages.video_to_video import Telling, part_of, remake

READING, WRITING = "Reading the video", "Writing the files"
PLAYED = (".mp4", ".webm")  # by every browser


class VideoRun:
    """One job on a studio, whose turn it is."""

    def __init__(self, studio: Studio, job: VideoJob):
        self.studio, self.job = studio, job

    def go(self) -> None:
        """Make the video, or what of it is finished when it is stopped. ValueError or OSError in a sentence.

        Interrupted if it is stopped while it waits for its turn.
        """
        job, studio = self.job, self.studio
        with studio.remaking(job.note, job.stops) as host:
            job.report(Progress(READING, 0, 1))
            part = part_of(job.settings)
            clip = part.cut(ORIGINALS.find(job.source)) or media.read(job.source, job.note, part)
            job.report(Progress(READING, 1, 1))
            job.before = self._playable(job.source, lambda: clip, whole=part.whole)
            telling = Telling(job.report, job.note, lambda: job.stops() or studio.interrupted())
            made = remake(host, clip, job.settings, studio.finder, telling)
        job.sheet, job.complete, job.unsaved = made.sheet, made.complete, made.clip
        self.save()

    def save(self) -> None:
        """Write what was made and is not saved yet. OSError, in a sentence, if that is not possible now."""
        job, clip = self.job, self.job.unsaved
        if clip is None:
            return
        job.report(Progress(WRITING, 0, 1))
        ending = f"-{job.title.partition(' ')[0].lower()}"
        name = cut(job.source.stem, self.studio.folders.videos, len(ending) + SPARE) + ending
        files = output_files.free(self.studio.folders.videos, name, job.formats)
        output_files.save(clip, files, job.source, job.note)
        job.after = self._playable(next((file for file in files if file.suffix in PLAYED), files[0]), lambda: clip)
        if self.studio.text_files:
            output_files.write_infotext(files, clip.metadata.get(PARAMETERS, ""), job.note)
        ORIGINALS.keep(files, clip)
        job.files, job.unsaved = files, None
        job.report(Progress(WRITING, 1, 1))

    def _playable(self, path: Path, clip: Callable[[], Clip], whole: bool = True) -> Path | None:
        """The file itself if browsers play it, else a copy that they do; None, and a note, if that cannot be made.

        whole: whether the clip is all of the file.
        """
        if whole and path.suffix.lower() in PLAYED:
            return path
        try:
            return media.write(self.job.scratch() / f"{cut(path.stem, self.job.scratch())}.mp4", clip())
        except (OSError, ValueError, ImportError) as error:  # the video itself is not lost
            self.job.note(f"The page cannot show {path.name}. {error}")
            return None
