"""A page in Chromium, for tests of what a person does and sees."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.waiting import PATIENCE

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PATIENCE_MS = round(1000 * PATIENCE)


@contextmanager
def browsed(
    url: str, width: int = 1400, height: int = 1600, patience: int = PATIENCE_MS, clock: bool = False
) -> Iterator[Page]:
    """Open the page at an address, in a window of so many pixels; skips where Chromium is not installed.

    patience: milliseconds after which what does not happen has failed. clock: whether `page.clock` can move the page's
    time on, which passes by itself as well.
    """
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(patience)
        if clock:
            page.clock.install()
        page.goto(url)
        yield page
        browser.close()
