"""Two identities in one video, on the drawn world that the project ships: by regions, and by what people do otherwise.

    python -m benchmarks.several               # measures what is missing, at most --seeds of each pair and cell
    python -m benchmarks.several --report      # writes docs/effects/several.md
    python -m benchmarks.several --time        # what the UNet needs with two regions against without

Every video is measured once and remembered in OUT/several.jsonl, so an interrupted run goes on where it was. A video
is one of two individuals that were learned (docs/effects/individuals), 8 frames, 10 steps of DPM++ 2M, CFG 4.5;
places, actions and seeds are those of all cells. The judges were trained on pictures of one subject: each half of a
video is judged by the part of the subject's mask that lies in it. About 5 seconds of a free core a video. Hard regions
without the prompt are the attention mode of Regional Prompter.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.identities import FRAMES, INDIVIDUALS, album
from benchmarks.options import report_options
from benchmarks.pages import means_page, note
from tools.toyworld.captions import PLACES
from tools.toyworld.motion import ACTIONS
from vcd_ext import motion, toyworld
from vcd_ext.cli.demo import PICTURE
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.hosts.shared.passes import generation_pass
from vcd_ext.identity.photos.photo import read_photos
from vcd_ext.metrics import motion as measures
from vcd_ext.metrics.intervals import interval
from vcd_ext.metrics.nearest import nearest_rate
from vcd_ext.people import RegionalTexts, RegionBox, Regions, lines
from vcd_ext.people.attention import heard_by_region, with_people, without_people
from vcd_ext.progress import Callbacks
from vcd_ext.settings import GenerateSettings, VideoSettings
from vcd_ext.stages.following import followed_in_first_pass
from vcd_ext.toyworld.detector import ToyworldDetector
from vcd_ext.toyworld.judging import KINDS, SCENES, Judges, load_judges
from vcd_ext.toyworld.likeness import appearance
from vcd_ext.toyworld.measures import Others, read_others

PAIRS = [("dan", "ada"), ("ada", "bo"), ("bo", "fay"), ("dan", "cleo"), ("elk", "dan"), ("fay", "ada"),
         ("cleo", "elk"), ("elk", "bo")]  # fmt: skip
FIRST_SEED, FILE = 60_000, "several.jsonl"
PLAIN, ALONE = "both names in one prompt", "each alone, the whole picture"
FOLLOWED = "followed regions, 0.4 of the prompt"
CELLS: dict[str, dict[str, float] | None] = {
    PLAIN: None,
    ALONE: None,
    "hard regions, none of the prompt": {"people_base": 0.0, "people_border": 0.0},
    **{
        f"soft regions, {base:g} of the prompt": {"people_base": base, "people_border": 0.1} for base in (0.2, 0.4, 0.6)
    },
    FOLLOWED: {"people_base": 0.4, "people_border": 0.1},
}
HEADS = {
    "own": "likeness to own photos",
    "other": "to the other's",
    "right": "both right",
    "swapped": "swapped",
    "kind": "both classes right",
    "scene": "place right",
    "flow": "flow, px/frame",
}
BAR, REPEATS = 1.15, 15


class Seen(NamedTuple):
    """What the judges say of one half of a video."""

    vectors: NDArray[np.float32]  # [F, 64] unit vectors
    kind: str


def main(arguments: list[str] | None = None) -> None:
    """Measure what is missing, or write the table."""
    options = _options(arguments)
    torch.set_num_threads(1)
    if options.report:
        print(report(options.out))
        return
    host = Standalone.load(toyworld.checkpoint())
    if options.time:
        print(unet_time(host))
        return
    judges = load_judges(toyworld.judges())
    others = read_others(toyworld.individuals(), toyworld.judges())
    looks = {name: appearance(judges, read_photos(album(name)).photos) for name in INDIVIDUALS}
    done = {(row["cell"], row["pair"], row["seed"]) for row in read(options.out)}
    for number in range(options.seeds):
        for pair in PAIRS:
            for cell in options.cells:
                key = (cell, "-".join(pair), FIRST_SEED + 100 * number)
                if key not in done:
                    found = measured(host, judges, others, looks, cell, pair, number)
                    row = {"cell": cell, "pair": key[1], "seed": key[2], **found}
                    note(options.out / FILE, row)
        print(f"{number + 1} of {options.seeds} seeds", flush=True)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = report_options("Measure two identities in one video.")
    parser.add_argument("--seeds", type=int, default=16, help="videos of each pair in each cell")
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS), metavar="CELL")
    parser.add_argument("--time", action="store_true", help="time the UNet with two regions against without")
    return parser.parse_args(arguments)


def measured(
    host: Standalone,
    judges: Judges,
    others: Others,
    looks: dict[str, NDArray[np.float32]],
    cell: str,
    pair: tuple[str, str],
    number: int,
) -> dict[str, float]:
    """Make one video, of ALONE two, and return its measures. Without regions either may stand on either side."""
    scene, action = list(PLACES)[number % len(PLACES)], ACTIONS[number % len(ACTIONS)]
    if cell == ALONE:
        clips = [_video(host, cell, (name,), scene, action, number) for name in pair]
        halves = [seen(judges, frames, None) for frames in clips]
        frames = clips[0]
    else:
        frames = _video(host, cell, pair, scene, action, number)
        halves = [seen(judges, frames, half) for half in (0, 1)]
    if cell == PLAIN:
        halves = max([halves, halves[::-1]], key=lambda sides: _own(sides, pair, looks))
    likeness = np.array([[float((half.vectors @ looks[name]).mean()) for name in pair] for half in halves])
    near = [
        [nearest_rate(half.vectors, looks[name], others[INDIVIDUALS[name][0]]) > 0.5 for name in pair]
        for half in halves
    ]
    places = judges.scenes(frames).mean(axis=0)
    return {
        "own": float(likeness.trace() / 2),
        "other": float((likeness[0, 1] + likeness[1, 0]) / 2) if cell != ALONE else float("nan"),
        "right": float(near[0][0] and near[1][1]),
        "swapped": float(likeness[0, 1] > likeness[0, 0] and likeness[1, 0] > likeness[1, 1]),
        "kind": float(all(half.kind == INDIVIDUALS[name][0] for half, name in zip(halves, pair, strict=True))),
        "scene": float(SCENES[int(places.argmax())] == scene),
        "flow": measures.flow_magnitude(frames),
    }


def _own(halves: list[Seen], pair: tuple[str, str], looks: dict[str, NDArray[np.float32]]) -> float:
    return sum(float((half.vectors @ looks[name]).mean()) for half, name in zip(halves, pair, strict=True))


def _video(
    host: Standalone, cell: str, names: tuple[str, ...], scene: str, action: str, number: int
) -> NDArray[np.uint8]:
    """Return the video [8, 128, 128, 3] of a cell."""
    kinds = [INDIVIDUALS[name][0] for name in names]
    learned = [Path("docs/effects/individuals/4") / f"{name}.safetensors" for name in names]
    shown, end = f"photo of {{}} {PLACES[scene]}, {action}", {}
    subjects = " and ".join(f"{name} {kind}" for name, kind in zip(names, kinds, strict=True))
    goes = f"{lines.FOLLOWED} " if cell == FOLLOWED else ""
    if (regions := CELLS[cell]) is not None:
        who = [
            f"{name} {kind} {PLACES[scene]}, {action} @ {goes}{side}"
            for name, kind, side in zip(names, kinds, ("left", "right"), strict=True)
        ]
        subjects, end = " and ".join(f"a {kind}" for kind in kinds), {"people": "\n".join(who), **regions}
    picture = replace(PICTURE, prompt=shown.format(subjects), seed=FIRST_SEED + 100 * number)
    settings = VideoSettings(frames=FRAMES, **end)  # type: ignore[arg-type]
    places = _followed(host, picture, settings, learned) if goes else None
    return host.generate(picture, settings, toyworld.motion_module(), learned, regions=places).frames


def _followed(host: Standalone, picture: GenerateSettings, video: VideoSettings, learned: Sequence[Path]) -> Regions:
    work = generation_pass(picture, video, toyworld.motion_module(), regional=RegionalTexts.of(video.several))
    told = Callbacks(lambda _: None, lambda _: None, lambda: False)
    maker, size = StandaloneVideo(host, learned), (picture.height, picture.width)
    return followed_in_first_pass(maker, size, video.frames, work, ToyworldDetector(), told).regions


def seen(judges: Judges, frames: NDArray[np.uint8], half: int | None) -> Seen:
    """Return what the judges say of the subject, of one half of the picture or, None, of all of it."""
    masks = np.stack([judges.detect(frame).mask for frame in frames])
    if half is not None:
        middle = frames.shape[2] // 2
        masks[:, :, middle:] *= half == 1
        masks[:, :, :middle] *= half == 0
    kinds = judges.kinds(frames, masks).mean(axis=0)
    return Seen(judges.identity(frames, masks), KINDS[int(kinds.argmax())])


def read(out: Path) -> list[dict[str, float | str]]:
    """Return every video measured so far."""
    path = out / FILE
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def report(out: Path) -> str:
    """Write the table of what was measured, of the seeds that all cells have, and return it."""
    found = read(out)
    have = [{(row["pair"], row["seed"]) for row in found if row["cell"] == cell} for cell in CELLS]
    common = set.intersection(*have)
    if not common:
        raise SystemExit("No pair and seed is measured in all cells yet; run python -m benchmarks.several first.")
    rows = {}
    for cell in CELLS:
        own = [row for row in found if row["cell"] == cell and (row["pair"], row["seed"]) in common]
        pairs = [row["pair"] for row in own]
        rows[cell] = [interval([float(row[name]) for row in own], pairs) for name in HEADS]
    return means_page(
        out / "several.md",
        f"{len(common)} videos of {len(set(pairs))} pairs",
        list(HEADS.values()),
        rows,
        " over pairs",
    )


def unet_time(host: Standalone) -> str:
    """Return what a guided call of the UNet needs with two regions, as a share of what it needs without; paired."""
    frames = 16
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(2 * frames, 4, 16, 16, generator=generator)
    texts = torch.randn(4, 77, host.prompts.width, generator=generator)
    regions = Regions([[RegionBox(0, 0, 0.5, 1)], [RegionBox(0.5, 0, 1, 1)]])
    plain = texts[:2].repeat_interleave(frames, dim=0)
    two = torch.cat(
        [
            without_people(texts[0], 154).expand(frames, -1, -1),
            with_people(texts[1], list(texts[2:])).expand(frames, -1, -1),
        ]
    )
    module = motion.load(toyworld.motion_module())
    ratios = []
    with torch.no_grad(), motion.attached(host.unet, module, frames):
        for ours, theirs in _alternating(host, regions, frames, latents, two, plain):
            ratios.append(ours / theirs)
    found = interval(ratios[1:])
    return f"UNet with two regions: {found} times without, {REPEATS} pairs of calls, of processor time; bar {BAR}"


def _alternating(
    host: Standalone, regions: Regions, frames: int, latents: torch.Tensor, two: torch.Tensor, plain: torch.Tensor
) -> Iterator[tuple[float, float]]:
    for _ in range(REPEATS + 1):
        with heard_by_region(host.unet, regions, frames, (77, 77)):
            ours = _seconds(host, latents, two)
        yield ours, _seconds(host, latents, plain)


def _seconds(host: Standalone, latents: torch.Tensor, text: torch.Tensor) -> float:
    begun = time.process_time()
    host.unet(latents, torch.tensor(500), text)
    return time.process_time() - begun


if __name__ == "__main__":
    main()
