"""Make the WebUI's checkpoint differentiable for training, and put everything back whatever happens.

What is in the way: LoRAs and hypernetworks of the last generation stay applied after it, other extensions' functions
stay on the layers after one that failed, the usual attention keeps its softmax matrices for the gradient, --medvram
moves a model off the device before its gradient is computed, and every weight of the UNet asks for a gradient.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from modules import devices, lowvram, sd_hijack, shared
from torch import Tensor, nn

from vcd_ext.hosts.webui.model.plain_layers import plain_layers
from vcd_ext.hosts.webui.model.untrainable import check_trainable
from vcd_ext.progress import Note

# Attention whose backward pass needs no softmax matrices; xformers' fails on some cards.
ATTENTION = "sdp - scaled dot product"


@contextmanager
def differentiable(sd_model: Any, note: Note | None = None) -> Iterator[None]:
    """Make `sd_model` differentiable with respect to its text, within this context; after it, it is what it was.

    The caller holds the WebUI's queue lock. note: told in a sentence what other extensions had put into the UNet.
    ValueError: one sentence that says why this model cannot be trained on.
    """
    check_trainable(sd_model)
    with ExitStack() as stack:
        stack.callback(devices.torch_gc)
        # LoRAs are put on again once the weights have their own type, and where training has left them.
        for context in (_hooks_off, _placed, _loras_off, _precise, _hypernetworks_off):
            stack.enter_context(context(sd_model))
        stack.enter_context(plain_layers(sd_model, note))
        for context in (_sdp, _frozen):
            stack.enter_context(context(sd_model))
        yield


def networks(sd_model: Any) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Return UNet, text encoder and VAE, each as the module that the WebUI moves about as a whole."""
    return sd_model.model, sd_model.cond_stage_model, sd_model.first_stage_model


def widen(part: nn.Module) -> None:
    """Turn half-precision weights into float32; `differentiable` turns them back.

    Not `part.float()`: Lightning's modules would remember it as their type after that.
    """
    for tensor in _tensors(part):
        if tensor.dtype in (torch.float16, torch.bfloat16):
            tensor.data = tensor.data.float()


@contextmanager
def _hooks_off(sd_model: Any) -> Iterator[None]:
    """Suspend what --medvram hangs on the parts to move them to the device in turn."""
    suspended = []
    for module in sd_model.modules():
        hooks = module._forward_pre_hooks
        theirs = [key for key, hook in hooks.items() if getattr(hook, "__module__", None) == lowvram.__name__]
        if theirs:
            suspended.append((hooks, dict(hooks)))
            for key in theirs:
                del hooks[key]
    try:
        yield
    finally:
        for hooks, before in suspended:
            hooks.clear()
            hooks.update(before)


@contextmanager
def _placed(sd_model: Any) -> Iterator[None]:
    """Put each part back on the device where it was."""
    places = [(part, next(part.parameters()).device) for part in networks(sd_model)]
    try:
        yield
    finally:
        for part, device in places:
            part.to(device)


@contextmanager
def _precise(sd_model: Any) -> Iterator[None]:
    """Widen half-precision weights to float32 where they cannot be differentiated; exact, there and back.

    That is on CPUs, and on the cards where the WebUI casts weights for each layer's forward pass instead of using
    autocast (GTX 16xx, Apple's): the backward pass would find them changed.
    """
    tensors = [(tensor, tensor.dtype) for part in networks(sd_model) for tensor in _tensors(part)]
    unet = sd_model.model.diffusion_model
    modes = [(devices, name) for name in ("dtype", "dtype_unet", "force_fp16", "unet_needs_upcast")]
    with _attributes([*modes, (unet, "dtype")]):
        try:
            devices.unet_needs_upcast = False  # it widens some layers' weights in their forward pass
            if not _half_works() and devices.dtype_unet == torch.float16:
                devices.dtype = devices.dtype_unet = unet.dtype = torch.float32
                devices.force_fp16 = False
                for part in networks(sd_model):
                    widen(part)
            yield
        finally:
            for tensor, dtype in tensors:
                if tensor.dtype != dtype:
                    tensor.data = tensor.data.to(dtype)


def _half_works() -> bool:
    return devices.device.type == "cuda" and not devices.cuda_no_autocast()


def _tensors(part: nn.Module) -> Iterator[Tensor]:
    yield from part.parameters()
    yield from part.buffers()


@contextmanager
def _loras_off(sd_model: Any) -> Iterator[None]:
    """Take the LoRAs of the last generation off the weights, and put them on again."""
    networks = sys.modules.get("networks")  # of the built-in extension, by the name under which it is imported
    if networks is None or not hasattr(networks, "network_apply_weights"):
        yield
        return
    # Not `load_networks([])`, which would also forget the files that are kept in memory.
    loaded = list(networks.loaded_networks)
    changed = [layer for layer in sd_model.modules() if getattr(layer, "network_current_names", ())]
    try:
        networks.loaded_networks.clear()
        _apply_loras(networks, changed)
        yield
    finally:
        networks.loaded_networks[:] = loaded
        # The others, which --medvram keeps off the device, get theirs in their next forward pass.
        _apply_loras(networks, (layer for layer in changed if _is_on_device(layer)))


@torch.no_grad()
def _apply_loras(networks: Any, layers: Iterable[nn.Module]) -> None:
    for layer in layers:
        networks.network_apply_weights(layer)


def _is_on_device(layer: nn.Module) -> bool:
    return all(parameter.device.type == devices.device.type for parameter in layer.parameters())


@contextmanager
def _hypernetworks_off(_sd_model: Any) -> Iterator[None]:
    loaded = list(shared.loaded_hypernetworks)
    try:
        shared.loaded_hypernetworks.clear()
        yield
    finally:
        shared.loaded_hypernetworks[:] = loaded


@contextmanager
def _sdp(_sd_model: Any) -> Iterator[None]:
    """Use `ATTENTION`; at the end the very functions that were there are put back."""
    places = [(sd_hijack, "current_optimizer"), (sd_hijack.model_hijack, "optimization_method")]
    for library in (sd_hijack.ldm.modules, sd_hijack.sgm.modules):
        layers = library.diffusionmodules
        places += [(library.attention.CrossAttention, "forward"), (layers.model.AttnBlock, "forward")]
        places += [(layers.model, "nonlinearity"), (layers.openaimodel, "th")]
    with _attributes(places):
        sd_hijack.model_hijack.apply_optimizations(ATTENTION)
        yield


@contextmanager
def _frozen(sd_model: Any) -> Iterator[None]:
    """Let no weight ask for a gradient and no layer be in training mode."""
    flags = [(parameter, parameter.requires_grad) for parameter in sd_model.parameters()]
    modes = [(module, module.training) for module in sd_model.modules()]
    try:
        for parameter, _ in flags:
            parameter.requires_grad_(False)
        for module, _ in modes:
            module.training = False
        yield
    finally:
        for parameter, flag in flags:
            parameter.requires_grad_(flag)
        for module, mode in modes:
            module.training = mode


@contextmanager
def _attributes(places: Iterable[tuple[Any, str]]) -> Iterator[None]:
    """Put attributes back at the end, whatever they were set to."""
    before = [(owner, name, getattr(owner, name)) for owner, name in places]
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)
