"""An extension for the tests alone: looks at the loaded model from inside the WebUI and breaks it on request."""

import ctypes
import functools
import gc
import hashlib
import time

import k_diffusion.sampling
import psutil
import torch
from fastapi import Body
from modules import (
    script_callbacks,
    sd_disable_initialization,
    sd_samplers_common,
    sd_samplers_kdiffusion,
    sd_unet,
    shared,
)

noises: dict[str, list[torch.Tensor]] = {"start": [], "step": []}
sigmas: list[float] = []
originals = {}
timing: list[float] = []
measured = {}
parts: list[int] = []
told: list[list] = []  # what the progress bar shows at each of the parts
watching = []


def fingerprint():
    """Everything of the model that a run must leave as it was."""
    model = shared.sd_model
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    modules = list(model.modules())
    return {
        "tensors": digest.hexdigest(),
        "original schedule": float(model.alphas_cumprod_original.double().sum()),
        "modules": len(modules),
        "hooks": [
            sum(len(getattr(module, kind)) for module in modules)
            for kind in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
        ],
        "patched forwards": sum("forward" in vars(module) for module in modules),
        "callbacks": sum(len(entries) for entries in script_callbacks.callback_map.values()),
    }


def raise_inside_unet(after: int = Body(0), words: str = Body("probe: the UNet failed")):
    """Make the UNet raise in its call number `after` from now, deep inside and once, with these words."""
    block = shared.sd_model.model.diffusion_model.output_blocks[4]
    left = [after]

    def fail(*_):
        if left[0] == 0:
            handle.remove()
            raise RuntimeError(words)
        left[0] -= 1

    handle = block.register_forward_pre_hook(fail)


def watch_parts(interrupt_after: int = Body(-1), skip_after: int = Body(-1), stop_after: int = Body(-1)):
    """Note from now on how many pictures are in the UNet's first block at a time; press a button after so many."""
    block = shared.sd_model.model.diffusion_model.input_blocks[0]
    parts.clear()
    told.clear()

    def note(_block, args):
        parts.append(args[0].shape[0])
        told.append([shared.state.textinfo, shared.state.job_no, shared.state.job_count])
        if len(parts) == interrupt_after:
            shared.state.interrupt()
        if len(parts) == skip_after:
            shared.state.skip()
        if len(parts) == stop_after:  # what the button Interrupt does with the setting "Don't Interrupt in the middle"
            shared.state.stop_generating()

    watching.append(block.register_forward_pre_hook(note))


def seen_parts():
    """Return what `watch_parts` has noted, and end it."""
    while watching:
        watching.pop().remove()
    return parts


def record():
    """Record the noise that samplers start from and draw, from now on."""
    for kind in (*noises.values(), sigmas):
        kind.clear()
    if originals:
        return
    sampler = sd_samplers_kdiffusion.KDiffusionSampler
    originals.update(sample=sampler.sample, sample_img2img=sampler.sample_img2img)

    def sample(self, p, x, *args, **kwargs):
        noises["start"].append(x.clone())
        sigmas.append(float(self.model_wrap.sigmas[-1]))
        return originals["sample"](self, p, x, *args, **kwargs)

    def sample_img2img(self, p, x, noise, *args, **kwargs):
        noises["start"].append(noise.clone())
        sigmas.append(float(self.model_wrap.sigmas[-1]))
        return originals["sample_img2img"](self, p, x, noise, *args, **kwargs)

    sampler.sample, sampler.sample_img2img = sample, sample_img2img
    randn_like = sd_samplers_common.TorchHijack.randn_like

    def drawn(self, x):
        noises["step"].append(randn_like(self, x))
        return noises["step"][-1]

    sd_samplers_common.TorchHijack.randn_like = drawn
    sde = k_diffusion.sampling.sample_dpmpp_sde

    @functools.wraps(sde)  # the WebUI reads the signature
    def sample_dpmpp_sde(*args, noise_sampler, **kwargs):
        def tree(*interval):
            noises["step"].append(noise_sampler(*interval))
            return noises["step"][-1]

        return sde(*args, noise_sampler=tree, **kwargs)

    k_diffusion.sampling.sample_dpmpp_sde = sample_dpmpp_sde


