"""The drawn world tells the truth about itself, in pixels and in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.toyworld import captions, figures, looks, truths
from tools.toyworld.captions import FACINGS, parse
from tools.toyworld.identity import KINDS, SPLITS, Person, Shade, individual, split_of
from tools.toyworld.motion import ACTIONS, Movement, pose
from tools.toyworld.scenes import SCENES
from tools.toyworld.spec import PAIRS, sample
from tools.toyworld.vocabulary import known_words
from tools.toyworld.world import FRAMES, SIZE, render


@pytest.mark.parametrize("subjects", [1, 2])
def test_a_clip_has_the_promised_shapes(subjects: int) -> None:
    clip = render(sample(3, "train", subjects=subjects))
    assert clip.frames.shape == (FRAMES, SIZE, SIZE, 3)
    assert clip.masks.shape == (subjects, FRAMES, SIZE, SIZE)
    assert clip.face_boxes.shape == (subjects, FRAMES, 4)
    assert clip.displacement.shape == (subjects, FRAMES, 2)
    assert (clip.displacement[:, 0] == 0).all()


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_the_same_seed_draws_the_same_pixels(seed: int) -> None:
    assert sample(seed) == sample(seed)
    np.testing.assert_array_equal(render(sample(seed), [0, 7]).frames, render(sample(seed), [0, 7]).frames)


@pytest.mark.parametrize("scene", SCENES)
def test_a_frame_drawn_alone_is_the_frame_of_the_clip(scene: str) -> None:
    spec = sample(11, scene=scene, camera="pan", light="day", action="standing")
    whole, alone = render(spec, [0, 9, 15]).frames[1], render(spec, [9]).frames[0]
    assert np.abs(whole.astype(int) - alone).max() <= 1, "another part of the world is painted, so edges may round"


@pytest.mark.parametrize("seed", range(4))
def test_another_shirt_changes_only_the_mask(seed: int) -> None:
    spec = sample(seed, kind=("man", "woman")[seed % 2], distance="plain", camera="still", subjects=1)
    figure = spec.figures[0]
    assert isinstance(figure.who, Person)
    shirt = replace(figure.who, top=Shade("green", (10, 240, 20)), accent=Shade("pink", (240, 10, 220)))
    one, two = render(spec, [4]), render(replace(spec, figures=(replace(figure, who=shirt),)), [4])
    changed = (one.frames != two.frames).any(axis=-1)
    assert changed.sum() > 250
    assert not changed[one.masks[0] == 0].any()


@pytest.mark.parametrize("kind", KINDS)
def test_the_face_is_inside_the_mask(kind: str) -> None:
    for seed in range(4):
        clip = render(sample(seed, kind=kind, camera="still", action="waving", subjects=1), [0, 8])
        for box, mask in zip(clip.face_boxes[0], clip.masks[0], strict=True):
            x0, y0, x1, y1 = np.rint(box).astype(int)
            assert 0 <= x0 < x1 <= SIZE
            assert 0 <= y0 < y1 <= SIZE
            assert (mask[y0:y1, x0:x1] > 127).mean() > 0.8


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_whoever_is_said_to_be_on_the_left_is(seed: int) -> None:
    spec = sample(seed, subjects=2)
    clip = render(spec, [0, FRAMES - 1])
    middles = (clip.face_boxes[:, :, 0] + clip.face_boxes[:, :, 2]) / 2
    assert (middles[0] < middles[1]).all()
    if "on the left" in spec.caption:
        assert f"the {spec.figures[0].who.kind} on the left" in spec.caption


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ACTIONS)
def test_who_faces_left_looks_left(kind: str, action: str) -> None:
    """The head's own middle line is on that side of the head at every time."""
    for facing in FACINGS:
        spec = sample(5, kind=kind, action=action, facing=facing, subjects=1)
        assert parse(spec.caption).facing == facing
        for time in (0, 5, 10):
            pose = spec.figures[0].pose(time)
            assert pose.turn > 0.2
            head, _, _ = figures.head_place(spec.who, pose)
            ahead = spec.point(spec.figures[0], time, head + pose.turn) - spec.point(spec.figures[0], time, head)
            assert np.sign(ahead.real) == facing


def test_about_one_clip_in_seven_has_two_subjects() -> None:
    share = np.mean([len(sample(seed).figures) == 2 for seed in range(600)])
    assert abs(share - PAIRS) < 0.05


