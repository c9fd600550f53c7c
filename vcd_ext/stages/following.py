"""Regions that go with their people, as a video shows them, or a first pass with class words where there is none yet.

The first pass is made by a few steps from the noise of the video itself, with the words of the people but not their
names, so that it has the same layout. Faces are found and followed; below each of them is a person.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext import face
from vcd_ext.face import Detector, Track
from vcd_ext.face.by_region import people_of_tracks
from vcd_ext.hosts.protocols import Picture, VideoHost, VideoPass
from vcd_ext.people import PlacedPerson, RegionalTexts, RegionBox, Regions
from vcd_ext.people.regions import along
from vcd_ext.progress import Callbacks
from vcd_ext.prompt.names import without_name
from vcd_ext.settings import FaceSettings

STEPS = 8  # of the first pass, at most
GRID = 64  # places of a side of the masks
WIDE, ABOVE = 3.0, 1.0  # of a person: as a multiple of the face's width, and of its height above the face
GREY = 0.5
GIVEN = "where the video begins from given pictures"


def follows(regional: RegionalTexts | None) -> bool:
    """Return whether anybody in a video is to be followed."""
    return regional is not None and any(person.followed for person in regional.people)


def followed_in_first_pass(
    host: VideoHost, size: tuple[int, int], frames: int, work: VideoPass, detector: Detector, callbacks: Callbacks
) -> RegionalTexts:
    """Return the people of a pass over nothing, with regions that follow those who are to be followed.

    size: height and width in pixels, of so many frames. work: how the video itself is denoised, with its people. Who is
    not found in the first pass keeps the box of the line, and this is told. Raises Interrupted; ValueError as
    `VideoHost.denoise`.
    """
    regional = work.regional
    assert regional is not None
    height, width = size
    people = [person._replace(words=_class_words(person)) for person in regional.people]
    callbacks.note("A first pass finds out where those are who are followed.")
    first = replace(
        work,
        denoise=1.0,
        steps=min(work.steps, STEPS),
        regional=regional._replace(people=people),
        masks=None,
        interrupted=callbacks.interrupted,
    )
    blank: Sequence[Picture] = [np.full((height, width, 3), GREY, np.float32)] * frames
    shown = np.stack([np.rint(255 * picture).astype(np.uint8) for picture in host.denoise(blank, first)])
    return followed_in(shown, regional, detector, callbacks, "the first pass")


def followed_in(
    frames: NDArray[np.uint8], regional: RegionalTexts, detector: Detector, callbacks: Callbacks, where: str
) -> RegionalTexts:
    """Return people with regions that follow them as a video uint8 [F, H, W, 3] shows them.

    where: what the video is called in what is told of those who are not in it, whose regions stay. Raises Interrupted.
    """
    height, width = frames.shape[1:3]
    small = FaceSettings(min_face=4, min_track=1)
    tracks = face.find_people(frames, small, detector, None, callbacks.interrupted)
    who = people_of_tracks(tracks, regional.people, (len(frames), height, width), lambda _: None)
    boxes, anybody = [], False
    for person in regional.people:
        own = [track for track in tracks if who.get(track.number) == person] if person.followed else []
        if person.followed and not own:
            callbacks.note(
                f"{person.name or person.words} was not found in {where}, so the region stays where it begins."
            )
        anybody = anybody or bool(own)
        boxes.append(
            _path(own, len(frames), height, width)
            if own
            else [along(person.path, i, len(frames)) for i in range(len(frames))]
        )
    if not anybody:
        return regional
    known = regional.regions
    regions = Regions(known.paths, _masks(boxes, known.border), border=known.border, base=known.base)
    return regional._replace(regions=regions)


def _class_words(person: PlacedPerson) -> str:
    """Return a person's words without the name: 'man, red jacket'."""
    return (without_name(person.words, person.name) if person.name else person.words) or "person"


def _path(tracks: Sequence[Track], frames: int, height: int, width: int) -> list[RegionBox]:
    """Return where a person is in each frame, by the faces; where there is none, as in the nearest frame with one."""
    seen = {frame: box for track in tracks for frame in track.frames if (box := track.box(frame)) is not None}
    made = []
    for frame in range(frames):
        left, top, right, bottom = seen[min(seen, key=lambda known: abs(known - frame))]
        middle, half = (left + right) / 2, WIDE * (right - left) / 2
        sides = ((middle - half) / width, (top - ABOVE * (bottom - top)) / height, (middle + half) / width, 1.0)
        made.append(RegionBox(*(min(max(float(side), 0.0), 1.0) for side in sides)))
    return made


def _masks(boxes: Sequence[Sequence[RegionBox]], border: float) -> Tensor:
    """Return soft masks [frames, people, GRID, GRID] of each person's boxes."""
    return torch.stack(
        [
            Regions([(box,) for box in together], border=border, base=0.0).weights(GRID, GRID)
            for together in zip(*boxes, strict=True)
        ]
    )
