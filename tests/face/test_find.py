"""Who is where: tracks of faces on known paths, found by a detector that errs, loses and mixes up."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.face.conftest import FRAMES, SETTINGS, SIDE
from tests.face.synthetic import Jittery, Person, Scene, line, moving, scene
from tests.face.toy_host import ToyHost
from vcd_ext.face import Detection, Track, boxes_of, find_people, restore
from vcd_ext.face.boxes import box_centres, box_sizes, iou, visible_share
from vcd_ext.hosts.protocols import Interrupted
from vcd_ext.settings import FaceSettings

Made = Callable[[str], Scene]


def found(truth: Scene, settings: FaceSettings = SETTINGS, **detector: float) -> list[Track]:
    return find_people(truth.frames, settings, Jittery(truth, **detector))  # type: ignore[arg-type]


def overlaps(truth: Scene, tracks: list[Track]) -> list[list[float]]:
    """IoU of each track with its person, in frames where that is to be seen; one track a person, or it fails."""
    found = boxes_of(tracks, len(truth.frames))
    shares = []
    for person, visible in zip(truth.people, truth.visible, strict=True):
        alike = np.stack([iou(person.boxes[i : i + 1], found[i])[0] for i in np.flatnonzero(visible)])
        mine = {int(k) for k in np.nanargmax(np.nan_to_num(alike), axis=1)[np.nanmax(alike, axis=1) > 0.5]}
        assert len(mine) == 1, "one person is one track"
        shares.append(alike[:, mine.pop()].tolist())
    return shares


@pytest.mark.parametrize("name", ["walk", "stop", "nearing", "crossing", "crowd", "cut", "leaving"])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_person_is_one_track_although_a_fifth_of_the_faces_are_lost(name: str, seed: int, made: Made) -> None:
    truth = made(name)
    tracks = found(truth, seed=seed)
    assert len(tracks) == len(truth.people)
    assert all(np.nanmean(shares) >= 0.8 for shares in overlaps(truth, tracks))


def test_of_two_who_look_alike_neither_takes_the_others_place() -> None:
    one = moving(line((40, 80), (150, 84), FRAMES), 24)
    two = moving(line((150, 92), (40, 88), FRAMES), 24)
    twins = scene([Person(one, 3), Person(two, 3)], 160, SIDE)
    for seed in range(4):
        first, second = found(twins, seed=seed)
        assert box_centres(first.boxes)[-1, 0] > 120 > 60 > box_centres(second.boxes)[-1, 0]


def test_a_track_is_calmer_than_its_detections_and_does_not_lag(made: Made) -> None:
    truth = made("walk")
    detector = Jittery(truth, lost=0.0, error=0.04)
    [track] = find_people(truth.frames, SETTINGS, detector)
    true = box_centres(truth.people[0].boxes)
    raw, calm = box_centres(detector.boxes[0]) - true, box_centres(track.boxes) - true
    assert np.abs(np.diff(calm, 2, axis=0)).mean() < 0.5 * np.abs(np.diff(raw, 2, axis=0)).mean()
    assert np.sqrt((calm**2).sum(axis=1).mean()) < 2


def test_the_crop_keeps_one_size_unless_the_face_grows(made: Made) -> None:
    [still], [nearing] = found(made("walk")), found(made("nearing"))
    assert np.ptp(box_sizes(still.boxes), axis=0).max() == pytest.approx(0, abs=1e-9)
    growth = box_sizes(nearing.boxes)[:, 0]
    np.testing.assert_allclose(growth, box_sizes(made("nearing").people[0].boxes)[:, 0], rtol=0.12)
    assert (np.diff(growth) > 0).all()


def test_they_are_numbered_from_left_to_right_as_they_appear(made: Made) -> None:
    for name in ("crossing", "crowd"):
        tracks = found(made(name), seed=3)
        assert [track.number for track in tracks] == list(range(1, len(tracks) + 1))
        starts = [float(box_centres(track.boxes)[8 - track.frames.start, 0]) for track in tracks]
        assert starts == sorted(starts)
    first, second = found(made("cut"))
    assert first.frames.stop <= second.frames.start


def test_no_track_goes_over_a_cut(made: Made) -> None:
    truth = made("cut")
    assert [track.frames for track in found(truth, lost=0.0)] == [range(FRAMES // 2), range(FRAMES // 2, FRAMES)]


class Told:
    """A detector that says what it is told, frame by frame."""

    def __init__(self, boxes: list[list[Detection]]):
        self.boxes = iter(boxes)

    def __call__(self, frame: object) -> list[Detection]:
        return next(self.boxes)


def here(x: float, score: float = 0.9, size: float = 20) -> Detection:
    return Detection((x, 50, x + size, 50 + size), score)


def told(
    boxes: list[list[Detection]], settings: FaceSettings = SETTINGS, notes: list[str] | None = None
) -> list[Track]:
    frames = np.full((len(boxes), 120, 160, 3), 90, np.uint8)
    return find_people(frames, settings, Told(boxes), note=notes.append if notes is not None else None)


def test_a_short_gap_is_bridged_and_a_long_one_is_not_repaired() -> None:
    seen = [[here(60 + i)] if i < 8 or i >= 12 else [] for i in range(20)]
    [short] = told(seen, replace(SETTINGS, max_gap=4))
    assert (short.presence == 1).all()
    np.testing.assert_allclose(box_centres(short.boxes)[:, 0], 70 + np.arange(20), atol=0.1)
    [long] = told(seen, replace(SETTINGS, max_gap=3, fade=0))
    assert np.flatnonzero(long.presence == 0).tolist() == [8, 9, 10, 11]
    assert long.box(9) is None


@pytest.mark.parametrize(("speed", "gap"), [(4, 5), (7, 6), (9, 8)])
def test_a_face_that_leaves_the_picture_and_comes_back_is_not_there_meanwhile(speed: int, gap: int) -> None:
    """Straight out over the edge and back: there is nothing of it to be painted, and no crop is made of the edge."""
    out = 160 - 12 + np.minimum(np.arange(30) - 12, 12 + gap - np.arange(30)) * speed
    seen = [[here(x)] if i <= 12 or i >= 12 + gap else [] for i, x in enumerate(out.tolist())]
    [track] = told(seen, replace(SETTINGS, fade=0))
    shown = visible_share(track.boxes, 160, 120)
    assert shown.min() < 0.6, "it was out"
    assert (track.presence[shown < 0.6] == 0)[~track.seen[shown < 0.6]].all()
    assert track.presence[:10].min() == track.presence[16 + gap :].min() == 1
    host, frames = ToyHost(lambda place, picture: 1 - picture), np.full((30, 120, 160, 3), 90, np.uint8)
    frames[:, ::2] = 170
    restored = restore(host, frames, replace(SETTINGS, size=64), people=[track])
    assert host.lengths == [len(track.frames) - int((track.presence == 0).sum())], "in one, without what it was not in"
    changed = (restored != frames).any(axis=(1, 2, 3))
    assert np.array_equal(changed, track.presence > 0)


def test_a_face_that_was_lost_for_long_is_the_same_afterwards() -> None:
    [track] = told([[here(30 + 0.5 * i)] if i < 8 or i >= 28 else [] for i in range(36)])
    assert track.frames == range(36)
    assert track.presence[12:24].max() == 0


def test_a_video_is_denoised_in_one_over_a_few_frames_without_the_face_and_in_two_over_many() -> None:
    settings = replace(SETTINGS, max_gap=2, fade=0)
    [few] = told([[here(60)] if i < 8 or i >= 15 else [] for i in range(25)], settings)
    assert few.presence[8:15].max() == 0
    assert few.parts() == [range(25)]
    [many] = told([[here(60)] if i < 8 or i >= 17 else [] for i in range(25)], settings)
    assert many.parts() == [range(8), range(17, 25)]


def test_a_face_behind_another_is_not_repaired_there() -> None:
    """The other would get its face."""

    def seen(behind: bool) -> list[list[Detection]]:
        front = [here(57, size=26) for i in range(20)]
        return [[here(20 + 4 * i), front[i]] if abs(i - 10) > 2 or not behind else [front[i]] for i in range(20)]

    def passing(tracks: list[Track]) -> Track:
        return max(tracks, key=lambda track: np.ptp(track.boxes[:, 0]))

    behind, before = passing(told(seen(True))), passing(told(seen(False)))
    assert behind.presence[8:13].max() == 0
    assert behind.presence[[0, 4, 16, 19]].tolist() == [1, 1, 1, 1]
    assert before.presence.min() == 1


def test_the_repair_fades_where_a_face_appears_but_not_at_a_shots_ends() -> None:
    seen = [[here(60)] if i >= 10 else [] for i in range(30)]
    [track] = told(seen)
    assert track.frames == range(10, 30)
    assert track.presence[:4].tolist() == [0.25, 0.5, 0.75, 1]
    assert (np.diff(track.presence) <= 1 / SETTINGS.fade).all()
    assert track.presence[-1] == 1


def test_a_face_that_is_lost_at_the_very_beginning_is_repaired_there_too() -> None:
    [visible_share] = told([[] if i < 3 else [here(60)] for i in range(20)])
    assert visible_share.frames == range(20)
    # At the picture's edge it may just have come in.
    [coming] = told([[] if i < 3 else [here(0.5)] for i in range(20)])
    assert coming.frames == range(3, 20)


def test_an_unsure_face_goes_on_with_a_path_but_begins_none() -> None:
    assert told([[here(60, 0.4)]] * 10) == []
    [track] = told([[here(60, 0.9 if i < 4 else 0.4)] for i in range(10)])
    assert track.seen.all()
    [sure] = told([[here(60, 0.9 if i < 4 else 0.2)] for i in range(10)])
    assert sure.seen.sum() == 4


def test_what_is_left_out_is_told() -> None:
    notes: list[str] = []
    assert told([[here(60)] if i == 3 else [] for i in range(10)], notes=notes) == []
    assert notes == ["1 face was seen in fewer than 4 frames (Shortest track) and left alone."]
    notes.clear()
    assert told([[here(60), here(110, size=6), here(20, size=6)]] * 6, notes=notes)[0].size == pytest.approx(20)
    assert notes == ["2 faces were smaller than 8 pixels (Smallest face) and left alone."]
    notes.clear()
    crowd = [[here(10 + 30 * k, size=14 + k) for k in range(5)]] * 6
    assert [round(track.size) for track in told(crowd, replace(SETTINGS, max_faces=2), notes)] == [17, 18]
    assert notes == ["3 faces were beyond the 2 largest of a shot (Most faces) and left alone."]


def test_a_video_of_one_frame_has_faces_too() -> None:
    [track] = told([[here(60)]])
    assert (track.frames, track.presence.tolist(), track.number) == (range(1), [1], 1)


def test_boxes_that_are_none_are_ignored() -> None:
    places = ((np.nan, 0, 10, 10), (-90, 0, -50, 30), (50, 50, 50, 70), (-np.inf, 5, np.inf, 30))
    for place in places:
        assert told([[Detection(place, 0.9)]] * 6) == []


def test_it_can_be_stopped_and_tells_how_far_it_is(made: Made) -> None:
    truth, told = made("walk"), []
    with pytest.raises(Interrupted):
        find_people(truth.frames, SETTINGS, Jittery(truth), told.append, interrupted=lambda: len(told) > 5)
    assert [(progress.step, progress.total) for progress in told] == [(i, FRAMES) for i in range(6)]
    assert {progress.stage for progress in told} == {"Finding faces"}
