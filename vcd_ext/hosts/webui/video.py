"""Make videos again in the WebUI: a `protocols.VideoHost` on the checkpoint that is loaded."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from modules import prompt_parser, sd_samplers, sd_schedulers, shared
from PIL import Image
from torch import Tensor

from vcd_ext.denoising.controlnet import ControlNet
from vcd_ext.denoising.in_tiles import Decoder
from vcd_ext.hosts.protocols import FACTOR, Picture, VideoPass
from vcd_ext.hosts.shared.enlarge import LANCZOS, enlarged_size, known, lanczos
from vcd_ext.hosts.shared.passes import Plan, animated, controlled, latent_masks, picture, plan
from vcd_ext.hosts.webui import img2img, report
from vcd_ext.hosts.webui.library.controlnets import load_controlnet, suggested_controlnet
from vcd_ext.hosts.webui.library.motion_modules import find_motion_module, load_motion_module, offload_motion_module
from vcd_ext.hosts.webui.model import checkpoint
from vcd_ext.hosts.webui.model.vae import decode_latent
from vcd_ext.hosts.webui.report import queued
from vcd_ext.hosts.webui.request.other_scripts import check_blocks
from vcd_ext.hosts.webui.request.refusals import check_checkpoint
from vcd_ext.hosts.webui.request.refused import Refused
from vcd_ext.motion import MotionModule
from vcd_ext.progress import Note, StepReport
from vcd_ext.prompt.travel import travel
from vcd_ext.settings import NO_MODULE

JOB = "vcd-video"  # as the WebUI's own progress calls it
SAMPLER, SCHEDULER = "Euler", "Automatic"
ESRGAN = ("ESRGAN", "RealESRGAN")  # the WebUI's names of what reads networks of that family


@contextmanager
def queued_video_host(note: Note | None = None, stops: Callable[[], bool] | None = None) -> Iterator["WebUIVideo"]:
    """Wait for the WebUI's queue and hold it for as many passes as the caller makes, all with one checkpoint.

    A job of the WebUI that runs already holds it: in there, a `WebUIVideo` of one's own is used without this.
    note: told in a sentence what the person should know. stops: asked while it waits; then Interrupted.
    """
    with checkpoint.pinned_now(), queued(JOB, stops):
        try:
            checkpoint.reload_checkpoint()
            report.expect_steps(0, 0)
            yield WebUIVideo(note)
        finally:
            if note is not None and (sentence := checkpoint.chosen_meanwhile()):
                note(sentence)
            shared.total_tqdm.clear()


class WebUIVideo:
    """Make videos again with the WebUI's img2img: its samplers, VAE, networks and prompt syntax.

    Samplers are named as on the page, with their schedule if that is not the usual ("DPM++ 2M Karras"), motion
    modules as in the list of the section VCD. Whoever calls holds the WebUI's queue: see `queued_video_host`. Its
    buttons Interrupt and Skip end a pass as `interrupted` does.
    """

    def __init__(self, note: Note | None = None):
        """Take `note`, told in a sentence, once each, what the person should know of the passes."""
        self._note, self._noted = note, set[str]()

    def denoise(self, frames: Sequence[Picture], work: VideoPass) -> Iterator[Picture]:
        """Denoise as `protocols.VideoHost` says. progress counts frames: encoded, denoised by one step, decoded."""
        planned = plan(frames, work)
        sampler, scheduler = sampler_of(work.sampler)
        module = _ready(work, planned)
        if planned.absent is not None:
            _check_constant(work)
        control = None
        if controlled(work):
            control = ControlNet(load_controlnet(work.controlnet), frames, work.controlnet_weight)
        counted = _FrameProgress(work.progress, planned)

        def made() -> Iterator[Picture]:
            counted.add(0)
            mask = latent_masks(work, planned)
            job = img2img.Img2ImgPass(frames, work, planned, mask, module, control, counted.add, self._tell)
            latents = img2img.run_img2img(job, sampler, scheduler)
            counted.sampled()
            yield from self._decoded(latents, counted)

        return made()

    def upscalers(self) -> list[str]:
        """Return networks of the ESRGAN family on this machine, other networks, Lanczos, and what must be fetched."""
        there = [each for each in shared.sd_upscalers if _path(each) and Path(_path(each)).is_file()]
        family = [each.name for each in there if each.scaler.name in ESRGAN]
        absent = [each.name for each in shared.sd_upscalers if _path(each).startswith("http")]
        return list(dict.fromkeys([*family, *(each.name for each in there), LANCZOS, *absent]))

    def controlnet(self, note: Callable[[str], None]) -> str:
        """Return the first in the folders of the extension sd-webui-controlnet that fits; "none" without one."""
        return suggested_controlnet(note) if checkpoint.kind(shared.sd_model) is None else NO_MODULE

    def enlarge(self, picture: Picture, scale: float, upscaler: str) -> Picture:
        """Return a picture `scale` times as wide and high. ValueError for a name that is not there.

        Lanczos is computed in floating point. The WebUI's networks take and give pictures of bytes, with sides that
        are multiples of 8: the input is rounded to them, and its edge repeated where it lacks pixels.
        """
        height, width = enlarged_size(picture, scale)
        name = known(upscaler, self.upscalers())
        if name == LANCZOS:
            return lanczos(picture, height, width)
        chosen = next(each for each in shared.sd_upscalers if each.name == name)
        lacking = [(0, -side % FACTOR) for side in picture.shape[:2]]
        padded = np.pad(picture, (*lacking, (0, 0)), mode="edge")
        large = chosen.scaler.upscale(Image.fromarray(_bytes(padded)), scale, chosen.data_path)
        floats = np.asarray(large.convert("RGB"), np.float32) / 255
        return lanczos(floats, *enlarged_size(padded, scale))[:height, :width]

    def _tell(self, sentence: str) -> None:
        if self._note is not None and sentence not in self._noted:
            self._noted.add(sentence)
            self._note(sentence)

    def _decoded(self, latents: Tensor, counted: "_FrameProgress") -> Iterator[Picture]:
        decode = Decoder(decode_latent)
        for latent in latents:
            made = picture(decode(latent))
            counted.add(1)
            yield made


class _FrameProgress:
    """Add up the frames that are done, and report them."""

    def __init__(self, progress: StepReport | None, planned: Plan):
        self.progress, self.done, self.total = progress, 0, planned.frames * (planned.steps + 2)
        self.most = self.total - planned.frames  # until all is denoised

    def add(self, count: int) -> None:
        """Count so many more frames that are encoded, denoised by one step or decoded."""
        self._tell(min(self.done + count, self.most))

    def sampled(self) -> None:
        """Count all as denoised, also where the sampler has made more or fewer steps than it was asked for."""
        if self.done < self.most:
            self._tell(self.most)
        self.most = self.total

    def _tell(self, done: int) -> None:
        self.done = done
        if self.progress is not None:
            self.progress(self.done, self.total)


def _ready(work: VideoPass, planned: Plan) -> MotionModule | None:
    """Return the motion module of a pass; ValueError if it or the checkpoint cannot be used."""
    try:
        check_checkpoint(shared.sd_model)
        check_blocks(shared.sd_model)
    except Refused as refusal:
        raise ValueError(str(refusal)) from refusal
    if not animated(work):
        offload_motion_module()
        return None
    path = find_motion_module(work.motion_module)
    module = load_motion_module(path)
    planned.check_fits(module.max_frames, path.name)
    return module


def sampler_of(name: str) -> tuple[str, str]:
    """Return sampler and schedule as the WebUI names them; ValueError for a name that it does not know."""
    if not name:
        return SAMPLER, SCHEDULER
    sampler, label = sd_samplers.get_sampler_and_scheduler(name, SCHEDULER, convert_automatic=False)
    schedule = sd_schedulers.schedulers_map[label]
    if name.removeprefix(sampler).strip() not in ("", schedule.label, schedule.name, *(schedule.aliases or ())):
        known_names = ", ".join(sd_samplers.visible_sampler_names())
        raise ValueError(f"sampler is '{name}', which the WebUI does not have; choose one of {known_names}.")
    return sampler, label


def is_constant(prompt: str, steps: int) -> bool:
    """Return whether one condition stands for a prompt at all steps, so that it can be known and exchanged.

    Of a prompt with key frames: whether one does for each of them.
    """
    plain = img2img.plain(prompt)
    found = travel(plain)
    parts, texts, _ = prompt_parser.get_multicond_prompt_list([plain] if found is None else found.texts)
    schedules = prompt_parser.get_learned_conditioning_prompt_schedules(texts, steps)
    return all(len(each) == 1 for each in (*parts, *schedules))


def _check_constant(work: VideoPass) -> None:
    if not is_constant(work.prompt, work.steps):
        raise ValueError(
            "The prompt joins parts with AND or changes while it is painted ([a:b:0.5]), so it cannot be exchanged "
            "where the subject is not; write it without that, or use it everywhere."
        )


def _path(upscaler: Any) -> str:
    return str(getattr(upscaler, "local_data_path", None) or upscaler.data_path or "")


def _bytes(picture: Picture) -> Any:
    return (picture * 255).round().clip(0, 255).astype(np.uint8)
