"""Video-to-video without the WebUI: a `host.VideoHost` on a checkpoint that is loaded with diffusers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vcd_ext import motion
from vcd_ext.denoising.controlnet import ControlNet, controlnet_attached
from vcd_ext.denoising.deep_features import deep_features_reused
from vcd_ext.denoising.in_tiles import Decoder
from vcd_ext.denoising.multidiffusion import RegionalPrompt, multidiffusion
from vcd_ext.hosts.diffusers.frame_noise import FrameNoise
from vcd_ext.hosts.diffusers.guidance import Conditions, Guidance
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.loras import loaded
from vcd_ext.hosts.diffusers.sampling import keep_unmasked, noised, scheduler, step
from vcd_ext.hosts.protocols import Interrupted, Picture, Tiling, VideoPass
from vcd_ext.hosts.shared import controlnet_file
from vcd_ext.hosts.shared.enlarge import Enlargers
from vcd_ext.hosts.shared.passes import (
    Plan,
    animated,
    as_long,
    controlled,
    initial_noise,
    latent_masks,
    picture,
    pictures,
    plan,
)
from vcd_ext.hosts.shared.prompt_travel import KeyFraming
from vcd_ext.motion import MotionLora, MotionModule
from vcd_ext.noise import correlate
from vcd_ext.people.attention import heard_by_region
from vcd_ext.progress import StepCounter
from vcd_ext.settings import SAMPLERS

CHANNELS = 4  # of latents


class StandaloneVideo:
    """Makes videos again on the models of a `Standalone`, and leaves those as they are.

    Motion modules and ControlNets are named by their file's path, samplers as in `settings.SAMPLERS`; the default is
    the first.
    embeddings: files; the name of each stands for it in the prompts. upscalers: weights of the ESRGAN family.
    controlnets: files, of which the first that fits is taken where the choice is left to the host.
    guides: ControlNets with pictures of their own for the frames of each video, beside what a pass asks for.
    """

    def __init__(
        self,
        standalone: Standalone,
        embeddings: Sequence[Path] = (),
        upscalers: Sequence[Path] = (),
        controlnets: Sequence[Path] = (),
        guides: Sequence[ControlNet] = (),
    ):
        self.standalone = standalone
        self._controlnets = {str(path): path for path in controlnets}
        self._vectors = standalone.vectors(embeddings)
        self._enlargers = Enlargers(upscalers, standalone.device)
        self._guides = guides
        self._loaded: tuple[Path, MotionModule] | None = None

    @torch.no_grad()
    def denoise(self, frames: Sequence[Picture], work: VideoPass) -> Iterator[Picture]:
        """See `host.VideoHost`. Frames become the mean of the encoder's posterior, so that nothing is drawn twice.

        progress counts frames: encoded, denoised by one step, decoded.
        """
        planned = plan(frames, work)
        framing = KeyFraming.of_pass(work, planned.frames)
        text = self.standalone.guidance(
            work.prompt,
            work.negative_prompt,
            work.cfg_scale,
            work.steps,
            self._vectors,
            framing,
            [] if work.regional is None else work.regional.words,
        )
        run = _Denoising(
            self.standalone,
            planned,
            work,
            self._sampler(work),
            self._module(work, planned),
            loaded(work.motion_loras),
            text,
            self._regional(text, planned, work.tiling, framing),
            self._controls(frames, work),
            StepCounter(work.progress, total=(planned.steps + 2) * planned.frames),
        )
        return run.frames(frames)

    def upscalers(self) -> list[str]:
        """Return the names of the networks that were given, if spandrel is installed; then Lanczos."""
        return self._enlargers.names()

    def controlnet(self, note: Callable[[str], None]) -> str:
        """Return the first file that was given and fits; "none" without one."""
        return controlnet_file.first_fitting(self._controlnets, self.standalone.unet, note)

    def enlarge(self, picture: Picture, scale: float, upscaler: str) -> Picture:
        """Enlarge one picture to `scale` times its width and height. ValueError for a name that is not there."""
        return self._enlargers.enlarge(picture, scale, upscaler)

    def _sampler(self, work: VideoPass) -> Any:
        name = work.sampler or SAMPLERS[0]
        if name not in SAMPLERS:
            raise ValueError(f"sampler is '{name}'; choose one of {', '.join(SAMPLERS)}.")
        return scheduler(name, work.steps, animated(work), self.standalone.prediction_type, self.standalone.device)

    def _module(self, work: VideoPass, planned: Plan) -> MotionModule | None:
        if not animated(work):
            return None
        path = Path(work.motion_module)
        if self._loaded is None or self._loaded[0] != path:
            self._loaded = None  # frees the old one before the new one takes its room
            self._loaded = path, motion.load(path)
        planned.check_fits(self._loaded[1].max_frames, path.name)
        return self._loaded[1]

    def _controls(self, frames: Sequence[Picture], work: VideoPass) -> list[ControlNet]:
        if not controlled(work):
            return [*self._guides]
        network = controlnet_file.load(work.controlnet, self.standalone.unet)
        return [*self._guides, ControlNet(network, frames, work.controlnet_weight)]

    def _regional(
        self, text: Guidance, planned: Plan, tiling: Tiling | None, framing: KeyFraming
    ) -> RegionalPrompt | None:
        if tiling is None or planned.absent is None:
            return None
        elsewhere = self.standalone.guidance(tiling.elsewhere, "", 1.0, 1, self._vectors, framing).constant
        empty = self.standalone.prompts.encode("", {})[0]
        return RegionalPrompt(text.constant, as_long(elsewhere, text.constant, empty), planned.absent)


@dataclass
class _Denoising:
    """One pass over frames."""

    host: Standalone
    plan: Plan
    work: VideoPass
    sampler: Any
    module: MotionModule | None
    loras: Sequence[MotionLora]
    text: Guidance
    regional: RegionalPrompt | None
    controls: Sequence[ControlNet]
    counted: StepCounter

    def frames(self, frames: Sequence[Picture]) -> Iterator[Picture]:
        """Yield the frames, all denoised before the first is given out."""
        latents, decode = self._denoised(frames), Decoder(self.host.decode)
        for latent in latents:
            with torch.no_grad():
                decoded = picture(decode(latent))
            self.counted.add(1)
            yield decoded

    @torch.no_grad()
    def _denoised(self, frames: Sequence[Picture]) -> Tensor:
        """Return latents [F, 4, h, w]."""
        self.counted.add(0)
        mask = latent_masks(self.work, self.plan)
        mask = None if mask is None else mask.to(self.host.device)
        original = self._encoded(frames)
        noise = FrameNoise(self.work.seed, self.plan.frames, (CHANNELS, *self.plan.latent_size))
        begin = len(self.sampler.timesteps) - self.plan.steps
        begun = initial_noise(self.work).of(noise.draw()).to(self.host.device)
        latents = noised(self.sampler, original, begun, begin)
        step_gamma = self.work.gamma if self.work.step_noise else 0.0
        with ExitStack() as stack:
            rows = self._hang_on(stack)
            for i in range(begin, len(self.sampler.timesteps)):
                text = self.text.at(i - begin, rows)  # the WebUI counts the steps that it computes
                latents = self._step(i, latents, text, original, mask, lambda: self._drawn(noise, step_gamma))
                self.counted.add(self.plan.frames)
        self.host.check_finite(latents)
        return latents if mask is None else torch.lerp(original, latents, mask)

    def _encoded(self, frames: Sequence[Picture]) -> Tensor:
        latents = torch.empty(self.plan.frames, CHANNELS, *self.plan.latent_size, device=self.host.device)
        for i, pixels in enumerate(pictures(frames, self.plan)):
            self._stop()
            mean = self.host.vae.encode(pixels.to(self.host.device) * 2 - 1).latent_dist.mean
            latents[i] = mean[0] * self.host.vae.config.scaling_factor
            self.counted.add(1)
        return latents

    def _hang_on(self, stack: ExitStack) -> int:
        """Attach hooks to the UNet; return how many rows of a video's text it takes then."""
        unet = self.host.unet
        # In each part of a call that is divided: one step of a long video may take minutes.
        stack.callback(unet.time_embedding.register_forward_pre_hook(lambda *_: self._stop()).remove)
        stack.enter_context(self.host.prompted.attached(self.host.loras, self.work.prompt))
        if self.module is not None:
            stack.enter_context(motion.attached(unet, self.module, self.plan.length, loras=self.loras))
        if self.controls:
            stack.enter_context(controlnet_attached(unet, *self.controls))
        if self.work.regional is not None:
            regions, tokens = self.work.regional.regions, self.text.people_tokens
            stack.enter_context(heard_by_region(unet, regions, self.plan.frames, tokens))
        stack.enter_context(deep_features_reused(unet, self.work.speed))
        return stack.enter_context(multidiffusion(unet, self.plan.parts, self.regional))

    def _step(
        self,
        i: int,
        latents: Tensor,
        text: Conditions,
        original: Tensor,
        mask: Tensor | None,
        noise: Callable[[], Tensor],
    ) -> Tensor:
        time = self.sampler.timesteps[i]
        scaled = self.sampler.scale_model_input(latents, time)
        prediction = self.host.predict(scaled, time, text)
        if mask is not None:
            prediction = keep_unmasked(self.sampler, i, prediction, scaled, original, mask)
        return step(self.sampler, i, prediction, latents, noise)

    def _drawn(self, noise: FrameNoise, gamma: float) -> Tensor:
        return correlate(noise.draw(), gamma, self.work.loop).to(self.host.device)

    def _stop(self) -> None:
        if self.work.interrupted():
            raise Interrupted
