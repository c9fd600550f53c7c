"""Find and load ControlNets in the folders of the WebUI and of sd-webui-controlnet.

They are read and attached by VCD itself: that extension hangs whole pictures beside one call for the whole canvas, and
knows nothing of windows and tiles, by which VCD divides each call.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from modules import paths, shared
from torch import nn

from vcd_ext.hosts.shared import controlnet_file
from vcd_ext.hosts.webui.library.folders import file_named, files_in, not_there
from vcd_ext.hosts.webui.model import checkpoint

CONTROLNET_FOLDERS = ("models/ControlNet", "extensions/sd-webui-controlnet/models")  # in the WebUI's data folder
# That extension's setting and option for one more.
CONTROLNET_OPTION, CONTROLNET_FLAG = "control_net_models_path", "controlnet_dir"


def controlnet_folders() -> list[Path]:
    """Return the folders that are searched, existing or not; relative ones count from the WebUI's data folder."""
    more = [shared.opts.data.get(CONTROLNET_OPTION), getattr(shared.cmd_opts, CONTROLNET_FLAG, None)]
    return [Path(paths.data_path) / name for name in dict.fromkeys([*CONTROLNET_FOLDERS, *filter(None, more)])]


def tile_controlnets() -> dict[str, Path]:
    """Return those that are Tile for SD1.5 by their name; none where they cannot be read."""
    if not controlnet_file.readable():
        return {}
    return {name: path for name, path in _controlnets().items() if controlnet_file.is_tile(path)}


def find_controlnet(name: str) -> Path:
    """Return a ControlNet's file, by its name with or without suffix and folder; ValueError lists what there is."""
    available = _controlnets()
    # Infotext has names without folders.
    path = file_named(name, available) or file_named(name, {Path(known).name: available[known] for known in available})
    if path is None:
        raise not_there(
            f"controlnet is '{name}', which is not in the folder of ControlNets; of the kind Tile for SD1.5",
            tile_controlnets(),
            "Put the file there, such as control_v11f1e_sd15_tile.pth, or choose 'none'.",
        )
    return path


def check_controlnet(name: str, sd_model: Any) -> None:
    """Raise ValueError, in one sentence, if one is not there, or cannot be used for a checkpoint of SD1.5.

    sd_model: the WebUI's. Of none and of another kind nothing is asked: no video is made with it.
    """
    path = find_controlnet(name)
    if getattr(sd_model, "model", None) is not None and checkpoint.kind(sd_model) is None:
        controlnet_file.check_fits(path, sd_model.model.diffusion_model)


def load_controlnet(name: str) -> nn.Module:
    """Return one for the checkpoint that is loaded; ValueError, in one sentence, if it cannot be used."""
    return controlnet_file.load(find_controlnet(name), shared.sd_model.model.diffusion_model)


def suggested_controlnet(note: Callable[[str], None]) -> str:
    """Return the name of the first of `tile_controlnets` that fits the loaded checkpoint; "none" without one."""
    return controlnet_file.first_fitting(tile_controlnets(), shared.sd_model.model.diffusion_model, note)


def _controlnets() -> dict[str, Path]:
    return files_in(controlnet_folders(), controlnet_file.SUFFIXES)
