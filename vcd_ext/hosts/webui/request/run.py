"""Make a video of one request of the WebUI: what is done to its `p` from `before_process` to `postprocess`."""

from collections.abc import Sequence
from contextlib import nullcontext
from fractions import Fraction
from functools import partial
from typing import Any

from PIL import Image
from torch import Tensor

from vcd_ext.denoising.free_noise import InitialNoise
from vcd_ext.hosts.shared.prompt_travel import KeyFraming
from vcd_ext.hosts.webui import report
from vcd_ext.hosts.webui.library.drawn_world import notes_of_drawn
from vcd_ext.hosts.webui.model import checkpoint
from vcd_ext.hosts.webui.model.free_init import count_jobs, sample_again
from vcd_ext.hosts.webui.model.sampling import correlate_steps
from vcd_ext.hosts.webui.request import frame_batch, onward, other_scripts, prompt_travel, read, refusals
from vcd_ext.hosts.webui.request.following import RequestFollowing
from vcd_ext.hosts.webui.request.inputs import RequestInputs
from vcd_ext.hosts.webui.request.loras import RequestLoras
from vcd_ext.hosts.webui.request.memory import tell_memory
from vcd_ext.hosts.webui.request.motion import RequestMotion
from vcd_ext.hosts.webui.request.overrides import Overrides
from vcd_ext.hosts.webui.request.refusals import check_identity, check_request, read_people
from vcd_ext.hosts.webui.request.refused import Refused
from vcd_ext.hosts.webui.request.video_sampling import video_sampling
from vcd_ext.hosts.webui.save import Written, save_videos
from vcd_ext.hosts.webui.stages import StagesRun
from vcd_ext.people import RegionalTexts
from vcd_ext.settings import NO_MODULE, VideoSettings
from vcd_ext.stages.given_frames import fitted


