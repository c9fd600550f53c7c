"""The sections of Face VCD and Tiled VCD, asked as Gradio asks them: values in, updates out."""

import errno
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from tests import film
from tests.identity.toy_host import PHOTOS
from tests.toy_studio import ENDLESS, SETTINGS, ToyStudio, ended
from vcd_ext import media
from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.session import requested_by
from vcd_ext.jobs.video import VideoJob
from vcd_ext.settings import FaceSettings, FileSettings, TiledSettings
from vcd_ext.ui.app import page
from vcd_ext.ui.html import ACTIVE
from vcd_ext.ui.input_section import InputSection
from vcd_ext.ui.layouts import FACE, TILED
from vcd_ext.ui.people_section import PeopleSection
from vcd_ext.ui.session import PageName, whose
from vcd_ext.ui.video_section import VideoSection

FACES = FaceSettings(**film.SMALL_FACES, motion_module="mm_v2")
FILES = list(asdict(FileSettings()).values())
TILES = TiledSettings(tile=64, tile_overlap=16, steps=2, seed=3, motion_module="mm_v2")
UNCHANGED = gr.update()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return film.film(tmp_path / "walk.mp4", faces=2)


@pytest.fixture
def taken(blocks: gr.Blocks, jobs: Jobs) -> InputSection:
    return InputSection(jobs, "face")


@pytest.fixture
def people(blocks: gr.Blocks, jobs: Jobs) -> PeopleSection:
    return PeopleSection(jobs)


@pytest.fixture
def faces(blocks: gr.Blocks, jobs: Jobs, people: PeopleSection) -> VideoSection[FaceSettings]:
    section = VideoSection(jobs, FACE, {"people": people.people}, "Repair faces", other=("tiled", "Tiled VCD"))
    people.form = section.form
    return section


@pytest.fixture
def tiles(blocks: gr.Blocks, jobs: Jobs) -> VideoSection[TiledSettings]:
    return VideoSection(jobs, TILED, {}, "Enlarge")


def told(section: Any, answer: list[Any]) -> dict[str, Any]:
    """Return the updates by the name of the section's component."""
    assert len(answer) == len(section.shown)
    names = {id(made): name for name, made in vars(section).items()}
    return {names[id(made)]: value for made, value in zip(section.shown, answer, strict=True)}


def values(settings: FaceSettings | TiledSettings) -> list[Any]:
    return list(asdict(settings).values())


def last(jobs: Jobs) -> VideoJob:
    job = jobs.last_of(VideoJob)
    assert job is not None
    return ended(job)


def test_a_dropped_video_is_shown_and_taken_away_again(taken: InputSection, source: Path) -> None:
    path, about = taken.take_file(SimpleNamespace(name=str(source)))
    assert path == str(source)
    assert "<video" in about
    assert "walk.mp4" in about
    assert str(source) in taken.about.temp_files, "Gradio serves it"
    assert taken.take_nothing() == ["", ""]
    assert taken.take_file(None) == ["", ""]


def test_how_a_video_was_made_is_told_and_can_be_made_again(
    taken: InputSection, studio: ToyStudio, source: Path
) -> None:
    text, use = taken.tell_infotext(str(source))
    assert (text["value"], text["visible"], use["visible"]) == (film.PARAMETERS, True, True)
    silent = media.write(source.with_name("silent.mp4"), media.Clip(film.frames(), 10))
    for nothing in (str(silent), "", "/nowhere.mp4"):
        text, use = taken.tell_infotext(nothing)
        assert (text["value"], text["visible"], use["visible"]) == ("", False, False)
    studio.makes_pictures = False  # the page without the WebUI
    assert not taken.tell_infotext(str(source))[1]["visible"]


def test_a_path_is_taken_and_one_that_may_not_be_is_not(taken: InputSection, studio: ToyStudio, source: Path) -> None:
    assert taken.take_path(f" {source} ")[0] == str(source)
    folder = media.write(source.with_name("frames"), film.clip())
    assert taken.take_path(str(folder))[0] == str(folder)
    for path, words in ((" ", "No path was named"), ("/nowhere.mp4", "does not exist"), (__file__, "unknown suffix")):
        chosen, about = taken.take_path(path)
        assert chosen == ""
        assert words in about
    studio.private = False  # others can reach the page
    chosen, about = taken.take_path(str(source))
    assert chosen == ""
    assert "not in a folder that videos may be read from" in about
    studio.folders.videos.mkdir()
    own = film.film(studio.folders.videos / "own.mp4")
    assert taken.take_path(str(own))[0] == str(own), "what it made itself can be sent from tab to tab"


