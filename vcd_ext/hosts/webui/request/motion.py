"""The motion module of a request of the WebUI, and the windows in which it sees the frames."""

from pathlib import Path
from typing import Any

from vcd_ext.denoising.multidiffusion import Parts
from vcd_ext.hosts.webui.library.motion_modules import find_motion_module, load_motion_module
from vcd_ext.hosts.webui.request.refused import Refused
from vcd_ext.motion import MotionModule, Window, ring_windows, windows
from vcd_ext.motion.distilled import advice
from vcd_ext.progress import Note
from vcd_ext.settings import NO_MODULE, VideoSettings


class RequestMotion:
    """Find the module that the settings name, and read it once the checkpoint is there."""

    def __init__(self, settings: VideoSettings):
        """Divide the frames into windows; Refused for a module that is not there, or windows that cannot be."""
        self.settings = settings
        self.module: MotionModule | None = None
        self.windows: list[Window] = []
        if settings.motion_module != NO_MODULE:
            self._file()
            self.windows = self._divided()

    def load(self, p: Any, tell: Note) -> None:
        """Read the module, if there is one; Refused, in one sentence, for one that cannot be used.

        tell: told in a sentence where a distilled module is run with other settings than it is made for.
        """
        settings = self.settings
        if settings.motion_module == NO_MODULE:
            return
        try:
            module = load_motion_module(self._file())
        except ValueError as error:
            raise Refused(f"motion_module: {error}") from error
        if len(self.windows[0].frames) > module.max_frames:
            raise Refused(
                f"context is {settings.context}; {settings.motion_module} holds at most {module.max_frames} "
                f"frames together. Use a context of up to {module.max_frames}; the video may be longer."
            )
        self.module = module
        if sentence := advice(module.version, self._file().name, p.sampler_name, p.steps, p.cfg_scale):
            tell(sentence)

    def parts(self) -> Parts:
        """Return how the UNet's calls are divided; without a motion module the frames stay together."""
        frames = self.settings.frames
        return Parts(frames, self.windows or windows(frames, frames, 0))

    @property
    def at_once(self) -> int:
        """Return how many frames meet in the UNet."""
        return len(self.windows[0].frames) if self.windows else self.settings.frames

    def too_small(self, p: Any) -> str:
        """Return the sentence for a memory that does not hold the frames."""
        return (
            f"The memory is too small for {self.at_once} frames of {p.width}x{p.height} at a time; choose a smaller "
            "context (Frames at a time) or size, or close other programs."
        )

    def _file(self) -> Path:
        try:
            return find_motion_module(self.settings.motion_module)
        except ValueError as error:
            raise Refused(str(error)) from error

    def _divided(self) -> list[Window]:
        around = ring_windows if self.settings.loops.loop else windows
        try:
            return around(self.settings.frames, self.settings.context, self.settings.overlap)
        except ValueError as error:
            raise Refused(str(error)) from error
