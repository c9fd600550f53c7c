"""Training as the tests see it from inside the WebUI: the model in every detail, and what is in the way of training."""

import contextlib
import hashlib
import importlib
import socket
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from fastapi import Body, HTTPException
from ldm.modules.attention import BasicTransformerBlock, CrossAttention
from ldm.modules.diffusionmodules.model import AttnBlock
from modules import devices, interrogate, lowvram, script_callbacks, sd_hijack, sd_models, sd_unet, shared
from modules.textual_inversion.textual_inversion import Embedding

NAME = "rexling"
PROMPT = "a photo of rexling, a man on a beach"
# Everything by which the WebUI knows how the model is run.
GLOBALS = {
    "devices": (devices, ("dtype", "dtype_unet", "dtype_vae", "unet_needs_upcast", "force_fp16", "fp8")),
    "lowvram": (lowvram, ("module_in_gpu",)),
    "sd_hijack": (sd_hijack, ("current_optimizer",)),
    "model_hijack": (sd_hijack.model_hijack, ("optimization_method", "circular_enabled", "fixes")),
    "CrossAttention": (CrossAttention, ("forward",)),
    "AttnBlock": (AttnBlock, ("forward",)),
    "BasicTransformerBlock": (BasicTransformerBlock, ("forward", "_forward")),
    "nonlinearity": (sys.modules["ldm.modules.diffusionmodules.model"], ("nonlinearity",)),
}


def details():
    """Digests of the loaded model, to the bit and to the last flag."""
    model = shared.sd_model
    tensors, flags, layers, hooks = (hashlib.sha256() for _ in range(4))
    for name, tensor in (*model.named_parameters(), *model.named_buffers(), *_loose_tensors(model)):
        about = (name, str(tensor.dtype), str(tensor.device), tuple(tensor.shape), tuple(tensor.stride()))
        tensors.update(
            repr(about).encode() + tensor.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes()
        )
        flags.update(repr((name, tensor.requires_grad, tensor.grad is None)).encode())
    for name, layer in model.named_modules():
        own = [vars(layer).get(key) for key in ("training", "dtype", "_dtype", "_device", "padding_mode")]
        forward, kind = vars(layer).get("forward"), type(layer)
        layers.update(repr((name, kind.__name__, own, getattr(layer, "network_current_names", ()))).encode())
        layers.update(repr(id(forward) if forward else None).encode())
        kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
        hooks.update(repr([[(k, id(h)) for k, h in getattr(layer, kind).items()] for kind in kinds]).encode())
    return {
        "tensors": tensors.hexdigest(),
        "flags": flags.hexdigest(),
        "layers": layers.hexdigest(),
        "hooks": hooks.hexdigest(),
        "globals": {f"{at}.{n}": repr(getattr(owner, n)) for at, (owner, names) in GLOBALS.items() for n in names},
        "LoRAs": [network.name for network in sys.modules["networks"].loaded_networks],
        "hypernetworks": len(shared.loaded_hypernetworks),
        "merged": getattr(model, "applied_token_merged_ratio", 0),
    }


def _bytes(tensor):
    return tensor.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes()


def _loose_tensors(model):
    return [(name, value) for name, value in vars(model).items() if isinstance(value, torch.Tensor)]


def _host():
    from vcd_ext.hosts.webui.training import WebUITraining

    return WebUITraining(shared.sd_model)


def _vectors(host):
    return host.vectors_of("man beach dog").clone()


def _batch():
    from vcd_ext.identity.training.batch import Batch

    generator = torch.Generator().manual_seed(11)
    noisy, target = (torch.randn(3, 4, 8, 8, generator=generator) for _ in range(2))
    captions = (PROMPT, f"a close up photo of {NAME}", PROMPT)
    return Batch(noisy, torch.tensor([20, 500, 900]), target, torch.ones(3, 8, 8), captions)


def _gradient(host, every_block=None):
    from vcd_ext.identity.training import step
    from vcd_ext.identity.training.plan import MicroBatchPlan

    loss, gradient = step.gradient(host, NAME, _vectors(host), _batch(), MicroBatchPlan(2, every_block))
    assert gradient.isfinite().all()
    return loss, gradient


