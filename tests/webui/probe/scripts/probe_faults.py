"""Faults on request, for benchmarks/reliability: what passes a place is counted, and the n-th passing goes wrong."""

import errno
import os
import sys
from collections import Counter

from fastapi import Body
from ldm.modules.distributions.distributions import DiagonalGaussianDistribution
from modules import processing, script_callbacks, shared

SAMPLE = DiagonalGaussianDistribution.sample
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Armed:
    """One fault that waits for its moment, and how often each place was passed since it was armed."""

    def __init__(self):
        self.counts = Counter()
        self.place = self.action = self.words = ""
        self.at = 0
        self.fired = False
        self.folders = ()
        self.hooks = []

    def arm(self, place, at, action, words, folders):
        self.disarm()
        model = shared.sd_model
        self.__init__()
        self.place, self.at, self.action, self.words = place, at, action, words
        self.folders = tuple(os.path.realpath(folder) + os.sep for folder in folders)
        layers = {
            "text": model.cond_stage_model.wrapped.transformer.text_model.encoder,
            "encode": model.first_stage_model.encoder,
            "unet": model.model.diffusion_model.output_blocks[4],
            "decode": model.first_stage_model.decoder,
        }
        self.hooks = [
            layer.register_forward_pre_hook(lambda *_, name=name: self.passing(name)) for name, layer in layers.items()
        ]

    def disarm(self):
        for hook in self.hooks:
            hook.remove()
        self.hooks, self.folders = [], ()

    def passing(self, place):
        self.counts[place] += 1
        if place == self.place and self.counts[place] == self.at and not self.fired:
            self.fired = True
            self.go_wrong()

    def go_wrong(self):
        buttons = {
            "interrupt": shared.state.interrupt,
            "skip": shared.state.skip,
            "interrupt after current": shared.state.stop_generating,
        }
        if self.action in buttons:
            buttons[self.action]()
        elif self.action == "checkpoint":
            shared.opts.data["sd_model_checkpoint"] = self.words  # what the drop-down does first
        elif self.action == "disk full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        elif self.action == "no permission":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        else:
            raise RuntimeError(self.words)

    def audit(self, event, args):
        """Python tells of every file that is opened or renamed; FFmpeg's and safetensors' own opening it does not."""
        if not self.folders or event not in ("open", "os.rename"):
            return
        path = args[1] if event == "os.rename" else args[0]
        if event == "open" and not (isinstance(args[2], int) and args[2] & WRITING):
            return
        if isinstance(path, str | bytes | os.PathLike) and os.fsdecode(path).startswith(self.folders):
            self.passing("write")


armed = Armed()
sys.addaudithook(armed.audit)


def arm(
    place: str = Body(""),
    at: int = Body(0),
    action: str = Body(""),
    words: str = Body(""),
    folders: list[str] = Body([]),  # noqa: B008
):
    """Count from now on what passes each place, and make the passing number `at` of `place` go wrong."""
    for kind in (processing.StableDiffusionProcessing, processing.StableDiffusionProcessingTxt2Img):
        for name in ("cached_c", "cached_uc", "cached_hr_c", "cached_hr_uc"):
            if hasattr(kind, name):
                setattr(kind, name, [None, None])  # or the next run with these prompts would encode no text
    armed.arm(place, at, action, words, folders)


def seen():
    """How often each place was passed, and whether it went wrong; ends it."""
    armed.disarm()
    return {"counts": dict(armed.counts), "fired": armed.fired}


def posterior(drawn: bool = Body(embed=True)):
    """Whether img2img draws from the VAE's posterior, as the WebUI does, or takes its mean."""
    DiagonalGaussianDistribution.sample = SAMPLE if drawn else DiagonalGaussianDistribution.mode


def add_routes(_demo, app):
    app.add_api_route("/probe/fault", arm, methods=["POST"])
    app.add_api_route("/probe/fault", seen, methods=["GET"])
    app.add_api_route("/probe/posterior", posterior, methods=["POST"])


script_callbacks.on_app_started(add_routes)
