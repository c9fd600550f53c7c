"""Getting a motion module by a button: what is offered, how it comes, and what is said where it does not."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from tests.storage.test_download import CONTENT, Server, known, whole
from tests.storage.test_download import serve as serve_files
from vcd_ext.jobs.service import Jobs
from vcd_ext.motion import published
from vcd_ext.motion.published import PUBLISHED, PublishedModule
from vcd_ext.storage.download import WeightFile
from vcd_ext.ui import modules_section
from vcd_ext.ui.html import ACTIVE
from vcd_ext.ui.modules_section import ModulesSection

NAME = "net.pth"


serve = serve_files  # the fixture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def section(jobs: Jobs, folder: Path) -> Iterator[ModulesSection]:
    def there() -> list[str]:
        return sorted(file.name for file in folder.glob("AnimateDiff/*"))

    with gr.Blocks(analytics_enabled=False):
        yield ModulesSection(jobs, "txt2img", there, lambda file: folder / file.folder)


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Callable[[WeightFile], None]:
    def offered(*files: WeightFile) -> None:
        modules = (PublishedModule(files[0], "MIT", "for tests", files[1:]),)
        monkeypatch.setattr(published, "PUBLISHED", modules)
        monkeypatch.setattr(modules_section, "PUBLISHED", modules)

    return offered


def file(url: str, content: bytes = CONTENT, folder: str = "AnimateDiff", name: str = NAME) -> WeightFile:
    one = known(content, url)
    return WeightFile(name, folder, one.size, one.sha256, url)


def test_nothing_is_offered_without_a_sum_a_size_a_source_and_a_licence() -> None:
    for module in PUBLISHED:
        assert "NC" not in module.licence
        assert "on-commercial" not in module.licence
        assert module.source.startswith("https://huggingface.co/")
        for one in module.files:
            assert len(one.sha256) == 64
            assert int(one.sha256, 16)
            assert one.size > 10**8
            assert one.url.endswith(f"/resolve/main/{one.name}")
    assert PUBLISHED[0].file.name == "mm_sd_v15_v2.ckpt"


def test_where_there_is_none_it_says_so_and_shows_what_can_be_got(section: ModulesSection) -> None:
    assert section.accordion.open
    [told] = [child.value for child in section.accordion.children if isinstance(child, gr.HTML)][:1]
    assert "There is no motion module yet" in told
    for words in ("mm_sd_v15_v2.ckpt", "1.8 GB", "Apache 2.0", "huggingface.co/guoyww/animatediff", "Open RAIL-M"):
        assert words in told


def test_a_module_comes_with_what_it_is_used_with_and_is_chosen(
    section: ModulesSection,
    folder: Path,
    serve: Any,
    offer: Any,
) -> None:
    lora = b"lora" * 9
    servers = [serve(whole), serve(lambda handler, start: whole(handler, start, lora))]
    offer(file(servers[0].url), file(servers[1].url, lora, "Lora", "lora.pth"))
    *during, (told, stop, chosen) = section.bring(NAME)
    assert (folder / "AnimateDiff" / NAME).read_bytes() == CONTENT
    assert (folder / "Lora" / "lora.pth").read_bytes() == lora
    assert f"{NAME} is in {folder / 'AnimateDiff'}." in told
    assert chosen == gr.update(choices=["none", NAME], value=NAME)
    assert stop == gr.update(visible=False)
    assert all(ACTIVE in shown for shown, *_ in during)
    [*_, (again, *_)] = section.bring(NAME)
    assert "is in" in again
    assert len(servers[0].starts) == 1, "what is there is not got again"


def test_what_fails_is_told_in_one_sentence_and_leaves_nothing(
    section: ModulesSection,
    folder: Path,
    serve: Any,
    offer: Any,
    jobs: Jobs,
) -> None:
    other = CONTENT[:-1] + b"\0"
    offer(file(serve(lambda handler, start: whole(handler, start, other)).url))
    [*_, (told, *_)] = section.bring(NAME)
    assert "vcd-error" in told
    assert "sent something else than net.pth" in told
    assert not list(folder.rglob("*.*"))
    [*_, (told, *_)] = section.bring("evil.ckpt")
    assert "is not offered" in told
    with jobs.turn("Finding masks"):
        [*_, (told, *_)] = section.bring(NAME)
        assert "Finding masks is under way" in told


def test_a_download_can_be_stopped(section: ModulesSection, folder: Path, serve: Any, offer: Any) -> None:
    def slow(handler: Any, start: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        handler.wfile.write(CONTENT[:1_100_000])
        section.jobs.stop()
        handler.wfile.write(CONTENT[1_100_000:])

    server: Server = serve(slow)
    offer(file(server.url))
    [*_, (told, *_)] = section.bring(NAME)
    assert "was stopped" in told
    assert not list(folder.rglob("*.*"))
