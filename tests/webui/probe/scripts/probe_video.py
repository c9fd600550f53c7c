"""Video-to-video as the tests ask for it from inside the WebUI, where only VCD's own tabs do otherwise."""

import base64
import io

import numpy as np
from crossing import Crossing  # beside the folder `scripts`, which the WebUI puts into the path
from fastapi import Body, HTTPException
from modules import modelloader, script_callbacks, scripts, shared

PASS = {"prompt": "a photo of a cat", "negative_prompt": "blurry", "steps": 4, "seed": 7, "cfg_scale": 7.0}
ANY, NONE = Body(...), Body(None)


def array(text):
    return np.load(io.BytesIO(base64.b64decode(text)))


def as_text(values):
    buffer = io.BytesIO()
    np.save(buffer, values)
    return base64.b64encode(buffer.getvalue()).decode()


def denoise(host, frames, work, masks=None, tiling=None, stop_after=None, seen=None):
    from vcd_ext.hosts.protocols import Tiling, VideoPass

    if tiling is not None:
        present = tiling.pop("present", None)
        tiling = Tiling(**tiling, present=None if present is None else np.array(present, dtype=bool))
    asked = [0]

    def interrupted():
        asked[0] += 1
        if seen is not None:
            seen.append(shared.state.job)
        return stop_after is not None and asked[0] > stop_after

    told = []
    made = host.denoise(
        list(array(frames)),
        VideoPass(
            **PASS | work,
            masks=None if masks is None else list(array(masks)),
            tiling=tiling,
            progress=lambda done, total: told.append([done, total]),
            interrupted=interrupted,
        ),
    )
    return np.stack(list(made)), told


def video(
    frames: str = Body(...),
    work: dict = ANY,
    masks: str = Body(None),
    tiling: dict = NONE,
    stop_after: int = Body(None),
    passes: int = Body(1),
):
    """So many passes in one turn; what the last of them gave."""
    from vcd_ext.hosts.protocols import Interrupted
    from vcd_ext.hosts.webui.video import queued_video_host

    seen, notes = [], []
    try:
        with queued_video_host(notes.append) as host:
            for _ in range(passes):
                made, told = denoise(host, frames, work, masks, tiling and dict(tiling), stop_after, seen)
    except Interrupted as stopped:
        raise HTTPException(409, "Interrupted") from stopped
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    return {"frames": as_text(made), "progress": told, "jobs": sorted(set(seen)), "notes": notes}


inside = {}


def video_inside(frames: str = Body(...), work: dict = ANY):
    """Make the next txt2img run a pass of its own when its pictures are done."""
    runner = scripts.scripts_txt2img
    inside.clear()

    def postprocess(p, processed):
        from vcd_ext.hosts.webui.video import WebUIVideo

        del runner.postprocess
        runner.postprocess(p, processed)
        inside["frames"] = as_text(denoise(WebUIVideo(), frames, work)[0])

    runner.postprocess = postprocess


finders = {}


def face(there: bool = Body(...), crossing: int = Body(0)):
    """From now on every picture has a face in its middle, a quarter as wide as it; or faces are looked for again.

    crossing: of so many frames, in which two faces change sides instead.
    """
    from vcd_ext.face import Detection
    from vcd_ext.hosts.webui.studio import WebUIStudio

    def find(frame):
        height, width = frame.shape[:2]
        return [Detection((3 * width / 8, 3 * height / 8, 5 * width / 8, 5 * height / 8), 0.9)]

    finders.setdefault("own", WebUIStudio.finder)
    made = (lambda studio, settings: Crossing(crossing)) if crossing else lambda studio, settings: find
    WebUIStudio.finder = made if there else finders["own"]


def upscalers():
    """Return the names, once the WebUI has looked for files again."""
    from vcd_ext.hosts.webui.video import WebUIVideo

    modelloader.load_upscalers()
    return WebUIVideo().upscalers()


def enlarge(picture: str = Body(...), scale: float = Body(...), upscaler: str = Body(...)):
    from vcd_ext.hosts.webui.video import queued_video_host

    try:
        with queued_video_host() as host:
            return as_text(host.enlarge(array(picture), scale, upscaler))
    except ValueError as error:
        raise HTTPException(422, str(error)) from error


def publish(name: str = Body(...), size: int = Body(...), sha256: str = Body(...), url: str = Body(...)):
    """Have a motion module that is offered come from elsewhere, such as a server of the test's own."""
    from vcd_ext.motion import published
    from vcd_ext.storage.download import WeightFile

    mine = WeightFile(name, published.FOLDER, size, sha256, url)
    offered = published.PUBLISHED
    published.PUBLISHED = tuple(one._replace(file=mine) if one.file.name == name else one for one in offered)


def known_film(blake2b: str = Body(embed=True)):
    """Have another file than FILM's own, such as a test's small network, be the one that is run."""
    from vcd_ext.stages import film

    film.BLAKE2B = blake2b


def add_routes(_demo, app):
    app.add_api_route("/probe/film", known_film, methods=["POST"])
    app.add_api_route("/probe/publish", publish, methods=["POST"])
    app.add_api_route("/probe/video", video, methods=["POST"])
    app.add_api_route("/probe/video/inside", video_inside, methods=["POST"])
    app.add_api_route("/probe/video/inside", lambda: inside, methods=["GET"])
    app.add_api_route("/probe/face", face, methods=["POST"])
    app.add_api_route("/probe/upscalers", upscalers, methods=["GET"])
    app.add_api_route("/probe/enlarge", enlarge, methods=["POST"])


script_callbacks.on_app_started(add_routes)
