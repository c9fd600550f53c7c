"""Regions go with their people, as a first pass with class words shows them."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from vcd_ext.face import Detection
from vcd_ext.face.detect.detection import Frame
from vcd_ext.hosts.protocols import Picture, VideoPass
from vcd_ext.people import RegionalTexts
from vcd_ext.progress import Callbacks
from vcd_ext.settings import PeopleSettings
from vcd_ext.stages.following import followed_in, followed_in_first_pass, follows

FRAMES, SIDE = 12, 64
CROSSING = "rex man, red jacket @ followed left\nmara woman @ followed right"


class Crossing:
    """In a host's place: two bright squares that change sides, whatever is asked for; or as many as there are."""

    def __init__(self, faces: int = 2) -> None:
        self.faces = faces
        self.asked: list[VideoPass] = []

    def denoise(self, frames: Sequence[Picture], work: VideoPass) -> Iterator[Picture]:
        self.asked.append(work)
        for i in range(len(frames)):
            picture = np.zeros((SIDE, SIDE, 3), np.float32)
            x = 8 + round(40 * i / (FRAMES - 1))
            for place, level in [(x, 1.0), (56 - x, 0.5)][: self.faces]:
                picture[8 + 16 * (level < 1) :, place : place + 8][:8] = level
            yield picture


def squares(frame: Frame) -> list[Detection]:
    found = []
    for level in (255, 128):
        rows, columns = np.nonzero(frame[..., 0] == level)
        if len(rows):
            box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            found.append(Detection(tuple(map(float, box)), 0.9))  # type: ignore[arg-type]
    return found


def followed(lines: str, host: Crossing) -> tuple[RegionalTexts, list[str]]:
    notes = list[str]()
    work = VideoPass("two in the snow", steps=20, seed=3, regional=RegionalTexts.of(PeopleSettings(people=lines)))
    callbacks = Callbacks(lambda _: None, notes.append, lambda: False)
    made = followed_in_first_pass(host, (SIDE, SIDE), FRAMES, work, squares, callbacks)  # type: ignore[arg-type]
    return made, notes


def test_who_crosses_takes_the_region_along() -> None:
    host = Crossing()
    made, _ = followed(CROSSING, host)
    shares = made.regions.shares(16, 16)
    assert shares.shape == (FRAMES, 3, 16, 16)
    rex, mara = (shares[:, 1 + i].mean(dim=1) for i in (0, 1))  # along the width
    assert rex[0, 3] > 2 * rex[0, 12]
    assert rex[-1, 12] > 2 * rex[-1, 3]
    assert mara[0, 12] > 2 * mara[0, 3]
    assert mara[-1, 3] > 2 * mara[-1, 12]
    assert made.words == ["rex man, red jacket", "mara woman"]


def test_the_first_pass_has_class_words_few_steps_and_the_video_s_noise() -> None:
    host = Crossing()
    followed(CROSSING, host)
    [work] = host.asked
    assert work.regional is not None
    assert work.regional.words == ["man, red jacket", "woman"]
    assert (work.steps, work.denoise, work.seed, work.prompt) == (8, 1.0, 3, "two in the snow")


def test_who_is_not_found_stays_where_the_line_says_and_this_is_told() -> None:
    made, notes = followed(CROSSING, Crossing(faces=1))
    assert notes[-1] == "mara was not found in the first pass, so the region stays where it begins."
    mara = made.regions.shares(16, 16)[:, 2].mean(dim=1)
    assert (mara[:, 14] > 0.3).all()
    assert mara[:, 2] == pytest.approx(0, abs=0.01)


def test_in_a_video_that_is_there_no_first_pass_is_needed() -> None:
    frames = np.stack([np.rint(255 * one).astype(np.uint8) for one in Crossing().denoise([None] * FRAMES, None)])  # type: ignore[arg-type, list-item]
    regional, notes = RegionalTexts.of(PeopleSettings(people=CROSSING)), list[str]()
    assert regional is not None
    callbacks = Callbacks(lambda _: None, notes.append, lambda: False)
    made = followed_in(frames, regional, squares, callbacks, "the video")
    rex = made.regions.shares(16, 16)[:, 1].mean(dim=1)
    assert rex[0, 3] > 2 * rex[0, 12]
    assert rex[-1, 12] > 2 * rex[-1, 3]
    assert notes == []


@pytest.mark.parametrize(("lines", "asked"), [("rex @ left\nmara @ right", False), (CROSSING, True), ("", False)])
def test_it_is_known_whether_anybody_is_followed(lines: str, asked: bool) -> None:
    assert follows(RegionalTexts.of(PeopleSettings(people=lines))) is asked
