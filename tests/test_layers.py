"""Imports run one way: scripts -> hosts, ui, api -> the core; only the WebUI's host imports the WebUI.

The tabs know no host: they are given one, so that they run in the WebUI and without it.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "__main__", "demo", "doctor", "face_command", "generate", "remake_command", "tiled_command", "train_command",
    "ui_command",
}  # fmt: skip
# The tabs and the API, and the one library each of them is made with.
PAGES = {"ui": "gradio", "api": "fastapi"}
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
    within = {".".join(name.split(".")[1:2]) for name in names if name.startswith("vcd_ext.")}
    if parts[:2] != ("hosts", "webui"):
        assert not roots & WEBUI_ONLY - {PAGES.get(parts[0])}
        assert not any(name.startswith("vcd_ext.hosts.webui") for name in names)
        assert parts[0] in COMMANDS or not within & PAGES.keys() - {parts[0]}
    if parts[0] != "hosts" and parts[0] not in COMMANDS:
        assert "hosts" not in within
        assert not roots & {"diffusers"}, "the core works without diffusers"
    if parts[0] not in COMMANDS:
        assert "tests" not in roots


def test_the_webui_finds_one_script_in_which_nothing_happens() -> None:
    assert [path.name for path in (ROOT / "scripts").glob("*.py")] == ["vcd.py"]
    assert len((ROOT / "scripts" / "vcd.py").read_text().splitlines()) < 15
