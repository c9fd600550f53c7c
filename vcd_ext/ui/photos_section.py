"""Photos and masks on the page: dropping, finding, looking."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from vcd_ext.identity.photos.photo import Photo
from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.training import FINDING_MASKS
from vcd_ext.jobs.trainings import DESCRIBING
from vcd_ext.progress import Progress
from vcd_ext.storage.allowed_folders import inside
from vcd_ext.ui import selection as photos
from vcd_ext.ui.form import component
from vcd_ext.ui.html import note_list, under_way
from vcd_ext.ui.layouts import TRAINING
from vcd_ext.ui.mask_editor import MaskEditor, painted
from vcd_ext.ui.overlay import overlay, with_border
from vcd_ext.ui.photos_state import Page, StoredPage, store_page
from vcd_ext.ui.scratch import GoneError, Scratch
from vcd_ext.ui.selection import Selection
from vcd_ext.ui.session import Session
from vcd_ext.ui.uploads import UploadField
from vcd_ext.ui.weights_section import WeightsSection

THUMBNAIL = 320  # pixels of the longer side
NO_PHOTOS = "There are no photos yet; drop 5 to 10 pictures first."
CLEAR_BRUSH = "() => vcdClearBrush()"  # in javascript/vcd.js


# How a page's photos come to an event: the state holds them on the disk.
AnyPage = Page | StoredPage


class PhotosSection:
    """Creates its components where it is made; `shown` are those that `show` gives values to."""

    def __init__(self, jobs: Jobs):
        self.jobs = jobs
        self.page = gr.State(Page())
        self.scratch = Scratch()
        self.files = UploadField(
            label="Photos, and masks if you have them",
            file_count="multiple",
            file_types=["image"],
            elem_id="vcd_train_photos",
        )
        with gr.Row(elem_classes="vcd-row"):
            self.folder = gr.Textbox(
                label="or a folder on the machine that runs this", max_lines=1, elem_id="vcd_train_folder", scale=4
            )
            self.read_folder = gr.Button("Read folder", scale=1, min_width=110, elem_id="vcd_train_read_folder")
        with gr.Row(elem_classes="vcd-row"):
            self.class_word = component(TRAINING, "class_word")
            if jobs.studio.captions:
                self.class_word.value, self.class_word.placeholder = "", "empty: what the photos show"
            self.suggest = gr.Button(
                "Suggest", scale=0, min_width=90, visible=jobs.studio.captions, elem_id="vcd_train_suggest"
            )
            self.name = component(TRAINING, "name")
        with gr.Row():
            self.find = gr.Button("Find masks", scale=3, elem_id="vcd_train_find_masks")
            self.clear = gr.Button("Remove all photos", scale=2, min_width=160, elem_id="vcd_train_clear")
        self.weights = WeightsSection(jobs)
        self.problems = gr.HTML(elem_id="vcd_train_problems")
        self.gallery = gr.Gallery(
            label="Photos and masks: click one to correct it",
            columns=4, height="auto", object_fit="contain", allow_preview=False, show_download_button=False,
            elem_id="vcd_train_gallery", visible=False,
        )  # fmt: skip
        self.editor = MaskEditor()
        self.shown = [
            self.page, self.gallery, *self.editor.shown, self.problems,
        ]  # fmt: skip

    def connect(self, session: Session, progress: Any) -> list[Any]:
        """Let the components do something; the events after which there are more photos or fewer.

        progress: the HTML that shows what is being done.
        """
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_name": False}
        shown, editor = self.shown, self.editor
        self.weights.connect(session, progress)
        begun = self.find.click(partial(self.begin, FINDING_MASKS), [], [progress], queue=False, **quiet)
        found = [self.class_word, *shown]
        session.on(begun.then, self.find_masks, [self.page, self.class_word, self.name], found, api_name=False)
        begun = self.suggest.click(partial(self.begin, DESCRIBING), [], [progress], queue=False, **quiet)
        session.on(begun.then, self.suggest_class, [self.page], [self.class_word, self.problems], api_name=False)
        for event in (
            self.gallery.select(self.select, [self.page], shown, **quiet),
            editor.apply.click(self.paint, [self.page, editor.sketch, editor.way], shown, **quiet),
            editor.mask_file.upload(self.take_mask, [self.page, editor.mask_file], shown, **quiet),
            editor.drop.click(self.drop_mask, [self.page], shown, **quiet),
        ):
            event.then(None, None, None, _js=CLEAR_BRUSH)
        return [
            self.files.upload(self.add_files, [self.page, self.files], [self.files, *shown], api_name=False),
            self.folder.submit(self.add_folder, [self.page, self.folder], shown, api_name=False),
            self.read_folder.click(self.add_folder, [self.page, self.folder], shown, api_name=False),
            self.clear.click(self.remove_all, [], shown, **quiet),
            editor.used.input(self.use, [self.page, editor.used], shown, **quiet),
        ]

    def show(self, before: AnyPage, problems: Sequence[str] = ()) -> list[Any]:
        """Return values for `shown`; the photos go to the disk."""
        try:
            page = before.opened()
        except GoneError as gone:
            page, problems = Page(), [*problems, str(gone)]
        try:
            kept: AnyPage = store_page(page, self.scratch)
        except OSError as error:  # then they stay in memory
            kept, problems = page, [*problems, str(error)]
        some = bool(page.selection)
        gallery = [
            (with_border(overlay(one.photo, THUMBNAIL, one.used), i == page.index), one.caption)
            for i, one in enumerate(page.selection)
        ]
        return [
            kept,
            gr.update(value=gallery, visible=some),
            *self.editor.show(page.selection[page.index] if some else None),
            gr.update(value=note_list(list(dict.fromkeys(problems)))),
        ]

    def add_files(self, page: AnyPage, files: Sequence[Any] | None) -> list[Any]:
        """Add photos and masks that were dropped; the drop zone is emptied for more."""
        return [None, *self._add(page, [Path(file.name) for file in files or ()])]

    def add_folder(self, page: AnyPage, folder: str) -> list[Any]:
        """Add the photos of a folder. Pages that others can reach may read only the studio's folders."""
        try:
            if not folder.strip():
                raise ValueError("No folder was named; write its path, or drop photos.")
            path, studio = Path(folder.strip()).expanduser(), self.jobs.studio
            return self._add(page, [path if studio.private else inside(path, studio.folders.photos)])
        except ValueError as error:
            return self.show(page, [str(error)])

    def _add(self, page: AnyPage, sources: Sequence[Path]) -> list[Any]:
        every = tuple(dict.fromkeys([*page.sources, *sources]))
        try:
            before = page.opened().selection
            found, problems = photos.chosen(every)
        except (ValueError, OSError) as error:
            return self.show(page, [str(error)])
        return self.show(Page(every, photos.merged(before, found)), problems)

    def remove_all(self) -> list[Any]:
        """Begin again without photos."""
        return self.show(Page())

    def select(self, page: AnyPage, event: gr.SelectData) -> list[Any]:
        """Select the photo that was clicked."""
        try:
            opened = page.opened()
        except GoneError:
            return self.show(page)
        there = type(event.index) is int and 0 <= event.index < len(opened.selection)
        shown = self.show(opened.chosen(index=event.index) if there else opened)
        shown[self.shown.index(self.problems)] = gr.update()
        return shown

    def begin(self, what: str) -> str:
        """Show at once that something happens."""
        return under_way(self.jobs.doing or Progress(what, 0, 1))

    def suggest_class(self, page: AnyPage) -> list[Any]:
        """Write what the photos show into the class, and what went wrong below it."""
        try:
            used = _used(page.opened())
            return [gr.update(value=self.jobs.trainings.suggest_class(used)), gr.update(value="")]
        except (ValueError, OSError) as error:
            return [gr.update(), gr.update(value=note_list([str(error)]))]

    def find_masks(self, page: AnyPage, class_word: str, name: str) -> list[Any]:
        """Look for the masks of all photos that lack one; of what the photos show, where the class is empty."""
        try:
            opened = page.opened()
            word = self.jobs.trainings.class_of(_used(opened), class_word, name)
            found, problems = self.jobs.trainings.find_masks(photos.lacking(opened.selection), word)
        except (ValueError, OSError) as error:
            return [class_word, *self.show(page, [str(error)])]
        return [word, *self.show(opened.chosen(selection=photos.with_masks(opened.selection, found)), problems)]

    def use(self, page: AnyPage, used: bool) -> list[Any]:
        """Use the photo, or leave it out."""
        return self._changed(page, lambda selection, index: photos.with_use(selection, index, used))

    def paint(self, page: AnyPage, sketch: dict[str, Any] | None, way: str) -> list[Any]:
        """Correct the mask by what was painted."""
        return self._changed(page, partial(painted, sketch, way))

    def take_mask(self, page: AnyPage, file: Any) -> list[Any]:
        """Replace the mask by that of a file."""
        return self._changed(page, lambda selection, index: photos.with_mask_file(selection, index, Path(file.name)))

    def drop_mask(self, page: AnyPage) -> list[Any]:
        """Drop the mask: the photo is learned from as a whole."""
        return self._changed(page, photos.without_mask)

    def _changed(self, page: AnyPage, change: Callable[[Selection, int], Selection]) -> list[Any]:
        """Return values for `shown` once the photo that is edited is changed, or a sentence why it is not."""
        try:
            opened = page.opened()
            if not opened.selection:
                raise ValueError(NO_PHOTOS)
            return self.show(opened.chosen(selection=change(opened.selection, opened.index)))
        except ValueError as error:
            return self.show(page, [str(error)])


def _used(page: Page) -> list[Photo]:
    """Return the photos that are learned from; ValueError if there is none on the page."""
    if not page.selection:
        raise ValueError(NO_PHOTOS)
    return [one.photo for one in page.selection if one.used]
