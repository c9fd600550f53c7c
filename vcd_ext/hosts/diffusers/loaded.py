"""A checkpoint of SD1.5 that is loaded with diffusers: prompts, UNet and VAE, as videos and trainings use them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext.hosts.diffusers import checkpoint
from vcd_ext.hosts.diffusers.conditioning import CHUNK, Prompts
from vcd_ext.hosts.diffusers.guidance import Conditions, Guidance, guidance
from vcd_ext.hosts.diffusers.loras import Prompted
from vcd_ext.hosts.shared.prompt_travel import KeyFraming
from vcd_ext.identity.embedding import load_concepts
from vcd_ext.prompt.networks import without_loras

H = TypeVar("H", bound="LoadedCheckpoint")


class LoadedCheckpoint:
    """The models of one checkpoint on one device. Not for use by two threads at once."""

    def __init__(self, path: Path, models: checkpoint.Models, device: torch.device):
        self.path = path
        self.device = device
        self.unet: Any = models.unet
        self.vae: Any = models.vae
        self.prompts = Prompts(models.text_encoder, models.tokenizer)
        self.prediction_type = models.prediction_type
        self.loras: dict[str, Path] = {}  # that prompts may ask for, by their names
        self.prompted = Prompted(self.unet, models.text_encoder)

    @classmethod
    def load(
        cls: type[H], path: str | Path, dtype: torch.dtype | None = None, device: torch.device | str | None = None
    ) -> H:
        """Load a checkpoint in LDM's layout (.safetensors or .ckpt); ValueError says why one cannot be used.

        device: CUDA where there is one, else the CPU. dtype: of UNet and text encoder, float16 on CUDA, else float32.
        """
        device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        dtype = dtype or (torch.float16 if device.type == "cuda" else torch.float32)
        models = checkpoint.load(path)
        known = models.text_encoder.get_input_embeddings().num_embeddings
        if known < len(models.tokenizer):
            raise ValueError(
                f"{Path(path).name} knows {known} tokens, but its tokenizer makes {len(models.tokenizer)}; copy the "
                "yaml and the folder of the text encoder that belong to it beside it."
            )
        models.unet.to(device, dtype)
        models.text_encoder.to(device, dtype)
        models.vae.to(device, torch.float32)  # some VAEs overflow in half precision: black frames
        return cls(Path(path), models, device)

    def vectors(self, paths: Sequence[Path]) -> dict[str, Tensor]:
        """Read the embeddings of files, by the name that stands for them; ValueError for one that does not fit."""
        vectors = {name: tensor for path in paths for name, tensor in load_concepts(path).items()}
        for name, tensor in vectors.items():
            count, width = tensor.shape
            if width != self.prompts.width:
                raise ValueError(
                    f"The embedding {name} has {width} values a vector, {self.path.name} needs {self.prompts.width}; "
                    "use an embedding that was trained on a checkpoint of this kind."
                )
            if count > CHUNK:
                raise ValueError(f"The embedding {name} has {count} vectors; a prompt holds at most {CHUNK} of one.")
        return vectors

    def guidance(
        self,
        prompt: str,
        negative_prompt: str,
        cfg_scale: float,
        steps: int,
        vectors: Mapping[str, Tensor],
        framing: KeyFraming | None = None,
        people: Sequence[str] = (),
    ) -> Guidance:
        """Return what guides a video of so many steps. ValueError, in a sentence, for a prompt that cannot be read.

        framing: of the prompts' key frames. people: the words of those who have regions.
        """
        texts = [without_loras(text, self.loras) for text in (prompt, negative_prompt)]
        with self.prompted.attached(self.loras, prompt):
            return guidance(self.prompts, texts[0], texts[1], cfg_scale, steps, vectors, framing, people)

    def encode(self, picture: NDArray[np.uint8]) -> Tensor:
        """Encode a picture uint8 [H, W, 3]: the mean of the encoder's posterior, [1, 4, h, w]."""
        pixels = torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)[None]
        mean: Tensor = self.vae.encode(pixels.to(self.device) * 2 - 1).latent_dist.mean
        return mean * self.vae.config.scaling_factor

    def predict(self, latents: Tensor, time: Tensor, text: Conditions) -> Tensor:
        """Compute the guided prediction [F, 4, h, w], float32. text: with as many rows as `multidiffusion` asks for.

        The rows of the UNet are those of one video after the other: that of uncond, and that of each cond.
        """

        def predicted(videos: list[Tensor]) -> list[Tensor]:
            rows = latents.repeat(len(videos), 1, 1, 1).to(videos[0].dtype)
            return list(self.unet(rows, time, torch.cat(videos)).sample.float().chunk(len(videos)))

        return text.predict(predicted)

    def decode(self, latent: Tensor) -> Tensor:
        """Decode the pixels [3, H, W] of latents [4, h, w]; within [-1, 1] but for a little."""
        return self.vae.decode(latent[None] / self.vae.config.scaling_factor).sample[0]

    def check_finite(self, latents: Tensor) -> None:
        """Raise ValueError for the NaN that half precision makes of some checkpoints."""
        if not latents.isfinite().all():
            raise ValueError(f"{self.path.name} made NaN instead of pictures; load it in float32 (--no-half).")
