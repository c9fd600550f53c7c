"""Requests drawn from the API's own description, most of them wrong somewhere, are answered in a sentence."""

import json
from pathlib import Path

import hypothesis
import numpy as np
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from benchmarks.fuzz.drawn import Asked, given, requests
from tests import film
from tests.toy_studio import ToyStudio
from tests.waiting import until
from vcd_ext import api
from vcd_ext.jobs.service import Jobs
from vcd_ext.settings import VideoSettings, json_schema

NAMES = {"name": ["fuzzling"], "class_word": ["dog"], "identity": ["none"], "motion_module": ["none", "mm_v2"]}
TEXTS = {name: [""] for name in ("sampler", "upscaler", "people", "words")} | {"controlnet": ["none"]}


def test_every_request_is_answered_and_none_by_a_traceback(tmp_path: Path) -> None:
    jobs, app, picture = Jobs(ToyStudio(tmp_path)), FastAPI(), tmp_path / "1.png"
    app.include_router(api.router(jobs))
    (tmp_path / "videos").mkdir()
    Image.fromarray(np.full((64, 64, 3), 200, np.uint8)).save(picture)
    known = given(NAMES | TEXTS, [film.film(tmp_path / "videos" / "walk.gif")], [picture], [tmp_path])
    client = TestClient(app, raise_server_exceptions=False)
    seen: set[int] = set()

    @hypothesis.seed(1)
    @hypothesis.settings(max_examples=150, database=None, phases=[hypothesis.Phase.generate],
                         suppress_health_check=list(hypothesis.HealthCheck))  # fmt: skip
    @hypothesis.given(requests(app.openapi(), json_schema(VideoSettings), known))
    def ask(asked: Asked) -> None:
        if not asked.path.startswith("/vcd/"):
            return  # the WebUI's own
        headers = {"Content-Type": asked.kind} if asked.kind else {}
        content = None if asked.body is None else json.dumps(asked.body).encode()
        path = asked.path.replace("{id}", jobs.last.id if jobs.last else "none")
        answer = client.request(asked.method, path, content=content, headers=headers)
        seen.add(answer.status_code)
        assert answer.status_code < 500, answer.text
        assert answer.status_code == 200 or "\n" not in str(answer.json()["detail"])
        until(lambda: jobs.idle, every=0.002)
        assert jobs.last is None or "The console tells more" not in jobs.last.error

    ask()
    assert {200, 404, 415, 422} <= seen
