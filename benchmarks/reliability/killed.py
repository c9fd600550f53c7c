"""kill -9 at random moments of a training, of a video with Tiled VCD and of writing, on the command line's host."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.reliability.judge import HIDDEN, Verdict, damage, is_hidden
from benchmarks.reliability.scenarios import digest, photos
from benchmarks.reliability.tally import Tried
from tests import tiny
from vcd_ext import media
from vcd_ext.__main__ import main
from vcd_ext.hosts.diffusers import host, training, video  # before the forks, so that no child needs seconds for it
from vcd_ext.identity import load_embedding
from vcd_ext.media import Clip
from vcd_ext.storage.atomic import ABANDONED

KILLS = 20
HOSTS = (host, training, video)
SUFFIXES = (".mp4", ".webm", ".gif", ".webp")
Work = Callable[[Path], None]  # writes into a folder


class Killed:
    """Processes that are killed, each with a folder of its own."""

    def __init__(self, folder: Path, seed: int, tell: Callable[[Tried], None], kills: int = KILLS):
        self.folder, self.moments, self.tell, self.kills = folder, random.Random(seed), tell, kills

    def all(self) -> None:
        """Kill all of them."""
        models = self.folder / "models"
        self.checkpoint = tiny.checkpoint(models)
        self.module = tiny.motion_module(models)
        self.embedding = tiny.embedding(models, "tinyperson")
        self.photos = self.folder / "photos"
        self.photos.mkdir()
        for i, (pixels, mask) in enumerate(photos()):
            Image.fromarray(pixels).save(self.photos / f"{i}.png")
            Image.fromarray(mask).save(self.photos / f"{i}.mask.png")
        self._kills("training", self._train, lambda out: digest(load_embedding(out / "rexling.safetensors")))
        self._kills("video and Tiled VCD", self._generate, lambda out: digest(media.read(out / "a.gif").frames))
        self.writing()

    def writing(self) -> None:
        """Kill what writes a video in each format."""
        self._kills("writing", _write, lambda out: digest(media.read(out / "a.gif").frames))

    def _train(self, out: Path) -> None:
        options = {"checkpoint": self.checkpoint, "photos": self.photos, "class": "dog", "name": "rexling",
                   "tokens": 2, "steps": 12, "size": 64, "batch": 1, "variants": 1, "save-every": 1, "seed": 5,
                   "validate-every": 4, "out": out}  # fmt: skip
        _run("train", options, "--overwrite")

    def _generate(self, out: Path) -> None:
        options = {"checkpoint": self.checkpoint, "motion-module": self.module, "embedding": self.embedding,
                   "prompt": "a photo of tinyperson", "frames": 4, "steps": 2, "width": 64, "height": 64, "seed": 1,
                   "formats": "gif", "out": out / "a", "tiled-upscaler": "Lanczos"}  # fmt: skip
        _run("generate", options, "--tiled")

    def _kills(self, name: str, work: Work, made: Callable[[Path], str]) -> None:
        """Kill some work at random moments of the time that it takes. made: the digest of what it has made."""
        whole = self.folder / f"{name} whole"
        whole.mkdir()
        began = time.monotonic()
        _forked(lambda: work(whole), None)
        lasts = time.monotonic() - began
        expected = made(whole)
        for number in range(self.kills):
            out = self.folder / f"{name} {number}"
            out.mkdir()
            killed = _forked(lambda out=out: work(out), self.moments.uniform(0, lasts))  # type: ignore[misc]
            left = [path for path in out.rglob("*") if path.name.endswith(HIDDEN)]
            bad = [f"{path.name}: {damage(path)}" for path in _files(out) if not is_hidden(path) and damage(path)]
            for path in left:  # an hour later
                os.utime(path, (time.time() - 2 * ABANDONED,) * 2)
            _forked(lambda out=out: work(out), None)  # type: ignore[misc]
            following = "" if made(out) == expected else "another result"
            bad += [f"{path.name} is never deleted" for path in left if path.exists()]
            verdict = Verdict("", "; ".join(bad), following)
            self.tell(Tried("kill", name, "kill -9", killed, not killed, "", verdict))
            shutil.rmtree(out)


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def _write(out: Path) -> None:
    frames = np.random.default_rng(3).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
    for _ in range(2):  # the second time over those that are there
        for suffix in SUFFIXES:
            media.write(out / f"a{suffix}", Clip(frames, 8))
        media.write(out / str(time.monotonic_ns()), Clip(frames, 8))  # a folder of frames


def _run(command: str, options: dict[str, object], *flags: str) -> None:
    status = main([command, *flags, *(str(word) for name, value in options.items() for word in (f"--{name}", value))])
    if status:
        raise RuntimeError(f"{command} ended with {status}")


def _forked(work: Callable[[], None], seconds: float | None) -> bool:
    """Do some work in a process of its own; whether it was killed after so many seconds. None: let it end.

    RuntimeError if it ends by itself with an error.
    """
    process = os.fork()
    if not process:
        _child(work)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        raise RuntimeError("what was to be killed failed by itself")
    return False


def _child(work: Callable[[], None]) -> None:
    status = 1
    try:
        torch.set_num_threads(1)
        silence = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(silence, stream)
        work()
        status = 0
    finally:
        os._exit(status)
