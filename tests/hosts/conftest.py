"""Small models for the tests of hosts, and a network that answers nobody."""

import socket
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import tiny
from vcd_ext.hosts.standalone import Standalone


class Files(NamedTuple):
    """Paths of the small models."""

    checkpoint: Path
    motion_module: Path
    embedding: Path


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("models")
    return Files(tiny.checkpoint(folder), tiny.motion_module(folder), tiny.embedding(folder, "tinyperson"))


@pytest.fixture(scope="session")
def host(files: Files) -> Standalone:
    return Standalone.load(files.checkpoint, device="cpu")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection fails the test."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