class FailingHypernetwork:
    """One that must not be applied."""

    @property
    def layers(self):
        raise RuntimeError("probe: a hypernetwork was applied")


def _generated_before(state):
    """Bring the WebUI into a state in which a generation, an extension or the person may have left it."""
    model, stack = shared.sd_model, contextlib.ExitStack()
    if state == "hypernetwork":
        shared.loaded_hypernetworks.append(FailingHypernetwork())
        stack.callback(shared.loaded_hypernetworks.clear)
    if state == "token merging":
        sd_models.apply_token_merging(model, 0.5)
        stack.callback(sd_models.apply_token_merging, model, 0)
    if state == "tileable":
        sd_hijack.model_hijack.apply_circular(True)
        stack.callback(sd_hijack.model_hijack.apply_circular, False)
    if state == "vanilla attention":
        sd_hijack.model_hijack.apply_optimizations("None")
        stack.callback(sd_hijack.model_hijack.apply_optimizations)
    if state == "training mode":
        model.model.diffusion_model.train()
        stack.callback(model.model.diffusion_model.eval)
    if state == "half precision":
        stack.enter_context(_halved(model))
    return stack


@contextlib.contextmanager
def _halved(model):
    """Make the model what it is on a GPU within this context; the weights of before are put back."""
    parts = (model.model, model.cond_stage_model, model.first_stage_model)
    weights = [(tensor, tensor.data) for part in parts for tensor in part.parameters()]
    names = ("dtype", "dtype_unet", "dtype_vae", "dtype_inference")
    before = {name: getattr(devices, name) for name in names}
    for name in names:
        setattr(devices, name, torch.float16)
    for part in parts:
        part.half()
    try:
        yield
    finally:
        for part in parts:
            part.float()
        for tensor, data in weights:
            tensor.data = data
        for name, value in before.items():
            setattr(devices, name, value)


def train(state: str = Body("", embed=True), end: str = Body("done", embed=True)):
    """Compute one batch's gradient inside the guard; tells the model's details before and after it, and within."""
    with _generated_before(state):
        try:
            host = _host()
        except ValueError as refused:
            raise HTTPException(422, str(refused)) from refused
        before, error, within = details(), None, {}
        try:
            with host.training():
                if end == "error in the UNet":
                    hook = host.unet.output_blocks[4].register_forward_pre_hook(_fail)
                try:
                    within = {"loss": _gradient(host)[0], **_within(host)}
                finally:
                    if end == "error in the UNet":
                        hook.remove()
                if end == "interrupt":
                    raise KeyboardInterrupt
        except (RuntimeError, KeyboardInterrupt) as raised:
            error = repr(raised)
        return {"before": before, "after": details(), "within": within, "error": error}


def _fail(*_):
    raise RuntimeError("probe: the UNet failed")


def _within(host):
    model = shared.sd_model
    return {
        "attention": CrossAttention.forward.__name__,
        "LoRAs": len(sys.modules["networks"].loaded_networks),
        "gradients": sum(p.requires_grad or p.grad is not None for p in model.parameters()),
        "hooks": sum(len(layer._forward_pre_hooks) for layer in model.modules()),
        "dtype": str(next(host.unet.parameters()).dtype),
        "patched forwards": sum("forward" in vars(layer) for layer in model.modules()),
    }


def gradients():
    """Cosines of our gradient with that of one float32 graph through the WebUI's own code, weights included."""
    host = _host()
    reference = _naive_gradient(host)

    def cosine(gradient):
        return float(torch.cosine_similarity(gradient.flatten(), reference.flatten(), dim=0))

    found = {}
    for name, every_block in {"plain": None, "transformers twice": False, "all twice": True}.items():
        with host.training():
            found[name] = _gradient(host, every_block)[1]
            assert not any("forward" in vars(block) for block in host.unet.modules())
    with _halved(shared.sd_model), host.training():
        found["half-precision weights"] = _gradient(host)[1]
    return {name: cosine(gradient) for name, gradient in found.items()}


