"""Attach to the WebUI's UNet what denoises a video, and set aside what others have put into it.

With k prompts joined by AND the WebUI's denoiser puts the k rows of each frame side by side and may cut the batch
anywhere. A motion module needs the rows of each video together, so they are put in video order before the UNet is
called (`on_cfg_denoiser`) and back before the WebUI combines them (`on_cfg_denoised`).
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from modules import extensions, sd_hijack, sd_models
from torch import Tensor, nn

from vcd_ext.denoising.controlnet import ControlNet, controlnet_attached
from vcd_ext.denoising.deep_features import deep_features_reused
from vcd_ext.denoising.multidiffusion import Parts, RegionalPrompt, multidiffusion
from vcd_ext.hosts.webui import library
from vcd_ext.hosts.webui.model import checkpoint, known
from vcd_ext.motion import MotionLora, MotionModule, attached
from vcd_ext.people import Regions
from vcd_ext.people.attention import heard_by_region
from vcd_ext.progress import Note
from vcd_ext.settings import EXACT


@contextmanager
def video_denoising(
    p: Any,
    parts: Parts,
    module: MotionModule | None,
    *,
    regional: RegionalPrompt | None = None,
    control: ControlNet | None = None,
    before_part: Callable[[], None] | None = None,
    loras: Sequence[MotionLora] = (),
    people: tuple[Regions, Sequence[int]] | None = None,
    speed: str = EXACT,
) -> Iterator[None]:
    """Make the model of `p` denoise a video within this context, in parts.

    parts, regional and before_part are those of `multidiffusion`. module: None leaves the frames apart and the schedule
    as it is. control: a ControlNet that looks at the frames. loras: motion LoRAs, which change the motion module.
    people: the regions of those who have words of their own, and how many tokens these are; see `people.attention`.
    speed: one of `settings.SPEEDS`.
    """
    sd_model = p.sd_model
    unet = sd_model.model.diffusion_model
    with ExitStack() as stack:
        stack.enter_context(video_row_order(unet, parts.frames))
        if module is not None:
            stack.enter_context(checkpoint.motion_schedule(sd_model, p))
            stack.callback(_leave_device, sd_model)
            length = len(parts.windows[0].frames)
            stack.enter_context(attached(unet, module, length, loras=loras, **checkpoint.placement(sd_model)))
        if control is not None:
            stack.enter_context(controlnet_attached(unet, control, **checkpoint.placement(sd_model)))
        if people is not None:
            stack.enter_context(heard_by_region(unet, people[0], parts.frames, people[1]))
        stack.enter_context(deep_features_reused(unet, speed))
        stack.enter_context(multidiffusion(unet, parts, regional, before_part))
        yield


def _leave_device(sd_model: Any) -> None:
    if checkpoint.is_low_memory(sd_model):
        library.offload_motion_module()


_row_order: "RowOrder | None" = None


class RowOrder:
    """Reorder the rows of one denoiser step; also count the rows that the UNet has seen in it."""

    def __init__(self, frames: int):
        self.frames = frames
        self.prompts = 1
        self.latents: Tensor | None = None
        self.seen = 0

    def before(self, params: Any) -> None:
        """Put cond rows from frame-major to video-major, at on_cfg_denoiser; the uncond rows at the end stay."""
        self.prompts = params.x.shape[0] // self.frames - 1
        self.seen = 0
        self.latents = None
        if self.prompts > 1:
            order = self._by_video(params.x.device)
            everything = torch.cat([order, torch.arange(len(order), params.x.shape[0], device=order.device)])
            params.x = self.latents = params.x[everything]
            params.sigma = params.sigma[everything]
            params.image_cond = params.image_cond[everything]
            params.text_cond = params.text_cond[order]

    def after(self, params: Any) -> None:
        """Put results and latents back to the WebUI's order, at on_cfg_denoised, in place, as it keeps the tensors."""
        if self.prompts == 1 or self.latents is None:
            return
        order = self._by_video(params.x.device)
        for tensor in (params.x, self.latents):
            tensor[order] = tensor[: len(order)].clone()
        if self.seen == len(order):
            # Uncond was skipped; the WebUI has filled its rows from the reordered conds.
            params.x[len(order) :] = params.x[: len(order) : self.prompts]
        self.latents = None

    def count(self, _module: nn.Module, args: tuple[Any, ...]) -> None:
        """Count rows; a forward pre-hook of the UNet."""
        self.seen += args[0].shape[0]

    def _by_video(self, device: torch.device) -> Tensor:
        """Return order[j * F + i] = i * k + j: the WebUI's row of frame i under prompt j."""
        rows = torch.arange(self.frames * self.prompts, device=device)
        return rows.view(self.frames, self.prompts).t().reshape(-1)


@contextmanager
def video_row_order(unet: nn.Module, frames: int) -> Iterator[None]:
    """Make the denoiser call `unet` with whole videos, within this context."""
    global _row_order
    order = RowOrder(frames)
    handle = unet.register_forward_pre_hook(order.count)
    _row_order = order
    try:
        yield
    finally:
        _row_order = None
        handle.remove()


def on_cfg_denoiser(params: Any) -> None:
    """Reorder the rows; WebUI callback, registered once."""
    known.show_known(params)
    if _row_order is not None:
        _row_order.before(params)


