"""Several people on one server: each sees and stops what was begun on the own pages."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests import film
from tests.browser import CHROMIUM, FLAGS, PATIENCE_MS
from tests.gradio_page import RawPage, sent
from tests.identity.toy_host import PHOTOS
from tests.toy_studio import ENDLESS, NAME, SETTINGS, ToyStudio, ended, stopped_at
from tests.waiting import PATIENCE, until
from vcd_ext.jobs.queue import BusyError
from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.session import requested_by
from vcd_ext.jobs.training import TrainingJob
from vcd_ext.jobs.video import VideoJob
from vcd_ext.settings import TiledSettings
from vcd_ext.ui.app import page as built

TILES = TiledSettings(tile=64, tile_overlap=16, steps=2, motion_module="mm_v2")
ANN, BOB = {"vcd_session": "a" * 32}, {"vcd_session": "b" * 32}


@pytest.fixture
def url(jobs: Jobs) -> Iterator[str]:
    blocks = built(jobs).queue(concurrency_count=4)
    _, address, _ = blocks.launch(server_name="127.0.0.1", prevent_thread_lock=True, show_api=False, quiet=True)
    yield address
    blocks.close()


def test_others_see_that_something_runs_but_neither_what_nor_can_they_stop_it(jobs: Jobs) -> None:
    with requested_by("ann"):
        job = jobs.trainings.start(PHOTOS, ENDLESS)
    with requested_by("bob"):
        assert jobs.last_of(TrainingJob) is None
        told = jobs.beside(None)
        assert told is not None
        assert NAME not in told.stage
        assert not jobs.stoppable
        jobs.stop()
        assert not job.stops()
        with pytest.raises(BusyError, match=r"^Somebody else's job is under way; try again when it is done\.$"):
            jobs.trainings.start(PHOTOS, SETTINGS)
    with requested_by("ann"):
        assert jobs.last_of(TrainingJob) is job
        assert jobs.stoppable
        jobs.stop()
    ended(job)


def test_what_is_no_job_is_stopped_by_its_own_page_alone(jobs: Jobs) -> None:
    with requested_by("ann"), jobs.turn("Finding masks"):
        with requested_by("bob"):
            jobs.stop()
            assert not jobs.stoppable
        assert not jobs.given_up()
        jobs.stop()
        assert jobs.given_up()


def test_what_somebody_learned_is_deleted_replaced_and_gone_on_with_by_that_person_alone(jobs: Jobs) -> None:
    with requested_by("ann"):
        stopped_at(jobs, 5)
    with requested_by("bob"):
        assert not jobs.trainings.is_own(NAME)
        for do in (jobs.trainings.resume, jobs.trainings.discard, lambda _: jobs.trainings.start(PHOTOS, SETTINGS)):
            with pytest.raises(ValueError, match=f"{NAME} was trained by somebody else"):
                do(NAME)
    with requested_by("ann"):
        assert ended(jobs.trainings.resume(NAME)).file
    with requested_by("bob"), pytest.raises(ValueError, match="was trained by somebody else"):
        jobs.trainings.start(PHOTOS, SETTINGS, replace_existing=True)


def test_kept_steps_belong_to_whom_trains_them_as_well(jobs: Jobs) -> None:
    with requested_by("ann"):
        ended(jobs.trainings.start(PHOTOS, replace(SETTINGS, keep_every=8)))
    other = replace(SETTINGS, name=f"{NAME}_8")
    with requested_by("bob"), pytest.raises(ValueError, match=f"{NAME}_8 was trained by somebody else"):
        jobs.trainings.start(PHOTOS, other, replace_existing=True)
    with requested_by("ann"):
        ended(jobs.trainings.start(PHOTOS, other, replace_existing=True))


@pytest.mark.parametrize("cookies", [(ANN, BOB), (None, None)], ids=["two browsers", "two pages without cookies"])
def test_a_new_page_shows_nothing_of_others(
    url: str, jobs: Jobs, studio: ToyStudio, tmp_path: Path, cookies: tuple[dict[str, str] | None, ...]
) -> None:
    first, second = (RawPage(url, its) for its in cookies)
    studio.video.at = lambda frame: studio.go_on.wait(PATIENCE) if frame == 2 else None
    path = first.upload("walk.mp4", film.film(tmp_path / "walk.mp4").read_bytes())
    assert "walk.mp4" in first.shown("vcd_tiled_file", "upload", vcd_tiled_file=sent(path))["vcd_tiled_about"]
    first.shown("vcd_tiled_start", "click")
    job = jobs.last_of(VideoJob)
    assert job is not None
    until(lambda: job.progress)
    for page, its in ((first, True), (second, False)):
        shown = page.shown("vcd_tiled_tick", "click")
        assert ("walk.mp4" in str(shown)) is its
        assert (shown["vcd_tiled_stop"]["mode"] == "dynamic") is its, "the button Interrupt"
    second.shown("vcd_tiled_stop", "click")
    assert not job.stops()
    studio.go_on.set()
    ended(job)
    assert "walk-tiled.mp4" in str(first.shown("vcd_tiled_tick", "click"))
    assert "walk" not in str(second.shown("vcd_tiled_tick", "click"))
    if cookies[0]:
        again = RawPage(url, cookies[0])
        assert "walk-tiled.mp4" in str(again.shown("vcd_tiled_tick", "click")), "the page was loaded again"


def test_a_browser_knows_its_jobs_when_the_page_is_loaded_again_and_another_does_not(
    url: str, jobs: Jobs, tmp_path: Path
) -> None:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        mine, other = browser.new_page(), browser.new_page()
        for page in (mine, other):
            page.set_default_timeout(PATIENCE_MS)
        mine.goto(url)
        mine.locator("#vcd_tabs > .tab-nav button", has_text="Tiled VCD").click()
        mine.locator("#vcd_tiled_file input[type=file]").set_input_files(film.film(tmp_path / "walk.mp4"))
        mine.locator("#vcd_tiled_about video").wait_for()
        mine.locator("#vcd_tiled_start").click()
        for _ in range(2):
            expect(mine.locator("#vcd_tiled_panel").last).to_contain_text("walk.mp4 is ready")
            mine.goto(url)
            mine.locator("#vcd_tabs > .tab-nav button", has_text="Tiled VCD").click()
        other.goto(url)
        with other.expect_response("**/run/predict*"):
            other.locator("#vcd_tabs > .tab-nav button", has_text="Tiled VCD").click()
        expect(other.locator("#vcd_tiled_start")).to_be_enabled()
        assert "walk" not in other.content()
        browser.close()
    assert jobs.last is not None
