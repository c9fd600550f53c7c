"""Refuse the scripts and extensions that stand beside VCD in a request and with which it cannot become a video.

What works beside a video, or once for each video, is not mentioned here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vcd_ext.denoising.free_init import check_from_text
from vcd_ext.hosts.webui.model.plain_layers import foreign_blocks, layer_owners
from vcd_ext.hosts.webui.request.refused import Refused
from vcd_ext.settings import NO_MODULE, SettingError, VideoSettings

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
            problem = restores_each_frame(FACE_RESTORERS[title])
        if problem is not None:
            raise Refused(problem)


def is_animated(p: Any) -> bool:
    """Return whether sd-webui-animatediff is on."""
    return any("animatediff" in title and _is_on(args) for title, args in _always_on(p))


def check_blocks(sd_model: Any) -> None:
    """Raise Refused if another extension has put blocks of its own, such as a motion module, into the UNet."""
    for foreign in foreign_blocks(sd_model.model.diffusion_model):
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
    for owner in layer_owners(p.sd_model):
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


def restores_each_frame(name: str) -> str:
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
