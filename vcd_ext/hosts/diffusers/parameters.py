"""The WebUI's infotext for a video that was made without it: its page can paste it back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vcd_ext.hosts.diffusers.sampling import INFOTEXT
from vcd_ext.media.infotext import composed
from vcd_ext.prompt.names import mentions
from vcd_ext.settings import NO_MODULE, SOURCE_KEY, GenerateSettings, VideoSettings, to_infotext


def infotext(
    picture: GenerateSettings,
    video: VideoSettings,
    checkpoint: Path,
    motion_module: Path | None,
    embeddings: Sequence[Path],
    source: str = "",
    more: Mapping[str, str] | None = None,
) -> str:
    """Write prompt, negative prompt, and a line of settings from which the same video can be made.

    source: the name of the video that was made again; "" for a video from text. more: entries for the end.
    """
    used = replace(
        video,
        motion_module=motion_module.name if motion_module else NO_MODULE,
        motion_lora=Path(video.motion_lora).stem,
        identity=next((file.stem for file in embeddings if not mentions(video.several.people, file.stem)), NO_MODULE),
    )
    entries = {
        "Steps": picture.steps,
        **INFOTEXT[picture.sampler],
        "CFG scale": picture.cfg_scale,
        "Seed": picture.seed,
        "Size": f"{picture.width}x{picture.height}",
        "Model": checkpoint.stem,
        **({"Denoising strength": picture.denoise} if source else {}),
        "RNG": "CPU",
        **to_infotext(used),
        **({SOURCE_KEY: source} if source else {}),
        **(more or {}),
    }
    return composed(picture.prompt, picture.negative_prompt, entries)
