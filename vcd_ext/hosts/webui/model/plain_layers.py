"""Find what others have put into the WebUI's UNet, functions of layers or whole blocks, and set the functions aside."""

import inspect
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from modules import extensions, sd_hijack, sd_models
from torch import nn

from vcd_ext.progress import Note

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
