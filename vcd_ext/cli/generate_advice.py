"""What `generate` says before it begins, where something likely is not as it is meant."""

from pathlib import Path
from typing import TYPE_CHECKING

from vcd_ext.settings import GenerateSettings, VideoSettings

if TYPE_CHECKING:
    from vcd_ext.hosts.diffusers.host import Standalone


def memory_notes(host: "Standalone", picture: GenerateSettings, video: VideoSettings, moving: bool) -> list[str]:
    """Return a sentence if the GPU's memory will likely not hold the frames."""
    from vcd_ext.denoising.video_memory import MODULE, Computed, free_bytes, too_large
    from vcd_ext.stages.memory import parts_of

    how = Computed(host.unet.dtype.itemsize, picture.cfg_scale != 1, moving)
    parts = parts_of(video, min(video.frames, video.context), (picture.width, picture.height))
    return too_large(parts, how, free_bytes(host.device), MODULE * how.value_bytes / 2 if moving else 0.0)


def module_advice(motion_module: Path | None, picture: GenerateSettings) -> list[str]:
    """Return a sentence where a module that is distilled for a few steps is run with other settings."""
    from vcd_ext.hosts.diffusers.sampling import INFOTEXT
    from vcd_ext.motion.checkpoint import module_facts
    from vcd_ext.motion.distilled import advice

    if motion_module is None:
        return []
    sampler, version = INFOTEXT[picture.sampler]["Sampler"], module_facts(motion_module).version
    sentence = advice(version, motion_module.name, sampler, picture.steps, picture.cfg_scale)
    return [sentence] if sentence else []
