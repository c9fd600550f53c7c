"""Make the pictures of docs/features.md: frames of the drawn world by the command line, and parts of the real page.

    python -m tools.features frames [NAME ...]     # all of them: about 4 minutes of one core
    python -m tools.features page                  # needs the WebUI of tests/webui; about 2 minutes

A picture has a row for each command, whose options stand here and in the page.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from vcd_ext import media, toyworld
from vcd_ext.__main__ import main as command

OUT = Path(__file__).parents[1] / "docs" / "features"
TILE, QUALITY = 96, 70  # pixels of a frame's side in a row, and WebP's quality
WORLD = [
    "--checkpoint", str(toyworld.checkpoint()), "--motion-module", str(toyworld.motion_module()),
    "--width", "128", "--height", "128", "--steps", "10", "--sampler", "dpmpp_2m", "--cfg-scale", "4.5",
]  # fmt: skip
WOMAN = '--prompt "photo of a woman on the beach, waving" --seed 1'
DOG = '--prompt "photo of a dog in the snow, running" --seed 3'
LONG = f"{DOG} --frames 24 --overlap 8"


class Row(NamedTuple):
    """Hold the options of a command, with paths for names in capitals, and which frames of its video are shown."""

    options: str
    shown: Sequence[int]


STRIPS: dict[str, list[Row]] = {
    "onward": [
        Row(f"{WOMAN} --start-picture PICTURE", range(0, 16, 2)),
        Row(f"{WOMAN} --from-picture --start-picture PICTURE --denoise 0.8", range(0, 16, 2)),
        Row(f"{WOMAN} --continue-video FIRST --no-freenoise", range(9, 25, 2)),
        Row(f"{WOMAN} --continue-video FIRST", range(9, 25, 2)),
    ],
    "noise": [
        Row(f"{LONG} --gamma 0 --no-freenoise", range(0, 24, 3)),
        Row(f"{LONG} --gamma 0.15 --no-freenoise", range(0, 24, 3)),
        Row(f"{LONG} --gamma 0", range(0, 24, 3)),
        Row(f"{LONG} --gamma 0 --no-freenoise --freeinit 1", range(0, 24, 3)),
    ],
    "interpolate": [Row(f"{WOMAN} --interpolate 2 --lossless", range(8, 16))],
}
ANIMATIONS = {"loop": f"{DOG} --loop"}

PARTS = ("motion_loras", "control", "files", "modules")  # of the page: accordions of txt2img's section
SETTLED = 1500  # milliseconds


def frames(names: Sequence[str]) -> None:
    """Make the pictures of these names; all without one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = {"PICTURE": str(toyworld.FOLDER / "subjects/mara/1.png"), "FIRST": str(folder / "first.webp")}
        _run(f"{WOMAN} --lossless --formats webp", Path(paths["FIRST"]), paths)
        for strip, rows in STRIPS.items():
            if strip in names or not names:
                made = [_row(row, folder / f"{strip}{i}.webp", paths) for i, row in enumerate(rows)]
                _save(Image.fromarray(np.concatenate(made)), strip)
        for animation, options in ANIMATIONS.items():
            if animation in names or not names:
                _run(options, folder / "loop.webp", paths)
                shutil.copyfile(folder / "loop.webp", OUT / f"{animation}.webp")


def _run(options: str, out: Path, paths: dict[str, str]) -> None:
    told = [paths.get(word, word) for word in shlex.split(options)]
    if command(["generate", *WORLD, *told, "--formats", "webp", "--out", str(out)]):
        raise SystemExit(1)


def _row(row: Row, out: Path, paths: dict[str, str]) -> np.ndarray:
    _run(f"{row.options} --lossless", out, paths)
    found = media.read(out).frames
    tiles = [np.asarray(Image.fromarray(found[i]).resize((TILE, TILE), Image.Resampling.LANCZOS)) for i in row.shown]
    return np.concatenate(tiles, axis=1)


def _save(picture: Image.Image, name: str) -> None:
    OUT.mkdir(exist_ok=True)
    picture.save(OUT / f"{name}.webp", quality=QUALITY, method=6)


