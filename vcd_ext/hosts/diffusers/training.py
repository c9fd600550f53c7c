"""The standalone host as a `TrainingHost`: an identity is trained on its checkpoint."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path

import torch
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from torch import Tensor, nn

from vcd_ext.denoising.video_memory import free_bytes
from vcd_ext.hosts.diffusers.conditioning import CHUNK
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.sampling import alphas_cumprod
from vcd_ext.hosts.protocols import Posterior
from vcd_ext.hosts.shared.recompute import recomputed

SHOWN = 10  # characters of a hash, as in the WebUI


class StandaloneTraining:
    """Lends a `Standalone`'s models to the training, which leaves them as they are, bit for bit."""

    def __init__(self, standalone: Standalone):
        self.standalone = standalone
        self.models = (standalone.unet, standalone.vae, standalone.prompts.text_encoder)

    @property
    def checkpoint(self) -> str:
        """The checkpoint's file name."""
        return self.standalone.path.name

    @cached_property
    def checkpoint_hash(self) -> str:
        """The first 10 characters of its SHA-256."""
        return sha256(self.standalone.path)[:SHOWN]

    @property
    def device(self) -> torch.device:
        """Where the UNet computes."""
        return self.standalone.device

    @property
    def width(self) -> int:
        """Values of one text vector."""
        return self.standalone.prompts.width

    @cached_property
    def alphas_cumprod(self) -> Tensor:
        """SD1.5's noise schedule, [1000]: betas whose roots are linear."""
        return alphas_cumprod(animated=False)

    @property
    def prediction_type(self) -> str:
        """What `predict` gives: "epsilon" or "v_prediction"."""
        return self.standalone.prediction_type

    @property
    def unet(self) -> nn.Module:
        """The UNet that `predict` calls."""
        return self.standalone.unet

    @contextmanager
    def training(self) -> Iterator[None]:
        """Turn off all weights' gradients within this context; after it the VAE is back where it was."""
        required = {parameter: parameter.requires_grad for model in self.models for parameter in model.parameters()}
        try:
            for model in self.models:
                model.requires_grad_(False)
            yield
        finally:
            for parameter, before in required.items():
                parameter.requires_grad_(before)
            self.standalone.vae.to(self.device)

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Posterior:
        """Encode pictures [B, 3, H, W] in [-1, 1] to the VAE's posterior, scaled for the UNet; on the CPU, float32."""
        vae = self.standalone.vae
        found = vae.encode(pictures.to(vae.device, vae.dtype)).latent_dist
        scale = vae.config.scaling_factor
        return Posterior((found.mean * scale).float().cpu(), (found.std * scale).float().cpu())

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Decode latents [1, 4, h, w] to a picture [3, H, W] in [-1, 1], float32 on the CPU."""
        vae = self.standalone.vae.to(self.device)
        found = vae.decode(latents.to(vae.device, vae.dtype) / vae.config.scaling_factor).sample
        self.free_encoder()
        return found[0].float().cpu()

    def free_encoder(self) -> None:
        """Take the VAE off a GPU until the end of `training`."""
        if self.device.type == "cuda":
            self.standalone.vae.to("cpu")
            torch.cuda.empty_cache()

    def tokens(self, words: str) -> list[int]:
        """Tokenise plain words to CLIP's ids, without start and end."""
        return list(self.standalone.prompts.tokenizer(words, add_special_tokens=False, verbose=False).input_ids)

    def vectors_of(self, words: str) -> Tensor:
        """Return the token embeddings [k, width] of plain words; a float32 copy on the CPU."""
        table = self.standalone.prompts.text_encoder.get_input_embeddings().weight
        return table.detach()[self.tokens(words)].float().cpu()

    def text(self, prompt: str, embeddings: Mapping[str, Tensor]) -> Tensor:
        """Encode a prompt: condition [1, 77, width]; gradients flow into the embeddings. ValueError if too long."""
        here = {name: vectors.to(self.device) for name, vectors in embeddings.items()}
        condition = self.standalone.prompts.encode(prompt, here)
        if condition.shape[1] != CHUNK + 2:
            raise ValueError(f"{prompt!r} has more than {CHUNK} tokens; use fewer tokens or a shorter class.")
        return condition

    def predict(self, latents: Tensor, times: Tensor, text: Tensor) -> Tensor:
        """Predict by the UNet, float32 [B, 4, h, w]; gradients flow into the text [B, 77, width]."""
        predicted = self.standalone.unet(latents.to(self.device, text.dtype), times.to(self.device), text).sample
        return predicted.float()

    def checkpoint_activations(self, every_block: bool) -> AbstractContextManager[None]:
        """Compute the UNet's transformer blocks, or every block, again for the gradient within this context."""
        return recomputed_blocks(self.standalone.unet, every_block)

    def free_memory(self) -> int | None:
        """Return the bytes of the GPU that training may use; None on a CPU."""
        return free_bytes(self.device)


def recomputed_blocks(unet: nn.Module, every_block: bool) -> AbstractContextManager[None]:
    """Let a diffusers UNet keep less for the gradient: the inputs of its transformer blocks, or of every block."""
    kinds = (Transformer2DModel, ResnetBlock2D) if every_block else (Transformer2DModel,)
    return recomputed([module for module in unet.modules() if isinstance(module, kinds)])


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
