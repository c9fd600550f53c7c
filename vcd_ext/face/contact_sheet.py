"""A picture of the people that were found, with their numbers: from it one says who is who."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vcd_ext.face.boxes import Values, box_sizes, iou
from vcd_ext.face.track.track import Track

HEIGHT = 288  # pixels of each frame on the sheet
COLUMNS = 3
GAP = 8
BACKGROUND = 32
NEARLY = 0.85  # of its largest size: a face this large is shown well
COLOURS = ((255, 196, 0), (64, 200, 255), (255, 96, 128), (120, 230, 90), (200, 140, 255), (255, 150, 60))

Frame = NDArray[np.uint8]


def sheet(frames: NDArray[np.uint8], tracks: Sequence[Track]) -> Frame:
    """Draw the frames of a video uint8 [F, H, W, 3] with the tracks at their largest, boxes, numbers: uint8 [h, w, 3].

    Without tracks, the first frame.
    """
    cells = [_cell(frames[i], [track for track in tracks if track.box(i) is not None], i) for i in _moments(tracks)]
    cells = cells or [_cell(frames[0], [], 0)]
    columns = min(COLUMNS, len(cells))
    rows = -(-len(cells) // columns)
    height, width = cells[0].shape[:2]
    canvas = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), BACKGROUND, np.uint8)
    for k, cell in enumerate(cells):
        top, left = k // columns * (height + GAP), k % columns * (width + GAP)
        canvas[top : top + height, left : left + width] = cell
    return canvas


def _moments(tracks: Sequence[Track]) -> list[int]:
    """Choose few frames, in order, that show every track well, or at least large."""
    moments: list[int] = []
    shown: set[int] = set()
    wells = {i: _well(tracks, i) for i in sorted({i for track in tracks for i in track.frames})}
    while wells and wells[best := max(wells, key=lambda i: len(wells[i] - shown))] - shown:
        moments.append(best)
        shown |= wells[best]
    return sorted({*moments, *(track.largest for track in tracks if track.number not in shown)})


def _well(tracks: Sequence[Track], frame: int) -> set[int]:
    """Return the numbers of the tracks that a frame shows, nearly as large as they get and apart from others."""
    there = [track for track in tracks if track.box(frame) is not None]
    boxes = np.array([track.box(frame) for track in there])
    meeting = iou(boxes, boxes) > 0 if there else np.zeros((0, 0))
    return {
        track.number
        for track, others in zip(there, meeting.sum(axis=1), strict=True)
        if others == 1
        and track.sees(frame)
        and box_sizes(track.boxes[frame - track.frames.start]).max() >= NEARLY * track.size
    }


def _cell(frame: Frame, tracks: Sequence[Track], moment: int) -> Frame:
    scale = HEIGHT / frame.shape[0]
    size = max(1, round(frame.shape[1] * scale)), HEIGHT
    picture = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    for track in tracks:
        box = track.box(moment)
        if box is not None:
            _label(picture, box * scale, track.number)
    return picture


def _label(picture: Frame, box: Values, number: int) -> None:
    """Draw a box [4] and its number on the picture."""
    colour = COLOURS[(number - 1) % len(COLOURS)]
    x0, y0, x1, y1 = (round(value) for value in box.tolist())
    cv2.rectangle(picture, (x0, y0), (x1, y1), colour, 2, cv2.LINE_AA)
    text, font = str(number), cv2.FONT_HERSHEY_SIMPLEX
    (width, height), _ = cv2.getTextSize(text, font, 0.7, 2)
    # Above the box where there is room, else in its corner.
    left = min(max(x0, 0), max(0, picture.shape[1] - width - 8))
    top = y0 - height - 8 if y0 >= height + 8 else max(y0, 0)
    cv2.rectangle(picture, (left, top), (left + width + 8, top + height + 8), colour, cv2.FILLED)
    cv2.putText(picture, text, (left + 4, top + height + 4), font, 0.7, (0, 0, 0), 2, cv2.LINE_AA)
