"""What the pages say is so: their links lead somewhere, their tables are those of the code, each route is described."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from fastapi import FastAPI

from tests.toy_studio import ToyStudio
from tools import reference
from vcd_ext import api
from vcd_ext.jobs.service import Jobs

ROOT = Path(__file__).parents[1]
HIDDEN = {"tests", "demo", "runs", "tmp", "shared", "node_modules"}  # folders whose pages are not the project's own
LINK = re.compile(
    r"""\]\(<?([^()\s>]+)>?(?: "[^"]*")?\)|^\[[^\]]+\]: (\S+)|<(?:img|a) [^>]*(?:src|href)="([^"]+)\"""", re.MULTILINE
)


def pages() -> list[Path]:
    """Return all Markdown files of the project."""
    found = (path for path in ROOT.rglob("*.md"))
    return sorted(
        path
        for path in found
        if not any(part.startswith(".") or part in HIDDEN for part in path.relative_to(ROOT).parts[:-1])
    )


def prose(path: Path) -> str:
    """Return a page without its blocks and pieces of code, in which nothing is a link or a heading."""
    text = re.sub(r"^ *(```|~~~).*?^ *\1", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", lambda code: code[0] if "\n" in code[0] else _plain(code[0]), text)


def _plain(code: str) -> str:
    return code.strip("`").replace("](", "").replace("<", "")


def links(path: Path) -> Iterator[str]:
    """Yield the targets of a page's links and pictures that are no addresses."""
    for found in LINK.finditer(prose(path)):
        target = found[1] or found[2] or found[3]
        if not re.match(r"[a-z][a-z0-9+.-]*:", target):
            yield target


def anchors(path: Path) -> set[str]:
    """Return what may stand after # in a link to a page, made from its headings as GitHub does."""
    seen: dict[str, int] = {}
    names = set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", path.read_text()))
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", prose(path), flags=re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        number = seen[name] = seen.get(name, -1) + 1
        names.add(f"{name}-{number}" if number else name)
    return names


def broken(path: Path) -> list[str]:
    """Return the links of a page that lead nowhere."""
    lost = []
    for link in links(path):
        target, _, anchor = unquote(link).partition("#")
        place = path if not target else ROOT / target.lstrip("/") if target.startswith("/") else path.parent / target
        if not place.exists() or (anchor and (place.suffix != ".md" or anchor not in anchors(place))):
            lost.append(link)
    return lost


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    assert not broken(path)


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "other.md").write_text("# A `b` c: d\n\n# Twice\n\n# Twice\n\n```\n# No heading\n```\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Top\n![a](a.png) [b](other.md#a-b-c-d) [t](other.md#twice-1) [c](#top) [d](https://none.example/x.md) "
        "`[e](code.md)`\n\n```\n[f](block.md)\n```\n"
        "[![g](b.png)](other.md) [h](missing.md) [i](other.md#twice-2) [j](#no-heading) [k](other.md#no-heading) "
        '<img src="c.png"> [l `m`](lost.md)\n'
    )
    assert set(broken(page)) == {
        "b.png", "missing.md", "other.md#twice-2", "#no-heading", "other.md#no-heading", "c.png", "lost.md"
    }  # fmt: skip


@pytest.mark.parametrize(("name", "tables"), reference.PAGES.items(), ids=list(reference.PAGES))
def test_tables_are_those_of_the_code(name: str, tables: Callable[[], dict[str, str]]) -> None:
    page, made = (ROOT / "docs" / name).read_text(), tables()
    assert [title for title in made if f"<!-- made: {title} -->" not in page] == []
    assert page == reference.updated(page, made), "run python -m tools.reference"


def test_each_route_is_described(tmp_path: Path) -> None:
    app = FastAPI()
    app.include_router(api.router(Jobs(ToyStudio(tmp_path))))
    described = re.findall(r"`(GET|POST) (/vcd/[^`]*)`", (ROOT / "docs" / "api.md").read_text())
    served = {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods}
    assert {route for route in described if route[1].count("/") > 3 or route[0] == "POST"} == served


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 250


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_files_that_pages_name_are_there(path: Path) -> None:
    text = path.read_text()
    modules = [
        Path(*name.split(".")) for name in re.findall(r"python -m ((?:vcd_ext|benchmarks|tools|tests)[\w.]*)", text)
    ]
    named = re.findall(r"`((?:vcd_ext|tests|tools|benchmarks|docs|scripts)/[\w./-]*[\w/])`", text)
    assert [name for name in modules if not _is_module(ROOT / name)] == []
    assert [name for name in named if not (ROOT / name).exists()] == []


def _is_module(path: Path) -> bool:
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def test_what_the_architecture_names_is_in_its_file() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| [^|]+ \| `([^`]+)` \| ([^|]+) \|$", text, flags=re.MULTILINE)
    assert len(rows) >= 10
    for file, names in rows:
        tree = ast.parse((ROOT / file).read_text())
        for name in re.findall(r"`([\w.]+)`", names):
            assert name in set(_defined(tree)), f"{name} is not in {file}"


def _defined(tree: ast.AST, of: str = "") -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield of + node.name
            yield from _defined(node, f"{of}{node.name}.")


def test_files_that_the_architecture_names_are_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    named = re.findall(r"`((?:\w+/)*\w+\.py|(?:\w+/)+)`", text)
    assert [name for name in named if not any((folder / name).exists() for folder in (ROOT, ROOT / "vcd_ext"))] == []
