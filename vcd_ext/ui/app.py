"""The tabs as a page of their own, without the WebUI."""

from pathlib import Path

import gradio as gr

from vcd_ext.jobs.service import Jobs
from vcd_ext.ui.tabs import create_tabs

ROOT = Path(__file__).parents[2]  # where the WebUI looks for an extension's style and script


def page(jobs: Jobs) -> gr.Blocks:
    """Build the page; `launch` it. ValueError if its style or script is missing."""
    style, script = (_read(ROOT / name) for name in ("style.css", "javascript/vcd.js"))
    with gr.Blocks(title="VCD", css=style, analytics_enabled=False) as blocks:
        create_tabs(jobs)
        blocks.load(None, None, None, _js=f"() => {{ {script} }}")
    return blocks


def _read(path: Path) -> str:
    if not path.is_file():
        raise ValueError(f"{path} is missing; run the page from a clone of the repository.")
    return path.read_text(encoding="utf-8")
