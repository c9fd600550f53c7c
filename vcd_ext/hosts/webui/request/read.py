"""Read what a request of the WebUI asks for: its settings, and which files are to be kept and sent.

What a request to the WebUI's API says of save_images, send_images and init_images never reaches its `p`, so the
routes get one more dependency, which looks at the request's body before they do.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.utils import get_parameterless_sub_dependant
from fastapi.routing import APIRoute
from modules import extra_networks

from vcd_ext.hosts.webui.request.refused import Refused
from vcd_ext.prompt.foreign import unread
from vcd_ext.prompt.travel import network_notes
from vcd_ext.settings import SettingError, VideoSettings, parse
from vcd_ext.ui.layouts import section_values

PATHS = ("/sdapi/v1/txt2img", "/sdapi/v1/img2img")


class Delivery(NamedTuple):
    """Say whether files are to be kept in the output folder, and to be sent in the answer."""

    save: bool = True
    send: bool = True


_delivery: ContextVar[Delivery] = ContextVar("vcd_delivery", default=Delivery())


def delivery(p: Any) -> Delivery:
    """Return what the request of `p` asks for: a request that says nothing of it, or is the page's, both."""
    return _delivery.get() if getattr(p, "is_api", False) else Delivery()


def add_dependency(_demo: Any, app: FastAPI) -> None:
    """Let VCD look at requests; WebUI callback on_app_started."""
    for route in app.routes:
        if isinstance(route, APIRoute) and route.path in PATHS:
            first = get_parameterless_sub_dependant(depends=Depends(_look), path=route.path_format)
            route.dependant.dependencies.insert(0, first)


async def _look(request: Request) -> None:
    """Remember what is asked for; a video in img2img needs no init images, where the WebUI answers 404 without."""
    body = await request.json()  # the very object that the WebUI's route reads
    if not isinstance(body, dict):
        return
    _delivery.set(Delivery(body.get("save_images") is not False, body.get("send_images") is not False))
    if body.get("init_images") is None and _has_video(body):
        body["init_images"] = []


_INSTEAD = ("video", "start_picture")  # of which img2img needs no init images


def _has_video(body: dict[str, Any]) -> bool:
    scripts = body.get("alwayson_scripts")
    if not isinstance(scripts, dict):
        return False
    sections = [section for title, section in scripts.items() if str(title).lower() == "vcd"]
    args = sections[0].get("args") if sections and isinstance(sections[0], dict) else None
    first = args[0] if isinstance(args, list) and args else None
    return isinstance(first, dict) and bool(first.get("enabled")) and any(map(first.get, _INSTEAD))


def unread_notes(p: Any) -> list[str]:
    """Return sentences about the first prompt of a run, as it is after all scripts have worked on it."""
    prompt, networks = extra_networks.parse_prompt(p.all_prompts[0])
    return [*unread(prompt), *_unknown(networks), *network_notes(p.all_prompts[0])]


def _unknown(networks: Any) -> Iterator[str]:
    known = {*extra_networks.extra_network_registry, *extra_networks.extra_network_aliases}
    for kind, called in networks.items():
        if kind not in known:
            shown = ":".join([kind, *called[0].items])
            yield f"The prompt has <{shown}>, a kind of network that is not installed; it has no effect."


def read_settings(args: Sequence[Any], names: Sequence[str], overrides: Mapping[str, Any]) -> VideoSettings:
    """Return a request's settings; X/Y/Z plots override some. names: those that the page has controls for, in order."""
    try:
        return parse(VideoSettings, section_values(names, args) | dict(overrides))
    except SettingError as error:
        raise Refused(str(error)) from error


def is_single_upscale(p: Any) -> bool:
    """Return whether this is the gallery's 'upscale this picture' button, which makes a picture of one frame."""
    return bool(getattr(p, "txt2img_upscale", False))
