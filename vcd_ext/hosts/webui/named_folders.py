"""Folders that settings of the WebUI and of other extensions name, as they were when the page was made.

The WebUI's API can change those settings at any time, and whoever may use the API could so have any folder read. What
is read from is therefore what they were at the start, or when the page was last reloaded from Settings.
"""

from modules import shared

OUTPUTS = ("outdir_samples", "outdir_txt2img_samples", "outdir_img2img_samples")
ANIMATEDIFF = "animatediff_model_path"  # of sd-webui-animatediff

_remembered: dict[str, str] = {}


def remember() -> None:
    """Take note of the settings; WebUI callback on_before_ui."""
    for name in (*OUTPUTS, ANIMATEDIFF):
        _remembered[name] = str(getattr(shared.opts, name, None) or "")


def named(name: str) -> str:
    """The folder that a setting named when the page was made; "" for none."""
    return _remembered.get(name, "")
