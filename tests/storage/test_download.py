"""Downloads from a server that behaves, and from servers that do not."""

import errno
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vcd_ext.storage.download import TRIES, WeightFile, download

CONTENT = np.random.default_rng(0).bytes(3_000_000)
Answer = Callable[[BaseHTTPRequestHandler, int], None]


def known(content: bytes = CONTENT, url: str = "") -> WeightFile:
    return WeightFile("net.pth", "sam", len(content), hashlib.sha256(content).hexdigest(), url)


def whole(handler: BaseHTTPRequestHandler, start: int, content: bytes = CONTENT, until: int | None = None) -> None:
    """Send the content from a byte on, with its length; `until`: the connection breaks there."""
    handler.send_response(206 if start else 200)
    handler.send_header("Content-Length", str(len(content) - start))
    handler.end_headers()
    handler.wfile.write(content[start:until])


class Server:
    """A server on this machine; `answer` says what it does with a request that asks for bytes from `start` on."""

    def __init__(self, answer: Answer):
        self.starts: list[int] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:  # noqa: N802, N805
                start = int(handler.headers.get("Range", "bytes=0-")[6:-1])
                self.starts.append(start)
                answer(handler, start)

            def log_message(handler, *_: Any) -> None:  # noqa: N805
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/net.pth"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Server]]:
    servers: list[Server] = []

    def start(answer: Answer) -> Server:
        servers.append(Server(answer))
        return servers[-1]

    yield start
    for one in servers:
        one.server.shutdown()
        one.server.server_close()


def refused(server: Server, folder: Path, file: WeightFile | None = None) -> str:
    """Return the sentence of a download that fails and leaves nothing."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        download(file or known(), folder, url=server.url)
    assert list(folder.rglob("*")) == []
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_a_file_arrives_whole_with_progress_in_a_new_folder(serve, tmp_path: Path):
    server = serve(whole)
    seen: list[tuple[int, int]] = []
    path = download(known(url=server.url), tmp_path / "models" / "sam", lambda *counts: seen.append(counts))
    assert path == tmp_path / "models" / "sam" / "net.pth"
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == ["net.pth"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert len(seen) >= 3
    assert seen == sorted(seen)
    assert server.starts == [0]


def test_another_source_can_be_given_and_an_old_file_is_replaced(serve, tmp_path: Path):
    (tmp_path / "net.pth").write_text("old")
    assert download(known(url="http://127.0.0.1:1/"), tmp_path, url=serve(whole).url).read_bytes() == CONTENT


def test_a_broken_connection_is_taken_up_where_it_broke(serve, tmp_path: Path):
    server = serve(lambda handler, start: whole(handler, start, until=start + 1_200_000))
    assert download(known(), tmp_path, url=server.url).read_bytes() == CONTENT
    assert server.starts == [0, 1_200_000, 2_400_000]


def test_so_it_is_where_the_server_only_sends_from_the_beginning(serve, tmp_path: Path):
    until = iter([1_000_000, None])
    server = serve(lambda handler, _: whole(handler, 0, until=next(until)))
    assert download(known(), tmp_path, url=server.url).read_bytes() == CONTENT
    assert server.starts == [0, 1_000_000]


def test_a_file_that_always_ends_early_is_given_up(serve, tmp_path: Path):
    server = serve(lambda handler, start: whole(handler, start, until=1_000_000))
    sentence = refused(server, tmp_path)
    assert "net.pth could not be downloaded (the connection broke); try again or get it with a browser" in sentence
    assert server.starts == [0] + [1_000_000] * TRIES


def test_another_size_is_refused_before_it_is_downloaded(serve, tmp_path: Path):
    page = b"<html>Sign in</html>"
    sentence = refused(serve(lambda handler, start: whole(handler, start, page)), tmp_path)
    assert f"sends {len(page)} bytes, but net.pth has 3000000" in sentence


def test_another_content_of_the_same_size_is_not_kept(serve, tmp_path: Path):
    other = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    sentence = refused(serve(lambda handler, start: whole(handler, start, other)), tmp_path)
    assert f"SHA-256 {hashlib.sha256(other).hexdigest()[:12]}" in sentence
    assert known().sha256[:12] in sentence


@pytest.mark.parametrize("code", [404, 403, 500])
def test_a_servers_refusal_is_passed_on_with_the_way_out(code: int, serve, tmp_path: Path):
    server = serve(lambda handler, _: handler.send_error(code))
    sentence = refused(server, tmp_path)
    assert f"{server.url} answers {code}" in sentence
    assert f"put it into {tmp_path}." in sentence
    assert server.starts == [0]


def test_without_a_network_it_says_so(tmp_path: Path):
    with pytest.raises(ValueError, match=r"could not be downloaded \(.*refused\); try again or"):
        download(known(), tmp_path, url="http://127.0.0.1:1/net.pth")


def test_a_disk_without_space_is_noticed_before_the_download(serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    server = serve(whole)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 2_000_000})())
    assert "net.pth needs 3 MB, but" in refused(server, tmp_path)
    assert server.starts == []


def test_a_disk_that_fills_meanwhile_leaves_the_old_file(serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "net.pth").write_text("old")
    monkeypatch.setattr("secrets.token_hex", lambda _: "full")
    (tmp_path / ".full.part").symlink_to("/dev/full")  # every write fails with ENOSPC
    with pytest.raises(OSError, match=r"net\.pth was not written: the disk is full") as caught:
        download(known(), tmp_path, url=serve(whole).url)
    assert caught.value.errno == errno.ENOSPC
    assert [file.name for file in tmp_path.iterdir()] == ["net.pth"]
    assert (tmp_path / "net.pth").read_text() == "old"


def test_progress_can_stop_it_and_nothing_stays(serve, tmp_path: Path):
    def stop(done: int, _: int) -> None:
        if done > 1_500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(known(), tmp_path, stop, serve(whole).url)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_download_has_left_makes_room_for_the_next(serve, tmp_path: Path):
    left = tmp_path / ".0123456789abcdef.part"
    left.write_bytes(CONTENT[:1_500_000])
    os.utime(left, (0, 0))
    download(known(), tmp_path, url=serve(whole).url)
    assert [file.name for file in tmp_path.iterdir()] == ["net.pth"]
