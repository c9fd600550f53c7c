"""Face VCD as a whole, on hosts whose painting is known."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.face.conftest import FRAMES, SETTINGS, SIDE
from tests.face.synthetic import Jittery, Scene
from tests.face.toy_host import STEPS, ToyHost
from vcd_ext.face import Detection, Track, find_people, restore
from vcd_ext.face.boxes import box_centres, box_sizes
from vcd_ext.face.patch_buffer import PatchBuffer
from vcd_ext.face.repair import Patch
from vcd_ext.hosts.protocols import Picture
from vcd_ext.settings import FaceSettings, SettingError

Made = Callable[[str], Scene]
Frames = NDArray[np.uint8]


def inverted(place: int, picture: Picture) -> Picture:
    return 1 - picture


def people_of(truth: Scene) -> list[Track]:
    return find_people(truth.frames, SETTINGS, Jittery(truth))


def far_from(tracks: list[Track], truth: Scene) -> NDArray[np.bool_]:
    """[F, H, W]: pixels that no crop of a face reaches."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    far = np.ones(truth.frames.shape[:3], bool)
    for track in tracks:
        for i, box in zip(track.frames, track.boxes, strict=True):
            half = SETTINGS.mask * box_sizes(box) / 2 + SETTINGS.feather * box_sizes(box).max()
            far[i] &= np.hypot((x - box_centres(box)[0]) / half[0], (y - box_centres(box)[1]) / half[1]) > 1.1
    return far


@pytest.mark.parametrize("name", ["walk", "crossing", "leaving", "nearing"])
def test_a_denoiser_that_changes_nothing_changes_nothing(name: str, made: Made) -> None:
    truth = made(name)
    kept = truth.frames.copy()
    restored = restore(ToyHost(), truth.frames, SETTINGS, people=people_of(truth))
    assert restored.dtype == np.uint8
    assert np.array_equal(truth.frames, kept), "the input is left alone"
    error = np.mean((restored.astype(float) - truth.frames)[~far_from(people_of(truth), truth)] ** 2)
    assert 10 * np.log10(255**2 / max(error, 1e-9)) >= 50


@pytest.mark.parametrize("name", ["walk", "crowd", "leaving"])
def test_pixels_away_from_faces_are_the_inputs_bit_for_bit(name: str, made: Made) -> None:
    truth = made(name)
    tracks = people_of(truth)
    noise = np.random.default_rng(0)
    host = ToyHost(lambda place, picture: noise.random(picture.shape).astype(np.float32))
    restored = restore(host, truth.frames, replace(SETTINGS, colour=0.0), people=tracks)
    far = far_from(tracks, truth)
    assert far.mean() > 0.5
    assert np.array_equal(restored[far], truth.frames[far])
    for track in tracks:
        for i in np.flatnonzero(track.presence == 1)[::5] + track.frames.start:
            x, y = box_centres(track.boxes[i - track.frames.start]).astype(int).clip(0, SIDE - 1)
            part = i, slice(y - 3, y + 3), slice(x - 3, x + 3)
            assert np.abs(restored[part].astype(int) - truth.frames[part]).max() > 20


def test_the_denoiser_gets_the_face_large_and_in_the_middle_with_a_mask(made: Made) -> None:
    truth, host = made("walk"), ToyHost()
    restore(host, truth.frames, SETTINGS, people=people_of(truth))
    crop, mask = host.seen[0]
    assert crop.shape == (128, 128, 3)
    assert crop.dtype == np.float32
    assert 0 <= crop.min() < crop.max() <= 1
    assert mask.shape == (128, 128)
    assert mask[64, 64] == 1
    assert mask[0, 0] == 0
    true = box_sizes(truth.people[0].boxes[0]).max() * 128 / (2.2 * people_of(truth)[0].size)
    assert true >= 128 * 200 / 512


def test_it_runs_as_the_settings_say_with_each_faces_own_prompt(made: Made) -> None:
    truth, host = made("crossing"), ToyHost()
    settings = replace(
        SETTINGS, prompt="a face", negative_prompt="blurry", people="1: rex", identity="mara", steps=7, sampler="ddim",
        motion_module="mm.ckpt", gamma=0.1, cfg_scale=5.0, context=8, context_overlap=2,
    )  # fmt: skip
    restore(host, truth.frames, settings, people=people_of(truth))
    assert {work.prompt for work in host.passes} == {"a face, rex", "a face, mara"}
    for work in host.passes:
        assert (work.negative_prompt, work.denoise, work.steps, work.seed) == ("blurry", 0.8, 7, 1)
        assert (work.context, work.context_overlap, work.gamma, work.cfg_scale) == (8, 2, 0.1, 5.0)
        assert (work.sampler, work.motion_module) == ("ddim", "mm.ckpt")
    assert host.closed == len(host.passes)