def on_cfg_denoised(params: Any) -> None:
    """Reorder the rows; WebUI callback, registered once."""
    if _row_order is not None:
        _row_order.after(params)


# How the WebUI's hypertile marks the layers whose forward function it has replaced.
HYPERTILE_MARK = "__webui_hypertile_params"
FUNCTIONS = ("forward", "_forward")  # `_forward` is what LDM's blocks compute, where they may do it twice
_ANIMATEDIFF_LAYER = "VanillaTemporalModule"
# Packages whose blocks a UNet is made of; blocks of others were put in by extensions.
_OWN = ("ldm", "sgm", "torch", "modules")


@contextmanager
def plain_layers(sd_model: Any, note: Note | None = None) -> Iterator[None]:
    """Let the UNet, within this context, compute what its class says: no token merging, hypertile, tileable padding.

    What other extensions have put in place of layers, such as ControlNet's picture of the whole scene, is set aside
    as well, as it was made for another picture. After it everything is there again, whatever happens. Inside of
    itself it does nothing: a stage that follows a video runs while the video has taken all of this off.
    note: told in a sentence what other extensions have there, if anything.
    """
    with ExitStack() as stack:
        for context in (_not_circular, _unmerged):
            stack.enter_context(context(sd_model))
        stack.enter_context(own_functions(sd_model, note))
        yield


@contextmanager
def own_functions(sd_model: Any, note: Note | None = None) -> Iterator[None]:
    """Set aside the functions that stand before those of the layers' classes; see `plain_layers`."""
    replaced = list(_replaced(sd_model))
    others = {owner for layer, _, function in replaced if (owner := _foreign_owner(layer, function))}
    if others and note is not None:
        note(
            f"What {' and '.join(sorted(others))} had put into the UNet was set aside, as it was made for another "
            "picture."
        )
    try:
        for layer, name, _ in replaced:
            delattr(layer, name)
        yield
    finally:
        for layer, name, function in replaced:
            setattr(layer, name, function)


def layer_owners(sd_model: Any) -> Iterator[str]:
    """Name the extension of each function that stands before one of the UNet's layers; not of the whole UNet's."""
    unet = sd_model.model.diffusion_model
    for layer, _, function in _replaced(sd_model):
        if layer not in (sd_model, unet) and (owner := _foreign_owner(layer, function)):
            yield owner


def foreign_blocks(unet: nn.Module) -> Iterator[str]:
    """Name what extensions have put among the UNet's own blocks, such as another AnimateDiff's motion modules."""
    sequences: Any = (*unet.input_blocks, unet.middle_block, *unet.output_blocks)
    for block in (block for sequence in sequences for block in sequence):
        kind = type(block)
        if kind.__name__ == _ANIMATEDIFF_LAYER:
            yield "the motion module of sd-webui-animatediff"
        elif kind.__module__.split(".")[0] not in _OWN:
            yield f"the block {kind.__name__} of an extension"


def _replaced(sd_model: Any) -> Iterator[tuple[Any, str, Any]]:
    """Yield the layers whose own functions are others than their classes': layer, name, function."""
    if "apply_model" in vars(sd_model):
        yield sd_model, "apply_model", sd_model.apply_model
    ours = set(sd_model.model.modules())
    for layer in sd_model.modules():
        # Of other parts only hypertile's: what somebody hangs on the VAE, tiles for example, is meant for all pictures.
        if layer in ours or HYPERTILE_MARK in vars(layer):
            for name in FUNCTIONS:
                if name in vars(layer):
                    yield layer, name, vars(layer)[name]


def _foreign_owner(layer: nn.Module, function: Any) -> str:
    """Return the extension that has put a function on a layer; "" if it computes what the layer would by itself."""
    if HYPERTILE_MARK in vars(layer):
        return ""
    plain = inspect.unwrap(getattr(function, "func", function))
    plain = getattr(plain, "__func__", plain)
    if plain in (getattr(type(layer), name, None) for name in FUNCTIONS):
        return ""  # some extensions put the class's own function back on the layer
    file = Path(getattr(getattr(plain, "__code__", None), "co_filename", "")).resolve()
    for extension in extensions.extensions:
        if file.is_relative_to(Path(extension.path).resolve()):
            return str(extension.name)
    return str(getattr(plain, "__module__", None) or "another extension")


@contextmanager
def _not_circular(_sd_model: Any) -> Iterator[None]:
    circular = sd_hijack.model_hijack.circular_enabled
    try:
        sd_hijack.model_hijack.apply_circular(False)
        yield
    finally:
        sd_hijack.model_hijack.apply_circular(circular)


@contextmanager
def _unmerged(sd_model: Any) -> Iterator[None]:
    """Take off token merging, whoever has put it on: the WebUI by its setting, or an extension past that."""
    ratio = getattr(sd_model, "applied_token_merged_ratio", 0)
    merging: list[tuple[nn.Module, type[nn.Module]]] = []
    try:
        sd_models.apply_token_merging(sd_model, 0)
        # Its library gives blocks another class; the hook beside it, which notes the canvas's size, harms nobody.
        merging += [(block, type(block)) for block in sd_model.model.modules() if type(block).__name__ == "ToMeBlock"]
        for block, merged in merging:
            block.__class__ = merged._parent  # type: ignore[attr-defined]
        yield
    finally:
        for block, merged in merging:
            block.__class__ = merged
        sd_models.apply_token_merging(sd_model, ratio)
