"""Play the videos of a finished run in the results panel."""

import html
import json
from pathlib import Path
from urllib.parse import quote

from vcd_ext.hosts.webui.report import VIDEOS_KEY
from vcd_ext.ui.player import send


def player(generation_info: str) -> str:
    """Return HTML that plays the videos of a finished run; empty for a run without."""
    videos = _told(generation_info)
    by_stem: dict[str, list[dict[str, str]]] = {}
    for video in videos:
        by_stem.setdefault(video["path"].rpartition(".")[0], []).append(video)
    return "".join(_figure(files) for files in by_stem.values())


def first_video(generation_info: str) -> str:
    """Return the file of a finished run's first video, after its last stage; "" for a run without.

    The page tells it, so whoever reads the file must check where it lies.
    """
    return next((str(video.get("path", "")) for video in _told(generation_info)), "")


def _told(generation_info: str) -> list[dict[str, str]]:
    try:
        told = json.loads(generation_info or "{}").get("extra_generation_params", {}).get(VIDEOS_KEY, [])
    except (ValueError, AttributeError):
        return []
    return [video for video in told if isinstance(video, dict)] if isinstance(told, list) else []


def _figure(files: list[dict[str, str]]) -> str:
    """Return one video: its first file plays, all of them can be opened."""

    def url(file: dict[str, str]) -> str:
        return html.escape("file=" + quote(file["path"].replace("\\", "/")))

    shown = files[0]
    if shown["mime"].startswith("video/"):
        moving = f'<video src="{url(shown)}" controls autoplay loop muted playsinline></video>'
    else:
        moving = f'<img src="{url(shown)}" alt="video">'
    links = " ".join(f'<a href="{url(f)}" target="_blank" download>{html.escape(f["path"])}</a>' for f in files)
    # The buttons that send it to the other tabs; javascript/vcd.js does that.
    sent = "".join(
        send(Path(shown["path"]), tab, title) for tab, title in (("face", "Face VCD"), ("tiled", "Tiled VCD"))
    )
    stage = f"<b>Before that: {html.escape(shown['stage'])}</b>" if "stage" in shown else ""
    return f'<figure class="vcd-video">{moving}<figcaption>{stage}{links}{sent}</figcaption></figure>'
