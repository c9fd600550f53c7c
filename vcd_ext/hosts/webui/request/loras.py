"""LoRAs of a request that are VCD's own: motion LoRAs, and domain adapters that the WebUI cannot read."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from modules import extra_networks

from vcd_ext.denoising.lora import Lora
from vcd_ext.hosts.webui.model import motion_loras
from vcd_ext.hosts.webui.request.refused import Refused
from vcd_ext.motion import MotionLora, MotionModule
from vcd_ext.motion.lora import check_motion_loras
from vcd_ext.prompt.comments import without_comments
from vcd_ext.settings import NO_MODULE, VideoSettings


def tell_off(p: Any) -> None:
    """Say below the pictures of a request without VCD which of its LoRAs only VCD can use; nothing else is changed.

    The WebUI's own extension is silent about those in its folder, and calls the others not found.
    """
    prompts = p.prompt if isinstance(p.prompt, list) else [p.prompt]
    for prompt in dict.fromkeys(map(str, prompts)):
        if "<" not in prompt:
            continue
        try:
            taken = motion_loras.take(extra_networks.parse_prompt(without_comments(prompt))[1])
        except (ValueError, OSError):  # a file that cannot be read is the WebUI's to tell of
            continue
        for path, _ in taken.motion:
            p.comment(f"{path.stem} is a motion LoRA, which changes a motion module: without VCD it has no effect.")
        for path, _ in taken.adapters:
            p.comment(f"{path.stem} is in AnimateDiff's own key names: without VCD it has no effect.")


class RequestLoras:
    """Read what prompts and settings ask for, for the video of a request that is next."""

    def __init__(self, p: Any, settings: VideoSettings, module: MotionModule | None, note: Callable[[str], None]):
        """Take the request and its motion module. note: told in a sentence of what has no effect."""
        self.p, self.settings, self.module, self.note = p, settings, module, note
        self.motion: list[MotionLora] = []  # that change the motion module of this video
        self.adapters: list[Lora] = []  # that change the UNet
        self._taken: motion_loras.Taken | None = None

    def check(self) -> None:
        """Raise Refused, before anything is computed, for what cannot be used in any of the videos."""
        for prompt in dict.fromkeys(self.p.all_prompts):
            self._load(extra_networks.parse_prompt(prompt)[1])

    def parsing(self, parse: Callable[..., Any]) -> Callable[..., Any]:
        """Return what reads a video's prompts and keeps VCD's own to itself; the WebUI's would find nothing in them."""

        def parse_without_own(*args: Any, **kwargs: Any) -> Any:
            result = parse(*args, **kwargs)
            self._load(self.p.extra_network_data)
            of_hires = getattr(self.p, "hr_extra_network_data", None)
            if of_hires is not None and of_hires is not self.p.extra_network_data:
                motion_loras.take(of_hires)  # a video has one camera: that of its first pass
            return result

        return parse_without_own

    def _load(self, networks: Any) -> None:
        """Take what is VCD's out of the networks that a prompt asks for, and read it, with that of the settings."""
        try:
            taken = motion_loras.take(networks)
            if taken == self._taken:  # as for the video before
                return
            self.adapters = motion_loras.load_adapters(taken.adapters, self.p.sd_model.model.diffusion_model)
            if self.module is None:
                self._tell_idle(taken.motion)
            else:
                self.motion = motion_loras.load(taken.motion, self.settings)
                check_motion_loras(self.motion, self.module)
            self._taken = taken
        except ValueError as error:
            raise Refused(str(error)) from error

    def _tell_idle(self, taken: Sequence[tuple[Path, float]]) -> None:
        names = [path.stem for path, _ in taken]
        if self.settings.motion_lora != NO_MODULE:
            names.append(self.settings.motion_lora)
        for name in names:
            self.note(f"{name} is a motion LoRA, which changes a motion module, and none is chosen; it has no effect.")