def test_faces_can_be_left_alone(made: Made) -> None:
    truth = made("cut")
    half = FRAMES // 2
    tracks = people_of(truth)
    restored = restore(ToyHost(inverted), truth.frames, replace(SETTINGS, people="1: -"), people=tracks)
    assert np.array_equal(restored[:half], truth.frames[:half])
    assert not np.array_equal(restored[half:], truth.frames[half:])
    untouched = restore(ToyHost(inverted), truth.frames, replace(SETTINGS, people="1: -; 2: -"), people=tracks)
    assert np.array_equal(untouched, truth.frames)


def test_the_larger_face_is_in_front_where_two_meet(made: Made) -> None:
    truth = made("crossing")
    tracks = people_of(truth)
    large = max(tracks, key=lambda track: track.size)
    moment = int(np.linalg.norm(box_centres(tracks[0].boxes) - box_centres(tracks[1].boxes), axis=1).argmin())
    flat = {"1": 0.9, "2": 0.1}
    host = ToyHost()
    host.paint = lambda place, picture: np.full_like(picture, flat[host.passes[-1].prompt])
    settings = replace(SETTINGS, people="1: 1; 2: 2", colour=0.0)
    x, y = box_centres(large.boxes[moment]).astype(int)
    seen = restore(host, truth.frames, settings, people=tracks)[moment, y, x]
    assert seen == pytest.approx(255 * flat[str(large.number)], abs=1)


def test_light_and_colours_are_those_around_the_face(made: Made) -> None:
    truth = made("walk")
    host = ToyHost(lambda place, picture: picture * np.array([0.8, 0.9, 0.75], np.float32) + 0.06)
    tracks = people_of(truth)
    off, matched = (
        restore(host, truth.frames, replace(SETTINGS, colour=colour), people=tracks).astype(int) - truth.frames
        for colour in (0.0, 1.0)
    )
    changed = off != 0
    assert np.abs(matched[changed]).mean() < 0.35 * np.abs(off[changed]).mean()


def test_short_tracks_are_continued_for_the_motion_module(made: Made) -> None:
    truth = made("walk")
    for frames, module, length in ((1, "mm", 8), (3, "mm", 8), (1, "none", 1), (12, "mm", 12)):
        clip = Scene(truth.frames[:frames], truth.people, truth.visible)
        host = ToyHost(inverted)
        settings = replace(SETTINGS, motion_module=module)
        restored = restore(host, clip.frames, settings, detector=Jittery(truth, lost=0.0))
        assert host.lengths == [length]
        assert set(host.passes[0].frame_numbers or ()) == set(range(frames)), "of the video, for its key frames"
        assert restored.shape == clip.frames.shape
        assert all((one != other).any() for one, other in zip(restored, clip.frames, strict=True))


def test_a_long_gap_is_not_repaired_and_divides_the_video_that_is_denoised(made: Made) -> None:
    truth = made("walk")
    detector = Jittery(truth, lost=0.0)
    detector.found[0, 6:14] = False
    host = ToyHost(inverted)
    restored = restore(host, truth.frames, replace(SETTINGS, max_gap=3, fade=0), detector=detector)
    assert host.lengths == [6, FRAMES - 14]
    assert [list(work.frame_numbers or ()) for work in host.passes] == [[*range(6)], [*range(14, FRAMES)]]
    assert np.array_equal(restored[6:14], truth.frames[6:14])
    assert all((one != other).any() for one, other in zip(restored[14:], truth.frames[14:], strict=True))


def test_where_a_face_appears_its_repair_fades_in(made: Made) -> None:
    truth = made("walk")
    detector = Jittery(truth, lost=0.0)
    detector.found[0, :8] = False
    settings = replace(SETTINGS, colour=0.0)
    changes = np.abs(restore(ToyHost(inverted), truth.frames, settings, detector=detector).astype(int) - truth.frames)
    shares = changes.sum(axis=(1, 2, 3)) / changes[15].sum()
    assert shares[:8].max() == 0
    assert shares[8:11].tolist() == pytest.approx([0.25, 0.5, 0.75], abs=0.1)


