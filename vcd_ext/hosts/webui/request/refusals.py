"""Refuse the requests and settings of the WebUI that cannot become a video, each in one sentence."""

from typing import Any

from modules import sd_hijack, sd_unet, shared

from vcd_ext.hosts.shared.people import regional_texts
from vcd_ext.hosts.webui.library.folders import film_folders
from vcd_ext.hosts.webui.model.checkpoint import USE_SD15, kind
from vcd_ext.hosts.webui.request.other_scripts import check_blocks, restores_each_frame
from vcd_ext.hosts.webui.request.refused import Refused
from vcd_ext.media.clip import exact_fps
from vcd_ext.people import RegionalTexts
from vcd_ext.settings import NO_MODULE, SettingError, VideoSettings
from vcd_ext.stages.film import check_interpolator
from vcd_ext.stages.interpolation import check_interpolation


def check_request(p: Any, frames: int) -> None:
    """Raise Refused, in one sentence, if the WebUI's own settings on `p` do not go with a video of so many frames."""
    for name in ("width", "height"):
        size = getattr(p, name)
        if size % 8:
            low = size - size % 8
            raise Refused(f"{name} is {size}; a video needs a multiple of 8. Use {low} or {low + 8}.")
    if p.refiner_checkpoint not in (None, "", "None", "none"):
        raise Refused("A refiner changes the checkpoint in the middle of a video. Turn the refiner off.")
    if getattr(p, "hr_checkpoint_name", None) not in (None, "", "Use same checkpoint"):
        raise Refused("Hires. fix with another checkpoint cannot keep a video together. Use the same checkpoint.")
    # Counted by what they are: the tab Batch gives one picture several times.
    given = len({id(picture) for picture in getattr(p, "init_images", None) or []})
    if given > 1 and given != frames:
        raise Refused(
            f"{given} init images were given for {frames} frames; give 1 for the whole video or {frames}, one for each "
            "frame."
        )


def check_rate(settings: VideoSettings) -> None:
    """Raise Refused, in one sentence, if the video's rate cannot be made as many times as fast, or not that way."""
    try:
        check_interpolation(exact_fps(settings.fps), settings.onward.interpolate)
        check_interpolator(settings.onward, film_folders())
    except ValueError as error:
        raise Refused(f"interpolate: {error}") from error


def check_checkpoint(sd_model: Any) -> None:
    """Raise Refused unless `sd_model` is an ordinary SD1.5 text-to-image checkpoint with its own UNet in use."""
    if sd_model is None or not hasattr(sd_model, "model"):
        raise Refused(f"No checkpoint is loaded, so there is nothing to make a video with. {USE_SD15}")
    special = kind(sd_model)
    if special:
        raise Refused(f"The checkpoint is {special}, which VCD cannot animate. {USE_SD15}")
    replacement = sd_unet.get_unet_option()
    if replacement is not None:
        raise Refused(
            f"Settings replace the checkpoint's UNet by '{replacement.label}', which cannot carry a motion module. "
            "Set 'SD Unet' to None."
        )


def check_identity(name: str) -> None:
    """Raise Refused, in one sentence, if the WebUI has no embedding of that name for the checkpoint that is loaded."""
    known = sd_hijack.model_hijack.embedding_db
    if name == NO_MODULE or name in known.word_embeddings:
        return
    if name in known.skipped_embeddings:
        raise Refused(
            f"identity is '{name}', whose vectors are {known.skipped_embeddings[name].shape} wide; this checkpoint "
            f"takes {known.expected_shape}. Choose an embedding that was made for SD1.5."
        )
    there = ", ".join(known.word_embeddings) or "none yet"
    raise Refused(f"identity is '{name}', which is not in the embeddings folder; there: {there}.")


def read_people(settings: VideoSettings) -> RegionalTexts | None:
    """Return who is where in the video; None if nobody has a region. Refused, in one sentence, for what cannot be."""
    known = sd_hijack.model_hijack.embedding_db.word_embeddings
    try:
        return regional_texts(settings.several, known, settings.identity)
    except SettingError as error:
        raise Refused(str(error)) from error


def check_settings(p: Any, settings: VideoSettings) -> None:
    """Raise Refused for the WebUI's own settings that change each frame by itself, and for another motion module.

    Called when the settings that the request overrides are set.
    """
    if settings.frames > 1 and p.restore_faces:
        raise Refused(restores_each_frame(shared.opts.face_restoration_model or "face restoration"))
    if settings.frames > 1 and hasattr(p, "init_images") and shared.opts.img2img_color_correction:
        raise Refused(
            "Colour correction fits each frame's colours to its picture by itself, which flickers; turn off 'Apply "
            "color correction to img2img results to match original colors' in Settings > img2img."
        )
    if settings.motion_module != NO_MODULE or settings.face or settings.tiled:
        check_blocks(p.sd_model)
