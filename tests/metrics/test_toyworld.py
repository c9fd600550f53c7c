"""The judges of the drawn world say what is true of renders, sharp or soft, and refuse what they cannot judge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

import vcd_ext
from tools.toyworld import identity, motion, scenes
from tools.toyworld.measure_judges import box_overlap, mask_overlap
from tools.toyworld.scenes import paint
from tools.toyworld.softening import soften
from tools.toyworld.world import Render, render, sample
from vcd_ext.toyworld.judging import ACTIONS, KINDS, SCENES, SURE, Judges, load_judges, save_judges

FILE = Path(vcd_ext.__file__).parent / "toyworld" / "judges.safetensors"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="the judges of the drawn world are not trained yet")
Frames = NDArray[np.uint8]


@pytest.fixture(scope="module")
def judges() -> Judges:
    return load_judges(FILE)


@pytest.fixture(scope="module")
def drawn() -> list[Render]:
    """Return a clip of each kind, in two scenes and actions, near and plain."""
    choices = [
        (kind, SCENES[2 * k + j], ACTIONS[(k + 2 * j) % 4], ("plain", "close")[j])
        for k, kind in enumerate(KINDS)
        for j in range(2)
    ]
    names = ("kind", "scene", "action", "distance")
    return [
        render(sample(60 + n, "test", subjects=1, **dict(zip(names, some, strict=True))))
        for n, some in enumerate(choices)
    ]


def sharp(frames: Frames) -> Frames:
    return frames


def softened(frames: Frames) -> Frames:
    return soften(frames, np.random.default_rng(4))


LOOKS = pytest.mark.parametrize("look", [sharp, softened])
Look = Callable[[Frames], Frames]


def test_names_are_those_of_the_drawn_world() -> None:
    assert (KINDS, SCENES, ACTIONS) == (identity.KINDS, scenes.SCENES, motion.ACTIONS)


@LOOKS
def test_they_say_what_was_drawn(judges: Judges, drawn: list[Render], look: Look) -> None:
    kinds = [KINDS[judges.kinds(look(one.frames)).mean(axis=0).argmax()] == one.spec.who.kind for one in drawn]
    places = [SCENES[judges.scenes(look(one.frames)).mean(axis=0).argmax()] == one.spec.scene for one in drawn]
    deeds = [ACTIONS[judges.actions(look(one.frames)).argmax()] == one.spec.action for one in drawn]
    assert sum(kinds) == sum(places) == len(drawn)
    assert sum(deeds) >= len(drawn) - 1


def test_scores_are_probabilities(judges: Judges, drawn: list[Render]) -> None:
    clip = drawn[0].frames
    assert judges.kinds(clip).shape == (16, 4)
    assert judges.scenes(clip).shape == (16, 8)
    assert judges.actions(clip).shape == (4,)
    for scores in (judges.kinds(clip), judges.scenes(clip), judges.actions(clip)):
        assert scores.dtype == np.float32
        np.testing.assert_allclose(scores.sum(axis=-1), 1, rtol=1e-5)


@pytest.mark.parametrize("length", [8, 24, 48])
def test_an_action_is_told_from_clips_of_other_lengths(judges: Judges, length: int) -> None:
    told = []
    for seed in range(5, 11):
        spec = sample(seed, "test", kind="woman", action="waving", distance="plain", light="day", subjects=1)
        clip = render(spec, [k % 16 for k in range(length)]).frames
        told.append(ACTIONS[judges.actions(clip).argmax()])
    assert told.count("waving") >= (4 if length == 8 else 5)  # the first 8 frames may hold less than a wave


@LOOKS
def test_subject_and_face_are_where_they_were_drawn(judges: Judges, drawn: list[Render], look: Look) -> None:
    masks, faces = [], []
    for one in drawn:
        found = judges.detect(look(one.frames[3:4])[0])
        assert found.mask.shape == (128, 128)
        assert found.mask.dtype == np.uint8
        masks.append(mask_overlap(found.mask, one.masks[0, 3]))
        faces.append(box_overlap(found.face, one.face_boxes[0, 3]))
    assert np.mean(masks) > 0.85
    assert np.mean(faces) > 0.6


@pytest.mark.parametrize("side", [96, 256, 512])
def test_square_pictures_of_other_sizes_are_searched_too(judges: Judges, drawn: list[Render], side: int) -> None:
    one = drawn[0]
    found = judges.detect(cv2.resize(one.frames[3], (side, side), interpolation=cv2.INTER_CUBIC))
    assert found.mask.shape == (side, side)
    assert mask_overlap(cv2.resize(found.mask, (128, 128)), one.masks[0, 3]) > 0.7
    assert found.face is not None
    assert box_overlap(tuple(128 / side * x for x in found.face), one.face_boxes[0, 3]) > 0.4


def test_an_empty_scene_has_neither_subject_nor_face(judges: Judges) -> None:
    world = paint("meadow", "day", 8, 0, 128)
    found = judges.detect(cv2.resize(world, (128, 128), interpolation=cv2.INTER_AREA))
    assert found.face is None
    assert judges.faces(cv2.resize(world, (128, 128), interpolation=cv2.INTER_AREA)) == []
    assert found.score < SURE
    assert (found.mask >= 128).mean() < 0.01


@LOOKS
@pytest.mark.parametrize("subjects", [1, 2])
def test_as_many_faces_are_found_as_are_drawn(judges: Judges, look: Look, subjects: int) -> None:
    right = 0
    for seed in range(10):
        one = render(sample(seed, "test", subjects=subjects, distance="plain"), [3])
        found = judges.faces(look(one.frames)[0])
        told = [max(box_overlap(box, truth) for box, _ in found) > 0.3 for truth in one.face_boxes[:, 0]]
        right += len(found) == subjects and all(told)
        assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    assert right >= 9


def individual(number: int, seed: int, scene: str, kind: str) -> Render:
    fixed: dict[str, str | int] = {"number": 10_000_000 + number, "scene": scene, "kind": kind, "distance": "plain"}
    return render(sample(seed, "test", subjects=1, **fixed), [6])


@pytest.mark.parametrize("kind", KINDS)
def test_an_individual_is_most_like_itself_in_another_scene(judges: Judges, kind: str) -> None:
    known, asked = (
        np.concatenate([judges.identity(individual(n, seed, scene, kind).frames) for n in range(8)])
        for seed, scene in ((1, "beach"), (2, "kitchen"))
    )
    np.testing.assert_allclose(np.linalg.norm(known, axis=1), 1, rtol=1e-5)
    assert ((asked @ known.T).argmax(axis=1) == np.arange(8)).sum() >= 7


def test_what_is_behind_the_subject_tells_the_light_alone(judges: Judges) -> None:
    """In another scene of the same light an individual looks the same; in another light a little different."""
    fixed: dict[str, str | int] = {"kind": "man", "scene": "beach", "light": "night", "distance": "plain"}
    one = render(sample(1, "test", subjects=1, **fixed), [6])
    cover = one.masks[0][..., None] / 255

    def moved(light: str) -> float:
        scene = cv2.resize(paint("meadow", light, 8, 0, 128), (128, 128), interpolation=cv2.INTER_AREA)
        elsewhere = (one.frames * cover + scene * (1 - cover)).round().astype(np.uint8)
        return float((judges.identity(elsewhere, one.masks[0]) * judges.identity(one.frames, one.masks[0])).sum())

    assert moved("night") > 0.97
    assert 0.6 < moved("day") < moved("night")


def test_a_picture_without_a_subject_still_gets_a_unit_vector(judges: Judges) -> None:
    grey = np.full((1, 128, 128, 3), 127, np.uint8)
    vector = judges.identity(grey, np.zeros((1, 128, 128), np.uint8))
    assert np.linalg.norm(vector) == pytest.approx(1, rel=1e-5)


def test_judging_many_frames_is_judging_each(judges: Judges, drawn: list[Render]) -> None:
    many = np.concatenate([one.frames for one in drawn[:3]])
    apart = np.concatenate([judges.kinds(one.frames) for one in drawn[:3]])
    np.testing.assert_allclose(judges.kinds(many), apart, atol=1e-4)
    np.testing.assert_allclose(judges.identity(many)[20:21], judges.identity(many[20:21]), atol=1e-4)


def test_judges_are_read_as_they_were_written(judges: Judges, tmp_path: Path) -> None:
    save_judges(tmp_path / "again.safetensors", judges)
    one, two = load_file(FILE), load_file(tmp_path / "again.safetensors")
    assert one.keys() == two.keys()
    assert all((one[name] == two[name]).all() for name in one)


def test_a_missing_or_foreign_file_is_named_with_what_restores_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no judges .* at .*judges.safetensors; restore it with git, or rebuild it"):
        load_judges(tmp_path / "judges.safetensors")
    tensors = load_file(FILE)
    tensors.popitem()
    save_file(tensors, tmp_path / "part.safetensors")
    with pytest.raises(ValueError, match="part.safetensors is damaged or does not hold the judges"):
        load_judges(tmp_path / "part.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(FILE.read_bytes()[:5000])
    with pytest.raises(ValueError, match="cut.safetensors is damaged .*; restore it with git"):
        load_judges(tmp_path / "cut.safetensors")


def test_what_cannot_be_judged_is_refused_in_a_sentence(judges: Judges, drawn: list[Render]) -> None:
    clip = drawn[0].frames
    with pytest.raises(ValueError, match="has 5 frames; an action is told from at least 8"):
        judges.actions(clip[:5])
    with pytest.raises(ValueError, match=r"not at float32 \[16, 128, 128, 3\]; convert the frames first"):
        judges.kinds(clip.astype(np.float32))
    with pytest.raises(ValueError, match="look at square pictures, .* not at 128x64; cut a square"):
        judges.kinds(clip[:, :64])
    with pytest.raises(ValueError, match="not at list"):
        judges.scenes([clip])
    with pytest.raises(ValueError, match=r"not at uint8 \[0, 128, 128, 3\]"):
        judges.identity(clip[:0])
    with pytest.raises(ValueError, match=r"must be uint8 \[16, 128, 128\], 255 on the subject"):
        judges.identity(clip, drawn[0].masks[0, :3])
