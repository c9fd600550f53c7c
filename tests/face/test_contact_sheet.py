"""The picture from which one says who is who."""

from collections.abc import Callable

import numpy as np

from tests.face.conftest import FRAMES, SETTINGS, SIDE
from tests.face.synthetic import Jittery, Scene
from vcd_ext.face import Track, find_people, sheet
from vcd_ext.face.contact_sheet import COLOURS, COLUMNS, GAP, HEIGHT

Made = Callable[[str], Scene]


def shown(picture: np.ndarray) -> set[int]:
    """Return the numbers whose colour is on the sheet."""
    return {k + 1 for k, colour in enumerate(COLOURS) if (picture == np.array(colour)).all(axis=2).sum() > 100}


def test_everybody_is_on_it_in_as_few_frames_as_possible(made: Made) -> None:
    for name, cells in (("walk", 1), ("crowd", 1), ("cut", 2)):
        truth = made(name)
        tracks = find_people(truth.frames, SETTINGS, Jittery(truth))
        picture = sheet(truth.frames, tracks)
        assert picture.dtype == np.uint8
        assert picture.shape == (HEIGHT, cells * (HEIGHT + GAP) - GAP, 3), name
        assert shown(picture) == {track.number for track in tracks}


def test_without_people_it_is_the_first_frame() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 50, 100, 3), np.uint8)
    assert sheet(frames, []).shape == (HEIGHT, 2 * HEIGHT, 3)


def test_many_people_who_are_never_together_fill_rows_and_the_edge_holds_numbers() -> None:
    box = np.array([[-4.0, -3, 30, 40]])
    tracks = [Track(k + 1, range(k, k + 1), box, np.ones(1, bool), np.ones(1)) for k in range(5)]
    picture = sheet(np.zeros((5, 96, 96, 3), np.uint8), tracks)
    assert picture.shape == (2 * HEIGHT + GAP, COLUMNS * (HEIGHT + GAP) - GAP, 3)
    assert shown(picture) == {1, 2, 3, 4, 5}


def test_faces_are_shown_where_they_do_not_meet() -> None:
    one, two = (np.array([[x, 20.0, x + 20, 50] for x in lefts]) for lefts in ((40, 40, 40), (45, 50, 80)))
    tracks = [Track(k + 1, range(3), boxes, np.ones(3, bool), np.ones(3)) for k, boxes in enumerate((one, two))]
    frames = np.stack([np.full((120, 120, 3), 60 * i, np.uint8) for i in range(3)])
    picture = sheet(frames, tracks)
    assert picture.shape[1] == HEIGHT
    assert picture[-1, -1, 0] == 120


def test_two_who_are_always_on_one_place_are_shown_all_the_same() -> None:
    box = np.array([[20.0, 20, 50, 60]] * 4)
    tracks = [Track(k + 1, range(4), box + 3 * k, np.ones(4, bool), np.ones(4)) for k in range(2)]
    assert shown(sheet(np.zeros((FRAMES, SIDE, SIDE, 3), np.uint8), tracks)) == {1, 2}
