"""Define what the core asks of whoever lends it a diffusion model: `hosts.diffusers` and `hosts.webui` do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, fields
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext.people.texts import RegionalTexts
from vcd_ext.progress import StepReport
from vcd_ext.settings import EXACT, PassSettings

FACTOR = 8  # pixels of one latent value's side


class Posterior(NamedTuple):
    """What the VAE's encoder says about pictures: mean and standard deviation [B, 4, h, w], scaled for the UNet."""

    mean: Tensor
    std: Tensor


class TrainingHost(Protocol):
    """A loaded SD1.5 checkpoint on which an identity can be trained; one thread at a time."""

    @property
    def checkpoint(self) -> str:
        """The checkpoint's file name, for the identity's metadata."""

    @property
    def checkpoint_hash(self) -> str:
        """The first 10 characters of the SHA-256 of its file, as the WebUI shows it; "" if unknown."""

    @property
    def device(self) -> torch.device:
        """Where the UNet computes."""

    @property
    def width(self) -> int:
        """Values of one text vector: 768 in SD1.5."""

    @property
    def alphas_cumprod(self) -> Tensor:
        """The checkpoint's own noise schedule, [1000]."""

    def training(self) -> AbstractContextManager[None]:
        """Allow the methods below to be called within this context, after which the model is bit-identical.

        It frees the model of what must not be differentiated or trained with (LoRAs, hypernetworks, memory-saving
        hooks), turns off every weight's gradient, and puts all of it back whatever happens. ValueError: one sentence
        that says why this model cannot be trained on.
        """

    def encode(self, pictures: Tensor) -> Posterior:
        """Encode pictures [B, 3, H, W] in [-1, 1] to the VAE's posterior, on the CPU in float32, without gradient."""

    def free_encoder(self) -> None:
        """Free the VAE's memory: it is not needed until the end of the context."""

    def tokens(self, words: str) -> list[int]:
        """Tokenise plain words to CLIP's ids, without start and end; may be called outside of `training`."""

    def vectors_of(self, words: str) -> Tensor:
        """Return the token embeddings [k, width] of plain words, without start and end; a float32 copy on the CPU."""

    def text(self, prompt: str, embeddings: Mapping[str, Tensor]) -> Tensor:
        """Encode a prompt of at most 75 tokens: condition [1, 77, width]; gradients flow into the embeddings.

        Its dtype is the UNet's: by it the loss is scaled and memory estimated.
        embeddings: vectors [k, width], float32 on the CPU, by the word that they stand for in the prompt. Weights and
        parentheses mean nothing here. ValueError for a prompt that is too long.
        """

    def predict(self, latents: Tensor, times: Tensor, text: Tensor) -> Tensor:
        """Predict by the UNet, float32 [B, 4, h, w], from noisy latents [B, 4, h, w] at times int64 [B].

        text: [B, 77, width]; gradients flow into it. What is predicted is `prediction_type`.
        """

    @property
    def prediction_type(self) -> str:
        """What `predict` gives: "epsilon" or "v_prediction"."""

    def checkpoint_activations(self, every_block: bool) -> AbstractContextManager[None]:
        """Compute the activations of the UNet's blocks again in the backward pass within this context.

        every_block: transformer and residual blocks; else the transformer blocks only.
        """

    def free_memory(self) -> int | None:
        """Return the bytes that training may use on the device; None where that is unknown (CPU)."""


Picture = NDArray[np.float32]  # [H, W, 3], RGB in [0, 1]; between stages nothing is rounded to bytes
Mask = NDArray[np.float32]  # [H, W] in [0, 1]


@dataclass(frozen=True)
class Tiling:
    """Describe how a canvas is denoised in parts: tiles in pixels, fused at every step.

    present: where the subject of the prompt is, one row of tiles for each frame; in other places `elsewhere` is the
    prompt. None: everywhere.
    """

    size: int
    overlap: int
    elsewhere: str = ""
    present: NDArray[np.bool_] | None = None  # [F, tiles], tiles in the order of `vcd_ext.denoising.partition.tiles`


