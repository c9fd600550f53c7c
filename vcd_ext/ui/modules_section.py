"""Bringing motion modules to this machine: which there are, how large they are, under which licence, and a button."""

import contextvars
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from vcd_ext.jobs.service import Jobs
from vcd_ext.motion.published import PUBLISHED, published
from vcd_ext.progress import Progress
from vcd_ext.storage.download import WeightFile, download, is_there
from vcd_ext.ui.download_progress import StoppedError, download_teller
from vcd_ext.ui.html import error_list, note_list, under_way

NONE_YET = (
    "There is no motion module yet, and without one the frames do not move together. Get one here, or put a file that "
    "you have into {folder} and refresh the list."
)
MORE = "Motion modules that can be got here; each lies in {folder} afterwards."
GIGABYTE = 1e9
MOMENT = 0.5  # seconds between two looks at how far it is


class ModulesSection:
    """Creates its components where it is made.

    known: the names of the modules that are there. folder: where a file belongs.
    """

    def __init__(self, jobs: Jobs, tab: str, known: Callable[[], Sequence[str]], folder: Callable[[WeightFile], Path]):
        self.jobs, self.known, self.folder = jobs, known, folder
        lacking = not known()
        with gr.Accordion(
            "Get a motion module", open=lacking, elem_id=f"vcd_{tab}_modules", elem_classes="vcd-modules"
        ) as self.accordion:
            told = NONE_YET if lacking else MORE
            gr.HTML(f"<p>{escape(told.format(folder=folder(PUBLISHED[0].file)))}</p>{_table()}")
            with gr.Row(elem_classes="vcd-row"):
                names = [module.file.name for module in PUBLISHED]
                self.chosen = gr.Dropdown(names, value=names[0], label="Module", elem_id=f"vcd_{tab}_modules_chosen")
                self.chosen.do_not_save_to_config = True
                self.get = gr.Button(f"Get {names[0]}", elem_id=f"vcd_{tab}_modules_get")
                self.stop = gr.Button("Stop", elem_id=f"vcd_{tab}_modules_stop", visible=False)
            self.message = gr.HTML(elem_id=f"vcd_{tab}_modules_message")

    def connect(self, module: Any) -> None:
        """Let the buttons do something. module: the component that chooses one, which then has the new one."""
        quiet: dict[str, Any] = {"show_progress": False}
        self.chosen.change(lambda name: gr.update(value=f"Get {name}"), [self.chosen], [self.get], **quiet)
        self.get.click(self.bring, [self.chosen], [self.message, self.stop, module], **quiet)
        self.stop.click(self.jobs.stop, [], [], queue=False, **quiet)

    def bring(self, name: str) -> Iterator[list[Any]]:
        """Download a module, and what is used with it; yield how far it is, and what came of it."""
        with ThreadPoolExecutor(1) as worker:
            # In a context like this one, by which the download can be stopped by who has begun it.
            work = worker.submit(contextvars.copy_context().run, self._download, name)
            while not _ended(work):
                now = self.jobs.doing or Progress(f"Downloading {name}", 0, 1)
                yield [under_way(now), gr.update(visible=True), gr.update()]
        try:
            folder = work.result()
        except StoppedError:
            yield [
                note_list(["The download was stopped, and nothing of it is kept."]),
                gr.update(visible=False),
                gr.update(),
            ]
        except (ValueError, OSError) as error:
            yield [error_list(str(error)), gr.update(visible=False), gr.update()]
        else:
            choices = self.known()
            chosen = next((known for known in choices if Path(known).name == name), None)
            update = gr.update() if chosen is None else gr.update(choices=["none", *choices], value=chosen)
            yield [note_list([f"{name} is in {folder}."], "vcd-estimate"), gr.update(visible=False), update]

    def _download(self, name: str) -> Path:
        module = published(name)
        with self.jobs.turn(f"Downloading {name}"):
            for file in module.files:
                folder = self.folder(file)
                if not is_there(file, folder):
                    download(file, folder, download_teller(self.jobs, file.name))
        return self.folder(module.file)


def _ended(work: "Future[Path]") -> bool:
    try:
        work.exception(MOMENT)
    except NotYet:
        return False
    return True


def _table() -> str:
    """Return what is offered as HTML: name, what it is, size, licence and source."""
    rows = "".join(
        f"<tr><td>{escape(module.file.name)}</td><td>{escape(module.about)}</td>"
        f"<td>{module.size / GIGABYTE:.1f} GB</td><td>{escape(module.licence)}</td>"
        f'<td><a href="{module.source}" target="_blank" rel="noreferrer">{module.source.partition("://")[2]}</a></td></tr>'
        for module in PUBLISHED
    )
    head = "<tr><th>File</th><th>What it is</th><th>Size</th><th>Licence</th><th>Source</th></tr>"
    return f'<table class="vcd-table">{head}{rows}</table>'
