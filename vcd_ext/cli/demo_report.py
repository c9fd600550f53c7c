"""The demo's report: one HTML file with the videos inside it."""

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from vcd_ext import __version__
from vcd_ext.storage.atomic import atomically

if TYPE_CHECKING:
    from vcd_ext.identity import Identity
    from vcd_ext.media import Clip
    from vcd_ext.toyworld import Subject

PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>VCD for WebUI: demo</title>
<style>
 body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #24292f;
        background: #fbfaf7 }
 h1 { font-size: 1.6rem; margin-bottom: 0 } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
 p { max-width: 46rem } .photos img { width: 96px; border-radius: 6px; margin: 0 4px 4px 0 }
 .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 1.2rem }
 figure { margin: 0; background: #fff; border: 1px solid #e3e0d8; border-radius: 10px; overflow: hidden }
 video { width: 100%; display: block; image-rendering: auto }
 figcaption { padding: .6rem .9rem } table { border-collapse: collapse; font-size: .88rem; width: 100% }
 td:last-child { text-align: right; font-variant-numeric: tabular-nums } code { background: #efece4; padding: 0 .25em }
 pre { background: #efece4; padding: .6rem; border-radius: 6px; white-space: pre-wrap; font-size: .8rem }
</style></head><body>
<h1>Video Custom Diffusion: demo</h1>
<p>Made on this machine in $seconds seconds with the small drawn world that VCD for WebUI $version ships
(<code>vcd_ext/toyworld</code>): a Stable Diffusion 1.x checkpoint of 128x128 pixels with a motion module of its own.
Real checkpoints take the same path through the same code. This one is small: places, skin and hair are told by
looking, clothes not always, and faces and hands of whole figures blur (see its <code>MODEL_CARD.md</code>).</p>
<h2>Whom it learned</h2>
<div class="photos">$photos</div>
<p><code>$name</code>, a $kind that no training of the checkpoint saw: $vectors vectors, learned from these pictures in
$steps steps. $loss</p>
$sections
<h2>Read the figures like this</h2>
<p><b>Seen in it</b>: what small networks, trained on drawings, take it for. <b>Like $name</b>: how much its subject
looks like the photos, from -1 to 1; the first pair does not know $name and shows what chance gives. <b>Motion</b>:
mean length of the optical flow. <b>Flicker</b>: what changes from frame to frame although it does not move.
<b>Neighbours' correlation</b>: how alike the pixels of neighbouring frames are; 1 is a still picture. The last
three are one video after each stage of the paper's pipeline: as it was generated (T2V VCD), with its face painted
again in a crop of its own (Face VCD), and then at twice the size (Tiled VCD). One seed is an anecdote;
<code>python -m benchmarks.effects</code> measures many.</p>
</body></html>
""")


@dataclass(frozen=True)
class Shot:
    """One video of the demo: its file, how it was made, and what was measured on it."""

    file: Path
    clip: "Clip"
    prompt: str
    what: str  # how it differs from the others of the prompt
    measured: dict[str, str]


def write_report(path: Path, shots: Sequence[Shot], identity: "Identity", subject: "Subject", seconds: float) -> Path:
    """Write the report of the demo's videos and return its path."""
    prompts = list(dict.fromkeys(shot.prompt for shot in shots))
    pictures = sorted(file for file in subject.folder.glob("*.png") if not file.stem.endswith(".mask"))
    first, best = identity.validation[0][1], dict(identity.validation)[identity.best_step]
    page = PAGE.substitute(
        seconds=f"{seconds:.0f}",
        version=__version__,
        photos="".join(f'<img alt="" src="{_inside(file, "image/png")}">' for file in pictures),
        name=html.escape(subject.name),
        kind=html.escape(subject.class_word),
        vectors=len(identity.vectors),
        steps=identity.steps,
        loss=f"Its loss went from {first:.4f} to {best:.4f}.",
        sections="".join(_section(prompt, [shot for shot in shots if shot.prompt == prompt]) for prompt in prompts),
    )
    with atomically(path) as part:
        part.write_text(page, encoding="utf-8")
    return path


def listed(measured: Mapping[str, str]) -> str:
    """Return measures in one line."""
    return ", ".join(f"{name} {value}" for name, value in measured.items())


def _section(prompt: str, shots: Sequence[Shot]) -> str:
    parameters = html.escape(shots[-1].clip.metadata.get("parameters", ""))
    figures = "".join(_figure(shot) for shot in shots)
    return (
        f'<h2>{html.escape(prompt)}</h2><div class="pair">{figures}</div>'
        f"<details><summary>Settings</summary><pre>{parameters}</pre></details>"
    )


def _figure(shot: Shot) -> str:
    rows = "".join(f"<tr><td>{html.escape(k)}</td><td>{html.escape(v)}</td></tr>" for k, v in shot.measured.items())
    return (
        f'<figure><video autoplay loop muted playsinline controls src="{_inside(shot.file, "video/mp4")}"></video>'
        f"<figcaption><b>{html.escape(shot.what)}</b><table>{rows}</table></figcaption></figure>"
    )


def _inside(file: Path, kind: str) -> str:
    """Return a file as a data URL, so that the page needs nothing beside it."""
    return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
