"""The page on the toy studio, in Chromium."""

from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from playwright.sync_api import Page

from tests.browser import browsed
from tests.toy_studio import ToyStudio
from vcd_ext.jobs.service import Jobs
from vcd_ext.ui.app import page as built


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def page_studio(folder: Path) -> ToyStudio:
    """Return the studio behind the page, which a whole file shares."""
    return ToyStudio(folder)


@pytest.fixture(scope="module")
def page(page_studio: ToyStudio) -> Iterator[Page]:
    blocks = built(Jobs(page_studio)).queue(concurrency_count=4)
    _, url, _ = blocks.launch(server_name="127.0.0.1", prevent_thread_lock=True, show_api=False, quiet=True)
    with browsed(url, height=1200, clock=True) as shown:
        yield shown
    blocks.close()


@pytest.fixture
def blocks() -> Iterator[gr.Blocks]:
    """Return a page that sections may be made on, which nobody looks at."""
    with gr.Blocks(analytics_enabled=False) as made:
        yield made
