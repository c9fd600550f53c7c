"""What the shipped drawn world can do, beside what it should: the quality table of its model card.

    python -m benchmarks.quality --videos 24      # writes docs/effects/quality.md and sheets; about 25 CPU minutes

Every video is measured once and remembered beside the table, so an interrupted run goes on where it was: single
subjects in videos.jsonl and identities in individuals.jsonl (by `benchmarks.effects` and `benchmarks.identities`,
whose other rows are not needed here), the rest in quality.jsonl. Prompts and individuals are held out; CFG 4.5, ten
steps of DPM++ 2M. Means with 95% intervals (bootstrap over videos, and over individuals with several videos).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import effects, identities
from benchmarks.face_drawn import face_seen
from benchmarks.log import Log
from benchmarks.pages import of_world
from benchmarks.pairs import PairWish, drawn_pair, generated_pair, pair_right, pair_wishes
from benchmarks.quality_rows import lines
from benchmarks.quality_sheets import write_sheets
from benchmarks.reconstruction import figures
from vcd_ext import toyworld
from vcd_ext.cli.demo import PICTURE
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.metrics.intervals import interval_table
from vcd_ext.settings import VideoSettings
from vcd_ext.toyworld.judging import Judges, load_judges

FILE = "quality.jsonl"
Measured = dict[str, Any]


def main(arguments: list[str] | None = None) -> None:
    """Measure what is missing, and write the table and the sheets."""
    options = _options(arguments)
    out, videos = options.out, options.videos
    if not options.report:
        few = max(2, videos // 6)
        cells = ["--cells", effects.ON, effects.OFF, effects.DRAWN]
        effects.main(["--out", str(out), "--seeds", str(videos), *cells])
        identities.main(["--out", str(out), "--videos", str(few), "--cells", "class word", "ID module"])
        host, judges = Standalone.load(toyworld.checkpoint()), load_judges(toyworld.judges())
        _measure(host, judges, out, videos)
        write_sheets(host, judges, out)
    text = interval_table(
        ["what", "measured", "wanted of a CPU", ""],
        lines(*(Log(out / file).rows() for file in (effects.FILE, identities.FILE, FILE))),
    )
    pictures = "".join(
        f"\n![{file.stem.partition('_')[2]}]({file.name})\n" for file in sorted(out.glob("quality_*.webp"))
    )
    first = of_world("means with 95% intervals (bootstrap)")
    (out / "quality.md").write_text(f"{first}\n\n{text}\n{pictures}", encoding="utf-8")
    print(text)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the quality of the shipped drawn world.")
    parser.add_argument("--out", type=Path, default=Path("docs/effects"))
    parser.add_argument("--videos", type=int, default=24, help="held-out prompts; others are fewer, in proportion")
    parser.add_argument("--report", action="store_true", help="write the table of what was measured alone")
    return parser.parse_args(arguments)


def _measure(host: Standalone, judges: Judges, out: Path, videos: int) -> None:
    """Measure what neither of the other two benchmarks does, each once."""
    torch.set_num_threads(1)
    log = Log(out / FILE)
    done = {(row["what"], row["number"]) for row in log.rows()}
    for what, number, measure in _tasks(host, judges, out, videos):
        if (what, number) not in done:
            log.note({"what": what, "number": number, **measure()})
            print(f"{what} {number}: measured", flush=True)


def _tasks(
    host: Standalone, judges: Judges, out: Path, videos: int
) -> Iterator[tuple[str, int, Callable[[], Measured]]]:
    for distance in ("plain", "far"):
        yield f"autoencoder, {distance}", 4 * videos, partial(_figures, host, judges, distance, videos)
    for number, pair in enumerate(pair_wishes(videos)):
        yield "pair", number, partial(_pair, host, judges, pair)
        yield "drawn pair", number, partial(_pair, None, judges, pair)
    for number in range(max(1, videos // 12)):
        for name in identities.INDIVIDUALS:
            yield f"far {name}", number, partial(_face, host, name, number, out)
    for number, wish in enumerate(effects.wishes(max(2, videos // 4))):
        yield "seeds", number, partial(_seeds, host, wish)


def _figures(host: Standalone, judges: Judges, distance: str, videos: int) -> Measured:
    found = list(figures(host.vae, judges, distance, 4 * videos))
    return {"psnr": [one.psnr for one in found], "likeness": [one.likeness for one in found]}


def _face(host: Standalone, name: str, number: int, out: Path) -> Measured:
    seen = face_seen(host, name, number, out, still=False)
    return {"who": name, "gained": None if seen is None else seen.after - seen.before}


def _pair(host: Standalone | None, judges: Judges, wish: PairWish) -> Measured:
    """Judge the video of a wish; without a host, the clip that is drawn for it."""
    return pair_right(judges, drawn_pair(wish) if host is None else generated_pair(host, wish), wish)


def _seeds(host: Standalone, wish: effects.Wish) -> Measured:
    """Return the mean difference, 0 to 255, of two pictures of one prompt from two seeds."""
    one, other = (
        host.generate(replace(PICTURE, prompt=wish.prompt, seed=seed), VideoSettings(frames=1)).frames.astype(float)
        for seed in (wish.seed, wish.seed + 50)
    )
    return {"apart": float(np.abs(one - other).mean())}


if __name__ == "__main__":
    main()
