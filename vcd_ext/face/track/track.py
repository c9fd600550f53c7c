"""One person's face through one shot: where it is in each frame, and how much it is repaired there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vcd_ext.face.boxes import Values, box_centres, box_sizes, boxes_around, coverage, visible_share
from vcd_ext.face.track.smooth import SLOWER, smooth_adaptively, smooth_robustly, stiffness
from vcd_ext.face.track.tracklet import Tracklet
from vcd_ext.settings import FaceSettings

# Sizes that differ by less are one size, which is calmest; where they differ by more the crop slowly zooms, or the face
# would not fill it while it is small.
ONE_SIZE = 1.15
_LARGE = 90  # percentile of the sizes that becomes the one size
TOGETHER = 8  # frames without the face that do not divide the video that is denoised
HIDDEN = 0.3  # of a face that is lost: where another covers more, it is behind that one
SHOWN = 0.6  # of a lost face that lies in the picture, at least: of less no detector would have found it
_SEEN = 0.1  # of one that was seen: its track may run a little ahead of it
_NOISE = 0.01  # of a face: no detector is more exact

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Track:
    """A face in consecutive frames of a video; it jitters no more."""

    number: int  # from 1, as the preview shows it
    frames: range
    boxes: Values  # [n, 4] x0, y0, x1, y1 in pixels, also where the face was lost; may reach outside the picture
    seen: Flags  # [n], where it was detected
    presence: Values  # [n] 0 to 1: how much it is repaired; 0 where it was lost for long

    def box(self, frame: int) -> Values | None:
        """Return its box [4] in a frame of the video; None where it is not repaired."""
        if frame not in self.frames or self.presence[frame - self.frames.start] == 0:
            return None
        return np.asarray(self.boxes[frame - self.frames.start])

    def during(self, frames: range, number: int) -> "Track":
        """Return a part of it, some of its frames, as a track with a number of its own."""
        part = slice(frames.start - self.frames.start, frames.stop - self.frames.start)
        return Track(number, frames, self.boxes[part], self.seen[part], self.presence[part])

    def sees(self, frame: int) -> bool:
        """Return whether it was detected in a frame of the video."""
        return frame in self.frames and bool(self.seen[frame - self.frames.start])

    @property
    def largest(self) -> int:
        """The frame in which it is largest among those in which it was seen."""
        areas = box_sizes(self.boxes).prod(axis=1)
        return self.frames.start + int(np.where(self.seen, areas, -1).argmax())

    @property
    def size(self) -> float:
        """Pixels of its longer side, where it is largest."""
        return float(box_sizes(self.boxes[self.largest - self.frames.start]).max())

    def parts(self) -> list[range]:
        """Divide the repaired frames of the video into runs that are denoised together.

        A run goes on over a few frames in which it is not, so that the face is the same after them.
        """
        runs: list[range] = []
        for i in (np.flatnonzero(self.presence) + self.frames.start).tolist():
            if runs and i - runs[-1].stop < TOGETHER:
                runs[-1] = range(runs[-1].start, i + 1)
            else:
                runs.append(range(i, i + 1))
        return runs


def boxes_of(tracks: Sequence[Track], frames: int) -> Values:
    """Return where the tracks are in each frame of a video: [frames, tracks, 4], NaN where one is not."""
    boxes = np.full((frames, len(tracks), 4), np.nan)
    for k, track in enumerate(tracks):
        there = track.presence > 0
        boxes[np.array(track.frames)[there], k] = track.boxes[there]
    return boxes


def smoothed_track(tracklet: Tracklet, shot: range, width: int, height: int, settings: FaceSettings) -> Track:
    """Make the track of a tracklet through the frames of one shot of width x height pixels.

    Still without a number, and its presence is 0 or 1; see `with_fades`.
    """
    frames = _span(tracklet, shot, width, height, settings.max_gap)
    seen = np.zeros(len(frames), bool)
    found = np.zeros((len(frames), 4))
    for one in tracklet.seen:
        seen[one.frame - frames.start], found[one.frame - frames.start] = True, one.box
    sizes = _sizes(box_sizes(found), seen, settings.smoothing)
    noise = _NOISE * float(np.median(sizes))
    centres = smooth_adaptively(box_centres(found), seen.astype(float), stiffness(settings.smoothing), noise, lag=noise)
    boxes = boxes_around(centres, sizes)
    there = _bridged(seen, settings.max_gap) & in_picture(boxes, seen, width, height)
    return Track(0, frames, boxes, seen, there.astype(float))


def in_picture(boxes: Values, seen: Flags, width: int, height: int) -> Flags:
    """Mark the frames in which a face with these boxes [n, 4] is inside width x height, and not gone out of it."""
    return np.asarray(visible_share(boxes, width, height) >= np.where(seen, _SEEN, SHOWN))


def with_fades(track: Track, others: Sequence[Track], shot: range, fade: int) -> Track:
    """Fade a settled track out where it is behind others of its shot, who would get its face.

    Its repair rises and falls over `fade` frames wherever it appears or vanishes within the shot.
    """
    there = (track.presence > 0) & ~_hidden(track, others)
    fade = min(fade, (len(there) - 1) // 3)  # else short tracks would never be repaired
    since = _since(there, track.frames.start == shot.start)
    until = _since(there[::-1], track.frames.stop == shot.stop)[::-1]
    return replace(track, presence=np.minimum(1.0, np.minimum(since, until) / (fade + 1)))


def _hidden(track: Track, others: Sequence[Track]) -> Flags:
    """Mark where a track is lost and another that is seen covers it."""
    hidden = np.zeros(len(track.frames), bool)
    for k in np.flatnonzero(~track.seen).tolist():
        i = track.frames.start + k
        near = [other.boxes[i - other.frames.start] for other in others if other is not track and other.sees(i)]
        hidden[k] = bool(near) and float(coverage(track.boxes[k], np.array(near)).max()) > HIDDEN
    return hidden


def _span(tracklet: Tracklet, shot: range, width: int, height: int, max_gap: int) -> range:
    """Return the tracklet's frames and, if near, those to the shot's ends: a face inside the picture was there too."""
    start, stop = tracklet.first, tracklet.last + 1
    if start - shot.start <= max_gap // 2 and _inside(tracklet.seen[0].box, width, height):
        start = shot.start
    if shot.stop - stop <= max_gap // 2 and _inside(tracklet.seen[-1].box, width, height):
        stop = shot.stop
    return range(start, stop)


def _inside(box: Values, width: int, height: int) -> bool:
    margin = 0.1 * float(box_sizes(box).min())
    return bool((box[:2] >= margin).all() and box[2] <= width - margin and box[3] <= height - margin)


def _sizes(found: Values, seen: Flags, smoothing: float) -> Values:
    """Return widths and heights [n, 2]: one size for all frames, or where that would not do a slowly changing one."""
    logs = np.zeros_like(found)
    logs[seen] = np.log(found[seen])
    slow = smooth_robustly(logs, seen.astype(float), stiffness(max(smoothing, 1.0), SLOWER), _NOISE)
    least, most = np.percentile(slow[seen].mean(axis=1), [5, 95])
    if most - least <= np.log(ONE_SIZE):
        slow = np.broadcast_to(np.percentile(slow[seen], _LARGE, axis=0), slow.shape)
    # Beyond the detections no trend is known.
    first, last = np.flatnonzero(seen)[[0, -1]]
    return np.exp(slow[np.clip(np.arange(len(slow)), first, last)])


def _bridged(seen: Flags, max_gap: int) -> Flags:
    """Mark where the face is there: where it was seen, in gaps of at most `max_gap` frames, and at the ends."""
    there = np.ones(len(seen), bool)
    known = np.flatnonzero(seen)
    for one, two in pairwise(known):
        if two - one - 1 > max_gap:
            there[one + 1 : two] = False
    return there


def _since(there: Flags, from_before: bool) -> Values:
    """Count the frames since the face appeared, 1 in the first; infinite if it was there from the shot's start."""
    count, counts = np.inf if from_before else 0.0, np.zeros(len(there))
    for i, present in enumerate(there):
        count = count + 1 if present else 0.0
        counts[i] = count
    return counts
