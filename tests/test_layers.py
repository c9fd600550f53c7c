"""Imports run one way, from the page down to the noise; only the WebUI's host imports the WebUI.

The tabs and the API know no host: they are given one, so that they run in the WebUI and without it.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# What each room may import beside itself. `hosts.protocols` and `progress` are known to all.
CORE = {"noise", "motion", "denoising", "media", "metrics", "settings", "storage", "prompt", "identity", "face",
        "tiled", "stages", "people"}  # fmt: skip
BELOW: dict[str, set[str]] = {
    "noise": set(),
    "progress": set(),
    "toyworld": {"storage", "metrics", "media", "identity", "face", "prompt"},
    "jobs": CORE,
    "ui": CORE | {"jobs"},
    "api": CORE | {"jobs"},
    "batch": CORE,
    "cli": CORE | {"batch", "jobs", "ui", "api", "hosts", "toyworld"},
    "hosts": CORE | {"batch", "jobs", "ui", "api", "toyworld"},
    **{room: CORE for room in CORE - {"noise"}},
}
KNOWN_TO_ALL = {"vcd_ext.progress", "vcd_ext.hosts.protocols"}
PAGES = {"ui": "gradio", "api": "fastapi"}  # and the one library each of them is made with
WEBUI_ONLY = {"modules", "gradio", "fastapi", "k_diffusion", "ldm", "launch", "scripts"}
FILES = sorted((ROOT / "vcd_ext").rglob("*.py"))
IN_THE_ROOT = {"__init__.py", "__main__.py", "noise.py", "progress.py"}


def named(path: Path) -> str:
    """Return the name of a file's module."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {named(path): path for path in FILES}


def imported(path: Path) -> set[str]:
    """Names of all modules that a file imports, anywhere in it, lazily or for types as well."""
    return {name for node in ast.walk(ast.parse(path.read_text())) for name in _of(node, path)}


def _of(node: ast.AST, path: Path) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{path}: imports are absolute"
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            yield inner if inner in MODULES else str(node.module)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_lies_below_it(path: Path) -> None:
    parts = path.relative_to(ROOT / "vcd_ext").with_suffix("").parts
    room, names = parts[0], imported(path)
    roots = {name.split(".")[0] for name in names}
    assert "tests" not in roots
    if parts[:2] != ("hosts", "webui"):
        assert not roots & WEBUI_ONLY - {PAGES.get(room)}
        assert not any(name.startswith("vcd_ext.hosts.webui") for name in names)
    if room not in ("hosts", "cli"):
        assert "diffusers" not in roots, "the core works without diffusers"
    if room not in ("__init__", "__main__"):
        within = {name.split(".")[1] for name in names - KNOWN_TO_ALL if name.startswith("vcd_ext.")}
        assert within <= BELOW[room] | {room}


def loaded(name: str) -> set[str]:
    """All modules of the product that importing a module runs, with the packages they lie in."""
    seen, left = set[str](), {name}
    while left:
        module = left.pop()
        seen.add(module)
        left |= {module.rpartition(".")[0]} & MODULES.keys()
        left |= _executed(module)
        left -= seen
    return seen


@cache
def _executed(name: str) -> set[str]:
    path = MODULES[name]
    return {module for node in _run(ast.parse(path.read_text())) for module in _of(node, path)} & MODULES.keys()


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that an import executes: no function's body, and nothing for types alone."""
    for child in ast.iter_child_nodes(node):
        for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if not for_types and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _run(child)


@pytest.mark.parametrize("room", ["vcd_ext.face", "vcd_ext.tiled"])
def test_who_repairs_and_enlarges_loads_no_trainer_and_no_drawn_world(room: str) -> None:
    files = {name for name in MODULES if f"{name}.".startswith(f"{room}.")}
    ran = set[str]().union(*map(loaded, files))
    assert "vcd_ext.identity.embedding" in ran or room != "vcd_ext.face", "packages run as well"
    assert [name for name in sorted(ran) if name.startswith(("vcd_ext.identity.training", "vcd_ext.toyworld"))] == []


def test_the_root_holds_the_method_and_rooms() -> None:
    assert {path.name for path in (ROOT / "vcd_ext").glob("*.py")} <= IN_THE_ROOT


def test_the_webui_finds_one_script_in_which_nothing_happens() -> None:
    assert [path.name for path in (ROOT / "scripts").glob("*.py")] == ["vcd.py"]
    assert len((ROOT / "scripts" / "vcd.py").read_text().splitlines()) < 15


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the modules that import one another in a circle: strongly connected components, by Tarjan."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        stack.append(name)
        for other in graph[name]:
            if other not in order:
                visit(other)
            if other in stack:
                lowest[name] = min(lowest[name], lowest[other])
        if lowest[name] == order[name]:
            component = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(component) > 1 or name in graph[name]:
                found.append(sorted(component))

    for name in graph:
        if name not in order:
            visit(name)
    return found


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"e"}}) == [["b", "c"], ["e"]]


def test_no_module_imports_itself_through_others() -> None:
    # Lazily and for types as well: whoever reads one of them would have to read all.
    assert not circles({name: imported(path) & MODULES.keys() for name, path in MODULES.items()})