def notes_of(frames: Frames, settings: FaceSettings = SETTINGS, **options: object) -> tuple[Frames, list[str]]:
    notes: list[str] = []
    return restore(ToyHost(inverted), frames, settings, note=notes.append, **options), notes  # type: ignore[arg-type]


def test_without_a_face_the_input_comes_back_and_it_says_so() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 40, 56, 3), np.uint8)
    restored, notes = notes_of(frames, detector=lambda frame: [])
    assert np.array_equal(restored, frames)
    assert notes == ["There is no face to repair in any frame; the video is as it was."]


def test_a_face_in_one_frame_of_many_is_told(made: Made) -> None:
    truth = made("walk")
    detector = Jittery(truth, lost=0.0)
    detector.found[0, 1:] = False
    restored, notes = notes_of(truth.frames, detector=detector)
    assert np.array_equal(restored, truth.frames)
    assert notes[0] == "1 face was seen in fewer than 4 frames (Shortest track) and left alone."


def test_large_faces_are_left_alone_with_a_note(made: Made) -> None:
    truth = made("walk")
    large = replace(SETTINGS, size=64)
    restored, notes = notes_of(truth.frames, large, people=people_of(truth))
    assert np.array_equal(restored, truth.frames)
    [note] = notes
    assert note.startswith("Face 1 is already large and was left alone: its crop would be enlarged 1.0")
    wanted, _ = notes_of(truth.frames, replace(large, least_zoom=1.0), people=people_of(truth))
    assert not np.array_equal(wanted, restored)


def test_a_face_that_grows_large_is_repaired_until_then(made: Made) -> None:
    truth = made("nearing")
    tracks = people_of(truth)
    restored, notes = notes_of(truth.frames, replace(SETTINGS, size=88, least_zoom=1.1), people=tracks)
    changed = (restored != truth.frames).any(axis=(1, 2, 3))
    assert notes == []
    assert changed[:4].all()
    assert not changed[-1]


def test_a_drawn_seed_is_told(made: Made) -> None:
    truth, host, notes = made("walk"), ToyHost(), []
    restore(host, truth.frames, replace(SETTINGS, seed=-1), people=people_of(truth), note=notes.append)
    assert notes == [f"The seed is {host.passes[0].seed}."]


@pytest.mark.parametrize(("height", "width"), [(97, 55), (33, 160), (20, 20)])
def test_portrait_odd_and_small_sizes(height: int, width: int) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (6, height, width, 3), np.uint8)
    box = (width / 2 - 5, height / 2 - 6, width / 2 + 5, height / 2 + 6)
    restored, notes = notes_of(frames, detector=lambda frame: [Detection(box, 0.9)])
    assert restored.shape == frames.shape
    assert not np.array_equal(restored, frames)
    assert notes == []


def test_progress_names_its_stages(made: Made) -> None:
    truth, told = made("crossing"), []
    restore(ToyHost(), truth.frames, SETTINGS, told.append, detector=Jittery(truth))
    stages = list(dict.fromkeys(progress.stage for progress in told))
    assert stages[0] == "Finding faces"
    assert sorted(stages[1:]) == ["Repairing face 1", "Repairing face 2"]
    for stage in stages[1:]:
        steps = [(progress.step, progress.total) for progress in told if progress.stage == stage]
        total = STEPS + len(truth.frames)
        assert steps == [(i, total) for i in range(total + 1)]


@pytest.mark.parametrize("frames", [1, 3, 8, 20])
def test_the_last_that_is_told_of_each_stage_is_its_end(frames: int, made: Made) -> None:
    truth, told = made("walk"), []
    settings = replace(SETTINGS, motion_module="mm_v2")  # for which short tracks are continued
    restore(ToyHost(), truth.frames[:frames], settings, told.append, detector=Jittery(truth, lost=0.0))
    last = {progress.stage: progress for progress in told}
    assert list(last) == ["Finding faces", "Repairing face 1"]
    for progress in last.values():
        assert (progress.step, progress.seconds_left) == (progress.total, 0)


