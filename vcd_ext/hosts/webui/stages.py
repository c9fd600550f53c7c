"""Run Face VCD and Tiled VCD right after the generation, in the request that generates and in its turn of the queue."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from modules import processing, sd_samplers, sd_samplers_common, shared
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext.hosts.protocols import VideoHost
from vcd_ext.hosts.shared.passes import steps_run
from vcd_ext.hosts.webui import report
from vcd_ext.hosts.webui.model import checkpoint
from vcd_ext.hosts.webui.model.plain_layers import plain_layers
from vcd_ext.hosts.webui.request.refused import Refused
from vcd_ext.hosts.webui.studio import WebUIStudio
from vcd_ext.hosts.webui.video import SCHEDULER, WebUIVideo, is_constant
from vcd_ext.identity.training.estimate import duration
from vcd_ext.media import Clip
from vcd_ext.progress import Callbacks, Progress
from vcd_ext.prompt.travel import check_key_frames
from vcd_ext.settings import EVERYWHERE, NO_MODULE, SOURCE_KEY, PassSettings, TiledSettings, VideoSettings, to_infotext
from vcd_ext.stages import pipeline, video_to_video
from vcd_ext.stages.pipeline import Finished, Outcome, Stage

SEEDS = 2**32  # seeds of stages are below; the WebUI takes larger ones as well


class StagesRun:
    """Run what follows the generation of a request's videos. Refused, in one sentence, for what cannot work."""

    def __init__(self, p: Any, settings: VideoSettings):
        self.p, self.settings = p, settings
        self.host: VideoHost = WebUIVideo()
        self.studio = WebUIStudio()
        self.notes: list[str] = []
        self.errors: list[str] = []
        self.earlier: dict[int, list[Finished]] = {}  # by a video's number: those of the stages before the last
        self.checkpoint = p.sd_model.sd_checkpoint_info
        self.animated = settings.motion_module != NO_MODULE
        self.count = settings.face + settings.tiled
        self._jobs_counted = False
        self._check()

    def begin(self) -> None:
        """Count the stages among the WebUI's jobs when the first begins, for its progress bar."""
        if self.count and not self._jobs_counted and shared.state.job_count > 0:
            report.expect_steps(shared.state.job_count * self._own_steps(), self.p.n_iter * self._stage_steps())
            shared.state.job_count += self.p.n_iter * self.count
        self._jobs_counted = True
        if self.count:
            shared.state.textinfo = f"{pipeline.T2V}, stage 1 of {1 + self.count}"

    def keep_checkpoint(self) -> None:
        """Load the run's checkpoint again if the WebUI has just loaded another, chosen since the run began."""
        if self.p.sd_model.sd_checkpoint_info.filename == self.checkpoint.filename:
            return
        with checkpoint.pinned(self.checkpoint):
            checkpoint.reload_checkpoint()
        if getattr(self.p, "sampler", None) is not None:  # img2img makes its own before this, on the model of then
            with checkpoint.motion_schedule(self.p.sd_model, self.p) if self.animated else nullcontext():
                self.p.sampler = sd_samplers.create_sampler(self.p.sampler_name, self.p.sd_model)

    def run(self, images: Sequence[Tensor], number: int) -> list[Tensor]:
        """Return the frames of video `number` after the stages that were done: [3, H, W] in [0, 1], as `images`."""
        if not self.count:
            return list(images)
        entries = self.p.extra_generation_params
        for key in to_infotext(self.settings).keys() - to_infotext(pipeline.alone(self.settings)).keys():
            entries.pop(key, None)
        stages, clip = self._stages(number), Clip(_bytes(images), self.settings.fps, {"parameters": self._infotext()})
        made = self._made(clip, stages, number)
        for video in made.videos[1:]:
            entries.update(video.entries)
        if made.error:
            self._tell(self.errors, made.error, number)
        if self.settings.save_stages:
            self.earlier[number] = made.videos[:-1]
        return _tensors(made.clip.frames) if made.videos[1:] else list(images)

    def _check(self) -> None:
        p = self.p
        if self.settings.tiled and getattr(p, "image_mask", None) is not None:
            raise Refused(
                "tiled is on, and an inpainting puts the picture back around the mask at its old size; turn one of the "
                "two off, or send the video to the tab Tiled VCD afterwards."
            )
        try:
            for stage in self._stages(0):
                self.studio.check(stage.settings)
                check_key_frames(self.settings.frames, video_to_video.prompts(stage.settings))
                video_to_video.ready(self.host, stage.settings, self.studio.finder)
        except (ValueError, OSError, ImportError) as error:
            raise Refused(str(error)) from error

    def _stages(self, number: int) -> list[Stage]:
        """Return the stages of video `number`, which has a prompt and a seed of its own."""
        if not self.count:
            return []
        common = shared_settings(self.p, self.settings, number)
        stages = pipeline.stages(self.settings, common)
        constant = is_constant(common.prompt, self.p.steps)
        return [stage if constant else _everywhere(stage) for stage in stages]

    def _made(self, clip: Clip, stages: Sequence[Stage], number: int) -> Outcome:
        state, skipped = shared.state, shared.state.skipped
        before, total = state.job_no, state.job_count
        begun = 0

        def go_on() -> bool:
            nonlocal begun
            if skipped or state.interrupted or state.stopping_generation:
                return False
            state.skipped = False  # of the stage before: the next one is another job
            # The first pass of a stage counts itself.
            state.job_no, state.job_count = before + begun, total - 1
            begun += 1
            return True

        def progress(now: Progress) -> None:
            left = f", about {duration(now.seconds_left)} left" if now.seconds_left is not None and now.step else ""
            state.textinfo = f"{now.stage}, {now.step} of {now.total}{left} (stage {1 + begun} of {1 + self.count})"

        def note(sentence: str) -> None:
            self._tell(self.notes, sentence, number)

        callbacks = Callbacks(progress, note, lambda: state.interrupted or state.skipped)
        with checkpoint.pinned(self.checkpoint), plain_layers(self.p.sd_model, note):
            made = pipeline.run_stages(self.host, clip, stages, self.studio.finder, callbacks, go_on)
            if sentence := checkpoint.chosen_meanwhile():
                note(sentence)
        state.job_no, state.job_count, state.textinfo = before + self.count, total, None
        report.end_video((self.p.n_iter - 1 - number) * self._stage_steps())
        return made

    def _own_steps(self) -> int:
        """Return the steps of the generation itself, without hires fix, whose steps the WebUI counts before this."""
        p = self.p
        if not hasattr(p, "init_images"):
            return int(p.steps)
        if SOURCE_KEY in p.extra_generation_params and p.denoising_strength and not shared.opts.img2img_fix_steps:
            return steps_run(p.steps, p.denoising_strength)
        return int(sd_samplers_common.setup_img2img_steps(p)[1]) + 1

    def _stage_steps(self) -> int:
        """Return the steps of a video's stages, if each of them is one pass."""
        return sum(steps_run(self.p.steps, stage.settings.denoise) for stage in self._stages(0))

    def _infotext(self) -> str:
        p = self.p
        text: str = processing.create_infotext(
            p, p.prompts, p.seeds, p.subseeds, index=0, all_negative_prompts=p.negative_prompts
        )
        return text

    def _tell(self, sentences: list[str], sentence: str, number: int) -> None:
        told = f"Video {number + 1}: {sentence}" if self.p.n_iter > 1 else sentence
        sentences.append(told)
        self.p.comment(f"VCD: {told}")


