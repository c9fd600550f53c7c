"""The photos of pages lie on the disk, and those of pages that were closed go by themselves."""

import gc
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from tests.gradio_page import RawPage, sent
from tests.identity.toy_host import PHOTOS
from tests.toy_studio import ToyStudio
from vcd_ext.jobs.service import Jobs
from vcd_ext.ui.app import page as built
from vcd_ext.ui.photos_state import Page, store_page
from vcd_ext.ui.scratch import AGE, PREFIX, GoneError, Scratch
from vcd_ext.ui.selection import Chosen

PAGE = Page((), tuple(Chosen(photo) for photo in PHOTOS))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def aged(path: Path, by: float = AGE + 60) -> None:
    os.utime(path, (time.time() - by,) * 2)


def test_a_page_comes_back_as_it_was_and_pages_share_the_files_of_the_same_photo(temporary: Path) -> None:
    scratch = Scratch()
    kept, again = store_page(PAGE, scratch), store_page(PAGE, scratch)
    for before, after in zip(PAGE.selection, kept.opened().selection, strict=True):
        assert np.array_equal(before.photo.pixels, after.photo.pixels)
        assert np.array_equal(before.photo.mask, after.photo.mask)
        assert (before.photo.name, before.caption) == (after.photo.name, after.caption)
    assert kept == again
    assert len(list(scratch.folder.iterdir())) == len(
        {*kept.photos[0][1:3], *kept.photos[1][1:3], *kept.photos[2][1:3]}
    )
    assert scratch.folder.stat().st_mode & 0o077 == 0, "no other account can open it"


def test_what_is_not_asked_for_ages_and_what_is_asked_for_does_not(temporary: Path) -> None:
    scratch = Scratch()
    old, used = scratch.keep(np.zeros(3)), scratch.keep(np.ones(3))
    for key in (old, used):
        aged(scratch.folder / key, AGE - 60)
    scratch.read(used)
    aged(scratch.folder / old)
    scratch.keep(np.full(3, 2))
    assert np.array_equal(scratch.read(used), np.ones(3))
    with pytest.raises(GoneError, match="lay here for a day, unused, and were deleted; add them again"):
        scratch.read(old)


def test_what_a_killed_process_has_left_ages_too(temporary: Path) -> None:
    left, fresh = temporary / f"{PREFIX}left", temporary / f"{PREFIX}fresh"
    for folder in (left, fresh):
        folder.mkdir()
        (folder / "key").touch()
        aged(folder)
    aged(left / "key")
    Scratch().keep(np.zeros(3))
    assert not left.exists()
    assert fresh.exists(), "its process may be running"


@pytest.fixture
def blocks(tmp_path: Path) -> Iterator[gr.Blocks]:
    made = built(Jobs(ToyStudio(tmp_path))).queue(concurrency_count=4)
    made.launch(server_name="127.0.0.1", prevent_thread_lock=True, show_api=False, quiet=True)
    yield made
    made.close()


def pixels_within(root: object) -> int:
    """Bytes of all arrays that something holds, directly or not."""
    seen: set[int] = set()
    waiting, size = [root], 0
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | FunctionType | ModuleType):
            continue
        seen.add(id(one))
        size += one.nbytes if isinstance(one, np.ndarray) else 0
        waiting += gc.get_referents(one)
    return size


def test_pages_that_were_closed_hold_no_photo_in_memory(blocks: gr.Blocks, tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)).save(tmp_path / "rex.png")
    for _ in range(3):
        page = RawPage(blocks.local_url)
        photo = page.upload("rex.png", (tmp_path / "rex.png").read_bytes())
        shown = page.shown("vcd_train_photos", "upload", vcd_train_photos=[sent(photo)])
        assert len(shown["vcd_train_gallery"]["value"]) == 1
        assert "rex.png" in page.shown("vcd_train_drop_mask", "click")["vcd_train_about"]["value"]
    assert len(blocks.server_app.state_holder) == 3
    assert pixels_within(blocks.server_app.state_holder) == 0


def test_a_page_whose_photos_have_aged_says_so_and_goes_on(blocks: gr.Blocks, tmp_path: Path) -> None:
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(tmp_path / "rex.png")
    page = RawPage(blocks.local_url)
    photo = page.upload("rex.png", (tmp_path / "rex.png").read_bytes())
    page.shown("vcd_train_photos", "upload", vcd_train_photos=[sent(photo)])
    state = next(iter(blocks.server_app.state_holder.values()))
    [kept] = [value for value in state.values() if hasattr(value, "scratch")]
    for path in kept.scratch.folder.iterdir():
        path.unlink()
    said = "lay here for a day"
    assert said in page.shown("vcd_train_start", "click")["vcd_train_panel"]["value"]
    assert said in page.shown("vcd_train_drop_mask", "click")["vcd_train_problems"]["value"]
    shown = page.shown("vcd_train_photos", "upload", vcd_train_photos=[sent(photo)])
    assert len(shown["vcd_train_gallery"]["value"]) == 1
