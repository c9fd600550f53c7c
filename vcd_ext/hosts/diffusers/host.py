"""A host without the WebUI: a checkpoint loaded with diffusers, for the command line and for servers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from vcd_ext.denoising.controlnet import ControlNet
from vcd_ext.hosts.diffusers.loaded import LoadedCheckpoint
from vcd_ext.hosts.diffusers.text_to_video import TextToVideo
from vcd_ext.hosts.diffusers.unfinished_video import UnfinishedVideo
from vcd_ext.media import Clip
from vcd_ext.people.regions import Regions
from vcd_ext.progress import StepReport
from vcd_ext.settings import GenerateSettings, VideoSettings
from vcd_ext.stages.given_frames import BlendedPictures, GivenFrames


class Standalone(LoadedCheckpoint):
    """One SD1.5 checkpoint, ready to make videos. Not for use by two threads at once."""

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
        unfinished: UnfinishedVideo | None = None,
    ) -> Clip:
        """Make one video (T2V VCD, arXiv 2402.09368 v1, section 4.1); its infotext is in `metadata["parameters"]`.

        Frame i starts from the WebUI's CPU noise of seed + i, correlated with its neighbours by `video.gamma`. More
        frames than `video.context` are denoised in windows, in the memory of one.
        embeddings: files; a name that neither prompt has is appended to the prompt.
        progress: called with (done, total), from (0, total) on; one is a frame denoised by one step, or decoded.
        given: frames that are known, and stay as they are; or pictures from which the frames begin, of which
        `picture.denoise` is painted anew.
        controls: ControlNets with pictures for the frames. more: entries of the infotext. regions: those of the people,
        where they are known better than by their lines. unfinished: keeps the steps that are made, and has those that
        were made before; Interrupted, of `hosts.protocols`, where it is asked to stop.
        ValueError, before anything is computed, for settings or files that cannot work.
        """
        run = TextToVideo(self, picture, video, motion_module, embeddings, progress, given, regions, unfinished)
        return run.clip(controls, more)
