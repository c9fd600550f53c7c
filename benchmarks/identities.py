"""Effects of the ID module, measured on individuals of the drawn world that no training saw: Table 2 in small.

    python -m benchmarks.identities --part 0/2 & python -m benchmarks.identities --part 1/2 & wait
    python -m benchmarks.identities --report      # writes docs/effects/identities.md
    python -m benchmarks.identities --cells "class word" "ID module" --videos 8      # these first

Each of six individuals is learned from eight pictures in one and the same room, as from an evening's photos; the
videos show other places, in 8 frames each. Seeds and prompts are the same in every cell. What was learned lies in
OUT/individuals, what was measured in OUT/individuals.jsonl, so an interrupted run goes on where it was, on another
machine too; the videos of all cells come in turn, so that it can be reported at any time.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open

from benchmarks.effects import Wish, measured
from benchmarks.log import Log
from benchmarks.options import report_options
from benchmarks.pages import of_world, share
from tools.toyworld import captions
from tools.toyworld.motion import ACTIONS
from tools.toyworld.subjects import PICTURES, draw_subject
from vcd_ext import toyworld
from vcd_ext.cli.demo import PICTURE, TRAINING
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.training import StandaloneTraining
from vcd_ext.identity import save_embedding, train
from vcd_ext.identity.photos.photo import read_photos
from vcd_ext.metrics.intervals import interval, interval_table
from vcd_ext.metrics.nearest import nearest_rate
from vcd_ext.settings import TrainSettings, VideoSettings
from vcd_ext.toyworld.judging import load_judges
from vcd_ext.toyworld.likeness import appearance, likeness
from vcd_ext.toyworld.measures import read_others

INDIVIDUALS = {"ada": ("woman", 11_000_101), "bo": ("dog", 11_000_102), "cleo": ("cat", 11_000_103),
               "dan": ("man", 11_000_104), "elk": ("dog", 11_000_105), "fay": ("cat", 11_000_106)}  # fmt: skip
HOME, ALBUMS = "room", Path("runs/individuals")
LEARNED, FILE = Path("docs/effects"), "individuals.jsonl"  # where what was learned and measured lies
VIDEOS, FIRST_SEED = 32, 90_000  # of each individual in each cell
FRAMES = 8  # half of what the demo makes, for twice as many videos; the judges need no more
COLUMNS = {
    "similarity": "identity similarity", "nearest": "nearest of 200", "scene_right": "scene right",
    "kind_right": "class right", "action_right": "action right", "identity_drift": "identity drift",
    "flow": "flow, px/frame",
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """How the videos of a row of the table are made; tokens 0: with the class word alone."""

    tokens: int = 4
    masked: bool = True
    gamma: float = 0.15
    steps: int = TRAINING.steps


CELLS = {
    "class word": Cell(tokens=0),
    "ID module": Cell(),
    "ID module, whole pictures": Cell(masked=False),
    "ID module, 1 token": Cell(tokens=1),
    "ID module, 2 tokens": Cell(tokens=2),
    "ID module, 8 tokens": Cell(tokens=8),
    "ID module, 600 steps": Cell(steps=600),
    "class word, gamma 0": Cell(tokens=0, gamma=0.0),
    "ID module, gamma 0": Cell(gamma=0.0),
}
PAIRS = [("ID module", "class word", "similarity"), ("ID module", "class word", "scene_right"),
         ("ID module", "class word", "kind_right"), ("ID module", "class word", "nearest"),
         ("ID module", "class word", "action_right"),
         ("ID module", "ID module, whole pictures", "similarity"),
         ("ID module", "ID module, whole pictures", "scene_right"),
         ("ID module, 8 tokens", "ID module, 1 token", "similarity"),
         ("ID module", "ID module, 1 token", "similarity"),
         ("ID module, 600 steps", "ID module", "similarity"), ("ID module, 600 steps", "ID module", "nearest"),
         ("ID module", "ID module, gamma 0", "similarity"), ("ID module", "ID module, gamma 0", "identity_drift"),
         ("ID module", "ID module, gamma 0", "flow")]  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Measure what is missing, or write the report."""
    options = _options(arguments)
    if options.report:
        report(options.out)
        return
    torch.set_num_threads(1)
    part, parts = options.part
    names = [name for k, name in enumerate(INDIVIDUALS) if k % parts == part]
    host, judges = Standalone.load(toyworld.checkpoint()), load_judges(toyworld.judges())
    others = read_others(toyworld.individuals(), toyworld.judges())
    looks = {name: appearance(judges, read_photos(album(name)).photos) for name in names}
    log = Log(options.out / FILE)
    done = {(row["cell"], row["who"], row["seed"]) for row in log.rows()}
    for number in range(options.videos):
        for name in names:
            for label in options.cells:
                wish = wish_of(name, number)
                if (label, name, wish.seed) in done:
                    continue
                frames = video(host, name, label, number, options.out)
                found = asdict(measured(frames, wish, judges)) | {
                    "similarity": likeness(judges, frames, looks[name]),
                    "nearest": nearest_rate(judges.identity(frames), looks[name], others[wish.kind]),
                }
                log.note({"cell": label, "who": name, "seed": wish.seed, **found})
        print(f"{number + 1} of {options.videos} videos of each", flush=True)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = report_options("Measure the effects of the ID module.", "write tables of what was measured")
    parser.add_argument("--videos", type=int, default=VIDEOS, help="videos of each individual in each cell")
    parser.add_argument(
        "--cells", nargs="+", choices=CELLS, default=list(CELLS), metavar="CELL", help="rows to measure"
    )
    parser.add_argument("--part", type=share, default=(0, 1), help="K/N: process K, from 0, of N, each with one core")
    return parser.parse_args(arguments)


