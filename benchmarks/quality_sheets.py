"""One sheet of pictures for each kind of thing that `benchmarks.quality` measures, from the same seeds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import effects, identities
from benchmarks.face_drawn import face_seen
from benchmarks.pairs import generated_pair, pair_wishes
from benchmarks.reconstruction import figures
from vcd_ext.cli.demo import contact_sheet
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.media import Clip
from vcd_ext.toyworld.judging import Judges

SHOWN = 6  # rows of a sheet
Frames = NDArray[np.uint8]
Row = tuple[str, Sequence[Frames]]


def write_sheets(host: Standalone, judges: Judges, out: Path) -> None:
    """Write OUT/quality_*.webp."""
    sheets: dict[str, Iterable[Row]] = {
        "autoencoder": _reconstructions(host, judges),
        "videos": (
            (wish.prompt, list(effects.frames_of(host, effects.ON, wish)[::2])) for wish in effects.wishes(SHOWN)
        ),
        "identities": _individuals(host, out),
        "pairs": ((wish.prompt, list(generated_pair(host, wish))) for wish in pair_wishes(SHOWN)),
        "faces": _faces(host, out),
    }
    for name, rows in sheets.items():
        drawn = list(rows)
        if not drawn:
            continue
        clips = {label: Clip(np.stack(list(pictures)), 8) for label, pictures in drawn}
        contact_sheet(clips).save(out / f"quality_{name}.webp", quality=85, method=4)
        print(f"{out / f'quality_{name}.webp'} is written", flush=True)


def _reconstructions(host: Standalone, judges: Judges) -> Iterator[Row]:
    for distance in ("plain", "far"):
        found = list(figures(host.vae, judges, distance, 8))
        for k, label in enumerate(("drawn", "after the autoencoder")):
            yield f"{distance}, {label}", [one.both[k] for one in found]


def _individuals(host: Standalone, out: Path) -> Iterator[Row]:
    """Show a photo and a few frames without and with what was learned, of each individual."""
    for name in identities.INDIVIDUALS:
        photo = np.asarray(Image.open(identities.album(name) / "1.png").convert("RGB").resize((128, 128)))
        plain, known = (identities.video(host, name, cell, 0, out)[::3] for cell in ("class word", "ID module"))
        yield f"{name}: photo; class word; learned", [photo, *plain, *known]


def _faces(host: Standalone, out: Path) -> Iterator[Row]:
    some = list(identities.INDIVIDUALS)[:3]  # each takes as long as four videos
    found = {name: face_seen(host, name, 0, out, still=False) for name in some}
    there = {name: seen for name, seen in found.items() if seen is not None}
    for k, label in enumerate(("before Face VCD", "after it") if there else ()):
        yield f"{', '.join(there)}: {label}", [seen.faces[k] for seen in there.values()]
