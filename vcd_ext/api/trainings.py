"""POST /vcd/v1/train, GET /vcd/v1/train/{id} and POST /vcd/v1/train/{id}/cancel."""

import base64
import binascii
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from vcd_ext.api.http import check_keys, job_json, or_http_error, read_json, request_schema
from vcd_ext.identity.photos.photo import Photos, read_photos
from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.training import TrainingJob
from vcd_ext.settings import TrainSettings, json_schema, parse
from vcd_ext.storage.allowed_folders import inside

KEYS = ("settings", "photos", "masks", "replace", "resume", "discard")
MOST_PHOTOS = 500
PICTURES = {"type": "array", "items": {"type": "string"}, "maxItems": MOST_PHOTOS}
SHAPE = {
    "settings": json_schema(TrainSettings),
    "photos": {
        "description": "pictures in base64, or a folder that may be read",
        "anyOf": [PICTURES, {"type": "string"}],
    },
    "masks": {
        "description": "as many, null where a photo has none",
        "type": "array",
        "items": {"type": "string", "nullable": True},
    },
    "replace": {"type": "boolean", "default": False, "description": "an identity of that name"},
    "resume": {"type": "boolean", "default": False, "description": "go on with the unfinished training of that name"},
    "discard": {"type": "boolean", "default": False, "description": "the unfinished training of that name, first"},
}


def add_training_routes(routes: APIRouter, jobs: Jobs) -> None:
    """Add the routes of the trainings."""

    @routes.post("/train", openapi_extra=request_schema(SHAPE, ["settings"]))
    async def train(request: Request) -> dict[str, Any]:
        """Begin a training of {"settings": {...}, "photos": [...], ...}; what `training_json` tells of it."""
        body = await read_json(request)
        return training_json(await run_in_threadpool(or_http_error, lambda: begin_training(jobs, body)))

    @routes.get("/train/{identifier}")
    def look(identifier: str) -> dict[str, Any]:
        """Return where a training is, or how it ended."""
        return training_json(or_http_error(lambda: jobs.get(identifier, TrainingJob)))

    @routes.post("/train/{identifier}/cancel")
    def cancel(identifier: str, keep: bool = False) -> dict[str, Any]:
        """End a training after the step that is being made. keep: save what it has learned by then."""
        job = or_http_error(lambda: jobs.get(identifier, TrainingJob))
        if keep:
            or_http_error(lambda: jobs.trainings.keep(job))
        else:
            job.stop()
        return training_json(job)


def training_json(job: TrainingJob) -> dict[str, Any]:
    """Describe a training as JSON."""
    told = job_json(job)
    return told | {
        "total": told["total"] or job.settings.steps,
        "loss": job.loss,
        "validation": job.validation[-1][1] if job.validation and math.isfinite(job.validation[-1][1]) else None,
        "warnings": list(job.notes),
        "embedding": job.file.stem if job.file else None,
    }


def begin_training(jobs: Jobs, body: Any) -> TrainingJob:
    """Begin the training that a request asks for; ValueError or BusyError in one sentence."""
    body = check_keys(body, KEYS, "a training")
    flags = {name: body.get(name, False) for name in ("replace", "resume", "discard")}
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}; it must be true or false.")
    settings = parse(TrainSettings, body.get("settings", {}))
    if flags["resume"]:
        return jobs.trainings.resume(settings.name)
    photos, problems = _photos(body.get("photos"), body.get("masks"), jobs.studio.folders.photos, settings.masked)
    if flags["discard"]:
        jobs.trainings.discard(settings.name)
    job = jobs.trainings.start(photos, settings, flags["replace"])
    job.notes.extend(problems)
    return job


def _photos(photos: Any, masks: Any, allowed: Sequence[Path], masked: bool) -> Photos:
    """Read the photos of a request: a folder of this machine, or pictures in base64. masked: with their masks."""
    if isinstance(photos, str):
        if masks is not None:
            raise ValueError(
                "masks belong to photos in base64; those of a folder lie in it, as rex.mask.png for rex.jpg."
            )
        return read_photos(inside(Path(photos), allowed), masked)
    if not isinstance(photos, Sequence) or not photos:
        raise ValueError("photos must be a list of pictures in base64, or a folder on the WebUI's machine.")
    if len(photos) > MOST_PHOTOS:
        raise ValueError(f"There are {len(photos)} photos; send at most {MOST_PHOTOS}, 5 to 10 good ones suffice.")
    masks = [None] * len(photos) if masks is None else masks
    if not isinstance(masks, Sequence) or len(masks) != len(photos):
        raise ValueError("masks must be a list as long as photos, with null where a photo has none.")
    with tempfile.TemporaryDirectory(prefix="vcd") as folder:
        files = [path for i in range(len(photos)) for path in _files(Path(folder), i, photos[i], masks[i])]
        return read_photos(files, masked)


def _files(folder: Path, i: int, photo: Any, mask: Any) -> list[Path]:
    """Write a photo and its mask as files that `read_photos` knows to belong together."""
    given = {f"photo {i + 1}": photo} | ({} if mask is None else {f"photo {i + 1}_mask": mask})
    for name, text in given.items():
        (folder / name).write_bytes(_decoded(text, name))
    return [folder / name for name in given]


def _decoded(text: Any, name: str) -> bytes:
    """Decode base64, also where it follows "data:image/png;base64,"."""
    try:
        if not isinstance(text, str):
            raise TypeError
        return base64.b64decode(text.partition("base64,")[2] or text, validate=True)
    except (TypeError, binascii.Error) as error:
        raise ValueError(f"{name} is no base64; send the file's bytes in base64.") from error
