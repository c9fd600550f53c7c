"""What a request of the WebUI goes on from: its first and last pictures, and the video that it continues."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from modules import devices, rng, shared
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from vcd_ext.denoising.known_frames import KnownFrames
from vcd_ext.denoising.picture_shares import Shares, shares
from vcd_ext.hosts.protocols import FACTOR
from vcd_ext.hosts.webui.model import known
from vcd_ext.hosts.webui.model.vae import encoded_picture
from vcd_ext.hosts.webui.request.refused import Refused
from vcd_ext.hosts.webui.request.source_video import SourceVideo, source_folders
from vcd_ext.noise import correlate
from vcd_ext.progress import Note
from vcd_ext.settings import NO_MODULE, SettingError, VideoSettings
from vcd_ext.stages.given_frames import GivenFrames, Reader, as_floats, check_no_loop, fitted
from vcd_ext.stages.noise_history import HISTORY_KEY
from vcd_ext.storage.uploads import received, received_picture


class FromPicture(NamedTuple):
    """An img2img that begins from a picture: that picture, if not the init image is, and the last one."""

    first: Image.Image | None
    last: NDArray[np.uint8] | None
    shares: Shares

    def blend(self, p: Any, gamma: float) -> None:
        """Blend the init latents of `p` in place, right before they are noised."""
        latents: Tensor = p.init_latent
        noise = correlate(p.rng.next(), gamma).to(latents)
        last = latents[:1] if self.last is None else encoded(p, [fitted(self.last, p.height, p.width)])
        latents.copy_(self.shares.blended(latents[:1].clone(), last, noise))


class _History(str):
    """A continued video's history in the infotext, where each video of a run has its own: the WebUI calls it."""

    given: GivenFrames
    settings: VideoSettings

    def __call__(self, all_seeds: Any, index: int, **_others: Any) -> str:
        begin = index - index % self.settings.frames
        told = self.given.entries(self.settings.frames, int(all_seeds[begin]), self.settings.gamma)
        return told[HISTORY_KEY]


def take_given(p: Any, settings: VideoSettings, note: Note, again: bool) -> "GivenFrames | FromPicture | None":
    """Read what a request begins from; None if it is nothing. Refused, in one sentence, for what cannot be used.

    again: whether a video is made again.
    """
    asked = settings.onward
    if not (asked.from_picture or asked.start_picture or asked.end_picture or asked.continue_video):
        return None
    reader = _reader(p, note, settings.motion_module != NO_MODULE)
    try:
        if hasattr(p, "init_images"):
            return _from_picture(p, settings, reader, again)
        if settings.onward.from_picture:
            raise Refused("from_picture is for img2img; in txt2img a start picture is kept as it is.")
        return reader.given(settings, *output_size(p))
    except SettingError as error:
        raise Refused(str(error)) from error


def _reader(p: Any, note: Note, moving: bool) -> Reader:
    allowed = source_folders(p)
    source = shared.opts.randn_source
    # On the CPU the WebUI's two sources draw the same.
    sources = ("CPU", "GPU") if devices.device.type == "cpu" and source in ("CPU", "GPU") else (source,)

    def tell(sentence: str) -> None:
        note(f"VCD: {sentence}")

    return Reader(
        lambda video, folder: received(video, allowed, folder),
        sources,
        tell,
        lambda picture, folder: received_picture(picture, allowed, folder),
        moving,
    )


def _from_picture(p: Any, settings: VideoSettings, reader: Reader, again: bool) -> FromPicture | None:
    asked = settings.onward
    if asked.continue_video:
        raise Refused("A video is continued in txt2img; choose it there, or post it to /sdapi/v1/txt2img.")
    if settings.frames < 2:
        raise Refused("frames is 1, which is a picture; a video that begins from a picture needs more.")
    if again:
        raise Refused("A video is made again, or it begins from a picture; leave one of the two away.")
    if getattr(p, "image_mask", None) is not None:
        raise Refused("A video that begins from a picture cannot be inpainted; use img2img without a mask.")
    check_no_loop(settings)
    first = Image.fromarray(reader.still("start_picture", asked.start_picture)) if asked.start_picture else None
    _check_opaque(p, first)
    last = reader.still("end_picture", asked.end_picture) if asked.end_picture else None
    return FromPicture(first, last, shares(settings.frames, *asked.powers(True, last is not None)))


def _check_opaque(p: Any, first: Image.Image | None) -> None:
    if first is not None:
        return
    picture = next(iter(p.init_images or []), None)
    if picture is not None and "A" in picture.getbands() and picture.getchannel("A").getextrema() != (255, 255):
        raise Refused("The init image is transparent in places, which a video cannot be; save it without.")


def entries(given: GivenFrames, settings: VideoSettings) -> dict[str, str]:
    """Return what the infotext tells of given frames."""
    found = given.entries(settings.frames, 0, settings.gamma)
    if HISTORY_KEY in found:
        told = _History(found[HISTORY_KEY])
        told.given, told.settings = given, settings
        found[HISTORY_KEY] = told
    return found


def sound_of(p: Any, settings: VideoSettings, given: GivenFrames) -> SourceVideo | None:
    """Return the video that is gone on with, for its sound; None if none is."""
    if given.continued is None:
        return None
    clip, video = given.continued.clip, settings.onward.continue_video
    folders: list[Path] = list(source_folders(p))
    return SourceVideo(settings, given.continued.name, [], True, clip.start, video, folders)


def hold_given(p: Any, given: GivenFrames, noise: Tensor, gamma: float) -> None:
    """Begin a pass of `p` with given frames: its noise [F, 4, h, w] becomes theirs, in place, and they are held."""

    def draw(seeds: Any) -> Tensor:
        return rng.ImageRNG(noise.shape[1:], list(seeds)).next()

    noise.copy_(given.noise(noise, gamma, draw, int(p.all_seeds[p.iteration * p.batch_size])))
    latents = encoded(p, given.resized(*(FACTOR * side for side in noise.shape[-2:])))
    frames = KnownFrames(given.places, latents, noise[given.places].clone())
    known.hold(known.HeldFrames(frames, len(noise), hasattr(p.sampler, "get_timesteps")))


def encoded(p: Any, pictures: Any) -> Tensor:
    """Encode pictures uint8 [H, W, 3] of one size to latents [K, 4, h, w], one at a time."""
    pixels = (torch.from_numpy(picture).permute(2, 0, 1)[None] for picture in as_floats(pictures))
    return torch.cat([encoded_picture(p.sd_model, each) for each in pixels])


def output_size(p: Any) -> tuple[int, int]:
    """Return height and width of the pictures that a request makes, after hires fix, by the WebUI's rule."""
    if not getattr(p, "enable_hr", False):
        return p.height, p.width
    wide, tall = p.hr_resize_x, p.hr_resize_y
    if not wide and not tall:
        return int(p.height * p.hr_scale), int(p.width * p.hr_scale)
    return tall or wide * p.height // p.width, wide or tall * p.width // p.height


def put_pictures(images: Sequence[Tensor], given: GivenFrames) -> list[Tensor]:
    """Return pictures [3, H, W] in [0, 1] with the known ones in their places, for the stages that follow."""
    put = list(images)
    for place, picture in zip(given.places, as_floats(given.resized(*put[0].shape[1:])), strict=True):
        put[place] = torch.from_numpy(picture).permute(2, 0, 1).to(put[place])
    return put
