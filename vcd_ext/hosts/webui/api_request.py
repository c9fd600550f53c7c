"""What a request to the WebUI's own API says that never reaches its `p`: save_images, send_images, no init_images.

The WebUI's routes get one more dependency, which looks at the request's body before they do.
"""

from contextvars import ContextVar
from typing import Any, NamedTuple

from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.utils import get_parameterless_sub_dependant
from fastapi.routing import APIRoute

PATHS = ("/sdapi/v1/txt2img", "/sdapi/v1/img2img")


class Asked(NamedTuple):
    """Whether files are to be kept in the output folder, and to be sent in the answer."""

    save: bool = True
    send: bool = True


_asked: ContextVar[Asked] = ContextVar("vcd_asked", default=Asked())


def asked(p: Any) -> Asked:
    """Return what the request of `p` asks for: a request that says nothing of it, or is the page's, both."""
    return _asked.get() if getattr(p, "is_api", False) else Asked()


def add_dependency(_demo: Any, app: FastAPI) -> None:
    """WebUI callback on_app_started."""
    for route in app.routes:
        if isinstance(route, APIRoute) and route.path in PATHS:
            first = get_parameterless_sub_dependant(depends=Depends(_look), path=route.path_format)
            route.dependant.dependencies.insert(0, first)


async def _look(request: Request) -> None:
    """Remember what is asked for; a video in img2img needs no init images, where the WebUI answers 404 without."""
    body = await request.json()  # the very object that the WebUI's route reads
    if not isinstance(body, dict):
        return
    _asked.set(Asked(body.get("save_images") is not False, body.get("send_images") is not False))
    if body.get("init_images") is None and _has_video(body):
        body["init_images"] = []


def _has_video(body: dict[str, Any]) -> bool:
    scripts = body.get("alwayson_scripts")
    if not isinstance(scripts, dict):
        return False
    sections = [section for title, section in scripts.items() if str(title).lower() == "vcd"]
    args = sections[0].get("args") if sections and isinstance(sections[0], dict) else None
    first = args[0] if isinstance(args, list) and args else None
    return isinstance(first, dict) and bool(first.get("enabled")) and bool(first.get("video"))
