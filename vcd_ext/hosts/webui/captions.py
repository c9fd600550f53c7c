"""Lend the WebUI's captioner, BLIP, without the downloads and the CLIP that it would bring along."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from modules import devices, interrogate, lowvram, paths, shared
from PIL import Image

from vcd_ext.hosts.webui.report import queued
from vcd_ext.identity.segment.weights import find_vocabulary
from vcd_ext.jobs.studio import Caption, Folders

CAPTIONS_JOB = "vcd-captions"
BLIP_FOLDER, BLIP_WEIGHTS = "BLIP", "model_base_caption_capfilt_large.pth"  # as the WebUI calls them
BLIP_MISSING = (
    "Photos cannot be described, because BLIP is not on this machine; write the class yourself, or press Interrogate "
    "CLIP in img2img once, which downloads it (2 GB)."
)


def captions_available(folders: Folders) -> bool:
    """Return whether all that is needed to describe a picture is on this machine."""
    return _blip_weights().is_file() and find_vocabulary(folders.weights) is not None


@contextmanager
def captioning(folders: Folders, stops: Callable[[], bool]) -> Iterator[Caption]:
    """Wait for the WebUI's queue and lend what describes a picture; ValueError if that would have to be downloaded.

    stops: asked while it waits; then Interrupted.
    """
    vocabulary = find_vocabulary(folders.weights)
    if vocabulary is None or not _blip_weights().is_file():
        raise ValueError(BLIP_MISSING)
    with queued(CAPTIONS_JOB, stops):
        try:
            lowvram.send_everything_to_cpu()
            interrogator = _blip_interrogator(vocabulary)
            yield lambda pixels: interrogator.generate_caption(Image.fromarray(pixels))
        finally:
            interrogator = None  # before the device's memory is given back


def _blip_weights() -> Path:
    return Path(paths.models_path) / BLIP_FOLDER / BLIP_WEIGHTS


def _blip_interrogator(vocabulary: Path) -> Any:
    """Load the WebUI's interrogator with BLIP alone: its own `load` would download CLIP as well."""
    interrogator = interrogate.InterrogateModels("")
    interrogator.create_fake_fairscale()
    with _local_tokenizer(vocabulary):
        interrogator.blip_model = interrogator.load_blip_model()
    half = not (shared.cmd_opts.no_half or interrogator.running_on_cpu)
    interrogator.dtype = torch.float16 if half else torch.float32
    interrogator.blip_model.to(devices.device_interrogate, interrogator.dtype)
    return interrogator


@contextmanager
def _local_tokenizer(vocabulary: Path) -> Iterator[None]:
    """Let BLIP, within this context, take its words from a file instead of asking a hub for them."""
    blip: Any = importlib.import_module("models.blip")  # of BLIP's repository, which the WebUI has put on the path
    own = blip.BertTokenizer

    class Local:
        @staticmethod
        def from_pretrained(_name: str) -> Any:
            return own(str(vocabulary))

    blip.BertTokenizer = Local
    try:
        yield
    finally:
        blip.BertTokenizer = own
