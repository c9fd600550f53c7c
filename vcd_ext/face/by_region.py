"""Who is who by region: each track is the person in whose region it is."""

from collections.abc import Sequence

import numpy as np

from vcd_ext.face.boxes import box_centres
from vcd_ext.face.track.track import Track
from vcd_ext.people import PlacedPerson
from vcd_ext.people.regions import along
from vcd_ext.progress import Note

LEAST = 0.5  # of the frames of a track that lie in a region, for it to be who is there


def people_of_tracks(
    tracks: Sequence[Track], people: Sequence[PlacedPerson], size: tuple[int, int, int], note: Note
) -> dict[int, PlacedPerson]:
    """Return who each track is, by its number; tracks without anybody are left out.

    size: frames of the video, and their height and width in pixels, of which regions are shares. A person is in one
    place at a time: of two tracks in a region that share frames, the one that is nearer to its middle is the person.
    note: told in a sentence of the others.
    """
    likely = [(_inside(track, person, size), track, person) for track in tracks for person in people]
    found: dict[int, PlacedPerson] = {}
    crowded: dict[int, PlacedPerson] = {}
    for (share, _), track, person in sorted(likely, key=lambda each: each[0], reverse=True):
        if share < LEAST or track.number in found:
            continue
        others = [other for other in tracks if found.get(other.number) is person]
        if any(set(track.frames) & set(other.frames) for other in others):
            crowded[track.number] = person
        else:
            found[track.number] = person
    for track in tracks:
        if track.number in found:
            continue
        person_there = crowded.get(track.number)
        reason = (
            f"is in the region of {_called(person_there)}, who is another face there"
            if person_there is not None
            else "is in nobody's region"
        )
        note(f"Face {track.number} {reason}; it is nobody of People.")
    return found


def _inside(track: Track, person: PlacedPerson, size: tuple[int, int, int]) -> tuple[float, float]:
    """Return the share of a track's frames whose middle lies in the region, and how near to its middle they are.

    Of a region that is followed only the frames with which the track begins count, as the person leaves it.
    """
    frames, height, width = size
    middles = box_centres(track.boxes) / [width, height]
    if person.followed:
        middles = middles[: max(1, len(middles) // 4)]
    left, top, right, bottom = np.array([along(person.path, frame, frames) for frame in track.frames[: len(middles)]]).T
    x, y = middles.T
    inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
    away = (np.abs(x - (left + right) / 2) + np.abs(y - (top + bottom) / 2)).mean()
    return float(inside.mean()), -float(away)


def _called(person: PlacedPerson) -> str:
    return person.name or f"'{person.words}'"