def shared_settings(p: Any, settings: VideoSettings, number: int) -> PassSettings:
    """Return what other passes over video `number` of a request have in common with its generation."""
    first = number * settings.frames
    schedule = "" if p.scheduler in (None, "", SCHEDULER) else p.scheduler
    return PassSettings(
        prompt=p.all_prompts[first],
        negative_prompt=p.all_negative_prompts[first],
        identity=settings.identity,
        motion_module=settings.motion_module,
        steps=p.steps,
        cfg_scale=p.cfg_scale,
        sampler=f"{p.sampler_name or ''} {schedule}".strip(),
        seed=int(p.all_seeds[first]) % SEEDS,
    )


def _everywhere(stage: Stage) -> Stage:
    """Return the same stage with its prompt in every tile, wherever the subject is."""
    if not isinstance(stage.settings, TiledSettings):
        return stage
    return stage._replace(settings=replace(stage.settings, subject=EVERYWHERE))


def _bytes(images: Sequence[Tensor]) -> NDArray[np.uint8]:
    """Return pictures [3, H, W] in [0, 1] as uint8 [F, H, W, 3], cut off as the WebUI does."""
    return np.stack([(255.0 * image.cpu().numpy()).astype(np.uint8).transpose(1, 2, 0) for image in images])


def _tensors(frames: NDArray[np.uint8]) -> list[Tensor]:
    """Return frames as pictures [3, H, W] in [0, 1], of which the WebUI makes the same bytes."""
    return [torch.from_numpy(frame.astype(np.float32) / np.float32(255)).permute(2, 0, 1) for frame in frames]
