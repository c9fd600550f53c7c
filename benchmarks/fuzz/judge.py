"""What is looked at while requests come in: answers, files, the model, memory."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import requests

from benchmarks.fuzz.drawn import Asked
from tests.webui.server import WEBUI, Server

ENDED = ("done", "stopped", "failed")
PATIENCE = 120.0  # seconds after which a job hangs
# In the data folder, what a WebUI writes to, and what jobs are for.
WRITTEN = ("outputs", "embeddings", "vcd", "cache", "config.json", "ui-config.json", "params.txt", "tmp")
SCRATCH = ("gradio", "photos-of-vcd", "vcd")  # among temporary files: as long as a job is known
IGNORED = ("venv", ".git", "__pycache__", "repositories", "cache", "tmp")


class Judge:
    """Asks, and keeps what was wrong. marker: what stands in the files that nobody may read."""

    def __init__(self, server: Server, home: Path, marker: str):
        self.server, self.home, self.marker = server, home, marker
        self.answers: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.begun = 0
        self.job = ""  # path of the last job
        self.memory: list[int] = []
        self.fingerprint = server.get("/probe/fingerprint")
        self.files = set(_files(home))

    def ask(self, asked: Asked) -> None:
        """Send a request and judge its answer; a job that it begins is ended before the next."""
        url = self.server.url + asked.path.replace("{id}", self.job.rpartition("/")[2] or "none")
        data = None if asked.body is None else json.dumps(asked.body).encode()
        headers = {"Content-Type": asked.kind} if asked.kind else {}
        answer = requests.request(asked.method, url, data=data, headers=headers, timeout=PATIENCE)
        self.answers[str(answer.status_code)] += 1
        if answer.status_code >= 500:
            self._blame(asked, f"{answer.status_code} {answer.text[:600]}")
        if self.marker in answer.text:
            self._blame(asked, "told what stands in a file that may not be read")
        if answer.status_code in (404, 409, 415, 422) and not _is_sentence(answer):
            self._blame(asked, f"no sentence: {answer.text[:300]}")
        if answer.status_code == 200 and asked.method == "POST" and asked.path.startswith("/vcd/"):
            self._end(asked, answer.json())

    def look(self) -> None:
        """Judge what is left: the model, and files at places where none belong; take note of the memory."""
        now = self.server.get("/probe/fingerprint")
        changed = [name for name in now if now[name] != self.fingerprint[name]]
        if changed:
            self.wrong.append(f"left on the model: {', '.join(changed)}")
        self.fingerprint = now
        for path in set(_files(self.home)) - self.files:
            self.files.add(path)
            if not self._belongs(path):
                self.wrong.append(f"a file where none belongs: {path}")
        self.memory.append(int(self.server.get("/probe/memory")))

    def _end(self, asked: Asked, told: dict[str, Any]) -> None:
        kind = asked.path.split("/")[3].partition("?")[0]
        self.job = f"/vcd/v1/{kind}/{told['id']}"
        if told["state"] not in ENDED:
            self.begun += 1
        if asked.stopped:
            self.server.post(f"{self.job}/cancel").raise_for_status()
        end = time.monotonic() + PATIENCE
        while (now := self.server.get(f"{self.job}?files=false" if kind != "train" else self.job))[
            "state"
        ] not in ENDED:
            if time.monotonic() > end:
                self._blame(asked, f"its job hangs: {now}")
                self.server.post(f"{self.job}/cancel")
                end += PATIENCE
            time.sleep(0.05)
        if "The console tells more" in now["error"] or "\n" in now["error"]:
            self._blame(asked, f"its job ended with {now['error']}")

    def _belongs(self, path: Path) -> bool:
        if path.is_relative_to(self.server.temporary):
            return path.relative_to(self.server.temporary).parts[0].startswith(SCRATCH)
        if not path.is_relative_to(self.server.data):
            return False
        first = path.relative_to(self.server.data).parts[0]
        return first in WRITTEN or first.startswith("webui-")

    def _blame(self, asked: Asked, what: str) -> None:
        self.wrong.append(f"{asked.method} {asked.path[:80]} {json.dumps(asked.body)[:400]}: {what}")


def _is_sentence(answer: requests.Response) -> bool:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError):
        return False
    # A list is FastAPI's own way to tell what is wrong with a query.
    return isinstance(detail, list) or (isinstance(detail, str) and bool(detail) and "\n" not in detail)


def _files(home: Path) -> Iterable[Path]:
    """All files of the WebUI's data folder and around it, and those of its own folder."""
    yield from (path for path in home.rglob("*") if path.is_file() and "extensions" not in path.parts)
    for path in WEBUI.iterdir():
        if path.name not in IGNORED:
            yield from (
                one for one in ([path] if path.is_file() else path.rglob("*.*")) if "__pycache__" not in one.parts
            )
