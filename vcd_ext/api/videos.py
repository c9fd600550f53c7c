"""POST /vcd/v1/face and /vcd/v1/tiled; GET .../{id}, POST .../{id}/cancel and .../{id}/save for each."""

import base64
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from PIL import Image

from vcd_ext.api.http import check_keys, job_json, or_http_error, read_json, request_schema
from vcd_ext.jobs.service import Jobs
from vcd_ext.jobs.video import VideoJob
from vcd_ext.media.output_files import MIME
from vcd_ext.settings import FORMATS, FaceSettings, FileSettings, TiledSettings, json_schema, parse
from vcd_ext.stages.video_to_video import Settings
from vcd_ext.storage.uploads import received

KEYS = ("video", "settings", "formats", "files")
FOLDER = "inode/directory"  # the kind of what is a folder of frames

Classes = type[FaceSettings] | type[TiledSettings]


def add_video_routes(routes: APIRouter, jobs: Jobs) -> None:
    """Add the routes of Face VCD and Tiled VCD."""
    _add(routes, jobs, "face", FaceSettings)
    _add(routes, jobs, "tiled", TiledSettings)


def _add(routes: APIRouter, jobs: Jobs, kind: str, cls: Classes) -> None:
    def known(identifier: str) -> VideoJob:
        return or_http_error(lambda: jobs.get(identifier, VideoJob, lambda job: isinstance(job.settings, cls)))

    shape = {
        "video": {"type": "string", "description": "a path in a folder that may be read, or the file in base64"},
        "settings": json_schema(cls),
        "formats": {"type": "array", "items": {"enum": list(FORMATS)}, "default": ["mp4"]},
        "files": json_schema(FileSettings),
    }

    @routes.post(f"/{kind}", openapi_extra=request_schema(shape, ["video"]))
    async def start(request: Request) -> dict[str, Any]:
        """Begin a job of {"video": ..., "settings": {...}, "formats": [...], "files": {...}}; as `video_json`."""
        body = await read_json(request)
        return video_json(await run_in_threadpool(or_http_error, lambda: begin_video(jobs, cls, body)))

    @routes.get(f"/{kind}/{{identifier}}")
    def look(identifier: str, files: bool = True) -> dict[str, Any]:
        """Return where a job is, or how it ended. files: with the videos in base64, once they are there."""
        return video_json(known(identifier), files)

    @routes.post(f"/{kind}/{{identifier}}/cancel")
    def cancel(identifier: str) -> dict[str, Any]:
        """End a job after the step that is being made; what is finished is kept."""
        job = known(identifier)
        job.stop()
        return video_json(job, files=False)

    @routes.post(f"/{kind}/{{identifier}}/save")
    def save(identifier: str) -> dict[str, Any]:
        """Write the files of a job that could not be written when it ended."""
        job = known(identifier)
        or_http_error(lambda: jobs.videos.save(job))
        return video_json(job, files=False)


def begin_video(jobs: Jobs, cls: Classes, body: Any) -> VideoJob:
    """Begin the job that a request asks for; ValueError or BusyError in one sentence."""
    body = check_keys(body, KEYS, "a video")
    given = body.get("settings", {})
    settings: Settings = parse(FaceSettings, given) if cls is FaceSettings else parse(TiledSettings, given)
    formats, files = body.get("formats", ["mp4"]), body.get("files", {})
    if not isinstance(formats, list):
        raise ValueError(f'formats is {formats!r}; it must be a list, for example ["mp4"].')
    if not isinstance(files, dict):
        raise ValueError(f'files is {files!r}; it must be an object, for example {{"crf": 20}}.')
    written = parse(FileSettings, files)
    scratch = TemporaryDirectory(prefix="vcd")
    try:
        source = received(body.get("video"), jobs.studio.folders.sources, Path(scratch.name))
        return jobs.videos.start(source, settings, formats, scratch, written)
    except (ValueError, OSError):
        scratch.cleanup()
        raise


def video_json(job: VideoJob, files: bool = True) -> dict[str, Any]:
    """Describe a job as JSON. `videos` are there once they are written, also those of a job that was stopped."""
    return job_json(job) | {
        "notes": list(job.notes),
        "videos": [_file(path, files) for path in job.files],
        "unsaved": job.unsaved is not None,
        "sheet": None if job.sheet is None or not files else _png(job.sheet),
    }


def _file(path: Path, whole: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": str(path), "mime": MIME.get(path.suffix, FOLDER)}
    if whole and path.is_file():
        entry["base64"] = base64.b64encode(path.read_bytes()).decode("ascii")
    return entry


def _png(pixels: Any) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")