def test_faces_are_found_and_shown_with_their_numbers(
    people: PeopleSection, faces: VideoSection[FaceSettings], source: Path
) -> None:
    assert ACTIVE in people.begin()
    html = people.find_faces(str(source), *values(FACES))
    assert html.startswith('<img class="vcd-sheet" src="data:image/jpeg')
    none = people.find_faces(str(film.film(source.with_name("empty.gif"), faces=0)), *values(FACES))
    assert "No face was found in any frame." in none


@pytest.mark.parametrize(
    ("path", "settings", "words"),
    [
        ("", FACES, "There is no video yet"),
        ("walk.mp4", FaceSettings(people="rex"), "no face gets its words"),
        ("gone.mp4", FACES, "does not exist"),
    ],
)
def test_faces_that_cannot_be_looked_for_are_told(
    people: PeopleSection, faces: VideoSection[FaceSettings], source: Path, path: str, settings: Any, words: str
) -> None:
    html = people.find_faces(path and str(source.with_name(path)), *values(settings))
    assert "vcd-error" in html
    assert words in html


def test_a_job_runs_and_ends_with_before_after_and_files(
    faces: VideoSection[FaceSettings], jobs: Jobs, studio: ToyStudio, source: Path
) -> None:
    with studio.somebody_else_computing():
        shown = told(faces, faces.begin(str(source), ["mp4"], *FILES, *values(FACES)))
        assert not shown["start"]["interactive"]
        assert shown["stop"]["interactive"]
        assert studio.occupation in shown["panel"]["value"]
        assert shown["result"]["value"] == ""
    job = last(jobs)
    shown = told(faces, faces.show())
    assert "Face VCD of walk.mp4 is ready." in shown["panel"]["value"]
    assert ACTIVE not in shown["panel"]["value"]
    html = shown["result"]["value"]
    assert html.count("<video") == 2
    assert "walk-face.mp4</a>" in html
    assert 'data-tab="tiled"' in html
    assert {str(path) for path in (source, *job.files)} <= faces.result.temp_files, "Gradio serves them"
    assert shown["start"]["interactive"]
    assert not shown["save"]["visible"]


def test_each_tab_shows_its_own_job_and_what_else_is_done(
    faces: VideoSection[FaceSettings], tiles: VideoSection[TiledSettings], jobs: Jobs, source: Path
) -> None:
    tiles.begin(str(source), ["gif"], *FILES, *values(TILES))
    assert last(jobs).files[0].name == "walk-tiled.gif"
    assert told(faces, faces.show())["result"]["value"] == ""
    assert "is ready" in told(tiles, tiles.show())["panel"]["value"]
    training = jobs.trainings.start(PHOTOS, ENDLESS)
    shown = told(faces, faces.show())
    assert "The training of rexy" in shown["panel"]["value"]
    assert shown["stop"]["interactive"], "it can be interrupted from here"
    assert (
        "is being trained" in told(faces, faces.begin(str(source), ["mp4"], *FILES, *values(FACES)))["panel"]["value"]
    )
    faces.interrupt()
    ended(training)


def test_interrupt_keeps_what_is_finished(
    tiles: VideoSection[TiledSettings], jobs: Jobs, studio: ToyStudio, source: Path
) -> None:
    studio.video.at = lambda frame: tiles.interrupt() if frame == 1 else None
    tiles.begin(str(source), ["mp4"], *FILES, *values(TILES))
    last(jobs)
    shown = told(tiles, tiles.show())
    assert "was stopped. What is finished is kept." in shown["panel"]["value"]
    assert "Stopped: 2 of 5 frames are finished." in shown["panel"]["value"]
    assert "walk-tiled.mp4</a>" in shown["result"]["value"]


