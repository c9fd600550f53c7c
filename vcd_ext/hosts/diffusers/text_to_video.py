"""Text to video without the WebUI (T2V VCD, arXiv 2402.09368 v1, section 4.1)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

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
from vcd_ext.hosts.diffusers.frame_noise import FrameNoise
from vcd_ext.hosts.diffusers.guidance import Conditions, Guidance
from vcd_ext.hosts.diffusers.loaded import LoadedCheckpoint
from vcd_ext.hosts.diffusers.loras import chosen_motion_loras
from vcd_ext.hosts.diffusers.parameters import infotext
from vcd_ext.hosts.diffusers.picture_settings import check_picture, complete
from vcd_ext.hosts.diffusers.sampling import keep_unmasked, levels, noised, scheduler, started, step
from vcd_ext.hosts.diffusers.unfinished_video import Position, UnfinishedVideo
from vcd_ext.hosts.protocols import FACTOR
from vcd_ext.hosts.shared.passes import steps_run
from vcd_ext.hosts.shared.people import regional_texts
from vcd_ext.hosts.shared.prompt_travel import KeyFraming
from vcd_ext.media import Clip
from vcd_ext.media.clip import stacked
from vcd_ext.media.infotext import extended
from vcd_ext.noise import correlate
from vcd_ext.people.attention import heard_by_region
from vcd_ext.people.regions import Regions
from vcd_ext.progress import StepCounter, StepReport
from vcd_ext.prompt.travel import check_key_frames
from vcd_ext.settings import GenerateSettings, SettingError, VideoSettings, parse
from vcd_ext.stages.given_frames import BlendedPictures, GivenFrames


class Beginning(NamedTuple):
    """What a sampling begins from."""

    latents: Tensor  # [F, 4, h, w], of its first step
    noise: Tensor  # [F, 4, h, w], that is in them
    known: KnownFrames | None
    first: int  # step of the sampler's


class TextToVideo:
    """One video from text; what it is made of is as in `Standalone.generate`."""

    def __init__(
        self,
        host: LoadedCheckpoint,
        picture: GenerateSettings,
        video: VideoSettings,
        motion_module: Path | None,
        embeddings: Sequence[Path],
        progress: StepReport | None,
        given: GivenFrames | BlendedPictures | None,
        regions: Regions | None,
        unfinished: UnfinishedVideo | None = None,
    ):
        """Check and encode what is asked for; ValueError, in one sentence, for what cannot work."""
        self.host, self.motion_module, self.embeddings, self.given = host, motion_module, embeddings, given
        self.unfinished, self.drawn = unfinished, 0  # how often the sampler has drawn noise
        vectors, moves = host.vectors(embeddings), motion_module is not None
        self.picture = picture = complete(check_picture(picture), embeddings, host.loras, video.several.people)
        self.video = video = parse(VideoSettings, asdict(video))
        self.loras = chosen_motion_loras(host.loras, picture.prompt, video, moves)
        self.make_sampler = partial(scheduler, picture.sampler, picture.steps, moves, host.prediction_type, host.device)
        self.counted = StepCounter(progress, total=(self._steps() + 1) * video.frames)
        check_key_frames(video.frames, {"prompt": picture.prompt, "negative prompt": picture.negative_prompt})
        self.regional = regional_texts(video.several, vectors)
        if self.regional is not None and regions is not None:
            self.regional = self.regional._replace(regions=regions)
        self.text = self._encoded(vectors)

    def clip(self, controls: Sequence[ControlNet], more: Mapping[str, str] | None) -> Clip:
        """Make the video, with its infotext. ValueError, before anything is computed, for files that cannot be used."""
        picture, video, given = self.picture, self.video, self.given
        with self.host.prompted.attached(self.host.loras, picture.prompt), self._moving(controls) as rows:
            latents = self._denoised(lambda step: self.text.at(step, rows))
        frames = self._decoded(latents)
        described = infotext(picture, video, self.host.path, self.motion_module, self.embeddings, more=more)
        if isinstance(given, BlendedPictures):
            described = extended(described, {"Denoising strength": picture.denoise})
        elif given is not None:
            frames = given.put(frames)
            described = extended(described, given.entries(video.frames, picture.seed, video.gamma))
        return Clip(frames, video.fps, {"parameters": described})

    def _steps(self) -> int:
        """Return how many steps are computed, those of FreeInit's second sampling among them."""
        planned = len(self.make_sampler().timesteps) * (1 + self.video.free.freeinit)
        return (
            steps_run(self.picture.steps, self.picture.denoise) if isinstance(self.given, BlendedPictures) else planned
        )

    def _encoded(self, vectors: Mapping[str, Tensor]) -> Guidance:
        """Encode the prompts. vectors: of the embeddings, by name."""
        picture, video = self.picture, self.video
        around = video.frames if video.loops.loop else 0
        return self.host.guidance(
            picture.prompt,
            picture.negative_prompt,
            picture.cfg_scale,
            picture.steps,
            vectors,
            KeyFraming(range(video.frames), video.prompt_travel, around),
            [] if self.regional is None else self.regional.words,
        )

    @contextmanager
    def _moving(self, controls: Sequence[ControlNet]) -> Iterator[int]:
        """Let the UNet take whole videos within this context, computed in windows if they are long.

        Gives how many rows of a video's text it takes.
        """
        path, video, unet = self.motion_module, self.video, self.host.unet
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
                stack.enter_context(motion.attached(unet, module, length, loras=self.loras))
            if controls:
                stack.enter_context(controlnet_attached(unet, *controls))
            if self.regional is not None:
                tokens = self.text.people_tokens
                stack.enter_context(heard_by_region(unet, self.regional.regions, video.frames, tokens))
            stack.enter_context(deep_features_reused(unet, video.speed))
            yield stack.enter_context(multidiffusion(unet, Parts(video.frames, windows)))

    def _denoised(self, text: Callable[[int], Conditions]) -> Tensor:
        """Return latents [F, 4, h, w] of the finished frames, sampled as often as FreeInit asks for."""
        picture, video = self.picture, self.video
        noise = FrameNoise(picture.seed, video.frames, (4, picture.height // FACTOR, picture.width // FACTOR))
        white, prior = noise.draw(), InitialNoise.asked(video, picture.seed, self.motion_module is not None)
        sampler = self.make_sampler()
        # Before the sampler draws: how often it does differs between samplers and hosts.
        fresh = [prior.of(noise.draw()) for _ in range(video.free.freeinit)]
        begun = self._begun(sampler, white, noise, prior)
        made, latents = Position(0, begun.first, 0), begun.latents
        if self.unfinished is not None and self.unfinished.position is not None:
            made, sampler = self.unfinished.position, self.make_sampler()
            latents = self.unfinished.taken_up(sampler)
        self.counted.add((made.sampling * len(sampler.timesteps) + made.step - begun.first) * len(latents))
        step_gamma = video.gamma if video.step_noise else 0.0

        def drawn() -> Tensor:
            self.drawn += 1
            return correlate(noise.draw(), step_gamma, video.loops.loop).to(self.host.device)

        for _ in range(made.drawn):
            drawn()
        for number in range(made.sampling, 1 + len(fresh)):
            if number > made.sampling:
                sampler = self.make_sampler()
                signal, new = float(sampler.alphas_cumprod[-1]), fresh[number - 1]
                again = reinitialised(latents, begun.noise, new, signal, video.free.freeinit_cutoff)
                made, latents = Position(number, begun.first, self.drawn), started(sampler, again)
            latents = self._sampled(sampler, latents, made, text, drawn, begun)
        return latents if begun.known is None else begun.known.put_latents(latents)

    def _begun(self, sampler: Any, white: Tensor, noise: FrameNoise, prior: InitialNoise) -> Beginning:
        """Return what the first sampling begins from. white: the first noise of all frames, [F, 4, h, w]."""
        picture, gamma, given, device = self.picture, self.video.gamma, self.given, self.host.device
        if isinstance(given, BlendedPictures):
            first = len(sampler.timesteps) - steps_run(picture.steps, picture.denoise)
            begin = correlate(white, gamma).to(device)
            blended = self._blended(given, correlate(noise.draw(), gamma))
            return Beginning(noised(sampler, blended, begin, first), begin, None, first)
        if given is not None:
            begin = given.noise(white, gamma, noise.of, picture.seed).to(device)
            return Beginning(started(sampler, begin), begin, self._known(given, begin), 0)
        begin = prior.of(white).to(device)
        return Beginning(started(sampler, begin), begin, None, 0)

    def _sampled(
        self,
        sampler: Any,
        latents: Tensor,
        made: Position,
        text: Callable[[int], Conditions],
        drawn: Callable[[], Tensor],
        begun: Beginning,
    ) -> Tensor:
        """Return latents after the steps that are not made yet; Interrupted if the person wants to stop.

        drawn: what the sampler adds at steps.
        """
        for i in range(made.step, len(sampler.timesteps)):
            # As the WebUI counts, the prompt's steps are those that are computed.
            prediction = self._predicted(sampler, i, latents, text(i - begun.first), begun.known)
            latents = step(sampler, i, prediction, latents, drawn)
            self.counted.add(len(latents))
            if self.unfinished is not None:
                now = Position(made.sampling, i + 1, self.drawn)
                self.unfinished.note(now, sampler, latents, self.picture.seed)
        return latents

    def _known(self, given: GivenFrames, noise: Tensor) -> KnownFrames:
        """Encode the frames that are known. noise: of the whole video, [F, 4, h, w]."""
        height, width = (FACTOR * side for side in noise.shape[-2:])
        latents = torch.cat([self.host.encode(picture) for picture in given.resized(height, width)])
        return KnownFrames(given.places, latents, noise[given.places])

    def _blended(self, given: BlendedPictures, noise: Tensor) -> Tensor:
        """Return the latents [F, 4, h, w] that a video from pictures begins from."""
        none = torch.zeros_like(noise[:1])
        first, last = (none if picture is None else self.host.encode(picture) for picture in given[:2])
        return given.shares.blended(first, last, noise.to(self.host.device))

    def _predicted(self, sampler: Any, i: int, latents: Tensor, text: Conditions, known: KnownFrames | None) -> Tensor:
        """Compute the guided prediction of step i, [F, 4, h, w]; for known frames that which leads back to them."""
        time = sampler.timesteps[i]
        scaled = sampler.scale_model_input(latents, time)
        if known is None:
            return self.host.predict(scaled, time, text)
        prediction = self.host.predict(known.put_noised(scaled, *levels(sampler, i)), time, text)
        own, none = known.taken(prediction), torch.zeros((), device=prediction.device)
        return known.put(prediction, keep_unmasked(sampler, i, own, known.taken(scaled), known.latents, none))

    def _decoded(self, latents: Tensor) -> NDArray[np.uint8]:
        """Decode frames uint8 [F, H, W, 3], one at a time: the VAE's memory would grow with the video."""
        self.host.check_finite(latents)
        decode = Decoder(self.host.decode)

        def pictures() -> Iterator[NDArray[np.uint8]]:
            for latent in latents:
                pixels = (decode(latent) / 2 + 0.5).clamp(0, 1) * 255
                if self.unfinished is not None:
                    self.unfinished.check()
                yield pixels.byte().permute(1, 2, 0).cpu().numpy()  # cut off, not rounded, as in the WebUI
                self.counted.add(1)

        return stacked(pictures(), len(latents))
