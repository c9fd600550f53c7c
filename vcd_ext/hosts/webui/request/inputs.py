"""The pictures and videos that a request of the WebUI begins from, goes on from, or is guided by."""

from typing import Any

from vcd_ext.hosts.webui.controlnet.units import ControlUnits, units_with_videos
from vcd_ext.hosts.webui.request import onward
from vcd_ext.hosts.webui.request.other_scripts import is_animated
from vcd_ext.hosts.webui.request.overrides import Overrides
from vcd_ext.hosts.webui.request.source_video import SourceVideo, source_folders, take_source
from vcd_ext.progress import Note
from vcd_ext.settings import HINTS_KEY, SOURCE_KEY, VideoSettings
from vcd_ext.stages.given_frames import GivenFrames


class RequestInputs:
    """Take them one kind after the other; Refused, in one sentence, for what cannot be used."""

    def __init__(self, p: Any, overrides: Overrides, tell: Note):
        """Take nothing yet. tell: told in a sentence of what is left out."""
        self.p, self.overrides, self.tell = p, overrides, tell
        self.source: SourceVideo | None = None  # the video that is made again
        self.given: GivenFrames | None = None  # frames that are known
        self.continued: SourceVideo | None = None  # the video that is gone on with, for its sound
        self.from_picture: onward.FromPicture | None = None
        self.control: ControlUnits | None = None  # what guides each frame by a picture of its own

    @property
    def with_sound(self) -> SourceVideo | None:
        """Return the video whose sound the new one gets, if it fits."""
        return self.source or self.continued

    def take_pictures(self, settings: VideoSettings) -> VideoSettings:
        """Make the frames of a video the init images: of the one that was given, or that the script made before.

        Returns the settings, with the rate and length of a video that was given.
        """
        p = self.p
        first = next(iter(getattr(p, "init_images", None) or []), None)
        made = next((video for video in getattr(p, "vcd_made", ()) if video and video[0] is first), None)
        if settings.video:
            if hasattr(p, "init_images"):  # only img2img has them
                self.overrides.put("init_images", p.init_images)
            self.source = take_source(p, settings, source_folders(p))
            settings = self.source.settings
            for note in self.source.notes:
                self.tell(note)
        if made is not None and len(made) == settings.frames:
            self.overrides.put("init_images", list(made))
        return settings

    def take_given(self, settings: VideoSettings) -> None:
        """Take the pictures and the video that the request goes on from."""
        p = self.p
        taken = onward.take_given(p, settings, self.tell, self.source is not None)
        if isinstance(taken, onward.FromPicture):
            self.from_picture = taken
            if taken.first is not None:
                self.overrides.put("init_images", [taken.first])
        elif taken is not None:
            self.given, self.continued = taken, onward.sound_of(p, settings, taken)
            if isinstance(p.seed, int) and p.seed >= 0:
                self.overrides.put("seed", taken.seed(p.seed))

    def take_hints(self, settings: VideoSettings) -> None:
        """Give ControlNet a picture of its own for each frame, where it is to have them."""
        if settings.frames < 2 or is_animated(self.p):  # sd-webui-animatediff gives hints by itself
            return
        self.control = units_with_videos(self.p, settings, source_folders(self.p))
        if self.control is not None:
            self.overrides.put("script_args_value", self.control.values)

    def entries(self, settings: VideoSettings) -> dict[str, str]:
        """Return what the infotext tells of them."""
        told = {SOURCE_KEY: self.source.name} if self.source is not None else {}
        if self.given is not None:
            told |= onward.entries(self.given, settings)
        if self.control is not None:
            told[HINTS_KEY] = ", ".join(self.control.names)
        return told