@pytest.mark.parametrize(
    ("path", "formats", "settings", "words"),
    [
        ("", ["mp4"], TILES, "There is no video yet"),
        ("walk.mp4", [], TILES, "No format is chosen"),
        ("walk.mp4", ["mp4"], TiledSettings(tile_overlap=1024), "tile_overlap is 1024"),
        ("walk.mp4", ["mp4"], TiledSettings(motion_module="mm_v9"), "motion_module is &#x27;mm_v9&#x27;"),
    ],
)
def test_what_cannot_begin_is_told_in_the_tab(
    tiles: VideoSection[TiledSettings], jobs: Jobs, source: Path, path: str, formats: list[str], settings: Any,
    words: str,
) -> None:  # fmt: skip
    shown = told(tiles, tiles.begin(path and str(source), formats, *FILES, *values(settings)))
    assert "vcd-error" in shown["panel"]["value"]
    assert words in shown["panel"]["value"]
    assert jobs.last is None


def test_what_a_full_disk_refused_is_saved_again(
    tiles: VideoSection[TiledSettings], jobs: Jobs, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr("vcd_ext.media.output_files.media.write", full)
        tiles.begin(str(source), ["mp4"], *FILES, *values(TILES))
        last(jobs)
        shown = told(tiles, tiles.show())
        assert "was made, but not saved" in shown["panel"]["value"]
        assert shown["save"]["visible"]
        assert "The disk is full" in told(tiles, tiles.save_again())["panel"]["value"]
    shown = told(tiles, tiles.save_again())
    assert "is ready" in shown["panel"]["value"]
    assert not shown["save"]["visible"]


def test_the_motion_module_that_the_studio_suggests_is_chosen(tiles: VideoSection[TiledSettings]) -> None:
    assert tiles.form.components["motion_module"].value == "mm_v2"


NOTHING_SEEN = ("", "")
READER = PageName()


def news_of(jobs: Jobs) -> list[Any]:
    """Return what the tabs Face VCD and Tiled VCD ask for news, as `READER`."""
    found = [one.fn for one in page(jobs).fns if getattr(one.fn, "__qualname__", "").startswith("refresh_while")]
    return [partial(fn, None, READER) for fn in found]


def test_news_are_short_while_nothing_begins_or_ends(jobs: Jobs, source: Path) -> None:
    face_news, tiled_news = news_of(jobs)
    first = face_news(NOTHING_SEEN, "")
    again = face_news(first[0], "")
    assert again[2:] == [UNCHANGED] * (len(first) - 2), "a player that is playing is left alone"
    assert "Try mp4." in face_news(first[0], "Try mp4.")[1]["value"], "what went wrong is still told"
    with requested_by(whose(None, READER)):
        job = ended(jobs.videos.start(source, FACES))
    after = face_news(first[0], "")
    assert any("vcd-sheet" in str(update) for update in after), "the faces that the job found"
    assert any("vcd-compare" in str(update) for update in after)
    assert not any("vcd-compare" in str(update) for update in tiled_news(NOTHING_SEEN, ""))
    assert face_news(after[0], "")[2:] == [UNCHANGED] * (len(first) - 2)
    assert job.files


def test_an_identity_that_was_learned_meanwhile_can_be_chosen_and_one_that_was_deleted_cannot(
    jobs: Jobs, studio: ToyStudio, source: Path
) -> None:
    face_news, _ = news_of(jobs)
    with requested_by(whose(None, READER)):
        ended(jobs.videos.start(source, FACES))
    before = face_news(NOTHING_SEEN, "")
    molly = ended(jobs.trainings.start(PHOTOS, replace(SETTINGS, name="molly")))
    after = face_news(before[0], "")
    assert [update["choices"] for update in after if "molly" in str(update)] == [["none", "molly", "rexy"]]
    assert not any("vcd-compare" in str(update) for update in after), "a player that is playing is left alone"
    assert face_news(after[0], "")[2:] == [UNCHANGED] * (len(after) - 2)
    assert molly.file is not None
    studio.forget(molly.file, lambda: False)
    assert [update["choices"] for update in face_news(after[0], "") if "rexy" in str(update)] == [["none", "rexy"]]
