"""V2V without the WebUI: a clip is made again with a prompt and an identity, at a chosen strength."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from vcd_ext.denoising.controlnet import ControlNet
from vcd_ext.denoising.free_init import check_from_text
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.loras import asked, chosen_motion_loras
from vcd_ext.hosts.diffusers.parameters import infotext
from vcd_ext.hosts.diffusers.picture_settings import check_picture, complete
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.hosts.protocols import FACTOR, Picture
from vcd_ext.hosts.shared.enlarge import lanczos
from vcd_ext.hosts.shared.passes import generation_pass
from vcd_ext.hosts.shared.people import regional_texts
from vcd_ext.media import Clip
from vcd_ext.media.clip import stacked
from vcd_ext.people import Regions
from vcd_ext.progress import StepReport
from vcd_ext.prompt.travel import check_key_frames
from vcd_ext.settings import GenerateSettings, VideoSettings, parse


def restyle(
    host: Standalone,
    source: Clip,
    name: str,
    picture: GenerateSettings,
    video: VideoSettings,
    motion_module: Path | None = None,
    embeddings: Sequence[Path] = (),
    progress: StepReport | None = None,
    controls: Sequence[ControlNet] = (),
    more: Mapping[str, str] | None = None,
    regions: Regions | None = None,
) -> Clip:
    """Make the first `video.frames` frames of a clip again (V2V), at the size and strength of `picture`.

    name: the clip's, for the infotext. The rest is as in `Standalone.generate`. progress counts frames: encoded,
    denoised by one step, decoded. The rate is `video.fps`.
    ValueError, before anything is computed, for settings or files that cannot work.
    """
    picture = complete(check_picture(picture), embeddings, host.loras, video.several.people)
    check_from_text(video)
    video = parse(VideoSettings, asdict(replace(video, frames=min(video.frames, len(source.frames)))))
    chosen_motion_loras(host.loras, picture.prompt, video, motion_module is not None)
    check_key_frames(video.frames, {"prompt": picture.prompt, "negative prompt": picture.negative_prompt})
    regional = regional_texts(video.several, host.vectors(embeddings))
    if regional is not None and regions is not None:
        regional = regional._replace(regions=regions)
    work = generation_pass(
        picture,
        video,
        motion_module,
        denoise=picture.denoise,
        motion_loras=asked(host.loras, picture.prompt, video),
        freenoise=video.free.freenoise,
        step_noise=video.step_noise,
        regional=regional,
        speed=video.speed,
        progress=progress,
    )
    frames = Resized(source, video.frames, picture.height, picture.width)
    made = StandaloneVideo(host, embeddings, guides=controls).denoise(frames, work)
    text = infotext(picture, video, host.path, motion_module, embeddings, name, more)
    pixels = stacked((np.rint(frame * 255).astype(np.uint8) for frame in made), video.frames)
    return Clip(pixels, video.fps, {"parameters": text}, source.start)


def fitting(height: int, width: int, clip: Clip) -> tuple[int, int]:
    """Return height and width, multiples of 8, in which a clip is made again.

    0 stands for a side that nobody has chosen: it follows from the other one, or is the clip's own.
    """
    tall, wide = clip.frames.shape[1:3]
    scale = height / tall if height else width / wide if width else 1.0
    return height or _multiple(tall * scale), width or _multiple(wide * scale)


class Resized(Sequence[Picture]):
    """A clip's first frames as floats in another size, made when they are asked for."""

    def __init__(self, clip: Clip, frames: int, height: int, width: int):
        self.frames, self.height, self.width = clip.frames[:frames], height, width

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, i: Any) -> Any:
        return lanczos(self.frames[i].astype(np.float32) / 255, self.height, self.width)


def _multiple(length: float) -> int:
    return max(round(length / FACTOR), 1) * FACTOR
