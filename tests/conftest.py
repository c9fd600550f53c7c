"""Small models for whoever needs them, made once; and what tests need that several processes run."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import hypothesis
import pytest
import torch
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from tests import tiny
from tests.browser import PATIENCE_MS
from tests.toy_studio import ToyStudio
from vcd_ext import api
from vcd_ext.jobs.service import Jobs

pytest_plugins = ["tests.unets", "tests.command_line"]  # fixtures for several folders
HERE = Path(__file__).parent
LONG_FIRST = ("webui", "ui", "batch", "")  # folders by how long their files take; "" is this one

# The other cores have processes of their own; and with several threads the last bits of a training are not those of
# another, and torch 2.1's attention in bfloat16 writes beyond its memory on the way back.
torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"  # for the commands that tests run


# What is usual, 5 seconds and 200 milliseconds, is too little on a machine that does more besides.
expect.set_options(timeout=PATIENCE_MS)
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


def _rank(item: pytest.Item) -> int:
    """Return the place of a test's folder among those that take long; what is not among them comes last."""
    folder = item.path.parent.relative_to(HERE).parts[:1]
    name = folder[0] if folder else ""
    return LONG_FIRST.index(name) if name in LONG_FIRST else len(LONG_FIRST)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what takes longest, so that no worker is left alone with a long file at the end: `--dist loadfile`."""
    items.sort(key=_rank)


class Files(NamedTuple):
    """Paths of the small models."""

    checkpoint: Path
    motion_module: Path
    embedding: Path


@pytest.fixture
def studio(tmp_path: Path) -> ToyStudio:
    """Return a studio of the standalone host in a folder of its own."""
    return ToyStudio(tmp_path)


@pytest.fixture
def jobs(studio: ToyStudio) -> Jobs:
    """Return the queue of jobs that work in that studio."""
    return Jobs(studio)


@pytest.fixture
def client(jobs: Jobs) -> Iterator[TestClient]:
    """Return a client of the API that begins such jobs."""
    app = FastAPI()
    app.include_router(api.router(jobs))
    with TestClient(app) as asking:
        yield asking


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("models")
    return Files(tiny.checkpoint(folder), tiny.motion_module(folder), tiny.embedding(folder, "tinyperson"))
