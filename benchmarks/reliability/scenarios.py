"""What is being made when something goes wrong, each in a second or two on a tiny checkpoint."""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import requests
from numpy.typing import NDArray

from tests.webui.server import Result, Server, as_base64
from vcd_ext import media
from vcd_ext.identity import load_embedding
from vcd_ext.media import Clip

PATIENCE = 600.0  # seconds
ENDED = ("done", "stopped", "failed")
FORMATS = ["mp4", "gif", "webp"]
MOTION = {"motion_module": "mm_v2", "frames": 4, "formats": FORMATS}
LONG = MOTION | {"frames": 9, "overlap": 2, "context": 4}
STAGES = {
    "identity": "tinyperson",
    "face": True,
    "face_size": 64,
    "face_min_face": 8,
    "tiled": True,
    "tiled_tile": 128,
    "tiled_tile_overlap": 32,
    "tiled_upscaler": "Lanczos",
    "save_stages": True,
}
JOB = {"steps": 2, "motion_module": "mm_v2", "identity": "tinyperson", "prompt": "a photo of tinyperson", "seed": 3}
FACE = JOB | {"size": 64, "min_face": 8, "min_track": 2}
TILED = JOB | {"tile": 128, "tile_overlap": 32, "upscaler": "Lanczos"}
NAME = "rexling"
TRAINING = {"name": NAME, "class_word": "dog", "tokens": 2, "steps": 4, "batch": 1, "size": 64, "variants": 1,
            "validate_every": 2, "save_every": 1, "learning_rate": 0.05, "seed": 5}  # fmt: skip


@dataclass
class Ended:
    """How one run came out. made: frames or vectors, None if nothing; said: the sentences that were told."""

    state: str  # one of ENDED, or "refused"
    made: NDArray[Any] | None
    said: list[str] = field(default_factory=list)

    def like(self, other: "Ended") -> bool:
        """Whether it ended in the same way and made the same."""
        return self.state == other.state and self.made_like(other)

    def made_like(self, other: "Ended") -> bool:
        """Whether it made the same."""
        if self.made is None or other.made is None:
            return self.made is other.made
        return np.array_equal(self.made, other.made)


Run = Callable[[Server], Ended]


def digest(*arrays: Any) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of arrays' bytes."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def photos() -> list[tuple[Any, Any]]:
    """Return two photos, uint8 [96, 96, 3], each with its mask [96, 96]: a bright square on noise."""
    draw, made = np.random.default_rng(2), []
    for i in range(2):
        pixels, mask = draw.integers(0, 120, (96, 96, 3), np.uint8), np.zeros((96, 96), np.uint8)
        pixels[20 : 60 + 10 * i, 30:70], mask[20 : 60 + 10 * i, 30:70] = 220, 255
        made.append((pixels, mask))
    return made


def source(folder: Path) -> Path:
    """Write a short video into a folder that the WebUI reads from; its path."""
    pictures = np.random.default_rng(1).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
    return media.write(folder / "walk.mp4", Clip(pictures, 8))


def generating(vcd: dict[str, Any], path: str = "txt2img", **request: Any) -> Run:
    """Make a video by txt2img or img2img."""

    def run(server: Server) -> Ended:
        answer = server.ask(vcd, path, save_images=True, **request)
        if answer.status_code != 200:
            return Ended("failed", None, [_told(answer)])
        result = Result(answer.json())
        if not result.frames_of_any_size:
            return Ended("stopped", None, ["Nothing was made."])
        errors, notes = (result.extra.get(key, []) for key in ("VCD errors", "VCD notes"))
        return Ended("failed" if errors else "done", result.frames, [*notes, *errors])

    return run


def remaking(kind: str, settings: dict[str, Any], video: Path) -> Run:
    """Make a video by the tab Face VCD or Tiled VCD."""

    def run(server: Server) -> Ended:
        body = {"video": str(video), "settings": settings, "formats": FORMATS}
        told = job(server, f"/vcd/v1/{kind}", body)
        if "id" not in told:
            return Ended("refused", None, told["said"])
        # One file says what was made; that the others are whole is seen afterwards.
        files = [Path(file["path"]) for file in told["videos"]]
        made = np.asarray(media.read(files[0]).frames) if files else None
        return Ended(told["state"], made, [*told["notes"], *filter(None, [told["error"]])])

    return run


def training(server: Server) -> Ended:
    """Learn an identity, anew or from where a training of it was left."""
    body: dict[str, Any] = {
        "settings": TRAINING,
        "photos": [as_base64(pixels) for pixels, _ in photos()],
        "masks": [as_base64(mask) for _, mask in photos()],
    }
    folder = server.data / "vcd" / "trainings"
    if (folder / f"{NAME}.training").exists():
        body = {"settings": {"name": NAME}, "resume": True}
    told = job(server, "/vcd/v1/train", body)
    if "id" not in told:
        return Ended("refused", None, told["said"])
    file = server.data / "embeddings" / f"{NAME}.safetensors"
    made = load_embedding(file).numpy() if told["embedding"] else None
    return Ended(told["state"], made, [*told["warnings"], *filter(None, [told["error"]])])


def forget(server: Server) -> None:
    """Delete the identity that `training` has made, so that it can be learned again."""
    for path in (server.data / "embeddings").glob(f"{NAME}.*"):
        path.unlink()
    server.post("/sdapi/v1/refresh-embeddings").raise_for_status()


def forget_all(server: Server) -> None:
    """Delete also what a training has left to go on from."""
    forget(server)
    shutil.rmtree(server.data / "vcd" / "trainings", ignore_errors=True)


def job(server: Server, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Begin a job and wait for its end; what is told of it, or {"said": ...} if it is refused."""
    answer = server.post(path, **body)
    if answer.status_code != 200:
        return {"said": [_told(answer)]}
    where = f"{path}/{answer.json()['id']}"
    end = time.monotonic() + PATIENCE
    while (told := server.get(where))["state"] not in ENDED:
        if time.monotonic() > end:
            raise TimeoutError(f"{where} does not end: {told}")
        time.sleep(0.05)
    return dict(told)


def _told(answer: requests.Response) -> str:
    try:
        told = answer.json()
    except ValueError:
        return answer.text[:200]
    return str(told.get("detail") or told.get("errors") or told)


def scenarios(server: Server) -> dict[str, Run]:
    """All of them by name, on a server whose data folder holds what tests/webui puts there."""
    video = source(server.data / "outputs")
    picture = as_base64(media.read(video).frames[0])
    again = {"video": str(video), **MOTION}
    return {
        "video (txt2img)": generating(MOTION),
        "video in windows": generating(LONG),
        "video of a video (img2img)": generating(again, "img2img", init_images=[picture], denoising_strength=0.5),
        "video, Face VCD and Tiled VCD": generating(MOTION | STAGES),
        "tab Face VCD": remaking("face", FACE, video),
        "tab Tiled VCD": remaking("tiled", TILED, video),
        "training": training,
    }


@contextmanager
def ready(server: Server) -> Iterator[None]:
    """Within this context each picture has a face in its middle, and img2img makes the same of the same.

    The tiny checkpoint paints no faces; and the WebUI's img2img draws from what its VAE says of the input, by a
    generator that it does not seed.
    """
    server.post("/probe/face", there=True).raise_for_status()
    server.post("/probe/posterior", drawn=False).raise_for_status()
    try:
        yield
    finally:
        server.post("/probe/face", there=False).raise_for_status()
        server.post("/probe/posterior", drawn=True).raise_for_status()
