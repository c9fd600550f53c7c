"""A real WebUI as a subprocess, with a data folder of its own so that nobody's files are touched."""

import base64
import io
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import requests
from PIL import Image

from tests.waiting import PATIENCE

WEBUI = Path(os.environ.get("VCD_WEBUI", "~/stable-diffusion-webui")).expanduser()
REPOSITORY = Path(__file__).parents[2]
FLAGS = [
    "--skip-torch-cuda-test",
    "--use-cpu=all",
    "--no-half",
    "--api",
    "--no-download-sd-model",
    "--skip-version-check",
    "--skip-python-version-check",
]


class Server:
    """A running WebUI: its address, and requests to it."""

    def __init__(self, data: Path, *flags: str):
        self.data = data
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data / f"webui-{self.port}.log"
        self.temporary = data.with_name(f"{data.name}-temporary")  # not in a folder that may be read
        self.temporary.mkdir(exist_ok=True)
        command = [str(WEBUI / "venv/bin/python"), "launch.py", *FLAGS, f"--port={self.port}", f"--data-dir={data}"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, *flags],
                cwd=WEBUI,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"HF_HUB_OFFLINE": "1", "TMPDIR": str(self.temporary)},
                start_new_session=True,
            )
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            # Not by asking from the first: a request before the WebUI has added its middleware stops its start.
            if "Startup time" in self.log.read_text() and self._listens():
                self.get("/probe/fingerprint")  # loads the checkpoint if that is not done yet
                return
            time.sleep(0.3)
        self.stop()
        raise RuntimeError(f"The WebUI did not start:\n{self.log.read_text()[-3000:]}")

    def _listens(self) -> bool:
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def get(self, path: str) -> Any:
        answer = requests.get(self.url + path, timeout=PATIENCE)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, **body: Any) -> requests.Response:
        return requests.post(self.url + path, json=body, timeout=PATIENCE)

    def generate(
        self,
        vcd: dict[str, Any] | None = None,
        path: str = "txt2img",
        options: dict[str, Any] | None = None,
        **request: Any,
    ) -> "Result":
        """Run a small request that must succeed; `vcd` are VCD's settings (enabled), None a plain batch.

        `options` are the WebUI's settings during it. (Its own override_settings leaves what was never set before
        at the overriding value.)
        """
        with self.options(**(options or {})):
            answer = self.ask(vcd, path, **request)
        assert answer.status_code == 200, answer.text[:2000]
        return Result(answer.json())

    def ask(self, vcd: dict[str, Any] | None = None, path: str = "txt2img", **request: Any) -> requests.Response:
        body = {
            "prompt": "a photo of a cat",
            "negative_prompt": "blurry",
            "seed": 7,
            "steps": 2,
            "width": 64,
            "height": 64,
            "sampler_name": "Euler",
            "scheduler": "Automatic",
            "cfg_scale": 7.0,
        } | request
        if vcd is not None:
            body["alwayson_scripts"] = {"VCD": {"args": [{"enabled": True, **vcd}]}}
        return self.post(f"/sdapi/v1/{path}", **body)

    def options(self, **values: Any) -> "Options":
        """Give the WebUI these settings within this context."""
        return Options(self, values)


class Options:
    """Settings of the WebUI, put back at the end."""

    def __init__(self, server: Server, values: dict[str, Any]):
        self.server, self.values = server, values

    def __enter__(self) -> None:
        if self.values:
            before = self.server.get("/sdapi/v1/options")
            self.before = {name: before[name] for name in self.values}
            self.server.post("/sdapi/v1/options", **self.values).raise_for_status()

    def __exit__(self, *_: object) -> None:
        if self.values:
            self.server.post("/sdapi/v1/options", **self.before).raise_for_status()


class Result:
    """What a generation returned."""

    def __init__(self, answer: dict[str, Any], pictures: bool = True):
        self.info = json.loads(answer["info"])
        opened = [Image.open(io.BytesIO(base64.b64decode(text))) for text in answer["images"] if pictures]
        self.frames_of_any_size = [np.asarray(picture.convert("RGB")) for picture in opened]
        self.infotext: str = self.info["infotexts"][0]
        self.extra = self.info["extra_generation_params"]

    @property
    def frames(self) -> np.ndarray:
        """The pictures, all of one size."""
        return np.stack(self.frames_of_any_size)

    @property
    def videos(self) -> list[Path]:
        return [Path(video["path"]) for video in self.extra["VCD videos"]]


def as_base64(picture: np.ndarray) -> str:
    """Return a picture as the API takes it."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()
