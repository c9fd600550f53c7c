"""In a WebUI that lacks what VCD needs, people read one sentence, and nothing of VCD is on."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from vcd_ext.hosts.webui import capabilities
from vcd_ext.hosts.webui.capabilities import NEEDED

REPOSITORY = Path(__file__).parents[2]
DENOISER = """
class CFGDenoiser:
    def forward(self, x):
        cfg_denoiser_callback(x)
        out = self.inner_model(x)
        cfg_denoised_callback(out)
        return self.combine_denoised(out)

    def combine_denoised(self, out):
        return out
"""
ENGINE = """
class CFGDenoiser:
    def forward(self, x):
        cfg_denoiser_callback(x)
        return sampling_function(self, x, self.inner_model)

    def combine_denoised(self, out):
        return out
"""
CALLBACKS = """
called = []
def _note(name):
    return lambda function: called.append((name, function))
on_ui_tabs, on_cfg_denoiser, on_cfg_denoised = _note("tabs"), _note("denoiser"), _note("denoised")
add_callback, callback_map = _note("any"), {}
"""
SEEN = """
import runpy
runpy.run_path(sys.path[1] + "/scripts/vcd.py")
from modules import script_callbacks
print([name for name, _ in script_callbacks.called])
if script_callbacks.called:
    [(page, title, _)] = script_callbacks.called[0][1]()
    print(title, [block.value for block in page.blocks.values() if type(block).__name__ == "HTML"])
"""


def webui(folder: Path, without: str = "", instead: Mapping[str, str] | None = None) -> Path:
    """Return a folder with stand-ins for all that VCD needs of a WebUI, but for one thing."""
    sources = {name: _source(name, [path for path in paths if f"{name}.{path}" != without])
               for name, paths in NEEDED.items() if name != without}  # fmt: skip
    sources |= {"modules.sd_samplers_cfg_denoiser": DENOISER} if without != "modules.sd_samplers_cfg_denoiser" else {}
    sources["modules.script_callbacks"] = CALLBACKS
    for name, source in (sources | dict(instead or {})).items():
        path = folder.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return folder


def _source(name: str, paths: list[str]) -> str:
    lines = ["from types import SimpleNamespace"]
    for path in paths:
        parts = path.split(".")
        lines += [f"{parts[0]} = globals().get({parts[0]!r}, SimpleNamespace())"]
        lines += [f"{path} = SimpleNamespace()"] * (len(parts) > 1)
    return "\n".join(lines)


def python(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process whose WebUI lies in a folder."""
    code = f"import sys; sys.path[:0] = {[str(folder), str(REPOSITORY)]!r}\n{code}"
    return subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=300)


NO_PACKAGE = {"ldm.__init__": "raise ModuleNotFoundError('No module named ldm')"}
FAILING = {"modules.sd_schedulers": "raise RuntimeError('elsewhere')"}


@pytest.mark.parametrize(
    ("without", "instead", "word"),
    [
        ("", NO_PACKAGE, "ldm"),
        ("modules.sd_hijack", {}, "modules.sd_hijack"),
        ("", FAILING, "modules.sd_schedulers"),
        ("modules.scripts.Script.process_before_every_sampling", {}, "process_before_every_sampling"),
        ("", {"modules.sd_samplers_cfg_denoiser": ENGINE}, "denoiser"),
        ("", {}, "None"),
    ],
    ids=["Forge", "SD.Next", "an import that fails", "AUTOMATIC1111 1.8", "reForge", "AUTOMATIC1111 1.10"],
)
def test_the_first_thing_that_is_missing_is_found(
    tmp_path: Path, without: str, instead: dict[str, str], word: str
) -> None:
    done = python(webui(tmp_path, without, instead), f"from {capabilities.__name__} import missing; print(missing())")
    assert word in done.stdout, done.stderr
    assert (word == "None") == (done.stdout.strip() == "None")


def test_it_is_said_in_one_sentence_on_console_and_page_and_nothing_is_half_on(tmp_path: Path) -> None:
    done = python(webui(tmp_path, "", NO_PACKAGE), SEEN)
    assert done.returncode == 0, done.stderr
    [line] = done.stderr.splitlines()
    assert "made for AUTOMATIC1111's WebUI 1.10" in line
    callbacks, page = done.stdout.splitlines()
    assert callbacks == "['tabs']"
    assert page.startswith("VCD [")
    assert "no ldm.modules" in page
