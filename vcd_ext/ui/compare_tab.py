"""The tab *Compare*: which embedding of an identity is best, and the reports of evaluations."""

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from vcd_ext.identity.naming import check_class_word
from vcd_ext.identity.photos.photo import read_photos
from vcd_ext.jobs.comparison import Comparison, ComparisonJob
from vcd_ext.jobs.service import Jobs
from vcd_ext.settings import NO_MODULE
from vcd_ext.storage.allowed_folders import inside
from vcd_ext.ui.comparison_panel import comparison_panel, comparison_table
from vcd_ext.ui.help_section import help_section
from vcd_ext.ui.html import error_list, heading
from vcd_ext.ui.session import Session
from vcd_ext.ui.tried import tried

PROMPTS = "photo of {subject} in the snow\nphoto of {subject} on the beach"
LARGEST = 60_000_000  # bytes of a report that the page shows; a larger one is opened by itself


def compare_tab(jobs: Jobs, session: Session) -> None:
    """Create the tab's content here, within a gr.Blocks."""
    with gr.Row(elem_id="vcd_compare", elem_classes="vcd-tab"):
        with gr.Column(scale=5, min_width=420):
            help_section("compare")
            section = CompareSection(jobs)
        with gr.Column(scale=6, min_width=480):
            gr.HTML(heading(2, "Best first"))
            section.create_results()
            gr.HTML(heading(3, "The report of an evaluation"))
            report = ReportSection(jobs)
    section.connect(session)
    report.connect(session)


class CompareSection:
    """Creates its components where it is made."""

    def __init__(self, jobs: Jobs):
        self.jobs = jobs
        gr.HTML(heading(1, "Photos and embeddings"))
        self.photos = gr.File(label="Photos", file_count="multiple", elem_id="vcd_compare_photos")
        self.word = gr.Textbox(
            label="Class",
            placeholder="dog",
            elem_id="vcd_compare_class",
            info="What the photos show: dog, toy car.",
        )
        with gr.Row(elem_classes="vcd-row"):
            self.names = gr.Dropdown(
                self._names(), value=[], multiselect=True, label="Embeddings", elem_id="vcd_compare_names",
                info="Each is a row, such as those that were saved after 50, 100 and 200 steps.",
            )  # fmt: skip
            self.refresh = gr.Button("Refresh", elem_id="vcd_compare_refresh", scale=0)
        self.prompts = gr.Textbox(
            PROMPTS, lines=4, label="Prompts", elem_id="vcd_compare_prompts",
            info="One in each line; {subject} is the embedding's name and the class.",
        )  # fmt: skip
        with gr.Row():
            self.seeds = gr.Slider(1, 16, 2, step=1, label="Seeds", elem_id="vcd_compare_seeds")
            self.size = gr.Slider(64, 1024, 512, step=64, label="Size", elem_id="vcd_compare_size")
        with gr.Row():
            self.start = gr.Button("Compare", variant="primary", elem_id="vcd_compare_start")
            self.stop = gr.Button("Interrupt", interactive=False, elem_id="vcd_compare_stop")

    def create_results(self) -> None:
        """Create here what shows how far it is, and the table."""
        self.panel = gr.HTML(elem_id="vcd_compare_panel")
        self.table = gr.HTML(elem_id="vcd_compare_table")
        self.error = gr.State("")
        self.tick = gr.Button("News", elem_id="vcd_compare_tick", elem_classes="vcd-hidden")
        self.seen = gr.State("")
        self.shown = [self.panel, self.table, self.start, self.stop, self.error, self.seen]

    def connect(self, session: Session) -> None:
        """Let the components do something."""
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_name": False}
        inputs = [self.photos, self.word, self.names, self.prompts, self.seeds, self.size]
        session.on(self.start.click, self.begin, inputs, self.shown, **quiet)
        session.on(self.stop.click, lambda: self._tried(self.jobs.stop), [], self.shown, queue=False, **quiet)
        session.on(self.tick.click, self.news, [self.error, self.seen], self.shown, queue=False, **quiet)
        session.on(self.refresh.click, self.refreshed, [], [self.names], queue=False, **quiet)

    @property
    def job(self) -> ComparisonJob | None:
        """The last comparison."""
        return self.jobs.last_of(ComparisonJob)

    def begin(
        self, files: list[Any] | None, word: str, names: list[str], prompts: str, seeds: float, size: float
    ) -> list[Any]:
        """Begin with what is on the page."""

        def start() -> None:
            paths = [Path(getattr(file, "name", file)) for file in files or []]
            photos = tuple(read_photos(paths).photos) if paths else ()
            lines = tuple(line.strip() for line in prompts.splitlines() if line.strip())
            class_word = check_class_word(word, names[0] if names else "")
            self.jobs.comparisons.start(Comparison(photos, class_word, tuple(names), lines, int(seeds), int(size)))

        return self._tried(start)

    def news(self, error: str, seen: str) -> list[Any]:
        """Return what has changed: the table only with new pictures in it."""
        return self._show(error, seen)

    def refreshed(self) -> Any:
        """Return the embeddings that can be chosen now."""
        return gr.update(choices=self._names())

    def _show(self, error: str = "", seen: str = "") -> list[Any]:
        job = self.job
        now = f"{job.id} {len(job.samples)}" if job else "none"
        panel = comparison_panel(job, self.jobs.beside(job), self.jobs.studio.busy()) + error_list(error)
        table = gr.update() if now == seen else gr.update(value=comparison_table(job))
        runs = job is not None and not job.ended
        buttons = gr.update(interactive=not runs), gr.update(interactive=self.jobs.stoppable)
        return [gr.update(value=panel), table, *buttons, error, now]

    def _tried(self, do: Callable[[], object]) -> list[Any]:
        return tried(do, self._show)

    def _names(self) -> list[str]:
        return [name for name in self.jobs.studio.choices().identities if name != NO_MODULE]


class ReportSection:
    """Shows the report.html of an evaluation."""

    def __init__(self, jobs: Jobs):
        self.jobs = jobs
        with gr.Row(elem_classes="vcd-row"):
            self.folder = gr.Textbox(
                label="Folder", placeholder="/evaluations/drawn", elem_id="vcd_compare_folder",
                info="That `python -m vcd_ext evaluate` has written.",
            )  # fmt: skip
            self.show = gr.Button("Show", elem_id="vcd_compare_show", scale=0)
        self.report = gr.HTML(elem_id="vcd_compare_report")

    def connect(self, session: Session) -> None:
        """Let the button show the report."""
        session.on(self.show.click, self.shown, [self.folder], [self.report], api_name=False)

    def shown(self, folder: str) -> str:
        """Return a frame with the report, whose scripts would not be run; a sentence if there is none."""
        try:
            return f'<iframe class="vcd-report" sandbox srcdoc="{escape(self._read(folder))}"></iframe>'
        except (ValueError, OSError) as error:
            return error_list(str(error))

    def _read(self, folder: str) -> str:
        if not folder.strip():
            raise ValueError("No folder is named; write the one that an evaluation has written.")
        path = Path(folder.strip()).expanduser()
        path = path / "report.html" if path.suffix != ".html" else path
        if not self.jobs.studio.private:
            path = inside(path, self.jobs.studio.folders.sources, "reports")
        if not path.is_file():
            raise ValueError(f"There is no report at {path}; make one by python -m vcd_ext evaluate.")
        if path.stat().st_size > LARGEST:
            raise ValueError(f"{path} is too large for this page; open it in the browser itself.")
        return path.read_text(encoding="utf-8")
