"""Tell whether the drawn world's checkpoint is the WebUI's chosen one, and what follows from it."""

from collections.abc import Sequence
from pathlib import Path

from modules import sd_hijack, sd_models, shared

from vcd_ext import toyworld
from vcd_ext.hosts.webui.library.folders import file_named
from vcd_ext.hosts.webui.library.motion_modules import motion_modules
from vcd_ext.settings import DETECTORS, GENERAL_DETECTORS
from vcd_ext.toyworld.notes import drawn_notes


def offered_detectors() -> tuple[str, ...]:
    """Return what may find faces: the drawn world's own only where its checkpoint is the chosen one."""
    return DETECTORS if is_drawn() else GENERAL_DETECTORS


def is_drawn() -> bool:
    """Return whether the drawn world's checkpoint is the chosen one."""
    info = sd_models.get_closet_checkpoint_match(shared.opts.sd_model_checkpoint)
    return info is not None and toyworld.is_checkpoint(Path(info.filename))


def notes_of_drawn(prompts: Sequence[str], motion_module: str) -> list[str]:
    """Return what is told of a video if the drawn world makes it: words that it does not know, an old copy of it."""
    info = sd_models.get_closet_checkpoint_match(shared.opts.sd_model_checkpoint)
    if info is None:
        return []
    names = sd_hijack.model_hijack.embedding_db.word_embeddings
    return drawn_notes(Path(info.filename), file_named(motion_module, motion_modules()), prompts, names)
