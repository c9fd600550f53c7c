"""Run an img2img of the WebUI with pictures as floats: sampler, prompt syntax and networks are the WebUI's."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from modules import (
    devices,
    extra_networks,
    processing,
    prompt_parser,
    sd_samplers,
    shared,
)
from torch import Tensor

from vcd_ext.denoising.controlnet import ControlNet
from vcd_ext.denoising.lora import Lora
from vcd_ext.denoising.multidiffusion import RegionalPrompt
from vcd_ext.hosts.protocols import Interrupted, Picture, VideoPass
from vcd_ext.hosts.shared.passes import Plan, as_long, initial_noise, pictures
from vcd_ext.hosts.shared.prompt_travel import KeyFraming
from vcd_ext.hosts.webui import report
from vcd_ext.hosts.webui.model import checkpoint, motion_loras
from vcd_ext.hosts.webui.model.plain_layers import plain_layers
from vcd_ext.hosts.webui.model.sampling import correlate_steps, exact_steps
from vcd_ext.hosts.webui.model.unet import video_denoising
from vcd_ext.hosts.webui.model.vae import encoded_picture
from vcd_ext.hosts.webui.request.prompt_travel import PeopleConds, read_networks_once, travelling_conds
from vcd_ext.motion import MotionModule
from vcd_ext.prompt.comments import without_comments


@dataclass
class Img2ImgPass:
    """Hold what one pass needs beside the WebUI's own fields."""

    frames: Sequence[Picture]
    work: VideoPass
    plan: Plan
    mask: Tensor | None  # [F, 1, h, w], 1 where the picture may change
    module: MotionModule | None
    control: ControlNet | None
    done: Callable[[int], None]  # told how many more frames were encoded or denoised by one step
    note: Callable[[str], None] | None = None  # told in a sentence what of other extensions was set aside


class FloatImg2Img(processing.StableDiffusionProcessingImg2Img):
    """Take frames of float32 and give latents; nothing is saved, corrected in colour or rounded to bytes on the way."""

    job: Img2ImgPass
    latents: Tensor | None = None  # [F, 4, h, w] of the finished frames
    people: PeopleConds | None = None  # made for each pass
    adapters: list[Lora] = []  # noqa: RUF012 - a dataclass's fields are its parent's; replaced for each pass

    def get_token_merging_ratio(self, for_hr: bool = False) -> int:
        """Return 0, whatever the settings say: merged tokens are a canvas's, and this may be a part of one."""
        return 0

    def get_conds_with_caching(self, *args: Any, **kwargs: Any) -> Any:
        """Give each frame the condition between its prompt's key frames."""
        return travelling_conds(super().get_conds_with_caching, self._framing(), self.people)(*args, **kwargs)

    def parse_extra_network_prompts(self) -> None:
        """Read the prompt's networks; its motion LoRAs are those of the generation, and have no say in a pass."""
        read_networks_once(self, super().parse_extra_network_prompts)
        taken = motion_loras.take(self.extra_network_data)
        self.adapters = motion_loras.load_adapters(taken.adapters, self.sd_model.model.diffusion_model)

    def init(self, all_prompts: Any, all_seeds: Any, all_subseeds: Any) -> None:
        """Build the sampler and encode the frames, one at a time."""
        with self._schedule():
            self.sampler = sd_samplers.create_sampler(self.sampler_name, self.sd_model)
        latents = torch.empty(self.job.plan.frames, 4, *self.job.plan.latent_size, device=shared.device)
        for i, pixels in enumerate(pictures(self.job.frames, self.job.plan)):
            self._stop()
            latents[i] = encoded_picture(self.sd_model, pixels)
            self.job.done(1)
        self.init_latent = latents
        if self.job.mask is not None:
            self.nmask = self.job.mask.to(shared.device, devices.dtype)
            self.mask = 1 - self.nmask
        # What the WebUI gives to checkpoints that are no inpainting ones.
        self.image_conditioning = latents.new_zeros(len(latents), 5, 1, 1)

    def sample(
        self, conditioning: Any, unconditional_conditioning: Any, seeds: Any, *_: Any, **__: Any
    ) -> processing.DecodedSamples:
        """Denoise the video; what is returned stands for pictures that the WebUI need not decode."""
        noise = initial_noise(self.job.work).of(self.rng.next()) * self.initial_noise_multiplier
        regional = self._regional(conditioning, unconditional_conditioning)
        if self.job.work.step_noise:
            correlate_steps(self, self.job.work.gamma, self.job.work.loop)
        with self._hung_on(regional), exact_steps(self, self.job.plan.steps):
            samples = self.sampler.sample_img2img(
                self,
                self.init_latent,
                noise,
                conditioning,
                unconditional_conditioning,
                image_conditioning=self.image_conditioning,
            )
        self._stop()  # the WebUI's own answer to an interrupt is what there is so far
        if self.mask is not None:
            samples = samples * self.nmask + self.init_latent * self.mask
        devices.test_for_nans(samples, "unet")
        self.latents = samples
        return processing.DecodedSamples([torch.zeros(3, 1, 1)])

    def _schedule(self) -> Any:
        return checkpoint.motion_schedule(self.sd_model, self) if self.job.module is not None else nullcontext()

    @contextmanager
    def _hung_on(self, regional: RegionalPrompt | None) -> Iterator[None]:
        plan, unet = self.job.plan, self.sd_model.model.diffusion_model
        after_step = self.sampler.callback_state

        def callback_state(state: Any) -> None:
            after_step(state)
            self.job.done(plan.frames)

        self.sampler.callback_state = callback_state
        with ExitStack() as stack:
            stack.enter_context(plain_layers(self.sd_model, self.job.note))
            # In each part of a call that is divided: one step of a long video may take minutes.
            stack.callback(unet.time_embed.register_forward_pre_hook(lambda *_: self._stop()).remove)
            stack.enter_context(motion_loras.adapters_attached(unet, self.adapters))
            module, control, heard = self.job.module, self.job.control, self.job.work.regional
            people = None if heard is None or self.people is None else (heard.regions, self.people.tokens)
            more: dict[str, Any] = {
                "regional": regional,
                "control": control,
                "people": people,
                "speed": self.job.work.speed,
            }
            stack.enter_context(video_denoising(self, plan.parts, module, **more))
            yield

    def _framing(self) -> KeyFraming:
        return KeyFraming.of_pass(self.job.work, self.job.plan.frames)

    def _stop(self) -> None:
        if self.job.work.interrupted() or shared.state.interrupted or shared.state.skipped:
            raise Interrupted

    def _regional(self, conditioning: Any, unconditional: Any) -> RegionalPrompt | None:
        """Return which condition takes the place of the prompt's where the subject is not."""
        tiling, absent = self.job.work.tiling, self.job.plan.absent
        if tiling is None or absent is None:
            return None
        prompt = _at_first_step([parts[0].schedules for parts in conditioning.batch])
        text = prompt_parser.SdConditioning([plain(tiling.elsewhere)], width=self.width, height=self.height)
        get = partial(_uncached, self.sd_model, self.steps)
        learned = travelling_conds(get, self._framing())(None, text)
        empty = self.sd_model.cond_stage_model_empty_prompt[0]
        known, instead = prompt, as_long(_at_first_step(learned), prompt, empty)
        missing = (len(unconditional[0][0].cond) - prompt.shape[-2]) // len(empty)
        if missing > 0 and shared.opts.pad_cond_uncond and not shared.opts.pad_cond_uncond_v0:
            # A setting of the WebUI by which the prompt becomes as long as the negative prompt.
            longest = torch.cat([known[0] if known.dim() == 3 else known, *[empty.to(known)] * missing])
            known, instead = (as_long(cond, longest, empty.to(cond)) for cond in (known, instead))
        return RegionalPrompt(known, instead, absent)