def _naive_gradient(host):
    """As the WebUI's own trainer gets it: every weight asks for a gradient, vanilla attention, one graph."""
    model, batch = shared.sd_model, _batch()
    sd_hijack.model_hijack.apply_optimizations("None")
    vectors = _vectors(host).requires_grad_()
    with _known(vectors), torch.enable_grad():
        text = model.cond_stage_model(list(batch.captions))
        predicted = model.apply_model(batch.noisy, batch.times, {"c_crossattn": [text]})
        torch.nn.functional.mse_loss(predicted, batch.target).backward()
    model.zero_grad(set_to_none=True)
    sd_hijack.model_hijack.apply_optimizations()
    return vectors.grad


@contextlib.contextmanager
def _known(vectors):
    """Make these vectors known to the WebUI as an embedding."""
    database, embedding = sd_hijack.model_hijack.embedding_db, Embedding(vectors, NAME)
    embedding.vectors, embedding.shape = vectors.shape
    database.register_embedding(embedding, shared.sd_model)
    try:
        yield
    finally:
        database.register_embedding_by_name(None, shared.sd_model, NAME)


def texts(prompts: list[str], skip: int = Body(1, embed=True)):
    """Return the largest difference between our condition and the WebUI's, for each prompt, and its size."""
    before = shared.opts.CLIP_stop_at_last_layers
    shared.opts.CLIP_stop_at_last_layers = skip
    try:
        host = _host()
        vectors = torch.randn(3, host.width, generator=torch.Generator().manual_seed(2)) * 0.02
        result = []
        for prompt in prompts:
            with _known(vectors), torch.no_grad():
                theirs = shared.sd_model.get_learned_conditioning([prompt])
            with host.training(), torch.no_grad():
                ours = host.text(prompt, {NAME: vectors})
            assert ours.shape == theirs.shape
            result.append([float((ours - theirs).abs().max()), float(theirs.abs().max())])
        return result
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    finally:
        shared.opts.CLIP_stop_at_last_layers = before


def encodings():
    """Largest differences between the posterior's mean and the WebUI's, plain and after NaN in half precision."""
    model, vae = shared.sd_model, shared.sd_model.first_stage_model
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(4)) * 2 - 1
    with torch.no_grad():
        theirs = model.encode_first_stage(pictures).mean * model.scale_factor
    host = _host()
    with host.training():
        plain = host.encode(pictures)
    weights = [(tensor, tensor.data) for tensor in vae.parameters()]
    for tensor, data in weights:
        tensor.data = data.bfloat16()

    def overflow(_layer, _args, output):
        return output * float("nan") if output.dtype == torch.bfloat16 else output

    hook = vae.encoder.register_forward_hook(overflow)
    before = details()
    with host.training():
        host.free_encoder()
        retried = host.encode(pictures)
    after = details()
    hook.remove()
    for tensor, data in weights:
        tensor.data = data
    return {
        "size": float(theirs.abs().max()),
        "difference": float((plain.mean - theirs).abs().max()),
        "after NaN": float((retried.mean - theirs).abs().max()),
        "put back": before == after,
        "types": [str(tensor.dtype) for tensor in (*plain, *retried)],
        "smallest deviation": float(plain.std.min()),
    }


def learn(
    settings: dict = Body(),  # noqa: B008
    pictures: int = Body(7),
    interrupt_after: int = Body(-1),
    replace: bool = Body(False),
    state: str = Body(""),
):
    """Train an identity as the tab does, on pictures drawn from the seed `pictures`."""
    from vcd_ext.hosts.webui.training import train_identity
    from vcd_ext.identity.photos.photo import Photo
    from vcd_ext.identity.training.request import TrainingRequest
    from vcd_ext.settings import TrainSettings

    draw, told = np.random.default_rng(pictures), []
    photos = [Photo(f"{i}.png", draw.integers(0, 256, (96, 80, 3), np.uint8), None) for i in range(2)]

    def progress(now):
        told.append([now.stage, now.step, now.total, shared.state.sampling_step, shared.state.job])
        if now.stage == "Training" and now.step == interrupt_after:
            shared.state.interrupt()

    try:
        chosen = TrainSettings(**settings)
        where = Path(state) if state else None
        learned = train_identity(TrainingRequest(photos, chosen, progress, None, where, replace))
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    return {
        "steps": learned.steps,
        "finished": learned.finished,
        "losses": learned.losses,
        "vectors": learned.vectors.tolist(),
        "metadata": learned.metadata,
        "told": told,
        "job": shared.state.job,
    }


