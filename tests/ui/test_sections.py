"""The tab's sections, asked as Gradio asks them: values in, updates out."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from tests.identity.drawn import picture
from tests.identity.toy_host import PHOTOS
from tests.toy_studio import ENDLESS, NAME, SETTINGS, ToyStudio, ended, stopped_at, until
from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.session import requested_by
from vcd_ext.settings import TrainSettings, describe
from vcd_ext.ui.app import page
from vcd_ext.ui.form import component
from vcd_ext.ui.identities_section import IdentitiesSection
from vcd_ext.ui.layouts import TRAINING
from vcd_ext.ui.mask_editor import MaskEditor
from vcd_ext.ui.photos_section import Page, PhotosSection
from vcd_ext.ui.selection import ERASE, PAINT, Chosen
from vcd_ext.ui.session import PageName, whose
from vcd_ext.ui.training_section import TrainingSection

PAGE = Page((), tuple(Chosen(photo) for photo in PHOTOS))


@pytest.fixture
def photos(blocks: gr.Blocks, jobs: Jobs) -> PhotosSection:
    return PhotosSection(jobs)


@pytest.fixture
def training(blocks: gr.Blocks, jobs: Jobs) -> TrainingSection:
    return TrainingSection(jobs, {name: component(TRAINING, name) for name in TRAINING.elsewhere})


@pytest.fixture
def identities(blocks: gr.Blocks, jobs: Jobs) -> IdentitiesSection:
    return IdentitiesSection(jobs)


def told(section: Any, answer: list[Any]) -> dict[str, Any]:
    """Return the updates by the name of the section's component."""
    assert len(answer) == len(section.shown)
    owners = [section, *(part for part in vars(section).values() if isinstance(part, MaskEditor))]
    names = {id(made): name for owner in owners for name, made in vars(owner).items()}
    by_name = {names[id(made)]: value for made, value in zip(section.shown, answer, strict=True)}
    return by_name | ({"page": by_name["page"].opened()} if "page" in by_name else {})


def alike(page: Page, other: Page) -> bool:
    """Whether two pages have the same photos, masks and choices."""

    def seen(one: Chosen) -> tuple[Any, ...]:
        photo = one.photo
        mask = photo.mask is not None and photo.mask.tobytes()
        return photo.name, photo.pixels.tobytes(), mask, photo.mask_source, one.used, one.whole

    return (page.index, *map(seen, page.selection)) == (other.index, *map(seen, other.selection))


def dropped(folder: Path, *numbers: int) -> list[Any]:
    """Files as Gradio hands them over."""
    folder.mkdir(exist_ok=True)
    files = [folder / f"{number}.png" for number in numbers]
    for file, number in zip(files, numbers, strict=True):
        Image.fromarray(picture(number)).save(file)
    return [SimpleNamespace(name=str(file)) for file in files]


def test_dropped_photos_are_shown_and_more_can_be_dropped(photos: PhotosSection, tmp_path: Path) -> None:
    emptied, *answer = photos.add_files(Page(), dropped(tmp_path, 1, 2))
    shown = told(photos, answer)
    assert emptied is None
    assert [caption for _, caption in shown["gallery"]["value"]] == ["1.png (no mask yet)", "2.png (no mask yet)"]
    assert shown["gallery"]["visible"]
    assert shown["row"]["visible"]
    assert shown["sketch"]["value"].shape == (480, 640, 3)
    _, *answer = photos.add_files(shown["page"], dropped(tmp_path, 3))
    assert len(told(photos, answer)["page"].selection) == 3


