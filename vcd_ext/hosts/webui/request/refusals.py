"""Refuse the requests of the WebUI that cannot become a video, each in one sentence, and stop their run.

The WebUI swallows what its callbacks raise, so a refusal waits on `p`. What works beside a video, or once for each
video, is not mentioned here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from fastapi import HTTPException
from modules import sd_hijack, sd_unet, shared

from vcd_ext.denoising.free_init import check_from_text
from vcd_ext.hosts.shared.people import regional_texts
from vcd_ext.hosts.webui import report
from vcd_ext.hosts.webui.model import unet
from vcd_ext.hosts.webui.model.checkpoint import USE_SD15, kind
from vcd_ext.media.clip import exact_fps
from vcd_ext.people import RegionalTexts
from vcd_ext.settings import NO_MODULE, SettingError, VideoSettings
from vcd_ext.stages.interpolation import check_interpolation


class Refused(HTTPException):
    """Tell why VCD does not run a request, in one sentence. The API answers HTTP 422 with it, the page shows it."""

    def __init__(self, sentence: str):
        super().__init__(status_code=422, detail=sentence)

    def __str__(self) -> str:
        return str(self.detail)


def stop(p: Any, refusal: Exception) -> None:
    """Make the run of `p` end with `refusal` before anything is generated.

    A script that goes on with its next picture, such as X/Y/Z plot, has the sentence in its answer.
    """
    sentence = str(refusal)
    p.comment(f"VCD: {sentence}")
    report.add_sentences(p, report.ERRORS_KEY, [sentence])
    # What other extensions would put into the model now, they would never take out: nobody tells them of the end.
    p.scripts = None

    def init(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise refusal

    p.init = init


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
    """Raise Refused, in one sentence, if the video's rate cannot be made as many times as fast."""
    try:
        check_interpolation(exact_fps(settings.fps), settings.onward.interpolate)
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


# Scripts of the list "Script" by their lower-case titles, and why each cannot make videos.
_PAINTS_PARTS = "which paints one picture in parts, of which each would become a video of its own"
SCRIPTS = {
    "sd upscale": f"{_PAINTS_PARTS}; choose no script and turn on Tiled VCD, which enlarges a video",
    "ultimate sd upscale": f"{_PAINTS_PARTS}; choose no script and turn on Tiled VCD, which enlarges a video",
    "outpainting mk2": f"{_PAINTS_PARTS}; choose no script, or outpaint a picture first and make a video of it",
    "poor man's outpainting": f"{_PAINTS_PARTS}; choose no script, or outpaint a picture first and make a video of it",
    "img2img alternative test": "which computes the noise of each frame from its picture, so that gamma means nothing; "
    "choose no script",
}
# What Settings > Postprocessing can put beside the generation, by its lower-case title; its second value is its share.
FACE_RESTORERS = {"gfpgan": "GFPGAN", "codeformer": "CodeFormer"}
NEGATIVE_WEIGHT = re.compile(r":\s*-\s*\.?\d")


class RefusedPictures(list[Any]):
    """Stand for the init images of a script that cannot make videos: it is stopped where it begins."""

    def __init__(self, refusal: Refused):
        super().__init__()
        self.refusal = refusal

    def __getitem__(self, _index: Any) -> Any:
        raise self.refusal

    def __iter__(self) -> Any:
        raise self.refusal


def chosen_script(p: Any) -> str | None:
    """Return the title of the script that is chosen in the list "Script"; None without one."""
    args = p.script_args
    if p.scripts is None or not args or not isinstance(args[0], int) or args[0] < 1:
        return None
    return str(p.scripts.selectable_scripts[args[0] - 1].title())


def script_problem(p: Any, given: Sequence[Any] | None, made: Sequence[Any] = ()) -> str | None:
    """Return why the chosen script cannot make videos, in a sentence; None if it can.

    given: the request's own init images, None if they are not known. made: frames of the videos that it made before.
    """
    title = chosen_script(p)
    if title is None:
        return None
    if title.lower() in SCRIPTS:
        return f"A video cannot be made with the script '{title}', {SCRIPTS[title.lower()]}."
    known = [picture for picture in given or () if picture is not None]
    pictures = getattr(p, "init_images", None) or []
    if known and not all(any(picture is other for other in (*known, *made)) for picture in pictures):
        return (
            f"A video cannot be made with the script '{title}', which hands over pictures of its own, such as tiles, "
            "and each would become a video; choose no script."
        )
    if "sample" in vars(p):
        return (
            f"A video cannot be made with the script '{title}', which replaces how pictures are sampled; choose no "
            "script."
        )
    return None


