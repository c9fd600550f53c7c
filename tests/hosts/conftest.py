"""Small models for the tests of hosts, and a network that answers nobody."""

import socket

import pytest

from tests.conftest import Files
from vcd_ext.hosts.diffusers.host import Standalone


@pytest.fixture(scope="session")
def host(files: Files) -> Standalone:
    return Standalone.load(files.checkpoint, device="cpu")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection fails the test."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
