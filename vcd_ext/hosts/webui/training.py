"""Lend the WebUI as a training host: the core's `TrainingHost` on the checkpoint that is loaded."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from ldm.modules.attention import BasicTransformerBlock
from ldm.modules.diffusionmodules.openaimodel import ResBlock
from modules import call_queue, devices, shared
from torch import Tensor, nn

from vcd_ext.denoising.video_memory import free_bytes
from vcd_ext.hosts.protocols import Posterior
from vcd_ext.hosts.shared.recompute import recomputed
from vcd_ext.hosts.webui.library.embeddings import add_embedding, embedding_file
from vcd_ext.hosts.webui.library.motion_modules import offload_motion_module
from vcd_ext.hosts.webui.model import checkpoint, trainable
from vcd_ext.hosts.webui.model.text_encoder import TextEncoder
from vcd_ext.hosts.webui.model.untrainable import PREDICTIONS, check_trainable
from vcd_ext.hosts.webui.report import queued
from vcd_ext.identity.training.learned import Identity
from vcd_ext.identity.training.request import TrainingRequest
from vcd_ext.progress import Progress

JOB = "vcd-train"  # as the WebUI's own progress calls it


def train_identity(request: TrainingRequest) -> Identity:
    """Train on the checkpoint that is loaded; what was learned to the end can be used in the next prompt.

    Waits for its turn among the WebUI's jobs; its Interrupt button and API end the training as `interrupted` does.
    An identity that is not `finished` is not saved: go on from the request's state, or call `keep`. The state is
    deleted once the identity is saved.

    ValueError, in one sentence and with nothing changed, for photos, settings, a name or a checkpoint that cannot
    work; OSError if a file cannot be written. Interrupted if that was asked for while it waited.
    """

    def stop() -> bool:
        pressed = shared.state.interrupted or shared.state.stopping_generation
        return pressed or (request.interrupted is not None and request.interrupted())

    def tell(now: Progress) -> None:
        shared.state.sampling_step, shared.state.sampling_steps = now.step, now.total
        if request.progress is not None:
            request.progress(now)

    with checkpoint.pinned_now(), queued(JOB, request.interrupted):
        path = embedding_file(request.settings.name, request.replace_existing)
        shared.state.job_count = 1
        offload_motion_module()  # the last video's motion module
        checkpoint.reload_checkpoint()
        host = WebUITraining(shared.sd_model)
        identity = replace(request, progress=tell, interrupted=stop).run(host)
        told = [*host.notes, *filter(None, [checkpoint.chosen_meanwhile()])]
        identity = replace(
            identity,
            metadata=identity.metadata | {"clip_skip": str(host.clip_skip)},
            warnings=(*identity.warnings, *told),
        )
        if identity.finished:
            _save(identity, path, request.state)
    return identity


def keep(identity: Identity, state: Path | None = None, replace_existing: bool = False) -> Path:
    """Save an identity whose training was stopped, as `train_identity` saves a finished one; its file."""
    with call_queue.queue_lock:
        path = embedding_file(identity.name, replace_existing)
        _save(identity, path, state)
    return path


def _save(identity: Identity, path: Path, state: Path | None) -> None:
    add_embedding(path, identity.vectors, identity.metadata)
    if state is not None:
        for left in (state, state.with_name(f"{state.name}.bank")):
            left.unlink(missing_ok=True)


class WebUITraining:
    """Train identities on a checkpoint of the WebUI; whoever uses it holds the WebUI's queue lock.

    ValueError, in one sentence, for a checkpoint that cannot be trained on. Its CLIP skip is the setting at the time
    of the host's making; an identity is learned for that one.
    """

    def __init__(self, sd_model: Any):
        check_trainable(sd_model)
        self.sd_model = sd_model
        self.notes: list[str] = []  # sentences for the person
        self.clip_skip = int(shared.opts.CLIP_stop_at_last_layers)
        self._encoder = TextEncoder(sd_model.cond_stage_model, self.clip_skip)

    @property
    def checkpoint(self) -> str:
        """Return the checkpoint's file name."""
        return Path(self.sd_model.sd_checkpoint_info.filename).name

    @property
    def checkpoint_hash(self) -> str:
        """Return the first 10 characters of its SHA-256; "" if the WebUI runs with --no-hashing."""
        return self.sd_model.sd_checkpoint_info.shorthash or ""

    @property
    def device(self) -> torch.device:
        """Return the device that the UNet computes on."""
        return devices.device

    @property
    def width(self) -> int:
        """Return the length of one text vector."""
        return self._encoder.table.shape[1]

    @property
    def alphas_cumprod(self) -> Tensor:
        """Return the checkpoint's own noise schedule, [1000]."""
        # Not `alphas_cumprod`, which the WebUI makes from it anew for each picture.
        return self.sd_model.alphas_cumprod_original.detach().float().cpu().clone()

    @property
    def prediction_type(self) -> str:
        """Return what `predict` gives: "epsilon" or "v_prediction"."""
        return PREDICTIONS[self.sd_model.parameterization]

    @property
    def unet(self) -> nn.Module:
        """Return LDM's UNet; its cross-attention layers are called attn2."""
        return self.sd_model.model.diffusion_model

    def training(self) -> AbstractContextManager[None]:
        """Let the methods below work within this context; the model is bit-identical after it."""
        return trainable.differentiable(self.sd_model, self.notes.append)

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Posterior:
        """Return the VAE's posterior of pictures [B, 3, H, W] in [-1, 1], scaled for the UNet; on the CPU, float32."""
        self._bring_vae()
        # One at a time: the encoder's memory would grow with the batch.
        posteriors = [self._encode(picture[None]) for picture in pictures]
        return Posterior(*(torch.cat(tensors) for tensors in zip(*posteriors, strict=True)))

    def _bring_vae(self) -> nn.Module:
        """Put the VAE onto the device, with --medvram in place of UNet and text encoder, and return it."""
        unet, text_encoder, vae = trainable.networks(self.sd_model)
        if checkpoint.is_low_memory(self.sd_model):
            self._move(devices.cpu, unet, text_encoder)
        self._move(self.device, vae)
        return vae

    def _encode(self, picture: Tensor) -> Posterior:
        posterior = self._posterior(picture)
        if not all(tensor.isfinite().all() for tensor in posterior):
            trainable.widen(self.sd_model.first_stage_model)  # some VAEs overflow in half precision
            posterior = self._posterior(picture)
        return posterior

    def _posterior(self, picture: Tensor) -> Posterior:
        vae = self.sd_model.first_stage_model
        # The class's function: --medvram has put one before it that moves the other parts off the device.
        found = type(vae).encode(vae, picture.to(self.device, next(vae.parameters()).dtype))
        std = (0.5 * found.logvar.float()).exp()
        return Posterior(*(self.sd_model.scale_factor * tensor.float().cpu() for tensor in (found.mean, std)))

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Return a picture [3, H, W] in [-1, 1], float32 on the CPU, of latents [1, 4, h, w]; then free the VAE."""
        vae = self._bring_vae()
        found = self._decoded(latents)
        if not found.isfinite().all():
            trainable.widen(vae)  # some VAEs overflow in half precision
            found = self._decoded(latents)
        self.free_encoder()
        return found

    def _decoded(self, latents: Tensor) -> Tensor:
        vae = self.sd_model.first_stage_model
        scaled = (latents / self.sd_model.scale_factor).to(self.device, next(vae.parameters()).dtype)
        return type(vae).decode(vae, scaled)[0].float().cpu()

    def free_encoder(self) -> None:
        """Take the VAE off the device and put UNet and text encoder there, if --medvram has not yet."""
        unet, text_encoder, vae = trainable.networks(self.sd_model)
        self._move(devices.cpu, vae)
        self._move(self.device, unet, text_encoder)
        devices.torch_gc()

    def tokens(self, words: str) -> list[int]:
        """Return CLIP's ids of plain words, without start and end."""
        return self._encoder.tokens(words)

    def vectors_of(self, words: str) -> Tensor:
        """Return the token embeddings [k, width] of plain words; a float32 copy on the CPU."""
        return self._encoder.table[self.tokens(words)].detach().float().cpu().clone()

    def text(self, prompt: str, embeddings: Mapping[str, Tensor]) -> Tensor:
        """Return a prompt's condition [1, 77, width]; gradients flow into the embeddings. ValueError if too long."""
        self._move(self.device, self.sd_model.cond_stage_model)
        return self._encoder.encode(prompt, embeddings)

    def predict(self, latents: Tensor, times: Tensor, text: Tensor) -> Tensor:
        """Return what the UNet predicts, float32 [B, 4, h, w]; gradients flow into the text [B, 77, width]."""
        self._move(self.device, self.sd_model.model)
        condition = {"c_crossattn": [text.to(self.device)]}
        return self.sd_model.apply_model(latents.to(self.device), times.to(self.device), condition).float()

    def checkpoint_activations(self, every_block: bool) -> AbstractContextManager[None]:
        """Compute transformer blocks, or every block, again for the gradient within this context."""
        # Not LDM's own way, which needs the gradients of all weights.
        kinds = (BasicTransformerBlock, ResBlock) if every_block else (BasicTransformerBlock,)
        return recomputed([block for block in self.unet.modules() if isinstance(block, kinds)])

    def free_memory(self) -> int | None:
        """Return the bytes of the GPU that training may use; None elsewhere."""
        return free_bytes(self.device)

    def _move(self, device: torch.device, *parts: nn.Module) -> None:
        for part in parts:
            if next(part.parameters()).device.type != device.type:
                part.to(device)
