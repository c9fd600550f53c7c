"""VCD's own routes: GET /vcd/v1/health, /vcd/v1/motion-modules, /vcd/v1/identities, and those of jobs."""

from secrets import compare_digest
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from modules import sd_models, shared

from vcd_ext import __version__, api
from vcd_ext.hosts.webui import embeddings, library
from vcd_ext.hosts.webui.studio import JOBS

router = APIRouter(prefix="/vcd/v1")


def _authorise(credentials: HTTPBasicCredentials = Depends(HTTPBasic())) -> None:  # noqa: B008
    accounts = dict(pair.split(":", 1) for pair in shared.cmd_opts.api_auth.split(","))
    expected = accounts.get(credentials.username)
    if expected is None or not compare_digest(credentials.password.encode(), expected.encode()):
        raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Basic"})


@router.get("/health")
def health() -> dict[str, Any]:
    """What runs: version, the loaded checkpoint (None before the first use) and where modules are looked for."""
    loaded = sd_models.model_data.sd_model
    return {
        "version": __version__,
        "checkpoint": loaded.sd_checkpoint_info.name if loaded is not None else None,
        "motion_module_folders": [str(folder) for folder in library.folders()],
    }


@router.get("/motion-modules")
def motion_modules() -> list[str]:
    """Names to use as `motion_module`."""
    return list(library.names())


@router.get("/identities")
def identity_names() -> list[str]:
    """Names to use as `identity`: the embeddings that fit the loaded checkpoint."""
    return embeddings.names()


def add_routes(_demo: Any, app: FastAPI) -> None:
    """WebUI callback on_app_started; the routes ask for the account that --api-auth sets.

    Jobs can be begun where the WebUI's own API is on: without it, nothing but the page's account lets people
    compute.
    """
    dependencies = [Depends(_authorise)] if shared.cmd_opts.api_auth else []
    app.include_router(router, dependencies=dependencies)
    if shared.cmd_opts.api or shared.cmd_opts.nowebui:
        app.include_router(api.router(JOBS), dependencies=dependencies)