def refusal(reason: str = Body(embed=True)):
    """Return why the model is not trained on when `reason` is in the way; its details stay what they are."""
    with _in_the_way(reason):
        before = details() if reason != "no checkpoint" else None
        try:
            from vcd_ext.hosts.webui.training import WebUITraining

            WebUITraining(None if reason == "no checkpoint" else shared.sd_model)
        except ValueError as error:
            return {"sentence": str(error), "unchanged": before is None or details() == before}
    return {"sentence": None}


class VanillaTemporalModule(torch.nn.Identity):
    """A layer with the name of sd-webui-animatediff's."""


@contextlib.contextmanager
def _in_the_way(reason):
    unet = shared.sd_model.model.diffusion_model
    places = {
        "SDXL": (shared.sd_model, "is_sdxl", True),
        "SD2": (shared.sd_model, "is_sd2", True),
        "inpainting": (unet, "in_channels", 9),
        "lowvram": (shared.cmd_opts, "lowvram", True),
        "fp8": (devices, "fp8", True),
        "replaced UNet": (sd_unet, "current_unet", torch.nn.Identity()),
        "text encoder": (shared.sd_model, "cond_stage_model", torch.nn.Identity()),
        "predicts x0": (shared.sd_model, "parameterization", "x0"),
        "replaced forward": (unet.middle_block, "forward", lambda x, *_: x),
        "restored forward": (unet.middle_block, "forward", unet.middle_block.forward),
    }
    if reason == "AnimateDiff":
        unet.output_blocks[2].append(VanillaTemporalModule())
    elif reason in places:
        owner, name, value = places[reason]
        before = vars(owner).get(name, places)
        was = getattr(owner, name)
        setattr(owner, name, value)
    try:
        yield
    finally:
        if reason == "AnimateDiff":
            del unet.output_blocks[2][-1]
        elif reason in places:
            delattr(owner, name) if before is places and name == "forward" else setattr(owner, name, was)


def embedding(name: str):
    """Return the vectors that the WebUI has read of an embedding; None if it does not know it."""
    known = sd_hijack.model_hijack.embedding_db.word_embeddings.get(name)
    return None if known is None else known.vec.float().tolist()


class Blip(torch.nn.Module):
    """Describes every picture alike."""

    def generate(self, picture, **_):
        assert picture.shape == (1, 3, 384, 384)
        return ["a puppy on a bed"]


def suggest(stub: bool = Body(embed=True)):
    """Return what VCD says that a photo shows, without any connection. stub: instead of BLIP's network."""
    from vcd_ext.hosts.webui.studio import JOBS
    from vcd_ext.identity.photos.photo import Photo

    def load_stub(_interrogator):
        assert importlib.import_module("models.blip").init_tokenizer().bos_token == "[DEC]"
        return Blip()

    def refuse(*_):
        raise AssertionError("a connection was opened")

    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(socket.socket, "connect", refuse))
        if stub:
            stack.enter_context(mock.patch.object(interrogate.InterrogateModels, "load_blip_model", load_stub))
        offered = JOBS.studio.captions
        try:
            said = JOBS.trainings.suggest_class([Photo("rex.png", np.zeros((64, 64, 3), np.uint8))])
        except ValueError as error:
            said = str(error)
    return {"offered": offered, "said": said, "job": shared.state.job}


def mask_area(pixels: int = Body(embed=True)):
    """Find masks from now on in pictures that are about so large; returns what it was."""
    from vcd_ext.identity.segment import attention

    before, attention.AREA = attention.AREA, pixels
    return before


def add_routes(_demo, app):
    for ask in (suggest, train, texts, learn, refusal):
        app.add_api_route(f"/probe/{ask.__name__}", ask, methods=["POST"])
    for tell in (details, gradients, encodings):
        app.add_api_route(f"/probe/{tell.__name__}", tell, methods=["GET"])
    app.add_api_route("/probe/masks", mask_area, methods=["POST"])
    app.add_api_route("/probe/embedding/{name}", embedding, methods=["GET"])


script_callbacks.on_app_started(add_routes)
