"""The subcommand `doctor`: what is installed, found and missing, and whether `generate` can work.

The networks that find masks are not needed: without them masks come from the checkpoint's attention and GrabCut. Nor
is what only Face VCD and Tiled VCD use, but for PyAV.
"""

import argparse
import importlib
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from vcd_ext.cli.model_options import SPANDREL
from vcd_ext.storage import walk

# As in pyproject.toml; a WebUI without our package has no metadata to read them from.
EXPECTED = {
    "torch": "2.1.2",
    "diffusers": "0.31.0",
    "transformers": "4.30.2",
    "accelerate": "0.21.0",
    "safetensors": "0.4.2",
    "omegaconf": "2.2.3",
    "numpy": "1.26.2",
    "Pillow": "9.5.0",
    "tqdm": "",
}
PYTHONS = ((3, 10), (3, 11))
ENCODERS = {"libx264": "mp4", "libvpx-vp9": "webm"}
WEBUI_MODELS = {
    "checkpoints": ("models/Stable-diffusion",),
    "motion modules": ("models/AnimateDiff", "extensions/sd-webui-animatediff/model"),
    "embeddings": ("embeddings",),
    "upscalers": ("models/ESRGAN", "models/RealESRGAN"),
    "ControlNets Tile": ("models/ControlNet", "extensions/sd-webui-controlnet/models"),
}
# What the others in the list do where there is none.
WITHOUT = {
    "upscalers": "; Tiled VCD enlarges by Lanczos",
    "ControlNets Tile": " with 'tile' and 'sd15' in its name; Tiled VCD works without",
}
MODEL_SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin")


class Finding(NamedTuple):
    """One line of the report. fatal: `generate` cannot work without it."""

    name: str
    found: str
    problem: str = ""
    fatal: bool = False


def run(arguments: argparse.Namespace) -> int:
    """Print the report; 0 if `generate` can work, else 1."""
    if arguments.webui and not (arguments.webui / "webui.py").is_file():
        raise ValueError(f"{arguments.webui} is not a WebUI: it has no webui.py.")
    findings = [*_python(), *_packages(), *_encoders(), *_tokenizer(), *_generate()]
    if arguments.webui:
        findings += _webui(arguments.webui)
    findings += [*_repairs(), *_masks(arguments.webui)]
    for finding in findings:
        mark = "missing" if finding.fatal else "note" if finding.problem else "ok"
        print(f"{mark:8}{finding.name:18}{finding.found:14}{finding.problem}".rstrip())
    works = not any(finding.fatal for finding in findings)
    print("generate can work." if works else "generate cannot work: see what is missing.")
    return 0 if works else 1


def _python() -> Iterator[Finding]:
    known = sys.version_info[:2] in PYTHONS
    yield Finding("python", sys.version.split()[0], "" if known else "3.10 and 3.11 are tested")


def _packages() -> Iterator[Finding]:
    for name, expected in EXPECTED.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            pin = f"=={expected}" if expected else ""
            yield Finding(name, "", f"pip install {name}{pin}", fatal=True)
            continue
        same = not expected or found.split("+")[0] == expected
        yield Finding(name, found, "" if same else f"{expected} is tested")


def _encoders() -> Iterator[Finding]:
    try:
        from vcd_ext.media.pyav import pyav

        av = pyav()
        from av.codec.codec import UnknownCodecError
    except ImportError as error:
        yield Finding("av", "", str(error), fatal=True)
        return
    yield Finding("av", av.__version__)
    for encoder, format in ENCODERS.items():
        try:
            av.Codec(encoder, "w")
            yield Finding(encoder, format)
        except UnknownCodecError:
            problem = f"this av cannot write {format}; reinstall it: pip install --force-reinstall av"
            yield Finding(encoder, "", problem, fatal=format == "mp4")


def _tokenizer() -> Iterator[Finding]:
    try:
        from vcd_ext.hosts.diffusers.tokenizer import table

        yield Finding("tokenizer", table().parent.name)
    except (ImportError, OSError) as error:
        yield Finding("tokenizer", "", str(error), fatal=True)


def _generate() -> Iterator[Finding]:
    """Import what `generate` runs on: versions that do not fit each other show here."""
    try:
        importlib.import_module("vcd_ext.hosts.diffusers.host")
        import torch
    except Exception as error:  # a broken installation can raise anything
        yield Finding("import", "", f"{type(error).__name__}: {str(error).splitlines()[0]}", fatal=True)
        return
    if torch.cuda.is_available():
        yield Finding("CUDA", torch.version.cuda or "", torch.cuda.get_device_name())
    else:
        yield Finding("CUDA", "none", "the CPU computes: minutes to hours for a video")


def _webui(folder: Path) -> Iterator[Finding]:
    for name, places in WEBUI_MODELS.items():
        files = [p for place in places for p in walk.files(folder / place) if p.suffix in MODEL_SUFFIXES]
        if name == "ControlNets Tile":
            files = [path for path in files if _is_tile(path)]
        absent = f"none yet in {folder / places[0]}{WITHOUT.get(name, '')}"
        yield Finding(name, str(len(files)), "" if files else absent)


def _is_tile(path: Path) -> bool:
    try:
        from vcd_ext.hosts.shared.controlnet_file import is_tile
    except ImportError:  # told above
        return False
    return is_tile(path)


def _repairs() -> Iterator[Finding]:
    """List what Face VCD finds faces with, and what reads the networks that Tiled VCD enlarges with."""
    try:
        from vcd_ext.face.detect.blazeface import BRING, blazeface_file
    except ImportError as error:
        yield Finding("BlazeFace", "", str(error))
    else:
        there = blazeface_file()
        yield Finding("BlazeFace", there.name if there else "", "" if there else BRING)
    try:
        yield Finding("spandrel", version("spandrel"))
    except PackageNotFoundError:
        yield Finding("spandrel", "", f"{SPANDREL}  # for --upscaler-weights; without it Tiled VCD enlarges by Lanczos")


def _masks(webui: Path | None) -> Iterator[Finding]:
    """List packages and weights of Grounding DINO and SAM, each with the command that brings it if it is missing."""
    try:
        from vcd_ext.identity.segment import packages, weights
    except ImportError:  # told above
        return
    lacking = packages.missing_packages()
    for requirement in packages.REQUIREMENTS.values():
        name, _, expected = requirement.partition("==")
        absent = requirement in lacking
        yield Finding(name, "" if absent else expected, f"pip install --no-deps {requirement}" if absent else "")
    folders = [webui / "models" if webui else Path("models")]
    kinds = {"Grounding DINO": weights.DINO, "SAM": weights.SAM, "BERT's words": (weights.VOCABULARY,)}
    needed = weights.absent(folders)
    for name, kind in kinds.items():
        missing = next((file for file in needed if file in kind), None)
        if missing:
            target = folders[0] / missing.folder / missing.name
            command = f"curl -fL --create-dirs -o '{target}' {missing.url}"
            yield Finding(name, "", f"{command}  # {missing.size / 1e6:.0f} MB, for better masks")
        else:
            there = next((file.name for file in kind if weights.find_weights(file, folders)), "in the hub's cache")
            yield Finding(name, there)
