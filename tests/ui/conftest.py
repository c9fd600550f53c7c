"""The page on the toy studio, in Chromium."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.toy_studio import ToyStudio
from vcd_ext.jobs import Jobs
from vcd_ext.ui.app import page as built

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PATIENCE = 60_000  # milliseconds


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def studio(folder: Path) -> ToyStudio:
    return ToyStudio(folder)


@pytest.fixture(scope="module")
def page(studio: ToyStudio) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    blocks = built(Jobs(studio)).queue(concurrency_count=4)
    _, url, _ = blocks.launch(server_name="127.0.0.1", prevent_thread_lock=True, show_api=False, quiet=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        shown = browser.new_page(viewport={"width": 1400, "height": 1200})
        shown.set_default_timeout(PATIENCE)
        shown.goto(url)
        yield shown
        browser.close()
    blocks.close()
