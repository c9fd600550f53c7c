"""Videos on the page: one, or two over each other with a slider between before and after."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

VIDEOS, PICTURES = (".mp4", ".webm"), (".gif", ".webp")


def url(path: Path) -> str:
    """Return the address at which Gradio serves a file that it was told of."""
    return escape("file=" + quote(str(path).replace("\\", "/")))


def video_html(path: Path) -> str:
    """Return a video, as far as browsers can play it."""
    suffix = path.suffix.lower()
    if suffix in VIDEOS:
        return f'<video class="vcd-input" src="{url(path)}" controls loop muted playsinline></video>'
    if suffix in PICTURES:
        return f'<img class="vcd-input" src="{url(path)}" alt="">'
    return ""


def compared(before: Path, after: Path) -> str:
    """Show before and after in one frame; javascript/vcd.js keeps them in time and moves the border between them."""
    return (
        '<div class="vcd-compare" style="--cut: 50%"><div class="vcd-stage">'
        f'<video class="vcd-after" src="{url(after)}" loop autoplay muted playsinline></video>'
        f'<video class="vcd-before" src="{url(before)}" loop autoplay muted playsinline></video>'
        '<span class="vcd-tag vcd-left">before</span><span class="vcd-tag vcd-right">after</span>'
        '<span class="vcd-border"></span>'
        '<input class="vcd-cut" type="range" min="0" max="100" step="0.5" value="50" aria-label="Before and after">'
        '</div><div class="vcd-controls">'
        '<button class="vcd-play" aria-label="Play or pause">Pause</button>'
        '<input class="vcd-time" type="range" min="0" max="1" step="0.001" value="0" aria-label="Time">'
        '<button class="vcd-mute" aria-label="Sound on or off">Sound on</button></div></div>'
    )


def links(paths: Sequence[Path]) -> str:
    """Return the files of a result: those that are no folders can be opened and saved."""
    parts = (
        f'<a href="{url(path)}" target="_blank" download>{escape(str(path))}</a>'
        if path.suffix
        else f"<span>{escape(str(path))}</span>"
        for path in paths
    )
    return f'<div class="vcd-files">{"".join(parts)}</div>' if paths else ""


def send(path: Path, tab: str, title: str) -> str:
    """Return a button that sends a file to another tab."""
    return (
        f'<button class="vcd-send" data-tab="{tab}" data-title="{escape(title)}" '
        f'data-path="{escape(str(path))}">Send to {escape(title)}</button>'
    )
