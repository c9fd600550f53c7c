"""Tell, before a request's video begins, that the GPU's memory will likely not hold it."""

from typing import Any

import gradio as gr
import torch
from modules import devices, shared

from vcd_ext.denoising.video_memory import GIB, UNET, Computed, free_bytes, too_large
from vcd_ext.hosts.webui.model.checkpoint import is_low_memory
from vcd_ext.motion import MotionModule
from vcd_ext.progress import Note
from vcd_ext.settings import VideoSettings
from vcd_ext.stages.memory import parts_of


def tell_memory(p: Any, settings: VideoSettings, at_once: int, module: MotionModule | None, tell: Note) -> None:
    """Tell it in a sentence, on the page at once and beside the result; once hires fix knows its size.

    at_once: frames that meet in the UNet.
    """
    passes = [(p.width, p.height)]
    if getattr(p, "enable_hr", False):
        passes.append((p.hr_upscale_to_x, p.hr_upscale_to_y))
    how = Computed(_value_bytes(), p.cfg_scale != 1 and shared.opts.batch_cond_uncond, module is not None)
    parts, free = parts_of(settings, at_once, *passes), free_bytes(devices.device)
    for note in too_large(parts, how, free, _to_come(p.sd_model, module) / GIB):
        tell(note)
        gr.Warning(note)


def _value_bytes() -> int:
    return torch.empty(0, dtype=devices.dtype_unet).element_size()


def _to_come(sd_model: Any, module: MotionModule | None) -> float:
    """Return the bytes of models that are not on the device yet; with --lowvram they pass through it one by one."""
    if shared.cmd_opts.lowvram:
        return 0.0
    unet = UNET * GIB if is_low_memory(sd_model) else 0.0
    if module is None or next(module.parameters()).device.type != "cpu":
        return unet
    return unet + sum(parameter.numel() for parameter in module.parameters()) * _value_bytes()
