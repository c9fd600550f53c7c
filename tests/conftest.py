"""Small models for whoever needs them, made once; and what tests need that several processes run."""

import os
from pathlib import Path
from typing import NamedTuple

import hypothesis
import pytest
import torch
from playwright.sync_api import expect

from tests import tiny
from tests.browser import PATIENCE_MS
from tests.toy_studio import ToyStudio
from vcd_ext.jobs.service import Jobs

WEBUI = Path(__file__).with_name("webui")

if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)  # the other cores have processes of their own


# What is usual, 5 seconds and 200 milliseconds, is too little on a machine that does more besides.
expect.set_options(timeout=PATIENCE_MS)
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the WebUI's tests first: with `pytest -n 2 --dist loadfile` they are shared out best."""
    items.sort(key=lambda item: WEBUI not in item.path.parents)


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


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("models")
    return Files(tiny.checkpoint(folder), tiny.motion_module(folder), tiny.embedding(folder, "tinyperson"))
