"""Let the regions of a request go with their people: as its init images show them, or a first pass of its own noise."""

from dataclasses import replace
from typing import Any

import numpy as np
from modules import shared
from PIL import Image

from vcd_ext.face import Detector
from vcd_ext.hosts.protocols import Interrupted, VideoPass
from vcd_ext.hosts.webui import report
from vcd_ext.hosts.webui.model import checkpoint
from vcd_ext.hosts.webui.model.plain_layers import plain_layers
from vcd_ext.hosts.webui.request.inputs import RequestInputs
from vcd_ext.hosts.webui.request.refused import Refused
from vcd_ext.hosts.webui.stages import shared_settings
from vcd_ext.hosts.webui.studio import WebUIStudio
from vcd_ext.hosts.webui.video import WebUIVideo
from vcd_ext.media.clip import stacked
from vcd_ext.people import RegionalTexts
from vcd_ext.progress import Callbacks, Note
from vcd_ext.settings import FaceSettings, VideoSettings
from vcd_ext.stages.following import GIVEN, STEPS, followed_in, followed_in_first_pass, follows
from vcd_ext.stages.pipeline import own_settings


class RequestFollowing:
    """Find out, for each video of a request, where those are who are followed.

    Refused, in one sentence, for a detector that is not there.
    """

    def __init__(self, p: Any, settings: VideoSettings, regional: RegionalTexts | None, inputs: RequestInputs):
        """Take the request with its people, as their lines say."""
        self.p, self.settings, self.regional, self.inputs = p, settings, regional, inputs
        self._detector: Detector | None = None
        if follows(regional):
            faces = own_settings(settings, "face")
            try:
                self._detector = WebUIStudio().finder(FaceSettings(detector=faces["detector"], words=faces["words"]))
            except (ValueError, ImportError) as error:
                raise Refused(str(error)) from error

    def found(self, tell: Note) -> RegionalTexts | None:
        """Return the people of the video that is next; called before anything of it hangs on the model.

        tell: told in a sentence of those who are not found. Where the person stops it, regions stay.
        """
        regional = self.regional
        if regional is None or self._detector is None:
            return regional
        if self.inputs.given is not None or self.inputs.from_picture is not None:
            for note in regional.still_notes(GIVEN):
                tell(note)
            return regional
        callbacks = Callbacks(lambda _: None, tell, lambda: shared.state.interrupted or shared.state.skipped)
        try:
            if hasattr(self.p, "init_images") and self.p.denoising_strength < 1:
                return followed_in(self._given_frames(), regional, self._detector, callbacks, "what is made again")
            return self._first_pass(regional, self._detector, callbacks)
        except Interrupted:  # the WebUI ends what follows by itself
            return regional

    def _given_frames(self) -> Any:
        """Return the init images, one for each frame, in the size of the video: uint8 [F, H, W, 3]."""
        pictures, size = self.p.init_images, (self.p.width, self.p.height)
        frames = pictures if len(pictures) == self.settings.frames else [pictures[0]] * self.settings.frames
        return stacked((np.asarray(_rgb(frame).resize(size)) for frame in frames), len(frames))

    def _first_pass(self, regional: RegionalTexts, detector: Detector, callbacks: Callbacks) -> RegionalTexts:
        p, settings = self.p, self.settings
        steps = min(p.steps, STEPS)
        if shared.total_tqdm._tqdm is None:  # nothing of the request is counted yet
            report.expect_steps(p.n_iter * p.steps, steps)
        work = VideoPass.of(shared_settings(p, settings, p.iteration))
        work = replace(
            work,
            gamma=settings.gamma,
            context=settings.context,
            context_overlap=settings.overlap,
            loop=settings.loops.loop,
            prompt_travel=settings.prompt_travel,
            freenoise=settings.free.freenoise,
            regional=regional,
        )
        shared.state.textinfo = "A first pass, for where everybody is"
        with checkpoint.pinned(p.sd_model.sd_checkpoint_info), plain_layers(p.sd_model):
            size = p.height, p.width
            found = followed_in_first_pass(WebUIVideo(), size, settings.frames, work, detector, callbacks)
        shared.state.textinfo = None
        return found


def _rgb(picture: Image.Image) -> Image.Image:
    return picture.convert("RGB")
