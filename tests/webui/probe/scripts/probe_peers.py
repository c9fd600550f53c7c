"""What other extensions do to the model, to the choice of the checkpoint and to the queue, as the tests ask for it."""

import threading
import time
from pathlib import Path

import numpy as np
import tomesd
from fastapi import Body
from modules import call_queue, script_callbacks, sd_models, shared

PATIENCE = 120.0  # seconds after which something hangs
hung: list[tuple] = []
calls: list[str] = []


def _places():
    model = shared.sd_model
    unet = model.model.diffusion_model
    blocks = [layer for layer in unet.modules() if type(layer).__name__ == "BasicTransformerBlock"]
    return {
        "UNet": (unet, "forward"),  # as ControlNet's
        "block": (blocks[0], "_forward"),  # as its reference
        "attention": (blocks[1].attn2, "forward"),  # as IP-Adapter and Regional Prompter
        "model": (model, "apply_model"),
    }


def hang():
    """From now on the UNet and its layers go to functions of this extension, which add what they know of a picture."""
    calls.clear()
    for place, (owner, name) in _places().items():
        own = getattr(owner, name)

        def foreign(*args, place=place, own=own, **kwargs):
            calls.append(place)
            return own(*args, **kwargs) + 1

        setattr(owner, name, foreign)
        hung.append((owner, name, foreign))


def unhang():
    """No more; how often each was called, and whether all were still in their places."""
    there = all(vars(owner).get(name) is foreign for owner, name, foreign in hung)
    while hung:
        owner, name, _ = hung.pop()
        delattr(owner, name)
    return {"there": there, "calls": {place: calls.count(place) for place in _places()}}


def merge(ratio: float = Body(embed=True)):
    """Merge tokens from now on past the WebUI's own settings, as other extensions can; or, at 0, no more."""
    if ratio:
        tomesd.apply_patch(shared.sd_model, ratio)
    else:
        tomesd.remove_patch(shared.sd_model)


def merging():
    """Return the number of blocks that merge tokens now."""
    return sum(type(layer).__name__ == "ToMeBlock" for layer in shared.sd_model.modules())


def choose(title: str = Body(), after: int = Body()):
    """Choose another checkpoint in the drop-down when the UNet is called for the `after`-th time from now on.

    What loads it waits for the queue in the WebUI, and does so here at the next picture.
    """
    block = shared.sd_model.model.diffusion_model.input_blocks[0]
    left = [after]

    def count(*_):
        left[0] -= 1
        if left[0] == 0:
            hook.remove()
            _choose(title)

    hook = block.register_forward_pre_hook(count)


def _choose(title):
    shared.opts.set("sd_model_checkpoint", title, run_callbacks=False)


def waiting(
    work: str = Body(),
    source: str = Body(""),
    settings: dict = Body({}),  # noqa: B008
    title: str = Body(""),
    stop: bool = Body(False),
):
    """Let a job of the tabs wait for its turn while another checkpoint is chosen, or until it is stopped."""
    from vcd_ext.hosts.webui.studio import JOBS

    with call_queue.queue_lock:
        job = _begun(JOBS, work, source, settings)
        _until(lambda: call_queue.queue_lock._pending_threads)
        if title:
            _choose(title)
        if stop:
            job.stop()
            _until(lambda: job.ended)
            held = _begun(JOBS, work, source, settings)  # there is room for another at once
            held.stop()
            _until(lambda: held.ended)
    _until(lambda: job.ended)
    identity = getattr(job, "identity", None)
    return {
        "state": job.state,
        "error": job.error,
        "notes": job.notes,
        "files": [str(path) for path in getattr(job, "files", [])],
        "checkpoint": identity and identity.metadata["checkpoint"],
    }


def _begun(jobs, work, source, settings):
    from vcd_ext.identity.photos.photo import Photo
    from vcd_ext.settings import TiledSettings, TrainSettings

    if work == "tiled":
        return jobs.videos.start(Path(source), TiledSettings(**settings), ["png"])
    pixels = np.random.default_rng(7).integers(0, 256, (96, 80, 3), np.uint8)
    return jobs.trainings.start([Photo("0.png", pixels, None)], TrainSettings(**settings), replace_existing=True)


def find(source: str = Body(embed=True)):
    """Find the faces of a video after somebody has interrupted something else, while a picture is made."""
    from vcd_ext.hosts.webui.studio import JOBS
    from vcd_ext.settings import FaceSettings

    found, jobs = [], []

    def search():
        try:
            sheet, _ = JOBS.videos.find_faces(Path(source), FaceSettings(min_face=8))
            found.append(list(sheet.shape))
        except ValueError as error:
            found.append(str(error))

    def watch():
        while not found:
            jobs.append(shared.state.job)
            time.sleep(0.001)

    shared.state.interrupted = True  # as it stays after a job that was interrupted
    with call_queue.queue_lock:
        thread = threading.Thread(target=search)
        thread.start()
        _until(lambda: call_queue.queue_lock._pending_threads or found)
        early = list(found)
        watcher = threading.Thread(target=watch)
        watcher.start()
    thread.join()
    watcher.join()
    return {"early": early, "found": found, "jobs": sorted(set(jobs))}


def _until(happened):
    end = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > end:
            raise RuntimeError("probe: it does not happen")
        time.sleep(0.002)


def add_routes(_demo, app):
    for ask in (hang, unhang, merge, choose, waiting, find):
        app.add_api_route(f"/probe/{ask.__name__}", ask, methods=["POST"])
    app.add_api_route("/probe/merging", merging, methods=["GET"])
    app.add_api_route("/probe/chosen", lambda: sd_models.select_checkpoint().title, methods=["GET"])


script_callbacks.on_app_started(add_routes)
