"""The WebUI's ControlNets Tile, in the folders of the extension sd-webui-controlnet.

They are read and hung on the UNet by VCD itself: that extension hangs whole pictures beside one call for the whole
canvas, and knows nothing of windows and tiles, by which VCD divides each call.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from modules import paths, shared
from torch import nn

from vcd_ext.hosts.diffusers import controlnet
from vcd_ext.hosts.webui import library, model

FOLDERS = ("models/ControlNet", "extensions/sd-webui-controlnet/models")  # in the WebUI's data folder
OPTION, FLAG = "control_net_models_path", "controlnet_dir"  # the extension's setting and option for one more


def folders() -> list[Path]:
    """The folders that are searched, existing or not; relative ones count from the WebUI's data folder."""
    more = [shared.opts.data.get(OPTION), getattr(shared.cmd_opts, FLAG, None)]
    return [Path(paths.data_path) / name for name in dict.fromkeys([*FOLDERS, *filter(None, more)])]


def tiles() -> dict[str, Path]:
    """Those that are Tile for SD1.5 by their name; none where they cannot be read."""
    if not controlnet.readable():
        return {}
    return {name: path for name, path in _names().items() if controlnet.is_tile(path)}


def find(name: str) -> Path:
    """The file of a ControlNet, by its name with or without suffix and folder; ValueError lists what there is."""
    available = _names()
    # Infotext has names without folders.
    path = library.named(name, available) or library.named(
        name, {Path(known).name: available[known] for known in available}
    )
    if path is None:
        known = ", ".join(tiles()) or "none yet"
        raise ValueError(
            f"controlnet is '{name}', which is not in the folder of ControlNets; of the kind Tile for SD1.5 there: "
            f"{known}. Put the file there, such as control_v11f1e_sd15_tile.pth, or choose 'none'."
        )
    return path


def check(name: str, sd_model: Any) -> None:
    """ValueError, in one sentence, if one is not there, or cannot be used for a checkpoint of SD1.5.

    sd_model: the WebUI's. Of none and of another kind nothing is asked: no video is made with it.
    """
    path = find(name)
    if getattr(sd_model, "model", None) is not None and model.kind(sd_model) is None:
        controlnet.check(path, sd_model.model.diffusion_model)


def load(name: str) -> nn.Module:
    """One for the checkpoint that is loaded; ValueError, in one sentence, if it cannot be used."""
    return controlnet.load(find(name), shared.sd_model.model.diffusion_model)


def suggested(note: Callable[[str], None]) -> str:
    """The name of the first of `tiles` that fits the checkpoint that is loaded; "none" without one."""
    return controlnet.first_fitting(tiles(), shared.sd_model.model.diffusion_model, note)


def _names() -> dict[str, Path]:
    return library.files(folders(), controlnet.SUFFIXES)
