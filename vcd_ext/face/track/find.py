"""From frames to tracks: who is where; nothing is denoised yet."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vcd_ext.face.boxes import box_centres
from vcd_ext.face.detect import Detector
from vcd_ext.face.track.associate import associate
from vcd_ext.face.track.scan import Scan
from vcd_ext.face.track.track import Track, smoothed_track, with_fades
from vcd_ext.hosts.protocols import Interrupted
from vcd_ext.progress import Clock, Note, Report
from vcd_ext.settings import FaceSettings

FINDING = "Finding faces"

Frames = NDArray[np.uint8]


def find_people(
    frames: Frames,
    settings: FaceSettings,
    detector: Detector,
    progress: Report | None = None,
    interrupted: Callable[[], bool] | None = None,
    note: Note | None = None,
) -> list[Track]:
    """Track the faces of a video uint8 [F, H, W, 3]: a track for each face and shot.

    They are numbered as they appear, those that appear together from left to right. note: told in a sentence which
    faces are left out, and why. Raises `host.Interrupted`.
    """
    clock = Clock(progress, FINDING, len(frames))
    clock.tell(0)
    scan = Scan(detector, settings.confidence)
    for i, frame in enumerate(frames):
        if interrupted and interrupted():
            raise Interrupted
        scan.add(frame)
        clock.tell(i + 1)
    tracks: list[Track] = []
    left_out: Counter[str] = Counter()
    for shot in scan.shots():
        found = [
            (smoothed_track(tracklet, shot, frames.shape[2], frames.shape[1], settings), len(tracklet.seen))
            for tracklet in associate((scan.seen[i] for i in shot), settings.confidence)
        ]
        kept = _chosen(found, shot, settings, left_out)
        whole = [with_fades(track, [other for other, _ in found], shot, settings.fade) for track in kept]
        tracks += _numbered(whole, settings.max_gap, len(tracks))
    for sentence in _reasons(left_out, settings):
        if note:
            note(sentence)
    return tracks


def _chosen(
    found: Sequence[tuple[Track, int]], shot: range, settings: FaceSettings, left_out: Counter[str]
) -> list[Track]:
    """Choose the tracks that are long, large and few enough, each given with how many frames it was seen in."""
    long = [track for track, seen in found if seen >= min(settings.min_track, len(shot))]
    large = [track for track in long if track.size >= settings.min_face]
    kept = sorted(large, key=lambda track: -track.size)[: settings.max_faces]
    left_out.update(short=len(found) - len(long), small=len(long) - len(large), many=len(large) - len(kept))
    return kept


def _numbered(tracks: Sequence[Track], together: int, before: int) -> list[Track]:
    """Give a shot's tracks numbers from `before` + 1 on; those within `together` frames of one begin with it."""
    waiting = sorted(tracks, key=lambda track: track.frames.start)
    numbered: list[Track] = []
    while waiting:
        start = waiting[0].frames.start
        group = [track for track in waiting if track.frames.start - start <= together]
        waiting = waiting[len(group) :]
        # Where the last of them appears all are there to be compared.
        moment = max(track.frames.start for track in group)
        group.sort(key=lambda track: _left(track, moment))
        numbered += [replace(track, number=before + len(numbered) + k + 1) for k, track in enumerate(group)]
    return numbered


def _left(track: Track, moment: int) -> float:
    box = track.boxes[min(moment, track.frames.stop - 1) - track.frames.start]
    return float(box_centres(box)[0])


def _reasons(left_out: Counter[str], settings: FaceSettings) -> list[str]:
    """Say in sentences which faces were left out."""
    rules = {
        "short": f"seen in fewer than {settings.min_track} frames (Shortest track)",
        "small": f"smaller than {settings.min_face} pixels (Smallest face)",
        "many": f"beyond the {settings.max_faces} largest of a shot (Most faces)",
    }
    reasons = []
    for key, rule in rules.items():
        if count := left_out[key]:
            subject = "1 face was" if count == 1 else f"{count} faces were"
            reasons.append(f"{subject} {rule} and left alone.")
    return reasons
