"""Regions of `generate` that go with their people: as the input shows them, or a first pass on the standalone host."""

import argparse
from typing import TYPE_CHECKING

from vcd_ext.cli.model_options import detectors
from vcd_ext.cli.terminal import interruption, notify
from vcd_ext.settings import FaceSettings, GenerateSettings, VideoSettings

if TYPE_CHECKING:
    from vcd_ext.hosts.diffusers.host import Standalone
    from vcd_ext.media import Clip
    from vcd_ext.people import Regions


def followed_regions(
    arguments: argparse.Namespace,
    host: "Standalone",
    picture: GenerateSettings,
    video: VideoSettings,
    source: "Clip | None",
    given: bool,
) -> "Regions | None":
    """Return the regions of the people as the video that is made again shows them, or a first pass.

    given: whether the video begins from pictures, whose people a first pass would not have. None where nobody is
    followed. ValueError, in one sentence, for people that cannot be, or a detector that is not there.
    """
    from vcd_ext.hosts.diffusers.video import StandaloneVideo
    from vcd_ext.hosts.shared.passes import generation_pass
    from vcd_ext.hosts.shared.people import regional_texts
    from vcd_ext.progress import Callbacks
    from vcd_ext.stages.following import GIVEN, followed_in, followed_in_first_pass, follows

    regional = regional_texts(video.several, host.vectors(arguments.embedding))
    if regional is None or not follows(regional):
        return None
    if given:
        notify(*regional.still_notes(GIVEN))
        return None
    work = generation_pass(picture, video, arguments.motion_module, regional=regional)
    found = FaceSettings(detector=arguments.face_detector, words=arguments.face_words)
    detector, size = detectors(arguments, host.device)(found), (picture.height, picture.width)
    with interruption() as interrupted:
        callbacks = Callbacks(lambda _: None, notify, interrupted)
        if source is not None:
            return followed_in(source.frames[: video.frames], regional, detector, callbacks, "the video").regions
        maker = StandaloneVideo(host, arguments.embedding)
        return followed_in_first_pass(maker, size, video.frames, work, detector, callbacks).regions