class VideoRequest:
    """Carry out one `StableDiffusionProcessing` as a video; lives on it as `p.vcd_run`."""

    motion: RequestMotion  # from `before_process` on
    regional: RegionalTexts | None = None  # who is where in the video that is next; from `process` on
    following: RequestFollowing  # from `process` on
    people: prompt_travel.PeopleConds | None = None
    loras: RequestLoras  # from `process` on; those that are VCD's own

    def __init__(self, p: Any, settings: VideoSettings):
        self.p = p
        self.settings = settings
        self.overrides = Overrides(p)
        self.inputs = RequestInputs(p, self.overrides, self._tell)
        self.failure: Exception | None = None
        self.frames: list[Image.Image] = []
        self.stages: StagesRun | None = None
        self.notes: list[str] = []
        self.one_by_one = False  # whether a script asked for a list of pictures, and gets a video for each
        self._jobs_counted = False

    @classmethod
    def of(cls, p: Any) -> "VideoRequest | None":
        """Return the video request of `p`; None for a plain one and for copies that other extensions make of `p`."""
        run = getattr(p, "vcd_run", None)
        return run if run is not None and run.p is p else None

    def before_process(self) -> None:
        """Turn the batch into frames. Nothing of the model is touched here: it may be reloaded after this."""
        p = self.p
        made = [frame for video in getattr(p, "vcd_made", ()) for frame in video]
        if self.settings.frames > 1:
            problem = other_scripts.script_problem(p, getattr(p, "vcd_given", None), made)
            if problem is not None:
                raise Refused(problem)
        settings = self.settings = self.inputs.take_pictures(self.settings)
        check_request(p, settings.frames)
        refusals.check_rate(settings)
        self.inputs.take_given(settings)
        self.motion = RequestMotion(settings)
        other_scripts.check_scripts(p, settings, len(self.motion.windows))
        for name, value in prompt_travel.with_styles(p).items():
            self.overrides.put(name, value)
        self.inputs.take_hints(settings)
        self.one_by_one = frame_batch.make_frames(p, settings, self.overrides)
        if settings.identity != NO_MODULE:
            frame_batch.write_identity(p, settings.identity, self.overrides)

    def process(self) -> None:
        """Check the checkpoint that will be used and make `p.init` and `p.sample` work on videos."""
        p, settings = self.p, self.settings
        refusals.check_checkpoint(p.sd_model)
        check_identity(settings.identity)
        self.regional = read_people(settings)
        self.people = prompt_travel.PeopleConds.of(self.regional)
        refusals.check_settings(p, settings)
        self.following = RequestFollowing(p, settings, self.regional, self.inputs)
        self.motion.load(p, self._tell)
        self.overrides.put("init", self._with_videos(p.init))
        self.loras = RequestLoras(p, settings, self.motion.module, self._tell)
        parse = partial(prompt_travel.read_networks_once, p, p.parse_extra_network_prompts)
        self.overrides.put("parse_extra_network_prompts", self._followed_before(self.loras.parsing(parse)))
        self.overrides.put("setup_conds", self._with_one_prompt(p.setup_conds))
        self.overrides.put("get_conds_with_caching", self._travelling(p.get_conds_with_caching))
        self.overrides.put("sample", self._with_motion(p.sample))
        report.tell_settings(p, settings)
        p.extra_generation_params.update(self.inputs.entries(settings))

    def before_batch(self) -> None:
        """Use the first video's checkpoint for the next one as well, whatever was chosen meanwhile."""
        if self.stages is not None:
            self.stages.keep_checkpoint()

    def before_sampling(self, noise: Tensor) -> None:
        """Correlate the noise of a pass in place; called for the first pass, hires and img2img."""
        gamma, loop = self.settings.gamma, self.settings.loops.loop
        if noise.shape[0] != self.settings.frames:
            # The WebUI swallows what a callback raises; the UNet's pre-hook raises it where it stops the run.
            self.failure = Refused(
                f"{noise.shape[0]} pictures are sampled together instead of {self.settings.frames} frames; turn off "
                "the extension that changes the batch size."
            )
            return
        try:
            self._begin_pass(noise, gamma)
        except Exception as error:  # such as too little memory for encoding the pictures that are given
            self.failure = error
            return
        if self.settings.step_noise:
            correlate_steps(self.p, gamma, loop)

    def _begin_pass(self, noise: Tensor, gamma: float) -> None:
        p = self.p
        if self.inputs.given is not None:
            onward.hold_given(p, self.inputs.given, noise, gamma)
            return
        first = int(p.all_seeds[p.iteration * p.batch_size])
        from_noise = self.inputs.from_picture is None  # what begins from a picture is held together by that
        prior = InitialNoise.asked(self.settings, first, from_noise and self.motion.module is not None)
        noise.copy_(prior.of(noise))
        if self.settings.free.freeinit and not p.is_hr_pass:
            sample_again(p, self.settings, prior)
        if self.inputs.from_picture is not None:
            self.inputs.from_picture.blend(p, gamma)

    def taken(self, image: Image.Image) -> Image.Image:
        """Return a picture as it goes on, and keep it as the next frame; one that is known is what it was."""
        place = len(self.frames) % self.settings.frames
        if self.inputs.given is not None and place in self.inputs.given.pictures:
            image = Image.fromarray(fitted(self.inputs.given.pictures[place], image.height, image.width))
        self.frames.append(image)
        return image

    def run_stages(self, images: Sequence[Tensor], number: int) -> Sequence[Tensor]:
        """Return the frames of video `number` after Face VCD and Tiled VCD, where these are asked for."""
        if self.inputs.given is not None:
            images = onward.put_pictures(images, self.inputs.given)
        return images if self.stages is None else self.stages.run(images, number)

    def postprocess(self, processed: Any) -> None:
        """Write the videos of all frames that came out, and tell page and API where they are."""
        p, length = self.p, self.settings.frames
        self._end()
        written, lost = Written(), list[str]()
        earlier = {} if self.stages is None else self.stages.earlier
        if length > 1:
            source = self.inputs.with_sound
            start = Fraction(0) if source is None else source.start
            with nullcontext() if source is None else source.sound_file(lost.append) as sound_source:
                written = save_videos(
                    p, self.frames, processed, self.settings, earlier, sound_source, start, self.inputs.given
                )
            report.add_entries(p, report.VIDEOS_KEY, written.described)
        notes, failures = self.notes + lost, list(written.failures)
        if self.stages is not None:
            notes, failures = notes + self.stages.notes, self.stages.errors + failures
        report.add_sentences(p, report.ERRORS_KEY, failures)
        report.add_sentences(p, report.NOTES_KEY, notes)
        for line in lost + written.lines:  # also on `p`, for scripts that make an answer of their own
            processed.comments += f"{line}\n"
            p.comment(line)
        p.vcd_made = [self.frames[i : i + length] for i in range(0, len(self.frames), length)]
        if self.one_by_one and length > 1:
            frame_batch.leave_first_frames(processed, p.vcd_made, length)

    def _with_videos(self, init: Any) -> Any:
        """Check what is left when all scripts have had their say, and prepare what img2img shares among its videos.

        It builds its sampler there, and with it the sigmas.
        """

        def init_videos(*_lists: Any) -> Any:
            p = self.p
            if self.inputs.control is not None:
                self.inputs.control.check_started()
            frame_batch.unify_prompts(p, self.settings.frames)
            prompt_travel.refuse_wrong_key_frames(p, self.settings.frames)
            self.loras.check()
            self.stages = StagesRun(p, self.settings)
            with nullcontext() if self.motion.module is None else checkpoint.motion_schedule(p.sd_model, p):
                result = init(p.all_prompts, p.all_seeds, p.all_subseeds)
            tell_memory(p, self.settings, self.motion.at_once, self.motion.module, self._tell)
            frame_batch.share_latent_noise(p)
            return result

        return init_videos

    def _with_one_prompt(self, setup_conds: Any) -> Any:
        """Check and unify after scripts have changed prompts and layers, and before these are used."""

        def setup_one_prompt(*args: Any, **kwargs: Any) -> Any:
            other_scripts.check_layers(self.p, len(self.motion.windows))
            frame_batch.unify_batch_prompts(self.p)
            return setup_conds(*args, **kwargs)

        return setup_one_prompt

    def _followed_before(self, parse: Any) -> Any:
        """Find out where people are before the networks of a video's prompt hang on the model: each video's begin anew.

        What is raised in the WebUI's callback before this would be swallowed.
        """

        def parse_after(*args: Any, **kwargs: Any) -> Any:
            self.regional = self.following.found(self._tell)
            return parse(*args, **kwargs)

        return parse_after

    def _travelling(self, get_conds: Any) -> Any:
        """Give each frame the condition between its prompt's key frames."""
        frames, around = self.settings.frames, self.settings.frames if self.settings.loops.loop else 0
        framing = KeyFraming(range(frames), self.settings.prompt_travel, around)
        return prompt_travel.travelling_conds(get_conds, framing, self.people)

    def _with_motion(self, sample: Any) -> Any:
        """Attach everything to the model only while `p.sample` runs, however it ends."""

        def sample_with_motion(*args: Any, **kwargs: Any) -> Any:
            self._tell_unread()
            if not self._jobs_counted:
                count_jobs(self.p, self.settings)
            self._jobs_counted = True
            if self.stages is not None:
                self.stages.begin()
            people = None
            if self.regional is not None and self.people is not None:
                people = self.regional.regions, self.people.tokens
            parts = self.motion, self.loras, self.inputs
            with video_sampling(self.p, self.settings, *parts, people, self._raise_failure):
                return sample(*args, **kwargs)

        return sample_with_motion

    def _tell_unread(self) -> None:
        module = self.settings.motion_module
        for note in (*read.unread_notes(self.p), *notes_of_drawn(self.p.all_prompts[:1], module)):
            self._tell(note)

    def _tell(self, note: str) -> None:
        if note not in self.notes:  # of an earlier video of the batch
            self.notes.append(note)
            self.p.comment(note)

    def _raise_failure(self, _module: Any, _args: Any) -> None:
        if self.failure is not None:
            raise self.failure

    def _end(self) -> None:
        """Leave `p` as it was given: scripts such as Loopback run the same one again."""
        self.overrides.restore()
        self.p.vcd_run = None
