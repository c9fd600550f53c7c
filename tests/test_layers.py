"""Imports run one way: scripts -> hosts, ui, api -> the core; only the WebUI's host imports the WebUI."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENTRANCES = {"__main__", "api", "demo", "doctor", "generate", "train_command", "ui"}
WEBUI_ONLY = {"modules", "gradio", "fastapi", "k_diffusion", "ldm", "launch", "scripts"}
FILES = sorted(path for path in (ROOT / "vcd_ext").rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Names of all modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_lies_below_it(path: Path) -> None:
    parts = path.relative_to(ROOT / "vcd_ext").with_suffix("").parts
    names = imported(path)
    roots = {name.split(".")[0] for name in names}
    if parts[:2] != ("hosts", "webui"):
        assert not roots & WEBUI_ONLY
        assert not any(name.startswith("vcd_ext.hosts.webui") for name in names)
    if parts[0] != "hosts" and parts[0] not in ENTRANCES:
        assert not any(name.startswith("vcd_ext.hosts") for name in names)
        assert not roots & {"diffusers"}, "the core works without diffusers"
    if parts[0] not in ENTRANCES:
        assert "tests" not in roots


def test_the_webui_finds_one_script_in_which_nothing_happens() -> None:
    assert [path.name for path in (ROOT / "scripts").glob("*.py")] == ["vcd.py"]
    assert len((ROOT / "scripts" / "vcd.py").read_text().splitlines()) < 15
