"""Bringing the paper's networks for masks to this machine, where they are not there yet."""

import importlib
import subprocess
import sys
from typing import Any

import gradio as gr

from vcd_ext.identity.segment import absent, missing_packages
from vcd_ext.jobs.service import Jobs
from vcd_ext.progress import Progress
from vcd_ext.storage.download import download
from vcd_ext.ui.download_progress import StoppedError, download_teller
from vcd_ext.ui.html import note_list, under_way
from vcd_ext.ui.session import Session

NETWORKS = "Grounding DINO and SAM"
WITHOUT = "For now, masks are found by where the loaded checkpoint looks when it reads the class, which is less exact."


class WeightsSection:
    """Creates its components where it is made; nothing is shown where the networks are there."""

    def __init__(self, jobs: Jobs):
        self.jobs = jobs
        lacking = self._lacks()
        with gr.Accordion(
            f"Better masks: {NETWORKS}", open=False, visible=lacking, elem_id="vcd_train_weights"
        ) as self.accordion:
            gr.HTML(self._explanation() if lacking else "")
            self.get = gr.Button("Download them", elem_id="vcd_train_download")
            self.message = gr.HTML(elem_id="vcd_train_download_message")

    def connect(self, session: Session, progress: Any) -> None:
        """Let the button do something. progress: the HTML that shows what is being done."""
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_name": False}
        shown = self.get.click(self.begin, [], [progress], queue=False, **quiet)
        session.on(shown.then, self.bring, [], [self.accordion, self.message], **quiet)

    def begin(self) -> str:
        """Show at once that something happens."""
        return under_way(self.jobs.doing or Progress("Downloading", 0, 1))

    def bring(self) -> list[Any]:
        """Install the packages and download the weights that are missing."""
        try:
            with self.jobs.turn(f"Installing {NETWORKS}"):
                self._install()
                for file in absent(self.jobs.studio.folders.weights):
                    download(
                        file, self.jobs.studio.folders.weights[0] / file.folder, download_teller(self.jobs, file.name)
                    )
        except StoppedError:
            return [gr.update(), note_list(["The download was stopped."])]
        except (ValueError, OSError) as error:
            return [gr.update(), note_list([str(error)], "vcd-error")]
        return [gr.update(visible=False), ""]

    def _install(self) -> None:
        """Add the packages without what they list as needed, which would move the WebUI's pins."""
        requirements = missing_packages()
        if not requirements:
            return
        command = [sys.executable, "-m", "pip", "install", "--no-deps", *requirements]
        by_hand = f"run 'pip install --no-deps {' '.join(requirements)}' in this program's environment and start again."
        if not self.jobs.studio.private:
            raise ValueError(f"This page is open to others, so it installs nothing: {by_hand}")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
            raise ValueError(f"{' and '.join(requirements)} could not be installed ({reason}); {by_hand}")
        importlib.invalidate_caches()

    def _lacks(self) -> bool:
        return bool(missing_packages() or absent(self.jobs.studio.folders.weights))

    def _explanation(self) -> str:
        size = sum(file.size for file in absent(self.jobs.studio.folders.weights)) / 1e9
        return f"<p>{NETWORKS} cut subjects out precisely, as in the paper ({size:.1f} GB). {WITHOUT}</p>"