def test_a_stage_that_is_stopped_is_not_told_to_be_at_its_end(made: Made) -> None:
    truth, told = made("walk"), []
    frames, settings = truth.frames[:3], replace(SETTINGS, motion_module="mm_v2")
    people = find_people(frames, settings, Jittery(truth, lost=0.0))
    restore(ToyHost(), frames, settings, told.append, people=people, interrupted=Stop(STEPS + 1))
    assert told[-1].step < told[-1].total


class Stop:
    """Says stop from the n-th time on that it is asked."""

    def __init__(self, after: int):
        self.left = after

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_it_can_be_stopped_at_every_moment_and_what_is_finished_stays(made: Made) -> None:
    truth = made("crossing")
    frames = truth.frames[:5]
    tracks = find_people(frames, SETTINGS, Jittery(truth, lost=0.0))
    whole = restore(ToyHost(inverted), frames, SETTINGS, people=tracks)
    small, large = sorted(tracks, key=lambda track: track.size)
    leave = f"{large.number}: -"
    first = restore(ToyHost(inverted), frames, replace(SETTINGS, people=leave), people=tracks)
    seen = set()
    asked = 2 * (STEPS + len(frames))  # at each step, and at each frame that comes back
    for after in range(asked + 1):
        notes: list[str] = []
        host = ToyHost(inverted)
        stopped = restore(host, frames, SETTINGS, people=tracks, interrupted=Stop(after), note=notes.append)
        states = {"none": frames, "first": first, "all": whole}
        [state] = [name for name, state in states.items() if np.array_equal(stopped, state)]
        seen.add(state)
        assert (state == "all") == (after == asked)
        assert host.closed == len(host.passes), "the host has its model back"
        expected = {
            "none": ["Stopped: no face is finished; everything else is as it was."],
            "first": [f"Stopped: face {small.number} is finished; everything else is as it was."],
            "all": [],
        }
        assert notes == expected[state]
    assert seen == {"none", "first", "all"}


def test_stopped_while_faces_are_looked_for_the_input_comes_back(made: Made) -> None:
    truth = made("walk")
    restored, notes = notes_of(truth.frames, detector=Jittery(truth), interrupted=Stop(5))
    assert np.array_equal(restored, truth.frames)
    assert notes == ["Stopped before all faces were found; the video is as it was."]


def test_a_face_that_fails_does_not_take_the_finished_ones_with_it(made: Made) -> None:
    truth, tracks = made("crossing"), people_of(made("crossing"))
    small, large = sorted(tracks, key=lambda track: track.size)

    def failing(number: int) -> ToyHost:
        host = ToyHost(inverted)
        paint = host.paint

        def painted(place: int, picture: Picture) -> Picture:
            if host.passes[-1].prompt == f"nr{number}":
                raise RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED")
            return paint(place, picture)

        host.paint = painted
        return host

    settings = replace(SETTINGS, people="1: nr1; 2: nr2")
    with pytest.raises(ValueError, match="The memory is too small for 4 faces of 128 pixels at a time; choose"):
        restore(failing(small.number), truth.frames, settings, people=tracks)
    notes: list[str] = []
    restored = restore(failing(large.number), truth.frames, settings, people=tracks, note=notes.append)
    leave = replace(SETTINGS, people=f"{large.number}: -")
    assert np.array_equal(restored, restore(ToyHost(inverted), truth.frames, leave, people=tracks))
    number = large.number
    assert notes == [
        f"Face {number}: the memory was too small; it goes on with windows of 8 frames.",
        f"Face {number}: the memory was too small; it goes on with windows of 4 frames.",
        f"Face {number} was left as it was: The memory is too small for 4 faces of 128 pixels at a time; choose a "
        "smaller size, or close other programs.",
    ]