def check_scripts(p: Any, settings: VideoSettings, windows: int) -> None:
    """Raise Refused for what is on beside the video, as far as it can be seen from the request.

    windows: in how many the video is denoised.
    """
    if hasattr(p, "init_images"):
        try:
            check_from_text(settings)
        except SettingError as error:
            raise Refused(str(error)) from error
    moves = settings.motion_module != NO_MODULE
    for title, args in _always_on(p):
        problem = None
        if "animatediff" in title and _is_on(args) and (moves or settings.face or settings.tiled):
            problem = _ANIMATEDIFF
        elif title == "regional prompter" and _is_on(args):
            problem = _regional(args, moves, windows)
        elif title == "negpip" and _is_on(args) and windows > 1 and _has_negative_weight(p):
            problem = _of_windows("NegPiP")
        elif title == "soft inpainting" and _is_on(args) and settings.frames > 1 and _inpaints(p):
            problem = "Soft inpainting puts each frame back with a mask of its own, which flickers; turn it off."
        elif title in FACE_RESTORERS and _is_on(args) and args[1:2] != [0] and settings.frames > 1:
            problem = _restores(FACE_RESTORERS[title])
        if problem is not None:
            raise Refused(problem)


def is_animated(p: Any) -> bool:
    """Return whether sd-webui-animatediff is on."""
    return any("animatediff" in title and _is_on(args) for title, args in _always_on(p))


def check_settings(p: Any, settings: VideoSettings) -> None:
    """Raise Refused for the WebUI's own settings that change each frame by itself, and for another motion module.

    Called when the settings that the request overrides are set.
    """
    if settings.frames > 1 and p.restore_faces:
        raise Refused(_restores(shared.opts.face_restoration_model or "face restoration"))
    if settings.frames > 1 and hasattr(p, "init_images") and shared.opts.img2img_color_correction:
        raise Refused(
            "Colour correction fits each frame's colours to its picture by itself, which flickers; turn off 'Apply "
            "color correction to img2img results to match original colors' in Settings > img2img."
        )
    if settings.motion_module != NO_MODULE or settings.face or settings.tiled:
        check_blocks(p.sd_model)


def check_blocks(sd_model: Any) -> None:
    """Raise Refused if another extension has put blocks of its own, such as a motion module, into the UNet."""
    for foreign in unet.foreign_blocks(sd_model.model.diffusion_model):
        raise Refused(
            f"There is {foreign} in the checkpoint's UNet, where a video needs VCD's motion module alone; turn that "
            "extension off, and restart the WebUI if it stays."
        )


def check_layers(p: Any, windows: int) -> None:
    """Raise Refused if a video of several windows meets layers of the UNet that an extension has replaced.

    These are told the number of frames, or count the UNet's calls, and would take a window's rows for others.
    """
    if windows < 2:
        return
    for owner in unet.layer_owners(p.sd_model):
        raise Refused(_of_windows(owner))


_ANIMATEDIFF = (
    "sd-webui-animatediff is on as well, and both would move the frames; turn it off, or choose the motion module "
    f"'{NO_MODULE}', and no stage after the video, to use its motion alone."
)


def _of_windows(name: str) -> str:
    return (
        f"{name} replaces layers of the UNet and knows nothing of windows, so prompts would go to the wrong frames; "
        "turn it off, or set 'Context' to the number of frames."
    )


def _regional(args: Sequence[Any], moves: bool, windows: int) -> str | None:
    if moves and "Latent" in args:
        return (
            "Regional Prompter's mode 'Latent' puts the frames in an order of its own, which a motion module cannot "
            "follow; choose its mode 'Attention', or turn it off."
        )
    return _of_windows("Regional Prompter") if windows > 1 else None


def _restores(name: str) -> str:
    return (
        f"{name} restores the faces of each frame by itself, which flickers; turn it off, and turn on Face VCD, which "
        "does it for the whole video."
    )


def _always_on(p: Any) -> Iterator[tuple[str, list[Any]]]:
    """Yield title, in lower case, and values of each script that is always there."""
    if p.scripts is None:
        return
    for script in p.scripts.alwayson_scripts:
        if script.args_from is not None:
            yield str(script.title()).lower(), list(p.script_args[script.args_from : script.args_to])


def _is_on(args: Sequence[Any]) -> bool:
    """Return whether the first value says so: a checkbox, or settings with an entry `enable`."""
    first = args[0] if args else None
    if isinstance(first, Mapping):
        return bool(first.get("enable") or first.get("enabled"))
    return first is True or any(getattr(first, name, False) is True for name in ("enable", "enabled"))


def _has_negative_weight(p: Any) -> bool:
    texts = [getattr(p, name, None) or "" for name in ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt")]
    return any(NEGATIVE_WEIGHT.search(str(text)) for text in texts)


def _inpaints(p: Any) -> bool:
    return getattr(p, "image_mask", None) is not None
