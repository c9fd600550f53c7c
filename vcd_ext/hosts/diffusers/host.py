"""A host without the WebUI: a checkpoint loaded with diffusers, for the command line and for servers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext import motion
from vcd_ext.denoising.controlnet import ControlNet, controlnet_attached
from vcd_ext.denoising.deep_features import deep_features_reused
from vcd_ext.denoising.free_init import reinitialised
from vcd_ext.denoising.free_noise import InitialNoise
from vcd_ext.denoising.in_tiles import Decoder
from vcd_ext.denoising.known_frames import KnownFrames
from vcd_ext.denoising.multidiffusion import Parts, multidiffusion
from vcd_ext.hosts.diffusers import checkpoint
from vcd_ext.hosts.diffusers.conditioning import CHUNK, Prompts
from vcd_ext.hosts.diffusers.frame_noise import FrameNoise
from vcd_ext.hosts.diffusers.guidance import Conditions, Guidance, guidance
from vcd_ext.hosts.diffusers.loras import Prompted, chosen_motion_loras
from vcd_ext.hosts.diffusers.parameters import infotext
from vcd_ext.hosts.diffusers.picture_settings import check_picture, complete
from vcd_ext.hosts.diffusers.sampling import keep_unmasked, levels, noised, scheduler, started, step
from vcd_ext.hosts.protocols import FACTOR
from vcd_ext.hosts.shared.passes import steps_run
from vcd_ext.hosts.shared.people import regional_texts
from vcd_ext.hosts.shared.prompt_travel import KeyFraming
from vcd_ext.identity.embedding import load_concepts
from vcd_ext.media import Clip
from vcd_ext.media.clip import stacked
from vcd_ext.media.infotext import extended
from vcd_ext.noise import correlate
from vcd_ext.people.attention import heard_by_region
from vcd_ext.people.regions import Regions
from vcd_ext.people.texts import RegionalTexts
from vcd_ext.progress import StepCounter, StepReport
from vcd_ext.prompt.networks import without_loras
from vcd_ext.prompt.travel import check_key_frames
from vcd_ext.settings import GenerateSettings, SettingError, VideoSettings, parse
from vcd_ext.stages.given_frames import BlendedPictures, GivenFrames


class Standalone:
    """One SD1.5 checkpoint, ready to make videos. Not for use by two threads at once."""

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
        cls, path: str | Path, dtype: torch.dtype | None = None, device: torch.device | str | None = None
    ) -> "Standalone":
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

    @torch.no_grad()
    def generate(
        self,
        picture: GenerateSettings,
        video: VideoSettings,
        motion_module: Path | None = None,
        embeddings: Sequence[Path] = (),
        progress: StepReport | None = None,
        given: GivenFrames | BlendedPictures | None = None,
        controls: Sequence[ControlNet] = (),
        more: Mapping[str, str] | None = None,
        regions: Regions | None = None,
    ) -> Clip:
        """Make one video (T2V VCD, arXiv 2402.09368 v1, section 4.1); its infotext is in `metadata["parameters"]`.

        Frame i starts from the WebUI's CPU noise of seed + i, correlated with its neighbours by `video.gamma`. More
        frames than `video.context` are denoised in windows, in the memory of one.
        embeddings: files; a name that neither prompt has is appended to the prompt.
        progress: called with (done, total), from (0, total) on; one is a frame denoised by one step, or decoded.
        given: frames that are known, and stay as they are; or pictures from which the frames begin, of which
        `picture.denoise` is painted anew.
        controls: ControlNets with pictures for the frames. more: entries of the infotext. regions: those of the people,
        where they are known better than by their lines.
        ValueError, before anything is computed, for settings or files that cannot work.
        """
        vectors = self.vectors(embeddings)
        picture = complete(check_picture(picture), embeddings, self.loras, video.several.people)
        video = parse(VideoSettings, asdict(video))
        loras = chosen_motion_loras(self.loras, picture.prompt, video, motion_module is not None)
        make_sampler = partial(
            scheduler, picture.sampler, picture.steps, motion_module is not None, self.prediction_type, self.device
        )
        planned = len(make_sampler().timesteps) * (1 + video.free.freeinit)
        steps = steps_run(picture.steps, picture.denoise) if isinstance(given, BlendedPictures) else planned
        counted = StepCounter(progress, total=(steps + 1) * video.frames)
        check_key_frames(video.frames, {"prompt": picture.prompt, "negative prompt": picture.negative_prompt})
        around = video.frames if video.loops.loop else 0
        regional = regional_texts(video.several, vectors)
        if regional is not None and regions is not None:
            regional = regional._replace(regions=regions)
        text = self.guidance(
            picture.prompt,
            picture.negative_prompt,
            picture.cfg_scale,
            picture.steps,
            vectors,
            KeyFraming(range(video.frames), video.prompt_travel, around),
            [] if regional is None else regional.words,
        )
        with (
            self.prompted.attached(self.loras, picture.prompt),
            self._moving(motion_module, video, loras, controls, regional, text.people_tokens) as rows,
        ):
            latents = self._denoise(make_sampler, picture, video, lambda step: text.at(step, rows), counted, given)
        frames = self._decode(latents, counted)
        described = infotext(picture, video, self.path, motion_module, embeddings, more=more)
        if isinstance(given, BlendedPictures):
            described = extended(described, {"Denoising strength": picture.denoise})
        elif given is not None:
            frames = given.put(frames)
            described = extended(described, given.entries(video.frames, picture.seed, video.gamma))
        return Clip(frames, video.fps, {"parameters": described})

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

    @contextmanager
    def _moving(
        self,
        path: Path | None,
        video: VideoSettings,
        loras: Sequence[motion.MotionLora],
        controls: Sequence[ControlNet],
        regional: RegionalTexts | None,
        people_tokens: Sequence[int],
    ) -> Iterator[int]:
        """Let the UNet take whole videos within this context, computed in windows if they are long.

        Gives how many rows of a video's text it takes.
        """
        around = motion.ring_windows if path and video.loops.loop else motion.windows
        # Frames that do not meet in a motion module need no overlap.
        windows = around(video.frames, video.context, video.overlap if path else 0)
        with ExitStack() as stack:
            if path:
                module, length = motion.load(path), len(windows[0].frames)
                if length > module.max_frames:
                    raise SettingError(
                        "context",
                        f"context is {video.context}; {path.name} holds at most {module.max_frames} frames together. "
                        f"Use a context of up to {module.max_frames}; the video may be longer.",
                    )
                stack.enter_context(motion.attached(self.unet, module, length, loras=loras))
            if controls:
                stack.enter_context(controlnet_attached(self.unet, *controls))
            if regional is not None:
                stack.enter_context(heard_by_region(self.unet, regional.regions, video.frames, people_tokens))
            stack.enter_context(deep_features_reused(self.unet, video.speed))
            yield stack.enter_context(multidiffusion(self.unet, Parts(video.frames, windows)))

    def _denoise(
        self,
        make_sampler: Callable[[], Any],
        picture: GenerateSettings,
        video: VideoSettings,
        text: Callable[[int], Conditions],
        counted: StepCounter,
        given: GivenFrames | BlendedPictures | None,
    ) -> Tensor:
        """Return latents [F, 4, h, w] of the finished frames, sampled as often as FreeInit asks for."""
        counted.add(0)
        noise = FrameNoise(picture.seed, video.frames, (4, picture.height // FACTOR, picture.width // FACTOR))
        white, known, first, loop = noise.draw(), None, 0, video.loops.loop
        prior, sampler = InitialNoise.asked(video, picture.seed), make_sampler()
        # Before the sampler draws: how often it does differs between samplers and hosts.
        fresh = [prior.of(noise.draw()) for _ in range(video.free.freeinit)]
        if isinstance(given, BlendedPictures):
            first = len(sampler.timesteps) - steps_run(picture.steps, picture.denoise)
            begin = correlate(white, video.gamma).to(self.device)
            latents = noised(sampler, self._blended(given, correlate(noise.draw(), video.gamma)), begin, first)
        elif given is not None:
            begin = given.noise(white, video.gamma, noise.of, picture.seed).to(self.device)
            latents, known = started(sampler, begin), self._known(given, begin)
        else:
            begin = prior.of(white).to(self.device)
            latents = started(sampler, begin)
        step_gamma = video.gamma if video.step_noise else 0.0

        def drawn() -> Tensor:
            return correlate(noise.draw(), step_gamma, loop).to(self.device)

        latents = self._sampled(sampler, latents, first, text, drawn, known, counted)
        for new in fresh:
            sampler = make_sampler()
            signal = float(sampler.alphas_cumprod[-1])
            again = started(sampler, reinitialised(latents, begin, new, signal, video.free.freeinit_cutoff))
            latents = self._sampled(sampler, again, first, text, drawn, known, counted)
        return latents if known is None else known.put_latents(latents)

    def _sampled(
        self,
        sampler: Any,
        latents: Tensor,
        first: int,
        text: Callable[[int], Conditions],
        drawn: Callable[[], Tensor],
        known: KnownFrames | None,
        counted: StepCounter,
    ) -> Tensor:
        """Return latents after the steps from `first` on; drawn: what the sampler adds at steps."""
        for i in range(first, len(sampler.timesteps)):
            # As the WebUI counts, the prompt's steps are those that are computed.
            prediction = self._predicted(sampler, i, latents, text(i - first), known)
            latents = step(sampler, i, prediction, latents, drawn)
            counted.add(len(latents))
        return latents

    def _known(self, given: GivenFrames, noise: Tensor) -> KnownFrames:
        """Encode the frames that are known. noise: of the whole video, [F, 4, h, w]."""
        height, width = (FACTOR * side for side in noise.shape[-2:])
        latents = torch.cat([self.encode(picture) for picture in given.resized(height, width)])
        return KnownFrames(given.places, latents, noise[given.places])

    def _blended(self, given: BlendedPictures, noise: Tensor) -> Tensor:
        """Return the latents [F, 4, h, w] that a video from pictures begins from."""
        none = torch.zeros_like(noise[:1])
        first, last = (none if picture is None else self.encode(picture) for picture in given[:2])
        return given.shares.blended(first, last, noise.to(self.device))

    def encode(self, picture: NDArray[np.uint8]) -> Tensor:
        """Encode a picture uint8 [H, W, 3]: the mean of the encoder's posterior, [1, 4, h, w]."""
        pixels = torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)[None]
        mean: Tensor = self.vae.encode(pixels.to(self.device) * 2 - 1).latent_dist.mean
        return mean * self.vae.config.scaling_factor

    def _predicted(self, sampler: Any, i: int, latents: Tensor, text: Conditions, known: KnownFrames | None) -> Tensor:
        """Compute the guided prediction of step i, [F, 4, h, w]; for known frames that which leads back to them."""
        time = sampler.timesteps[i]
        scaled = sampler.scale_model_input(latents, time)
        if known is None:
            return self.predict(scaled, time, text)
        prediction = self.predict(known.put_noised(scaled, *levels(sampler, i)), time, text)
        own, none = known.taken(prediction), torch.zeros((), device=prediction.device)
        return known.put(prediction, keep_unmasked(sampler, i, own, known.taken(scaled), known.latents, none))

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

    def predict(self, latents: Tensor, time: Tensor, text: Conditions) -> Tensor:
        """Compute the guided prediction [F, 4, h, w], float32. text: with as many rows as `multidiffusion` asks for.

        The rows of the UNet are those of one video after the other: that of uncond, and that of each cond.
        """

        def predicted(videos: list[Tensor]) -> list[Tensor]:
            rows = latents.repeat(len(videos), 1, 1, 1).to(videos[0].dtype)
            return list(self.unet(rows, time, torch.cat(videos)).sample.float().chunk(len(videos)))

        return text.predict(predicted)

    def _decode(self, latents: Tensor, counted: StepCounter) -> NDArray[np.uint8]:
        """Decode frames uint8 [F, H, W, 3], one at a time: the VAE's memory would grow with the video."""
        self.check_finite(latents)
        decode = Decoder(self.decode)

        def pictures() -> Iterator[NDArray[np.uint8]]:
            for latent in latents:
                pixels = (decode(latent) / 2 + 0.5).clamp(0, 1) * 255
                yield pixels.byte().permute(1, 2, 0).cpu().numpy()  # cut off, not rounded, as in the WebUI
                counted.add(1)

        return stacked(pictures(), len(latents))

    def decode(self, latent: Tensor) -> Tensor:
        """Decode the pixels [3, H, W] of latents [4, h, w]; within [-1, 1] but for a little."""
        return self.vae.decode(latent[None] / self.vae.config.scaling_factor).sample[0]

    def check_finite(self, latents: Tensor) -> None:
        """Raise ValueError for the NaN that half precision makes of some checkpoints."""
        if not latents.isfinite().all():
            raise ValueError(f"{self.path.name} made NaN instead of pictures; load it in float32 (--no-half).")