def wish_of(name: str, number: int) -> Wish:
    """Another place, action and seed for each video, the same in all cells."""
    places = [scene for scene in captions.PLACES if scene != HOME]
    action = ACTIONS[number % len(ACTIONS)]
    return Wish(INDIVIDUALS[name][0], places[number % len(places)], action, FIRST_SEED + 100 * number)


def album(name: str) -> Path:
    """Return the folder of an individual's pictures and masks, drawn if it is not there."""
    folder = ALBUMS / name
    if not folder.is_dir():
        ALBUMS.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=ALBUMS) as scratch:
            draw_subject(Path(scratch) / name, *INDIVIDUALS[name], scenes=[HOME] * PICTURES)
            with suppress(OSError):  # another benchmark was faster; its pictures are the same
                Path(scratch, name).rename(folder)
    return folder


def embedding(host: Standalone, name: str, out: Path, cell: Cell = CELLS["ID module"]) -> Path:
    """Return the embedding of an individual for a cell, a file in OUT/individuals.

    Learned now if it was not, or on another checkpoint.
    """
    more = "" if cell.steps == TRAINING.steps else f"_{cell.steps}_steps"
    folder = f"{cell.tokens}{'' if cell.masked else '_whole'}{more}"
    path = out / "individuals" / folder / f"{name}.safetensors"
    models = StandaloneTraining(host)
    if not path.is_file() or _learned_on(path) != models.checkpoint_hash:
        settings: TrainSettings = replace(
            TRAINING, name=name, class_word=INDIVIDUALS[name][0], tokens=cell.tokens, masked=cell.masked,
            steps=cell.steps, seed=0,
        )  # fmt: skip
        learned = train(models, read_photos(album(name)).photos, settings)
        print(f"{name} is learned: {cell.tokens} vectors", flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_embedding(path, learned.vectors, learned.metadata)
    return path


def _learned_on(path: Path) -> str | None:
    with safe_open(str(path), "np") as file:  # type: ignore[attr-defined]
        return (file.metadata() or {}).get("checkpoint_hash")


def video(host: Standalone, name: str, label: str, number: int, out: Path) -> NDArray[np.uint8]:
    """Return the video [8, 128, 128, 3] of a cell, with that number of the individual's wishes."""
    cell, wish = CELLS[label], wish_of(name, number)
    embeddings = [embedding(host, name, out, cell)] if cell.tokens else []
    prompt = wish.of(f"{name} {wish.kind}") if cell.tokens else wish.prompt
    picture = replace(PICTURE, prompt=prompt, seed=wish.seed)
    settings = VideoSettings(frames=FRAMES, gamma=cell.gamma)
    return host.generate(picture, settings, toyworld.motion_module(), embeddings).frames


def report(out: Path) -> None:
    """Write the table of what was measured, and the differences between its rows; rows of all individuals only."""
    found = Log(out / FILE).rows()
    cells = {label: [row for row in found if row["cell"] == label] for label in CELLS}
    missing = [label for label, rows in cells.items() if len({row["who"] for row in rows}) < len(INDIVIDUALS)]
    lines = {}
    for label in [label for label in CELLS if label not in missing]:
        groups = [row["who"] for row in cells[label]]
        lines[f"{label} ({len(groups)} videos)"] = [
            interval([float(row[name]) for row in cells[label]], groups) for name in COLUMNS
        ]
    differences = "\n".join(f"- {line}" for line in _compared([row for row in found if row["cell"] not in missing]))
    first = of_world("means with 95% intervals (bootstrap over individuals)")
    text = f"{first}\n\n{interval_table(['', *COLUMNS.values()], lines)}\n\n{differences}\n"
    if missing:
        text += f"\nNot measured of all individuals yet: {'; '.join(missing)}.\n"
    (out / "identities.md").write_text(text, encoding="utf-8")
    print(text)


def _compared(found: Sequence[dict[str, float | str]]) -> Iterator[str]:
    """Differences between cells, video by video, so that the prompt's and the seed's own share drops out."""
    cells = {label: {(r["who"], r["seed"]): r for r in found if r["cell"] == label} for label in CELLS}
    for one, other, column in PAIRS:
        common = sorted(cells[one].keys() & cells[other].keys(), key=str)
        if common:
            gaps = [float(cells[one][key][column]) - float(cells[other][key][column]) for key in common]
            yield f"{COLUMNS[column]}: {one} minus {other}: {interval(gaps, [who for who, _ in common])}"


if __name__ == "__main__":
    main()
