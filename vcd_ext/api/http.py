"""What the routes share: requests that are JSON objects, and errors as HTTP."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from fastapi import HTTPException, Request

from vcd_ext.jobs.job import Job
from vcd_ext.jobs.queue import BusyError

Answer = TypeVar("Answer")
JSON = "application/json"


def json_only(request: Request) -> None:
    """Answer 415 for a POST that does not say that it is JSON, with or without a body.

    A page of any other site can make a browser send forms, texts and nothing at all; for JSON the browser asks first.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind != JSON:
        raise HTTPException(
            415, f"The request is {kind[:100] or 'of no type'}; send it with the header Content-Type: {JSON}."
        )


def request_schema(properties: dict[str, Any], required: Sequence[str]) -> dict[str, Any]:
    """Describe a request for the API's description: an object with these properties, as JSON Schema."""
    schema = {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}
    return {"requestBody": {"required": True, "content": {JSON: {"schema": schema}}}}


async def read_json(request: Request) -> Any:
    """Read what was sent as JSON; 422 if it is none."""
    try:
        return await request.json()
    except ValueError as error:
        raise HTTPException(422, "The request is no JSON; send an object with settings.") from error


def check_keys(body: Any, known: Sequence[str], what: str) -> Mapping[str, Any]:
    """Read the request as an object with known keys and settings; ValueError. what: is asked for, in the message."""
    if not isinstance(body, Mapping):
        raise ValueError(f"The request must be an object; {what} is asked for with {', '.join(known)}.")
    if unknown := [str(key) for key in body if key not in known]:
        raise ValueError(f"'{unknown[0]}' is not known; {what} is asked for with {', '.join(known)}.")
    if not isinstance(body.get("settings", {}), Mapping):
        raise ValueError("settings must be an object, with a setting's key and value each.")
    return body


def or_http_error(ask: Callable[[], Answer]) -> Answer:
    """Return what `ask` returns; turn what it raises into the HTTP error that it means."""
    try:
        return ask()
    except BusyError as error:
        raise HTTPException(409, str(error)) from error
    except LookupError as error:
        raise HTTPException(404, str(error.args[0])) from error
    except (ValueError, FileNotFoundError) as error:
        raise HTTPException(422, str(error)) from error
    except OSError as error:
        raise HTTPException(500, str(error)) from error


def job_json(job: Job) -> dict[str, Any]:
    """Describe any job: `state` is that of `Job`, `step` and `total` count in its `stage`."""
    now = job.progress
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "stage": now.stage if now else "",
        "step": now.step if now else 0,
        "total": now.total if now else 0,
        "seconds_left": now.seconds_left if now and not job.ended else None,
        "error": job.error,
    }