def test_what_is_no_photo_is_told_and_the_others_stay(photos: PhotosSection, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_bytes(b"no picture")
    _, *answer = photos.add_files(PAGE, [SimpleNamespace(name=str(tmp_path / "notes.png"))])
    shown = told(photos, answer)
    assert alike(shown["page"], PAGE)
    assert "notes.png" in shown["problems"]["value"]


def test_a_folder_is_read_and_one_that_may_not_be_is_not(
    photos: PhotosSection, studio: ToyStudio, tmp_path: Path
) -> None:
    dropped(tmp_path / "elsewhere", 1)
    shown = told(photos, photos.add_folder(Page(), str(tmp_path / "elsewhere")))
    assert len(shown["page"].selection) == 1
    studio.private = False  # others can reach the page
    shown = told(photos, photos.add_folder(Page(), str(tmp_path / "elsewhere")))
    assert shown["page"].selection == ()
    assert "may be read from" in shown["problems"]["value"]
    studio.folders.photos[0].mkdir()
    dropped(studio.folders.photos[0], 2)
    assert told(photos, photos.add_folder(Page(), str(studio.folders.photos[0])))["page"].selection
    assert "No folder was named" in told(photos, photos.add_folder(Page(), " "))["problems"]["value"]


def test_masks_are_found_by_the_class_word(photos: PhotosSection) -> None:
    bare = Page((), tuple(Chosen(replace(photo, mask=None)) for photo in PHOTOS))
    assert "Finding masks" in photos.begin("Finding masks")
    word, *answer = photos.find_masks(bare, "cat", "")
    shown = told(photos, answer)
    assert word == "cat"
    assert [one.photo.mask_source for one in shown["page"].selection] == ["brightness"] * 3
    assert "brightness" in shown["about"]["value"]
    assert shown["problems"]["value"] == ""


@pytest.mark.parametrize(
    ("page", "class_word", "words"),
    [(Page(), "dog", "no photos yet"), (PAGE, "", "not recognised"), (PAGE, "a b c d e", "5 words")],
)
def test_masks_that_cannot_be_looked_for_are_told(
    photos: PhotosSection, studio: ToyStudio, page: Page, class_word: str, words: str
) -> None:
    studio.caption = "a robot on a table"
    word, *answer = photos.find_masks(page, class_word, "rexy")
    shown = told(photos, answer)
    assert word == class_word
    assert words in shown["problems"]["value"]
    assert alike(shown["page"], page)


def test_the_class_is_suggested_by_what_most_photos_in_use_show(photos: PhotosSection, studio: ToyStudio) -> None:
    assert photos.suggest.visible
    page = Page((), (*PAGE.selection, Chosen(PHOTOS[0], used=False)))
    class_word, problems = photos.suggest_class(page)
    assert (class_word["value"], problems["value"]) == ("dog", "")
    assert studio.described == 3
    _, problems = photos.suggest_class(Page())
    assert "no photos yet" in problems["value"]


def test_where_the_class_cannot_be_suggested_the_one_that_is_there_stays(
    photos: PhotosSection, studio: ToyStudio, jobs: Jobs
) -> None:
    studio.caption = "a robot on a table"
    class_word, problems = photos.suggest_class(PAGE)
    assert "value" not in class_word
    assert "not recognised; write it in a word" in problems["value"]
    with jobs.turn("Finding masks"):
        assert "Finding masks is under way" in photos.suggest_class(PAGE)[1]["value"]
    studio.was_interrupted = True
    assert "not looked at to the end" in photos.suggest_class(PAGE)[1]["value"]
    assert jobs.doing is None


def test_without_a_class_masks_are_those_of_what_the_photos_show(photos: PhotosSection) -> None:
    assert photos.class_word.value == ""
    word, *answer = photos.find_masks(PAGE, " ", "rexy")
    assert word == "dog"
    assert told(photos, answer)["problems"]["value"] == ""


def test_the_button_is_there_only_where_photos_can_be_described(
    blocks: gr.Blocks, jobs: Jobs, studio: ToyStudio
) -> None:
    studio.captions = False
    section = PhotosSection(jobs)
    assert not section.suggest.visible
    assert section.class_word.value == "person"
    assert "class is empty" in str(section.find_masks(PAGE, "", "rexy"))


def test_a_photo_is_selected_painted_on_left_out_and_learned_as_a_whole(photos: PhotosSection) -> None:
    event = gr.SelectData(None, {"index": 1, "value": "1.png"})
    page = told(photos, photos.select(PAGE, event))["page"]
    assert page.index == 1
    strokes = np.zeros((64, 64, 3), np.uint8)
    strokes[50:, 50:] = 255
    shown = told(photos, photos.paint(page, {"image": None, "mask": strokes}, PAINT))
    assert "your brush" in shown["about"]["value"]
    assert shown["page"].selection[1].photo.mask[60, 60] == 255
    back = told(photos, photos.paint(shown["page"], {"image": None, "mask": strokes}, ERASE))["page"]
    assert np.array_equal(back.selection[1].photo.mask, PHOTOS[1].mask)
    shown = told(photos, photos.use(page, False))
    assert "left out" in shown["about"]["value"]
    assert told(photos, photos.drop_mask(page))["page"].selection[1].whole


@pytest.mark.parametrize("sketch", [None, {"image": None, "mask": np.zeros((64, 64, 3), np.uint8)}])
def test_without_a_stroke_nothing_is_applied(photos: PhotosSection, sketch: dict[str, Any] | None) -> None:
    shown = told(photos, photos.paint(PAGE, sketch, PAINT))
    assert "Nothing was painted" in shown["problems"]["value"]
    assert alike(shown["page"], PAGE)


def test_a_mask_is_taken_from_a_file_that_fits(photos: PhotosSection, tmp_path: Path) -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[:32] = 255
    Image.fromarray(mask).save(tmp_path / "mine.png")
    shown = told(photos, photos.take_mask(PAGE, SimpleNamespace(name=str(tmp_path / "mine.png"))))
    assert np.array_equal(shown["page"].selection[0].photo.mask, mask)
    Image.fromarray(mask[:8]).save(tmp_path / "mine.png")
    shown = told(photos, photos.take_mask(PAGE, SimpleNamespace(name=str(tmp_path / "mine.png"))))
    assert "mine.png" in shown["problems"]["value"]


def values(training: TrainingSection, settings: TrainSettings) -> list[Any]:
    return [getattr(settings, name) for name in training.form.components]


def test_train_trains_and_ends_with_a_prompt(training: TrainingSection, jobs: Jobs) -> None:
    shown = told(training, training.start(PAGE, False, 0, *values(training, SETTINGS)))
    assert not shown["train"]["interactive"]
    assert shown["stop"]["interactive"]
    assert jobs.last is not None
    ended(jobs.last)
    shown = told(training, training.show())
    assert "rexy is ready after 20 steps" in shown["panel"]["value"]
    assert "<svg" in shown["panel"]["value"]
    assert shown["prompt"]["value"] == "photo of rexy dog on the beach"
    assert shown["use_row"]["visible"]
    assert shown["train"]["interactive"]
    assert not shown["stop"]["interactive"]


def test_a_preview_shows_what_has_been_learned(training: TrainingSection, jobs: Jobs) -> None:
    training.start(PAGE, False, 8, *values(training, SETTINGS))
    assert jobs.last is not None
    ended(jobs.last)
    shown = told(training, training.show())["preview"]["value"]
    assert "after step 16: photo of rexy dog" in shown
    assert "data:image/jpeg;base64," in shown


@pytest.mark.parametrize(
    ("page", "settings", "words"),
    [
        (Page(), SETTINGS, "no photos"),
        (PAGE, replace(SETTINGS, name=""), "name is empty"),
        (PAGE, replace(SETTINGS, steps=0), "steps is 0"),
    ],
)
def test_what_cannot_be_trained_is_told_and_nothing_begins(
    training: TrainingSection, jobs: Jobs, page: Page, settings: TrainSettings, words: str
) -> None:
    shown = told(training, training.start(page, False, 0, *values(training, settings)))
    assert words in shown["panel"]["value"]
    assert "vcd-error" in shown["panel"]["value"]
    assert shown["train"]["interactive"]
    assert jobs.last is None


def test_an_interrupted_training_is_offered_to_resume_or_discard(training: TrainingSection, jobs: Jobs) -> None:
    stopped_at(jobs, 5)
    shown = told(training, training.show())
    assert shown["unfinished_row"]["visible"]
    assert shown["unfinished"]["choices"] == ["rexy: 5 of 20 steps"]
    assert shown["keep"]["interactive"], "what it has learned can still be saved"
    training.go_on("rexy: 5 of 20 steps", 0)
    assert jobs.last is not None
    assert ended(jobs.last).file
    assert not told(training, training.show())["unfinished_row"]["visible"]
    stopped_at(jobs, 5, replace(SETTINGS, name="other"))
    assert not told(training, training.throw_away("other: 5 of 20 steps"))["unfinished_row"]["visible"]


def test_stop_and_save_ends_with_an_identity(training: TrainingSection, jobs: Jobs) -> None:
    job = jobs.trainings.start(PHOTOS, ENDLESS)
    until(lambda: job.losses)
    training.stop_and_save()
    assert ended(job).file


def test_what_a_training_waits_for_is_told(training: TrainingSection, jobs: Jobs, studio: ToyStudio) -> None:
    with studio.somebody_else_computing():
        shown = told(training, training.start(PAGE, False, 0, *values(training, SETTINGS)))
        assert studio.occupation in shown["panel"]["value"]
        training.interrupt()
    assert jobs.last is not None
    ended(jobs.last)


def test_time_and_memory_are_told_before_the_start_and_better_after_one(training: TrainingSection, jobs: Jobs) -> None:
    assert "a rough guess" in training.tell_estimate(PAGE, *values(training, SETTINGS))
    ended(jobs.trainings.start(PHOTOS, SETTINGS))
    assert "as fast as the last training here" in training.tell_estimate(PAGE, *values(training, SETTINGS))
    assert "steps is 0" in training.tell_estimate(PAGE, *values(training, replace(SETTINGS, steps=0)))


def test_a_checkpoint_that_cannot_be_trained_is_told_before_the_start(
    training: TrainingSection, studio: ToyStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise ValueError("The checkpoint is an SDXL model.")

    monkeypatch.setattr(studio, "capacity", refuse)
    assert "SDXL" in training.tell_estimate(PAGE, *values(training, SETTINGS))


def test_identities_are_listed_and_deleted_only_after_a_question(
    identities: IdentitiesSection, jobs: Jobs, studio: ToyStudio
) -> None:
    job = ended(jobs.trainings.start(PHOTOS, SETTINGS))
    shown = told(identities, identities.show())
    assert "<b>rexy</b>" in shown["cards"]["value"]
    assert (shown["chosen"]["choices"], shown["chosen"]["value"]) == ([NAME], NAME)
    assert identities.prompt_of(NAME) == "photo of rexy dog on the beach"
    row, question = identities.ask(NAME)
    assert row["visible"]
    assert "Delete rexy?" in question["value"]
    assert job.file is not None
    assert job.file.exists()
    shown = told(identities, identities.remove(NAME))
    assert list(studio.folders.identities.iterdir()) == []
    assert shown["chosen"]["choices"] == []
    assert not shown["confirm_row"]["visible"]


@pytest.mark.parametrize("name", [None, "", "../secret", "unknown"])
def test_nothing_but_an_identity_can_be_deleted(identities: IdentitiesSection, tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret.safetensors"
    secret.write_bytes(b"mine")
    shown = told(identities, identities.remove(name))
    assert "There is no identity called" in shown["message"]["value"]
    assert secret.exists()
    assert identities.prompt_of(name) == ""


def test_nothing_is_deleted_while_something_runs(identities: IdentitiesSection, jobs: Jobs) -> None:
    ended(jobs.trainings.start(PHOTOS, replace(SETTINGS, name="first")))
    job = jobs.trainings.start(PHOTOS, ENDLESS)
    shown = told(identities, identities.remove("first"))
    assert "is being trained" in shown["message"]["value"]
    assert "<b>first</b>" in shown["cards"]["value"]
    job.stop()
    ended(job)


def test_the_whole_tab_can_be_built_with_the_script_that_asks_for_news(jobs: Jobs) -> None:
    built = page(jobs)
    ids = {block.elem_id for block in built.blocks.values() if getattr(block, "elem_id", None)}
    assert {"vcd_train_photos", "vcd_train_start", "vcd_train_tick", "vcd_train_identities"} <= ids
    assert {f"vcd_{tab}_{name}" for tab in ("face", "tiled") for name in ("file", "start", "tick", "result")} <= ids
    script = next(event["js"] for event in built.dependencies if event["js"] and "vcdClearBrush =" in event["js"])
    assert "#vcd_${tab}_tick" in script


def test_news_are_short_while_nothing_begins_or_ends_and_the_chosen_identity_stays(jobs: Jobs) -> None:
    reader = PageName()
    told_to = next(one.fn for one in page(jobs).fns if getattr(one.fn, "__name__", "") == "news")
    news = partial(told_to, None, reader)
    settings = [getattr(SETTINGS, name) for name in describe(TrainSettings)]
    unchanged = gr.update()

    def chosen(answer: list[Any]) -> Any:
        return next(update["value"] for update in answer if isinstance(update, dict) and update.get("choices") == names)

    first = news("", "", PAGE, None, *settings)
    assert first.count(unchanged) == 1, "there is no prompt yet"
    again = news(first[0], "", PAGE, None, *settings)
    assert again[0] == first[0]
    assert again[2:] == [unchanged] * (len(first) - 2)
    assert "Add photos." in news(first[0], "Add photos.", PAGE, None, *settings)[1]["value"]
    names = ["zora"]
    with requested_by(whose(None, reader)):
        ended(jobs.trainings.start(PHOTOS, replace(SETTINGS, name="zora")))
    assert chosen(news(first[0], "", PAGE, None, *settings)) == "zora"
    names = ["rexy", "zora"]
    with requested_by(whose(None, reader)):
        ended(jobs.trainings.start(PHOTOS, SETTINGS))
    at_end = news(first[0], "", PAGE, "zora", *settings)
    assert chosen(at_end) == "rexy", "the new one"
    with jobs.turn("Saving an identity"):
        during = news(at_end[0], "", PAGE, "zora", *settings)
    assert during[0] != at_end[0], "the button that interrupts can be pressed"
    assert chosen(during) == "zora"
