"""A plan says what is made, by the settings' own names; what cannot work is refused in one sentence, at once."""

from pathlib import Path

import pytest
from PIL import Image

from vcd_ext.batch.plan import read_plan
from vcd_ext.batch.toml_file import PlanError
from vcd_ext.batch.unit import TRAINING, TrainingWork, Unit, VideoWork

IDENTITIES = """
checkpoint = "tiny.safetensors"
[train]
steps = 3
size = 64
[[identities]]
name = "rex01"
class_word = "dog"
photos = "photos"
"""
VIDEOS = """
[video]
width = 64
height = 64
[[videos]]
prompts = ["photo of {subject} in the snow", "{name}, an old {class}"]
seeds = [1, 2]
settings = [{gamma = 0.0}, {label = "still", gamma = 0.5, frames = 4}]
"""


def units(folder: Path, text: str) -> list[Unit]:
    (folder / "plan.toml").write_text(text)
    return read_plan(folder / "plan.toml").units


def refused(folder: Path, text: str) -> str:
    with pytest.raises(PlanError) as told:
        units(folder, text)
    sentence = str(told.value)
    assert "\n" not in sentence
    return sentence


def test_a_plan_is_identities_times_prompts_times_seeds_times_settings(folder: Path) -> None:
    found = units(folder, IDENTITIES + VIDEOS)
    assert [unit.kind for unit in found].count(TRAINING) == 1
    assert len(found) == 1 + 2 * 2 * 2
    training = found[0].work
    assert isinstance(training, TrainingWork)
    assert (training.settings.name, training.settings.class_word, training.settings.steps) == ("rex01", "dog", 3)
    assert {unit.needs for unit in found[1:]} == {("identities/rex01",)}


def test_videos_are_named_by_what_they_are(folder: Path) -> None:
    names = {unit.name for unit in units(folder, IDENTITIES + VIDEOS)}
    assert "videos/rex01/photo-of-subject-in-the-snow_gamma=0.0_seed1" in names
    assert "videos/rex01/photo-of-subject-in-the-snow_still_seed2" in names


def test_prompts_name_the_identity_and_its_class(folder: Path) -> None:
    works = [unit.work for unit in units(folder, IDENTITIES + VIDEOS)]
    prompts = {work.picture.prompt for work in works if isinstance(work, VideoWork)}
    assert prompts == {"photo of rex01 dog in the snow", "rex01, an old dog"}


def test_a_prompt_without_the_name_gets_it(folder: Path) -> None:
    found = units(folder, IDENTITIES + '[[videos]]\nprompts = ["a beach"]\n')
    assert isinstance(found[1].work, VideoWork)
    assert found[1].work.picture.prompt == "a beach, rex01"


def test_files_have_one_name_for_each_format(folder: Path) -> None:
    found = units(folder, IDENTITIES + '[[videos]]\nprompts = ["a beach"]\nformats = ["gif", "png"]\n')
    assert [file.name for file in found[1].files] == ["a-beach_seed0.gif", "a-beach_seed0"]


@pytest.mark.parametrize(
    "change",
    [("gamma = 0.5", "gamma = 0.4"), ("seeds = [1, 2]", "seeds = [1, 3]"), ("steps = 3", "steps = 4"),
     ("an old", "a young")],
)  # fmt: skip
def test_what_is_changed_has_another_digest_and_all_else_the_same(folder: Path, change: tuple[str, str]) -> None:
    before = {unit.digest for unit in units(folder, IDENTITIES + VIDEOS)}
    after = {unit.digest for unit in units(folder, (IDENTITIES + VIDEOS).replace(*change))}
    assert before != after
    kept = {("gamma = 0.5"): 5, "seeds = [1, 2]": 5, "steps = 3": 0, "an old": 5}[change[0]]
    assert len(before & after) == kept


def test_other_photos_make_another_identity_and_other_videos(folder: Path) -> None:
    before = {unit.digest for unit in units(folder, IDENTITIES + VIDEOS)}
    Image.new("RGB", (80, 64), "red").save(folder / "photos" / "0.png")
    assert not before & {unit.digest for unit in units(folder, IDENTITIES + VIDEOS)}


def test_formats_and_memory_change_no_digest(folder: Path) -> None:
    before = {unit.digest for unit in units(folder, IDENTITIES + VIDEOS)}
    text = IDENTITIES.replace("steps = 3", "steps = 3\nmicro_batch = 1") + VIDEOS.replace(
        "width = 64", 'width = 64\nformats = ["gif"]'
    )
    assert before == {unit.digest for unit in units(folder, text)}


MISTAKES = {
    "unknown key": (("steps = 3", "stepps = 3"), "unknown key stepps; did you mean steps?"),
    "unknown key of videos": (("gamma = 0.0", "gama = 0.0"), "unknown key gama; did you mean gamma?"),
    "out of range": (("gamma = 0.5", "gamma = 2"), "gamma is 2.0; it must be from 0 to 0.5"),
    "odd size": (("width = 64", "width = 100"), "width is 100; it must be a multiple of 8"),
    "missing folder": (('"photos"', '"fotos"'), "which does not exist"),
    "missing checkpoint": (("tiny.safe", "other.safe"), "which does not exist"),
    "no checkpoint": (('checkpoint = "tiny.safetensors"', ""), "names no checkpoint"),
    "seed": (("width = 64", "width = 64\nseed = 3"), "write seeds = [1, 2] in [[videos]]"),
    "seeds": (("[1, 2]", "[1, -2]"), "a list of whole numbers"),
    "unknown identity": (("seeds =", 'identities = ["mia"]\nseeds ='), "asks for the identity mia"),
    "two outputs with one name": (("an old {class}", 'an old {class}!", "{name} an old {class}'), "Two outputs have"),
    "no TOML": (("[1, 2]", "[1, 2"), "is not a TOML file"),
    "a common name": (("rex01", "rex:1"), "has ':' in it"),
    "nothing": ((IDENTITIES + VIDEOS, 'checkpoint = "tiny.safetensors"'), "lists nothing to make"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence(folder: Path, mistake: str) -> None:
    change, reason = MISTAKES[mistake]
    assert reason in refused(folder, (IDENTITIES + VIDEOS).replace(*change))


def test_a_folder_without_photos_is_refused(folder: Path) -> None:
    for file in (folder / "photos").iterdir():
        file.unlink()
    assert "There is no photo to learn from" in refused(folder, IDENTITIES)