def test_too_little_memory_for_a_face_leads_to_shorter_windows(made: Made) -> None:
    truth, tracks = made("walk"), people_of(made("walk"))
    host, notes = ToyHost(inverted), list[str]()
    paint = host.paint

    def painted(place: int, picture: Picture) -> Picture:
        if host.passes[-1].context > 8:
            raise cv2.error("OpenCV(4.11.0) error: (-4:Insufficient memory) Failed to allocate 6220800 bytes")
        return paint(place, picture)

    host.paint = painted
    restored = restore(host, truth.frames, SETTINGS, people=tracks, note=notes.append)
    assert notes == ["Face 1: the memory was too small; it goes on with windows of 8 frames."]
    assert [(work.context, work.context_overlap) for work in host.passes] == [(16, 4), (8, 2)]
    assert np.array_equal(restored, restore(ToyHost(inverted), truth.frames, SETTINGS, people=tracks))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("CUDA error: unspecified launch failure\nCompile with TORCH_USE_CUDA_DSA"), "CUDA error: unspec"),
        (AttributeError("'NoneType' object has no attribute 'shape'"), "'NoneType' object has"),
        (AssertionError(), "AssertionError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_whatever_stops_a_face_the_finished_ones_stay_and_one_sentence_says_why(
    error: Exception, reason: str, made: Made
) -> None:
    truth, tracks, notes = made("crossing"), people_of(made("crossing")), list[str]()
    host = ToyHost()

    def painted(place: int, picture: Picture) -> Picture:
        if len(host.passes) == 2:
            raise error
        return 1 - picture

    host.paint = painted
    restored = restore(host, truth.frames, SETTINGS, people=tracks, note=notes.append)
    assert not np.array_equal(restored, truth.frames)
    [note] = notes
    assert re.match(rf"Face [12] was left as it was: {reason}", note)
    assert "\n" not in note
    host.passes[:] = host.passes[:1]
    with pytest.raises(type(error)):
        restore(host, truth.frames, SETTINGS, people=tracks)


def test_a_full_disk_costs_the_face_that_needs_it_alone(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    truth, tracks = made("crossing"), people_of(made("crossing"))
    small, large = sorted(tracks, key=lambda track: track.size)
    extend, faces = PatchBuffer.extend, list[int]()

    def full(self: PatchBuffer, patches: Iterator[Patch]) -> None:
        faces.append(1)
        if len(faces) == 2:
            monkeypatch.setattr(self._file, "write", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
        extend(self, patches)

    monkeypatch.setattr(PatchBuffer, "extend", full)
    notes: list[str] = []
    restored = restore(ToyHost(inverted), truth.frames, SETTINGS, people=tracks, note=notes.append)
    monkeypatch.undo()
    leave = replace(SETTINGS, people=f"{large.number}: -")
    assert np.array_equal(restored, restore(ToyHost(inverted), truth.frames, leave, people=tracks))
    [note] = notes
    assert note.startswith(f"Face {large.number} was left as it was: The repaired face needs more room in ")


def test_what_is_no_picture_is_refused(made: Made) -> None:
    truth = made("walk")
    host = ToyHost(lambda place, picture: picture * np.nan)
    with pytest.raises(ValueError, match="made NaN instead of a picture"):
        restore(host, truth.frames, SETTINGS, people=people_of(truth))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 100}, "size is 100; it must be a multiple of 8, use 96"),
        ({"size": 32}, "size is 32; it must be from 64"),
        ({"context": 4, "context_overlap": 4}, "context_overlap is 4, which is no less than the windows"),
        ({"people": "3: rex"}, "names face 3, but there is only face 1"),
        ({"people": "rex"}, "no face gets its words"),
        ({"denoise": 0.0}, "denoise is 0.0"),
    ],
)
def test_settings_that_cannot_work_are_refused(change: dict[str, object], message: str, made: Made) -> None:
    truth, host = made("walk"), ToyHost()
    with pytest.raises(SettingError, match=message):
        restore(host, truth.frames, replace(SETTINGS, **change), people=people_of(truth))  # type: ignore[arg-type]
    assert host.passes == []


def test_frames_that_are_none_are_refused(made: Made) -> None:
    for frames in (np.zeros((2, 8, 8, 4), np.uint8), np.zeros((2, 8, 8, 3)), np.zeros((0, 8, 8, 3), np.uint8)):
        with pytest.raises(ValueError, match="The frames"):
            restore(ToyHost(), frames, SETTINGS)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"was found in {FRAMES} frames, and this video has 2"):
        restore(ToyHost(), made("walk").frames[:2], SETTINGS, people=people_of(made("walk")))


def test_crops_are_made_one_at_a_time(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long videos would not fit into memory otherwise."""
    from vcd_ext.face import repair

    truth, alive, most = made("walk"), [], []
    enlarge = repair.enlarge

    def counted(*arguments: object) -> Picture:
        alive.append(1)
        return enlarge(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(repair, "enlarge", counted)
    host = ToyHost(lambda place, picture: most.append(len(alive)) or picture)
    restore(host, truth.frames, SETTINGS, people=people_of(truth))
    # One was looked at before the first step.
    assert most == [i + 2 for i in range(FRAMES)]