@dataclass(frozen=True)
class VideoPass:
    """Describe one run of the video denoiser over frames that exist (arXiv 2402.09368 v1, section 4.3).

    Names of samplers, motion modules and ControlNets are the host's own; "" and "none" are its default and none.
    Windows of `context` frames that share `context_overlap` carry videos that are longer than that.
    masks, tiling, frame_numbers, around, progress, interrupted: of this run alone; two passes are equal without them.
    """

    prompt: str
    negative_prompt: str = ""
    denoise: float = 0.6  # denoising strength: above 0 and at most 1
    steps: int = 20  # of which ceil(steps * denoise) are run
    cfg_scale: float = 7.5
    sampler: str = ""
    seed: int = 0  # frame i uses seed + i
    gamma: float = 0.15
    motion_module: str = "none"
    motion_loras: tuple[tuple[str, float], ...] = ()  # with their weights
    context: int = 16
    context_overlap: int = 4
    loop: bool = False  # whether the last frame leads on to the first
    prompt_travel: str = "linear"  # how the conditions between a prompt's key frames are mixed: one of TRAVELS
    speed: str = EXACT  # one of SPEEDS: how often all of the UNet is computed
    freenoise: bool = False  # whether later windows have the noise of the first
    step_noise: bool = False  # whether what the sampler adds at its steps is correlated as well
    regional: RegionalTexts | None = None  # what the regions of several people hear; None: the prompt alone
    controlnet: str = "none"  # which holds the frames to what they were
    controlnet_weight: float = 1.0  # from 0, without effect, to 2
    # 1 where the picture may change, 0 where it stays (softly, on latents); None: everywhere.
    masks: Sequence[Mask] | None = field(default=None, compare=False, repr=False)
    tiling: Tiling | None = field(default=None, compare=False)  # None: the canvas stays whole
    # Which frames of the video these are, for key frames of the prompts; None: all of them, in order.
    frame_numbers: Sequence[int] | None = field(default=None, compare=False, repr=False)
    # Of how many frames the closed loop is in which the last key frame leads on to the first; 0: these, if `loop`.
    around: int = field(default=0, compare=False)
    progress: StepReport | None = field(default=None, compare=False, repr=False)
    interrupted: Callable[[], bool] = field(default=lambda: False, compare=False, repr=False)  # asked at every step

    @classmethod
    def of(cls, settings: PassSettings) -> "VideoPass":
        """Make a pass of the settings that have the same names here."""
        shared = {each.name for each in fields(cls)} & {each.name for each in fields(settings)}
        return cls(**{name: getattr(settings, name) for name in shared})


class VideoHost(Protocol):
    """A loaded SD1.5 checkpoint on which videos are made again: Face VCD, Tiled VCD and V2V; one thread at a time."""

    def denoise(self, frames: Sequence[Picture], work: VideoPass) -> Iterator[Picture]:
        """Noise the frames by the strength and denoise them as one video; its frames, decoded one at a time.

        frames: of one size, a multiple of 8; read one after the other and not kept, so they may be made on demand.
        Interrupted ends the iteration before its first frame, where `work.interrupted` is true at a step.
        ValueError, in one sentence, before anything is computed, for what cannot work.
        """

    def upscalers(self) -> list[str]:
        """List the names of what can enlarge pictures, the best first."""

    def controlnet(self, note: Callable[[str], None]) -> str:
        """Return the name of the ControlNet Tile that is there and fits the checkpoint; "none" without one.

        note: told in a sentence why one that is there is not used.
        """

    def enlarge(self, picture: Picture, scale: float, upscaler: str) -> Picture:
        """Enlarge one picture to `scale` times its width and height. ValueError for a name that is not there."""


class Interrupted(Exception):  # noqa: N818 - it is no error
    """The person stopped the job; what is finished is kept."""
