"""Regions of `generate` that go with their people: the first pass on the standalone host."""

import argparse
from typing import TYPE_CHECKING

from vcd_ext.cli.model_options import detectors
from vcd_ext.cli.terminal import interruption, notify
from vcd_ext.settings import FaceSettings, GenerateSettings, VideoSettings

if TYPE_CHECKING:
    from vcd_ext.hosts.diffusers.host import Standalone
    from vcd_ext.people import Regions


def followed_regions(
    arguments: argparse.Namespace, host: "Standalone", picture: GenerateSettings, video: VideoSettings
) -> "Regions | None":
    """Return the regions of the people as a first pass finds them; None where nobody is followed.

    ValueError, in one sentence, for people that cannot be, or a detector that is not there.
    """
    from vcd_ext.hosts.diffusers.video import StandaloneVideo
    from vcd_ext.hosts.shared.passes import generation_pass
    from vcd_ext.hosts.shared.people import regional_texts
    from vcd_ext.progress import Callbacks
    from vcd_ext.stages.following import with_followed_regions

    regional = regional_texts(video.several, host.vectors(arguments.embedding))
    if regional is None or not any(person.followed for person in regional.people):
        return None
    if arguments.input is not None:
        notify(*regional.still_notes())
        return None
    work = generation_pass(picture, video, arguments.motion_module, regional=regional)
    found = FaceSettings(detector=arguments.face_detector, words=arguments.face_words)
    detector, size = detectors(arguments, host.device)(found), (picture.height, picture.width)
    with interruption() as interrupted:
        callbacks = Callbacks(lambda _: None, notify, interrupted)
        made = with_followed_regions(
            StandaloneVideo(host, arguments.embedding), size, video.frames, work, detector, callbacks
        )
    return None if made is None else made.regions
