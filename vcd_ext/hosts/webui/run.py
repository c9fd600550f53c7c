"""One request of the WebUI as a video: what is done to its `p` from `before_process` to `postprocess`."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from vcd_ext.hosts.webui import library, model, source
from vcd_ext.hosts.webui.following import Following
from vcd_ext.hosts.webui.hang import moving
from vcd_ext.hosts.webui.interrupt import stop_if_asked
from vcd_ext.hosts.webui.refusal import Refused, check_identity, check_prompts, check_request
from vcd_ext.hosts.webui.sampler_noise import correlate_steps
from vcd_ext.hosts.webui.save import Written, save_videos
from vcd_ext.hosts.webui.steps import steps_of_strength
from vcd_ext.hosts.webui.studio import WebUIStudio
from vcd_ext.motion import MotionModule, Window, windows
from vcd_ext.noise import correlate
from vcd_ext.out_of_memory import explained
from vcd_ext.pipeline import Finished
from vcd_ext.prompt.names import with_name
from vcd_ext.settings import NO_MODULE, SOURCE_KEY, SettingError, VideoSettings, parse, to_infotext
from vcd_ext.ui.form import USUAL

# Where a finished run tells page and API about its files, in the answer's generation info.
VIDEOS_KEY = "VCD videos"
ERRORS_KEY = "VCD errors"
NOTES_KEY = "VCD notes"


def settings_from(args: Sequence[Any], names: Sequence[str], overrides: Mapping[str, Any]) -> VideoSettings:
    """The settings of a request: the values of the page's controls, or the API's single dict; X/Y/Z plots override.

    names: of the settings that the page has controls for, in their order.
    """
    if args and isinstance(args[0], Mapping):
        values: dict[str, Any] = dict(args[0])
    else:
        values = dict(zip(names, args, strict=False))
        if values.get("tiled_upscaler") == USUAL:
            values["tiled_upscaler"] = ""
        dropped = values.get("video")
        values["video"] = getattr(dropped, "name", dropped) or ""  # the page gives an open file
    try:
        return parse(VideoSettings, values | dict(overrides))
    except SettingError as error:
        raise Refused(str(error)) from error


class VideoRun:
    """The video side of one `StableDiffusionProcessing`; lives on it as `p.vcd_run`."""

    def __init__(self, p: Any, settings: VideoSettings):
        self.p = p
        self.settings = settings
        self.module: MotionModule | None = None
        self.windows: list[Window] = []
        self.failure: Refused | None = None
        self.frames: list[Image.Image] = []
        self.source: source.Taken | None = None  # the video that is made again
        self.following: Following | None = None
        self.notes: list[str] = []

    @classmethod
    def of(cls, p: Any) -> "VideoRun | None":
        """The run of `p`; None for a plain request and for the copies that other extensions make of `p`."""
        run = getattr(p, "vcd_run", None)
        return run if run is not None and run.p is p else None

    def before_process(self) -> None:
        """Turn the batch into frames. Nothing of the model is touched here: it may be reloaded after this."""
        if self.settings.video:
            self._take_video()
        p, settings = self.p, self.settings
        check_request(p, settings.frames)
        if settings.motion_module != NO_MODULE:
            self._module_file()
            self.windows = self._windows()
        p.batch_size = settings.frames
        p.do_not_save_grid = True
        if settings.frames > 1:
            p.do_not_save_samples = "png" not in settings.formats
        if settings.identity != NO_MODULE:
            self._write_identity()

    def process(self) -> None:
        """Check the checkpoint that will be used and make `p.init` and `p.sample` work on videos."""
        p, settings = self.p, self.settings
        model.check(p.sd_model)
        check_identity(settings.identity)
        if settings.motion_module != NO_MODULE:
            self.module = self._load_module()
            p.init = self._with_schedule(p.init)
        self.following = Following(p, settings)
        p.sample = self._with_motion(p.sample)
        p.extra_generation_params.update(to_infotext(settings))
        if self.source:
            p.extra_generation_params[SOURCE_KEY] = self.source.name

    def before_batch(self) -> None:
        """Use the first video's checkpoint for the next one as well, whatever was chosen meanwhile."""
        if self.following is not None:
            self.following.keep_checkpoint()

    def before_sampling(self, noise: Tensor) -> None:
        """Correlate the noise of a pass in place; called for the first pass, hires and img2img."""
        gamma = self.settings.gamma
        if noise.shape[0] != self.settings.frames:
            # The WebUI swallows what a callback raises; the UNet's pre-hook raises it where it stops the run.
            self.failure = Refused(
                f"{noise.shape[0]} pictures are sampled together instead of {self.settings.frames} frames; turn off "
                "the extension that changes the batch size."
            )
            return
        noise.copy_(correlate(noise, gamma))
        if self.settings.step_noise:
            correlate_steps(self.p, gamma)

    def follow(self, images: Sequence[Tensor], number: int) -> Sequence[Tensor]:
        """The frames of video `number` after Face VCD and Tiled VCD, where these are asked for."""
        return images if self.following is None else self.following.follow(images, number)

    def postprocess(self, processed: Any) -> None:
        """Write the videos of all frames that came out, and tell page and API where they are."""
        self._let_go()
        written, lost = Written(), list[str]()
        if self.settings.frames > 1:
            with nullcontext() if self.source is None else self.source.heard(lost.append) as heard:
                written = save_videos(self.p, self.frames, processed, self.settings, self._earlier(), heard)
        notes, failures = self.notes + lost, list(written.failures)
        if self.following is not None:
            notes, failures = notes + self.following.notes, self.following.errors + failures
        processed.comments += "".join(f"{line}\n" for line in lost + written.lines)
        # A new dict: the run's own entries have gone into the infotext already, and these must not.
        processed.extra_generation_params = processed.extra_generation_params | {
            **({VIDEOS_KEY: written.described} if self.settings.frames > 1 else {}),
            **({ERRORS_KEY: failures} if failures else {}),
            **({NOTES_KEY: notes} if notes else {}),
        }

    def _earlier(self) -> Mapping[int, Sequence[Finished]]:
        return self.following.earlier if self.following is not None else {}

    def _take_video(self) -> None:
        """Make a video's frames the init images, and its length and rate those of the run."""
        allowed = WebUIStudio().folders.photos
        if not getattr(self.p, "is_api", False):
            allowed = (*allowed, source.uploads())  # the API could name what somebody else has sent to the page
        taken = source.take(self.p, self.settings, allowed)
        self.settings, self.source, self.notes = taken.settings, taken, taken.notes
        for note in taken.notes:
            self.p.comment(note)

    def _module_file(self) -> Path:
        try:
            return library.find(self.settings.motion_module)
        except ValueError as error:
            raise Refused(str(error)) from error

    def _load_module(self) -> MotionModule:
        try:
            module = library.module(self._module_file())
        except ValueError as error:
            raise Refused(f"motion_module: {error}") from error
        if len(self.windows[0].frames) > module.max_frames:
            raise Refused(
                f"context is {self.settings.context}; {self.settings.motion_module} holds at most {module.max_frames} "
                f"frames together. Use a context of up to {module.max_frames}; the video may be longer."
            )
        return module

    def _windows(self) -> list[Window]:
        try:
            return windows(self.settings.frames, self.settings.context, self.settings.overlap)
        except ValueError as error:
            raise Refused(str(error)) from error

    def _write_identity(self) -> None:
        name = self.settings.identity
        try:
            for field in ("prompt", "hr_prompt"):
                prompt = getattr(self.p, field, None)
                if isinstance(prompt, list):
                    setattr(self.p, field, [with_name(text, name) for text in prompt])
                elif prompt or (prompt is not None and field == "prompt"):
                    setattr(self.p, field, with_name(prompt, name))
        except ValueError as error:
            raise Refused(f"identity: {error}") from error

    def _with_schedule(self, init: Any) -> Any:
        """img2img builds its sampler, and with it the sigmas, inside `p.init`."""

        def init_with_schedule(*args: Any, **kwargs: Any) -> Any:
            with model.motion_schedule(self.p.sd_model, self.p):
                return init(*args, **kwargs)

        return init_with_schedule

    def _with_motion(self, sample: Any) -> Any:
        """All that is hung on the model hangs there only while `p.sample` runs, however it ends."""

        def sample_with_motion(*args: Any, **kwargs: Any) -> Any:
            check_prompts(self.p)
            if self.following is not None:
                self.following.generating()
            unet = self.p.sd_model.model.diffusion_model
            with explained(self._too_small), ExitStack() as stack:
                stack.callback(unet.register_forward_pre_hook(self._raise_failure).remove)
                if self.module is not None:
                    length = self.settings.frames
                    stack.enter_context(moving(self.p, length, self.windows, self.module, before_part=stop_if_asked))
                if self.source:
                    stack.enter_context(steps_of_strength(self.p))
                return sample(*args, **kwargs)

        return sample_with_motion

    def _too_small(self) -> str:
        p, frames = self.p, len(self.windows[0].frames) if self.windows else self.settings.frames
        return (
            f"The memory is too small for {frames} frames of {p.width}x{p.height} at a time; choose a smaller context "
            "(Frames at a time) or size, or close other programs."
        )

    def _raise_failure(self, _module: Any, _args: Any) -> None:
        if self.failure is not None:
            raise self.failure

    def _let_go(self) -> None:
        """Take the wrappers off `p`: scripts such as Loopback run the same `p` again."""
        for name in ("init", "sample"):
            self.p.__dict__.pop(name, None)
        self.p.vcd_run = None


def is_single_upscale(p: Any) -> bool:
    """Whether this is the gallery's 'upscale this picture' button, which works on one frame and stays a picture."""
    return bool(getattr(p, "txt2img_upscale", False))
