"""Trainings measured from inside the WebUI, for benchmarks/training.py: ours, and the WebUI's own."""

import contextlib
import ctypes
import gc
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from unittest import mock
from xml.etree import ElementTree

import psutil
from fastapi import Body
from modules import call_queue, script_callbacks, sd_hijack, shared
from modules.textual_inversion import textual_inversion
from modules.textual_inversion import ui as their_ui

NAME, CLASS, TOKENS = "benchling", "dog", 4
LIBC = ctypes.CDLL("libc.so.6")
SDP = "sdp - scaled dot product"


class Steps:
    """Stands for the progress bar of their trainer: told of every step."""

    def __init__(self, clock):
        self.update = clock
        self.leave = False

    def set_description(self, _words):
        pass

    def close(self):
        pass


class Clock:
    """Told of every step."""

    def __init__(self):
        self.moments = []

    def __call__(self):
        self.moments.append((time.perf_counter(), time.process_time()))

    @property
    def steps(self):
        """Wall and processor seconds of each step but the first, which also warms up."""
        pairs = zip(self.moments, self.moments[1:], strict=False)
        return [(wall - begun, processor - used) for (begun, used), (wall, processor) in pairs]


def _memory():
    """Bytes that are allocated, and those that are resident once what is free has been given back."""
    gc.collect()
    LIBC.malloc_trim(0)
    return {"allocated": _allocated(), "resident": psutil.Process().memory_info().rss}


def _allocated():
    """Bytes that the C library has given out, over all of its arenas; exact, where the resident ones come in pages."""
    with tempfile.NamedTemporaryFile() as file:
        LIBC.fopen.restype = ctypes.c_void_p
        opened = ctypes.c_void_p(LIBC.fopen(file.name.encode(), b"w"))
        LIBC.malloc_info(0, opened)
        LIBC.fclose(opened)
        said = ElementTree.parse(file.name).getroot()
    total = {element.get("type"): int(element.get("size")) for element in said.findall("total")}
    return int(said.find("system[@type='current']").get("size")) - total["fast"] - total["rest"] + total["mmap"]


def _peak():
    """Bytes that were resident at most since `_forget_peak`."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def _forget_peak():
    Path("/proc/self/clear_refs").write_text("5")


def train(
    kind: str = Body(),
    photos: str = Body(),
    steps: int = Body(),
    size: int = Body(),
    batch: int = Body(),
):
    """One training of `kind` ("ours", "theirs", "theirs, optimised"): seconds of its steps, and memory."""
    shared.sd_model.zero_grad(set_to_none=True)  # what an earlier training of theirs has left
    for left in Path(shared.cmd_opts.embeddings_dir).glob(f"{NAME}.*"):  # by one that was killed
        left.unlink()
    before = _memory()
    _forget_peak()
    clock, began = Clock(), time.perf_counter()
    if kind == "ours":
        guess = _ours(clock, photos, steps, size, batch)
    else:
        guess = _theirs(clock, photos, steps, size, batch, kind == "theirs, optimised")
    taken, peak = time.perf_counter() - began, _peak()
    assert len(clock.moments) == steps, "the training failed: see the log"
    return {
        "steps": clock.steps,
        "before": before,
        "peak": peak,
        "after": _memory(),
        "seconds": taken,
        "estimated": guess,
    }


def _ours(clock, photos, steps, size, batch):
    from vcd_ext.hosts.webui.studio import JOBS
    from vcd_ext.hosts.webui.training import train_identity
    from vcd_ext.identity.photos.photo import read_photos
    from vcd_ext.identity.training.estimate import estimate
    from vcd_ext.identity.training.request import TrainingRequest
    from vcd_ext.settings import TrainSettings

    settings = TrainSettings(
        name=NAME, class_word=CLASS, tokens=TOKENS, steps=steps, size=size, batch=batch, variants=1, validate_every=0,
        seed=1,
    )  # fmt: skip
    found = read_photos(Path(photos)).photos
    guess = estimate(settings, len(found), JOBS.studio.capacity()).seconds

    def progress(now):
        if now.loss is not None:
            clock()

    train_identity(TrainingRequest(found, settings, progress, replace_existing=True))
    (Path(shared.cmd_opts.embeddings_dir) / f"{NAME}.safetensors").unlink()
    return guess


def _theirs(clock, photos, steps, size, batch, optimised):
    """As the page's button Train does, with its defaults; without pictures and copies in between."""
    database = sd_hijack.model_hijack.embedding_db
    textual_inversion.list_textual_inversion_templates()
    with call_queue.queue_lock, contextlib.ExitStack() as stack:
        file = Path(textual_inversion.create_embedding(NAME, TOKENS, overwrite_old=True, init_text=CLASS))
        stack.callback(file.unlink)
        database.load_textual_inversion_embeddings(force_reload=True)
        bar = SimpleNamespace(tqdm=lambda **_: Steps(clock))
        stack.enter_context(mock.patch.object(textual_inversion, "tqdm", bar))
        # Its notes go into a folder that it makes only where pictures are saved in between.
        chosen = {"training_xattention_optimizations": optimised, "save_training_settings_to_txt": False}
        stack.enter_context(mock.patch.dict(shared.opts.data, chosen))
        if optimised:
            stack.callback(sd_hijack.model_hijack.apply_optimizations)
            sd_hijack.model_hijack.apply_optimizations(SDP)
        shared.state.begin(job="train-embedding")
        stack.callback(shared.state.end)
        log = str(Path(photos).parent / "log")
        preview = ("", "", 1, "Euler", 7, 1, size, size)
        their_ui.train_embedding(
            "task(benchmark)", NAME, "0.005", batch, 1, photos, log, size, size, False, steps, "disabled", "0.1", False,
            0, "once", False, 0, 0, "subject.txt", False, False, *preview,
        )  # fmt: skip


def add_routes(_demo, app):
    app.add_api_route("/probe/trainer", train, methods=["POST"])


script_callbacks.on_app_started(add_routes)