def test_the_subjects_do_not_hide_each_other() -> None:
    for seed in range(12):
        clip = render(sample(seed, subjects=2, camera="still"), [4])
        areas = (clip.masks[:, 0] > 127).sum(axis=(1, 2))
        assert areas.min() > 300
        assert not ((clip.masks[0, 0] > 127) & (clip.masks[1, 0] > 127)).any()


def test_a_clip_can_have_64_frames() -> None:
    spec = sample(3, "test", frames=64, action="running", kind="dog", subjects=1, distance="plain")
    clip = render(spec, [0, 21, 42, 63])
    assert spec.frames == 64
    assert ((clip.masks[0] > 127).mean(axis=(1, 2)) > 0.03).all(), "who runs for long stays in the picture"
    with pytest.raises(ValueError, match="frames is 65, expected 2 to 64"):
        sample(3, frames=65)


def test_a_larger_picture_shows_the_same() -> None:
    spec = sample(7, "test")
    small, large = render(spec, [3], 96), render(spec, [3], 192)
    halved = large.frames[0].reshape(96, 2, 96, 2, 3).mean(axis=(1, 3))
    assert np.abs(halved - small.frames[0]).mean() < 4
    np.testing.assert_allclose(large.face_boxes, 2 * small.face_boxes, atol=1e-3)


def test_every_word_of_every_caption_is_known() -> None:
    known, rng = set(known_words()), np.random.default_rng(0)
    for seed in range(300):
        text, _ = sample(seed).said(rng)
        assert set(text.replace(",", "").split()) <= known, text


def test_what_a_caption_says_is_read_back() -> None:
    rng = np.random.default_rng(0)
    for seed in range(300):
        spec = sample(seed)
        text, named = spec.said(rng)
        right = dict(zip(truths.QUESTIONS, truths.answers(text, named), strict=True))
        said = {question: truths.QUESTIONS[question][answer] for question, answer in right.items()}
        assert {said["kind"], said["kind2"]} - {truths.UNSAID} == {figure.who.kind for figure in spec.figures}
        assert said["scene"] == spec.scene
        for subject, suffix in zip(named, ("", "2"), strict=False):
            for slot in looks.options():
                assert said[slot + suffix] == subject.get(slot, truths.UNSAID)
                assert slot not in subject or subject[slot] in text
    assert truths.answers("", [])[0] == 0


def test_every_look_of_everybody_has_a_word() -> None:
    options = looks.options()
    for kind in KINDS:
        for number in range(100):
            for slot, phrase in looks.traits(individual(kind, number)).items():
                assert phrase in options[slot]


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_displacement_is_the_masks_motion(seed: int) -> None:
    clip = render(sample(seed, distance="far", camera="still", subjects=1), [0, 5, 10, 15])
    weight = clip.masks[0] / clip.masks[0].sum(axis=(1, 2), keepdims=True)
    grid = np.arange(SIZE)
    centre = np.stack([(weight.sum(1) * grid).sum(1), (weight.sum(2) * grid).sum(1)], axis=1)
    assert np.abs(centre - centre[0] - clip.displacement[0]).max() < 3.5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("action", ACTIONS)
def test_motion_is_smooth(kind: str, action: str) -> None:
    """No joint jumps: between two times 0.01 frames apart nothing turns by more than 0.03 radians."""
    movement = Movement(action, 8.0, 0.123, 1.0)
    poses = [pose(kind, movement, t) for t in np.arange(0, 10, 0.01)]
    joints = np.array([[*np.ravel(p.limbs), p.lean, p.nod, p.wag, p.lift / 30] for p in poses])
    assert np.abs(np.diff(joints, axis=0)).max() < 0.03


def test_evaluation_individuals_never_occur_in_training() -> None:
    for split in SPLITS:
        for seed in range(40):
            assert {split_of(figure.who.number) for figure in sample(seed, split).figures} == {split}
    with pytest.raises(ValueError, match="not in split"):
        sample(0, "train", number=SPLITS["eval"].start)
    with pytest.raises(ValueError, match="split is 'dev', expected one of train, test, eval"):
        sample(0, "dev")


def test_what_cannot_be_fixed_is_refused() -> None:
    with pytest.raises(ValueError, match="'colour' cannot be fixed, expected one of"):
        sample(1, colour="red")
    with pytest.raises(ValueError, match="kind2 is 'horse', expected one of man, woman, dog, cat"):
        sample(1, kind2="horse")
    assert captions.held_out("man", "beach", "standing")
