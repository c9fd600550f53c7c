"""What a prompt asks for and nobody does: syntax of other extensions, networks of unknown kinds, motion LoRAs."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modules import extra_networks

from vcd_ext.prompt.foreign import unread
from vcd_ext.storage.tensor_file import keys

LORAS = ("lora", "lyco")


def notes(p: Any) -> list[str]:
    """Sentences about the first prompt of a run, as it is after all scripts have worked on it."""
    prompt, networks = extra_networks.parse_prompt(p.all_prompts[0])
    return [*unread(prompt), *_unknown(networks), *map(_motion, _motion_loras(networks))]


def _unknown(networks: Any) -> Iterator[str]:
    known = {*extra_networks.extra_network_registry, *extra_networks.extra_network_aliases}
    for kind, asked in networks.items():
        if kind not in known:
            shown = ":".join([kind, *asked[0].items])
            yield f"The prompt has <{shown}>, a kind of network that is not installed; it has no effect."


def _motion(file: Path) -> str:
    return f"{file.name} is a motion LoRA (a camera's movement), which VCD does not support; it has no effect."


def _motion_loras(networks: Any) -> Iterator[Path]:
    """The files of LoRAs in the prompt that are made for a motion module."""
    loaded: Any = sys.modules.get("networks")  # of the WebUI's own extension for LoRAs
    known = getattr(loaded, "available_network_aliases", {})
    for kind in LORAS:
        for asked in networks.get(kind, ()):
            file = Path(getattr(known.get(asked.items[0]), "filename", ""))
            if file.is_file() and any("motion_modules" in key or "temporal_transformer" in key for key in keys(file)):
                yield file