def run_img2img(job: Img2ImgPass, sampler: str, scheduler: str) -> Tensor:
    """Denoise as one img2img; latents [F, 4, h, w]. Interrupted if it was stopped."""
    work, plan = job.work, job.plan
    p = FloatImg2Img(
        prompt=uncommented(work.prompt),
        negative_prompt=uncommented(work.negative_prompt),
        seed=work.seed,
        sampler_name=sampler,
        scheduler=scheduler,
        batch_size=plan.frames,
        steps=work.steps,
        cfg_scale=work.cfg_scale,
        width=plan.width,
        height=plan.height,
        denoising_strength=work.denoise,
        init_images=[],
        do_not_save_samples=True,
        do_not_save_grid=True,
        restore_faces=False,
        tiling=False,
    )
    p.job, p.people = job, PeopleConds.of(work.regional)
    if shared.state.job_count > 0:  # this is a part of a job that has counted its own
        shared.state.job_count += 1
    report.begin_pass(plan.steps)
    with closing(p), _history_kept():
        processing.process_images(p)
        if p.latents is None:  # it was stopped before the first step
            raise Interrupted
        return p.latents


def plain(prompt: str) -> str:
    """Return a prompt without its comments, and without the networks that it names, such as <lora:name:1>."""
    return str(extra_networks.parse_prompt(uncommented(prompt))[0])


def uncommented(prompt: str) -> str:
    """Return a prompt without its comments, if the WebUI's settings say so; its script does that in its tabs alone."""
    return without_comments(prompt) if shared.opts.data.get("enable_prompt_comments", True) else prompt


def _uncached(sd_model: Any, steps: int, _function: Any, texts: Any) -> Any:
    with devices.autocast():
        return prompt_parser.get_learned_conditioning(sd_model, texts, steps)


def _at_first_step(schedules: Sequence[Sequence[Any]]) -> Tensor:
    """Return the frames' conditions, [frames, tokens, width]; [tokens, width] where all have one."""
    if all(schedule is schedules[0] for schedule in schedules):
        one: Tensor = schedules[0][0].cond
        return one
    return torch.stack([schedule[0].cond for schedule in schedules])


@contextmanager
def _history_kept() -> Iterator[None]:
    """Keep the settings of the person's last picture, which the page can bring back."""
    options = shared.cmd_opts
    before = options.no_prompt_history
    options.no_prompt_history = True
    try:
        yield
    finally:
        options.no_prompt_history = before
