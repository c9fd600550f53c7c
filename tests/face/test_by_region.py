"""Who is who by region: each face is the person in whose region it is."""

import numpy as np
import pytest

from vcd_ext.face import Track
from vcd_ext.face.by_region import divided, people_of_tracks
from vcd_ext.face.prompts import face_prompts, people_by_region
from vcd_ext.face.restore import checked_face_settings
from vcd_ext.settings import FaceSettings, SettingError

PEOPLE = "rex dog, red collar @ left\nmara @ right"


def track(number: int, x: float, frames: range = range(4), towards: float | None = None) -> Track:
    """Return a face of 20 pixels whose middle goes from x to another place in a picture of 200x100."""
    middles = np.linspace(x, x if towards is None else towards, len(frames))
    boxes = np.stack([middles - 10, middles * 0 + 40, middles + 10, middles * 0 + 60], axis=1)
    return Track(number, frames, boxes, np.ones(len(frames), bool), np.ones(len(frames)))


def prompts(tracks: list[Track], people: str = PEOPLE, **settings: str) -> tuple[dict[int, str | None], list[str]]:
    notes = list[str]()
    given = FaceSettings(people=people, **{"prompt": "close up photo of"} | settings)
    return face_prompts(tracks, given, (4, 100, 200), notes.append), notes


def test_a_region_that_moves_takes_its_face_along() -> None:
    people = "rex dog @ left -> right\nmara @ right -> left"
    assert prompts([track(1, 40, towards=160), track(2, 160, towards=40)], people) == (
        {1: "close up photo of rex dog", 2: "close up photo of mara"}, []
    )  # fmt: skip


def test_a_face_that_seems_to_stay_while_two_change_places_is_two_faces() -> None:
    """From frame 4 of 8 on the right region is on the left, and what follows faces has one track there."""
    people, notes = people_by_region("rex @ left -> right\nmara @ right -> left"), list[str]()
    found = divided([track(1, 50, range(8)), track(2, 150, range(6, 8))], people, (8, 100, 200), notes.append)
    assert [(each.number, each.frames) for each in found] == [(1, range(4)), (3, range(4, 8)), (2, range(6, 8))]
    assert all(len(each.boxes) == len(each.seen) == len(each.presence) == len(each.frames) for each in found)
    assert notes == ["Face 1 is in the region of mara from frame 4 on: face 3."]
    who = people_of_tracks(found, people, (8, 100, 200), notes.append)
    assert {number: person.name for number, person in who.items()} == {1: "rex", 3: "mara", 2: "rex"}


@pytest.mark.parametrize("people", ["rex @ left\nmara @ right", "rex @ followed left\nmara @ followed right"])
def test_a_face_that_walks_through_regions_that_stay_is_one(people: str) -> None:
    walking = track(1, 40, range(8), towards=160)
    assert divided([walking], people_by_region(people), (8, 100, 200), _never) == [walking]


def test_a_moment_in_anothers_region_divides_nothing() -> None:
    people = people_by_region("rex @ left -> right\nmara @ right -> left")
    (found,) = divided([track(1, 50, range(6))], people, (8, 100, 200), _never)
    assert found.frames == range(6)


def _never(sentence: str) -> None:
    raise AssertionError(sentence)


def test_each_face_has_the_words_of_its_region() -> None:
    assert prompts([track(1, 150), track(2, 40)]) == (
        {1: "close up photo of mara", 2: "close up photo of rex dog, red collar"}, []
    )  # fmt: skip
    assert prompts([track(1, 150)], prompt="a face")[0] == {1: "a face, mara"}


def test_somebody_who_comes_back_is_the_same_person() -> None:
    found, notes = prompts([track(1, 40, range(4)), track(2, 60, range(8, 12))])
    assert found[1] == found[2] == "close up photo of rex dog, red collar"
    assert notes == []


def test_two_faces_in_one_region_are_not_one_person() -> None:
    found, notes = prompts([track(1, 20), track(2, 50), track(3, 150)])
    assert found == {1: None, 2: "close up photo of rex dog, red collar", 3: "close up photo of mara"}
    assert notes == ["Face 1 is in the region of rex, who is another face there; it is nobody of People."]


def test_a_face_outside_is_left_alone_or_the_identity() -> None:
    left = "rex @ 0 0 0.3 1"
    assert prompts([track(1, 150)], left) == ({1: None}, ["Face 1 is in nobody's region; it is nobody of People."])
    assert prompts([track(1, 150)], left, identity="ann")[0] == {1: "close up photo of, ann"}


def test_who_is_followed_is_known_by_the_beginning() -> None:
    crossing = [track(1, 40, range(8), towards=160), track(2, 160, range(8), towards=40)]
    found, _ = prompts(crossing, "rex @ followed left\nmara @ followed right")
    assert found == {1: "close up photo of rex", 2: "close up photo of mara"}


def test_lines_that_cannot_be_are_refused() -> None:
    with pytest.raises(SettingError, match="People has rex twice"):
        checked_face_settings(FaceSettings(people="rex @ left; rex @ right"))
