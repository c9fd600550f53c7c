"""Write the tables of docs/ that are made from the code: settings, and options of the command line.

    python -m tools.reference

A table stands between the comments `<!-- made: NAME -->` and `<!-- end -->`; everything else is written by hand.
"""

import argparse
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from vcd_ext.__main__ import parser
from vcd_ext.settings import FaceSettings, TiledSettings, TrainSettings, VideoSettings, markdown_table

DOCS = Path(__file__).parents[1] / "docs"
SETTINGS = (VideoSettings, FaceSettings, TiledSettings, TrainSettings)
_MADE = re.compile(r"(<!-- made: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def settings() -> dict[str, str]:
    """Return the table of each class of settings, by its name."""
    return {cls.__name__: markdown_table(cls) for cls in SETTINGS}


def commands() -> dict[str, str]:
    """Return the table of the options of each subcommand, by its name."""
    groups = [action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return {name: options_table(command) for group in groups for name, command in group.choices.items()}


def options_table(command: argparse.ArgumentParser) -> str:
    """Return the options of a parser as a Markdown table."""
    rows = ["| option | values | what it does |", "|---|---|---|"]
    for action in command._actions:
        if not isinstance(action, argparse._HelpAction):
            rows.append(f"| {_options(action)} | {', '.join(map(str, action.choices or ()))} | {_meaning(action)} |")
    return "\n".join(rows)


def _options(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ", ".join(f"`{option}`" for option in action.option_strings)
    named = action.metavar or action.dest.upper()
    value = named if isinstance(named, str) else " ".join(named)
    more = " ..." if action.nargs in ("*", "+") else ""
    return ", ".join(f"`{option} {value}{more}`" for option in action.option_strings)


def _meaning(action: argparse.Action) -> str:
    default = action.default
    shown = " ".join(map(str, default)) if isinstance(default, tuple | list) else default
    text = " ".join((action.help or "").split()) % {**vars(action), "default": '""' if shown == "" else shown}
    return f"{text} Required." if action.required else text


def updated(text: str, tables: Mapping[str, str]) -> str:
    """Return a page with its tables as the code has them now; KeyError for one that the code does not have."""
    return _MADE.sub(lambda found: f"{found[1]}\n{tables[found[2]]}\n\n{found[3]}", text)


PAGES: dict[str, Callable[[], dict[str, str]]] = {"settings.md": settings, "command-line.md": commands}


def main() -> None:
    """Bring all pages up to date."""
    for page, tables in PAGES.items():
        path = DOCS / page
        path.write_text(updated(path.read_text(), tables()))


if __name__ == "__main__":
    main()
