"""Face VCD: find, crop, denoise as a video with the identity, paste back (arXiv 2402.09368 v1, section 4.3)."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

import numpy as np

from vcd_ext.denoising.out_of_memory import explained, first_that_fits
from vcd_ext.face import detect
from vcd_ext.face.by_region import divided
from vcd_ext.face.crops import without_large, zoom
from vcd_ext.face.patch_buffer import PatchBuffer
from vcd_ext.face.prompts import face_prompts, parse_people, people_by_region
from vcd_ext.face.repair import SHORTEST, Repair
from vcd_ext.face.track.find import Frames, find_people
from vcd_ext.face.track.track import Track
from vcd_ext.hosts.protocols import FACTOR, Interrupted, VideoHost, VideoPass
from vcd_ext.media.clip import check_frames
from vcd_ext.motion.windows import shorter
from vcd_ext.progress import Note, Report, steps
from vcd_ext.settings import FaceSettings, SettingError, parse, with_drawn_seed
from vcd_ext.storage.disk_array import allocate

REPAIRING = "Repairing face"  # and its number


def restore(
    host: VideoHost,
    frames: Frames,
    settings: FaceSettings,
    progress: Report | None = None,
    *,
    detector: detect.Detector | None = None,
    people: Sequence[Track] | None = None,
    interrupted: Callable[[], bool] | None = None,
    note: Note | None = None,
) -> Frames:
    """Paint a video's faces anew: uint8 [F, H, W, 3]; pixels on which nothing is pasted are the input's.

    frames: uint8 [F, H, W, 3]. detector: what finds the faces, by default what the settings ask for. people: the tracks
    of `find_people`, so that they need not be found again. interrupted: asked at every frame and step; then faces that
    are finished stay, and the others are the input's. note: given sentences for the person, as they become true.
    Where the memory is too small, shorter windows are tried. What is too large to lie in memory lies on the disk.
    ValueError, in one sentence, for frames or settings that cannot work, or too little memory; OSError for a full
    disk. What stops a face when others are finished is a note instead.
    """
    settings = checked_face_settings(settings)
    check_frames(frames)
    stop, tell = interrupted or (lambda: False), note or (lambda _: None)
    result: Frames = allocate(frames.shape, np.uint8)
    np.copyto(result, frames)
    if people is None:
        try:
            people = find_people(frames, settings, detector or detect.detector(settings), progress, stop, tell)
        except Interrupted:
            tell("Stopped before all faces were found; the video is as it was.")
            return result
    _check_people(people, len(frames))
    if not people:
        tell("There is no face to repair in any frame; the video is as it was.")
        return result
    run = _Restoration(
        Repair(host, frames, settings, stop), VideoPass.of(with_drawn_seed(settings, tell)), result, progress, tell
    )
    count, height, width = frames.shape[:3]
    run.go(_wanted(people, settings, (count, height, width), tell))
    return result


class _Restoration:
    """The faces of a video, one after the other."""

    def __init__(self, repair: Repair, work: VideoPass, result: Frames, progress: Report | None, note: Note):
        self.repair, self.work, self.result = repair, work, result
        self.progress, self.note = progress, note
        self.finished: list[int] = []

    def go(self, wanted: Sequence[tuple[Track, str]]) -> None:
        """Repair tracks with their prompts, the last in front of the others."""
        for track, prompt in wanted:
            try:
                self._repair(track, prompt)
            except Interrupted:
                done = f"face {_listed(self.finished)} is finished" if self.finished else "no face is finished"
                self.note(f"Stopped: {done}; everything else is as it was.")
                return
            except Exception as error:  # whatever it is, the faces that are finished must not be lost
                if not self.finished:
                    raise
                reason = str(error).strip().partition("\n")[0] or type(error).__name__
                self.note(f"Face {track.number} was left as it was: {reason}")
            else:
                self.finished.append(track.number)

    def _repair(self, track: Track, prompt: str) -> None:
        """Paint a face in the longest windows for which there is memory; ValueError if there is none for any."""
        work = replace(self.work, prompt=prompt)
        length = max(SHORTEST, len(track.frames))
        windows = [(work.context, work.context_overlap), *shorter(length, work.context, work.context_overlap)]
        size = self.repair.settings.size
        sentence = (
            f"The memory is too small for {min(windows[-1][0], length)} faces of {size} pixels at a time; choose a "
            "smaller size, or close other programs."
        )
        with explained(lambda: sentence):
            first_that_fits(
                windows,
                lambda window: self._paint(track, replace(work, context=window[0], context_overlap=window[1])),
                lambda window: self.note(
                    f"Face {track.number}: the memory was too small; it goes on with windows of {window[0]} frames."
                ),
            )

    def _paint(self, track: Track, work: VideoPass) -> None:
        """Paint a face in all its frames, or in none."""
        report = steps(self.progress, f"{REPAIRING} {track.number}")
        with PatchBuffer() as waiting:
            waiting.extend(self.repair.patches(track, work, self.result, report))
            for frame, place, pixels in waiting:
                self.result[frame][place] = pixels


def checked_face_settings(settings: FaceSettings) -> FaceSettings:
    """Check the settings and return them; SettingError for those that cannot work."""
    settings = parse(FaceSettings, asdict(settings))
    if settings.size % FACTOR:
        raise SettingError(
            "size",
            f"size is {settings.size}; it must be a multiple of {FACTOR}, use {settings.size // FACTOR * FACTOR}.",
        )
    if settings.context_overlap >= settings.context:
        raise SettingError(
            "context_overlap",
            f"context_overlap is {settings.context_overlap}, which is no less than the windows themselves, "
            f"{settings.context}; use {settings.context // 4}.",
        )
    if not people_by_region(settings.people):
        parse_people(settings.people)
    return settings


def _check_people(people: Sequence[Track], frames: int) -> None:
    for track in people:
        if track.frames.stop > frames:
            raise ValueError(
                f"Face {track.number} was found in {track.frames.stop} frames, and this video has {frames}; find the "
                "faces of this video first."
            )


def _wanted(
    people: Sequence[Track], settings: FaceSettings, size: tuple[int, int, int], note: Note
) -> list[tuple[Track, str]]:
    """Return the tracks to repair with their prompts: the largest last, as it is in front where faces meet."""
    _, height, width = size
    people = divided(people, people_by_region(settings.people), size, note)
    wanted, words = [], face_prompts(people, settings, size, note)
    for track in sorted(people, key=lambda track: track.size):
        prompt = words[track.number]
        times = zoom(track, settings, height, width)
        if prompt is None:
            continue
        if times < settings.least_zoom:
            note(
                f"Face {track.number} is already large and was left alone: its crop would be enlarged {times:.2f} "
                f"times, less than {settings.least_zoom:g} (Least zoom)."
            )
            continue
        wanted.append((without_large(track, settings, height, width), prompt))
    return wanted


def _listed(numbers: Sequence[int]) -> str:
    return " and ".join(filter(None, (", ".join(map(str, sorted(numbers)[:-1])), str(max(numbers)))))
