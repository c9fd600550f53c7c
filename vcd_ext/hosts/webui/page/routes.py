"""Add VCD's own routes: GET /vcd/v1/health, /vcd/v1/motion-modules, /vcd/v1/identities, and those of jobs."""

import re
from secrets import compare_digest
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from modules import sd_models, shared

from vcd_ext import __version__, api
from vcd_ext.hosts.webui.library.embeddings import embedding_names
from vcd_ext.hosts.webui.library.motion_modules import motion_modules
from vcd_ext.hosts.webui.studio import JOBS

LOOPBACK = ("localhost", "127.0.0.1", "::1")

router = APIRouter(prefix=api.PREFIX)


def _authorise(credentials: HTTPBasicCredentials = Depends(HTTPBasic())) -> None:  # noqa: B008
    accounts = dict(pair.split(":", 1) for pair in shared.cmd_opts.api_auth.split(","))
    expected = accounts.get(credentials.username)
    if expected is None or not compare_digest(credentials.password.encode(), expected.encode()):
        raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Basic"})


def _not_from_a_foreign_page(request: Request) -> None:
    """Answer 403 if a page of another site asks, which browsers tell.

    Where the WebUI listens to this machine alone, that is also a page whose own name leads to this machine.
    """
    origin = request.headers.get("origin")
    if origin is None or _welcome(origin):
        return
    page, asked = _place(origin), _place(f"//{request.headers.get('host', '')}")
    here_alone = not shared.cmd_opts.webui_is_non_local
    if page is None or page != asked or (here_alone and page[0] not in LOOPBACK):
        raise HTTPException(
            403, f"Pages of {origin[:200]} may not use this API; start the WebUI with --cors-allow-origins to let them."
        )


def _place(url: str) -> tuple[str, int | None] | None:
    """Return host and port; None where there is none, as in the "null" that browsers tell of local files."""
    try:
        parts = urlsplit(url)
        return (parts.hostname, parts.port) if parts.hostname else None
    except ValueError:
        return None


def _welcome(origin: str) -> bool:
    """Return whether the flags of the WebUI let pages of this origin use its API."""
    named = (shared.cmd_opts.cors_allow_origins or "").split(",")
    pattern = shared.cmd_opts.cors_allow_origins_regex
    return origin in named or "*" in named or bool(pattern and re.fullmatch(pattern, origin))


@router.get("/health")
def health() -> dict[str, Any]:
    """Return what runs: version, and the loaded checkpoint (None before the first use)."""
    loaded = sd_models.model_data.sd_model
    return {"version": __version__, "checkpoint": loaded.sd_checkpoint_info.name if loaded is not None else None}


@router.get("/motion-modules")
def motion_module_names() -> list[str]:
    """Return the names to use as `motion_module`."""
    return list(motion_modules())


@router.get("/identities")
def identity_names() -> list[str]:
    """Return the names to use as `identity`: the embeddings that fit the loaded checkpoint."""
    return embedding_names()


def add_routes(_demo: Any, app: FastAPI) -> None:
    """Add the routes where the WebUI's own API is on, with the account of --api-auth; callback on_app_started.

    Without the API, nothing but the page's account lets people look and compute.
    """
    options = shared.cmd_opts
    if not (options.api or options.nowebui):
        return
    dependencies = [Depends(_not_from_a_foreign_page)]
    if options.api_auth:
        dependencies.append(Depends(_authorise))
    for routes in (router, api.router(JOBS)):
        app.include_router(routes, dependencies=dependencies)