def covariance(kind: str):
    """Mean over all recorded noises and values of frame m times frame n."""
    products = [n.flatten(1).double() @ n.flatten(1).double().T / n[0].numel() for n in noises[kind]]
    return {"videos": len(products), "matrix": torch.stack(products).mean(0).tolist() if products else []}


def pretend(flags: dict[str, bool]):
    """Set flags by which the WebUI knows a model's kind; returns what they were."""
    before = {name: getattr(shared.sd_model, name) for name in flags}
    for name, value in flags.items():
        setattr(shared.sd_model, name, value)
    return before


class Replacement(sd_unet.SdUnetOption):
    """A compiled UNet as TensorRT extensions offer it."""

    label = "probe's UNet"
    model_name = "of no checkpoint"


def set_free_memory(gib: float = Body(0.0, embed=True)):
    """Let the device tell so much free memory from now on; 0: what it tells itself, and a CPU tells nothing."""
    from vcd_ext.denoising.video_memory import GIB, free_bytes
    from vcd_ext.hosts.webui.request import memory

    memory.free_bytes = (lambda _: int(gib * GIB)) if gib else free_bytes


def memory():
    """Resident memory of the WebUI in bytes, once what is free has been given back."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    return psutil.Process().memory_info().rss


def measure_unet():
    """Time inside the UNet and number of its calls since the last question, in seconds; starts measuring."""
    unet = shared.sd_model.model.diffusion_model
    if measured.get("unet") is not unet:  # the first time, and after another checkpoint was loaded
        measured["unet"], began = unet, []
        unet.register_forward_pre_hook(lambda *_: began.append(time.perf_counter()))
        # Hooks run in the order of their registration, so these see all that others hang on the UNet's blocks.
        unet.register_forward_hook(lambda *_: timing.append(time.perf_counter() - began.pop()))
        timing[:] = [0.0]
    seconds, calls = sum(timing), len(timing) - 1
    timing[:] = [0.0]
    return {"seconds": seconds, "calls": calls}


def tabs_while_loading():
    """Return the names of the tabs that extensions make while the WebUI loads a checkpoint, as when it starts."""
    with sd_disable_initialization.InitializeOnMeta(), sd_disable_initialization.LoadStateDictOnMeta({}, "cpu"):
        return [title for _, title, _ in script_callbacks.ui_tabs_callback()]


def add_routes(_demo, app):
    app.add_api_route("/probe/tabs-while-loading", tabs_while_loading, methods=["GET"])
    app.add_api_route("/probe/pretend", pretend, methods=["POST"])
    app.add_api_route("/probe/memory", memory, methods=["GET"])
    app.add_api_route("/probe/free-memory", set_free_memory, methods=["POST"])
    app.add_api_route("/probe/unet", measure_unet, methods=["GET"])
    app.add_api_route("/probe/fingerprint", fingerprint, methods=["GET"])
    app.add_api_route("/probe/raise", raise_inside_unet, methods=["POST"])
    app.add_api_route("/probe/parts", watch_parts, methods=["POST"])
    app.add_api_route("/probe/parts", seen_parts, methods=["GET"])
    app.add_api_route("/probe/told", lambda: told, methods=["GET"])
    app.add_api_route("/probe/record", record, methods=["POST"])
    app.add_api_route("/probe/sigmas", lambda: sigmas, methods=["GET"])
    app.add_api_route("/probe/covariance/{kind}", covariance, methods=["GET"])


script_callbacks.on_app_started(add_routes)
script_callbacks.on_list_unets(lambda unets: unets.append(Replacement()))