@contextmanager
def _webui(folder: Path) -> Iterator[Any]:
    """Run a WebUI, a `tests.webui.server.Server`, that has the drawn world, motion LoRAs and no other extension."""
    from tests import tiny
    from tests.webui.conftest import _lora
    from tests.webui.server import REPOSITORY, Server

    for part in ("models/Stable-diffusion", "models/Lora", "models/AnimateDiff", "embeddings", "extensions"):
        (folder / part).mkdir(parents=True)
    toyworld.install(folder)
    for name in ("v2_lora_PanLeft", "v2_lora_ZoomIn"):
        tiny.motion_lora(folder / "models/Lora", name)
    tiny.motion_module(folder / "models/AnimateDiff", "AnimateLCM")
    _lora(folder / "models/Lora/AnimateLCM_sd15_t2v_lora.safetensors")
    (folder / "extensions/vcd-webui").symlink_to(REPOSITORY)
    (folder / "extensions/probe").symlink_to(REPOSITORY / "tests/webui/probe")
    server = Server(folder)
    try:
        yield server
    finally:
        server.stop()


def page() -> None:
    """Take the pictures of the page, and make a plot over the API."""
    from tests.browser import browsed

    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        shot = Path(name) / "shot.png"
        with _webui(Path(name) / "webui") as server:
            _save(_plot(server), "xyz")
            with browsed(server.url, width=1100, height=1250) as opened:
                opened.locator("#vcd_txt2img .label-wrap").first.click()
                # It names a folder of this machine.
                opened.locator("#vcd_txt2img_modules p").evaluate_all("found => found.forEach(each => each.remove())")
                for part in PARTS:
                    accordion = opened.locator(f"#vcd_txt2img_{part}")
                    accordion.locator(".label-wrap").first.click()
                    opened.wait_for_timeout(SETTLED)
                    accordion.screenshot(path=shot)
                    _keep(shot, part)
                    accordion.locator(".label-wrap").first.click()
                opened.locator("#vcd_txt2img_motion_module input").first.click()
                opened.locator("#vcd_txt2img_motion_module li", has_text="AnimateLCM").first.click()
                opened.locator("#vcd_txt2img_distilled_set").click()
                opened.wait_for_timeout(SETTLED)
                opened.screenshot(path=shot)
                _keep(shot, "one_click")


def _keep(shot: Path, name: str) -> None:
    with Image.open(shot) as taken:
        _save(taken.convert("RGB"), name)


def _plot(server: Any) -> Image.Image:
    """Return the X/Y/Z plot of gamma and motion module."""
    scripts = server.get("/sdapi/v1/script-info")
    plot = next(script for script in scripts if script["name"] == "x/y/z plot" and not script["is_img2img"])
    axes, values = plot["args"][0]["choices"], [arg.get("value") for arg in plot["args"]]
    values[0], values[1] = axes.index("[VCD] Gamma"), "0, 0.15, 0.4"
    values[3], values[5] = axes.index("[VCD] Motion module"), ["none", "toyworld_motion.safetensors"]
    values[6] = 0
    asked = {
        "prompt": "photo of a woman on the beach, waving",
        "seed": 1,
        "width": toyworld.SIZE,
        "height": toyworld.SIZE,
        "steps": toyworld.STEPS,
        "cfg_scale": toyworld.CFG_SCALE,
        "sampler_name": "DPM++ 2M",
    }
    vcd = {"motion_module": "toyworld_motion.safetensors", "frames": 16}
    drawn = server.generate(vcd, script_name="x/y/z plot", script_args=values, **asked)
    return Image.fromarray(drawn.frames_of_any_size[0])


def main(arguments: list[str] | None = None) -> None:
    """Make what is asked for."""
    parser = argparse.ArgumentParser(description="Make the pictures of docs/features.md.")
    parser.add_argument("what", choices=("frames", "page"))
    parser.add_argument("names", nargs="*", help="of strips and animations; all of them without one")
    options = parser.parse_args(arguments)
    if options.what == "page":
        page()
    else:
        frames(options.names)


if __name__ == "__main__":
    main()
