"""Who is who by region: each track is the person in whose region it is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vcd_ext.face.boxes import box_centres
from vcd_ext.face.track.track import Track
from vcd_ext.people import PlacedPerson
from vcd_ext.people.regions import along
from vcd_ext.progress import Note

LEAST = 0.5  # of the frames of a track that lie in a region, for it to be who is there
SHORT = 3  # frames: less in another's region is no change of person


def divided(
    tracks: Sequence[Track], people: Sequence[PlacedPerson], size: tuple[int, int, int], note: Note
) -> list[Track]:
    """Return the tracks, cut where they go over from one person's region to another's while regions move.

    Where two people change places from one frame to the next, what follows faces sees one that stays. A part behind a
    cut has a new number, and this is told. size: as of `people_of_tracks`.
    """
    found = list[Track]()
    if not any(len(person.path) > 1 and not person.followed for person in people):
        return list(tracks)
    number = max((track.number for track in tracks), default=0)
    for track in tracks:
        owners = _owners(track, people, size)
        starts = [0, *(np.flatnonzero(np.diff(owners)) + 1)]
        for k, (start, stop) in enumerate(zip(starts, [*starts[1:], len(owners)], strict=True)):
            number += k > 0
            frames = range(track.frames.start + int(start), track.frames.start + int(stop))
            found.append(track.during(frames, number if k else track.number))
            if k:
                called = _called(people[int(owners[start])])
                note(f"Face {track.number} is in the region of {called} from frame {frames.start} on: face {number}.")
    return found


def _owners(track: Track, people: Sequence[PlacedPerson], size: tuple[int, int, int]) -> NDArray[np.int64]:
    """Return in whose region a track is in each of its frames, by the person's place in the list; -1 for nobody.

    Outside of all regions, and for moments in another's, it stays who it was.
    """
    away = np.stack([_away(track, person, size) for person in people])
    somewhere = np.isfinite(away).any(axis=0)
    owners = np.where(somewhere, away.argmin(axis=0), -1)
    owners[: int(somewhere.argmax())] = owners[somewhere.argmax()]
    for i in range(1, len(owners)):
        coming = owners[i : i + SHORT]
        if len(coming) < SHORT or (coming != owners[i]).any() or owners[i] == -1:
            owners[i] = owners[i - 1]
    return owners


def _away(track: Track, person: PlacedPerson, size: tuple[int, int, int]) -> NDArray[np.float64]:
    """Return how far a track's middle is from that of a region, as shares of the picture; infinite outside of it."""
    frames, height, width = size
    x, y = (box_centres(track.boxes) / [width, height]).T
    left, top, right, bottom = np.array([along(person.path, frame, frames) for frame in track.frames]).T
    inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
    return np.where(inside, np.abs(x - (left + right) / 2) + np.abs(y - (top + bottom) / 2), np.inf)


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
    away = _away(track, person, size)
    if person.followed:
        away = away[: max(1, len(away) // 4)]
    inside = np.isfinite(away)
    return float(inside.mean()), -float(away[inside].mean()) if inside.any() else -np.inf


def _called(person: PlacedPerson) -> str:
    return person.name or f"'{person.words}'"
