"""What VCD takes on a GPU: one command of at most 10 minutes, with random weights in SD1.5's exact layout.

    python -m benchmarks.gpu [--out docs/gpu.md]      # fp16 on CUDA, 3 GB of files in a folder that is deleted
    python -m benchmarks.gpu --small --out FILE       # the same on small models, also on a CPU: a try of the command

Seconds a step and the most memory that PyTorch had allocated: video from text without a module, with v2 and with v3, at
each *Speed*; a long video in windows; training in each memory mode; the pipeline by stage; and diffusers' own
AnimateDiffPipeline on the same UNet. What fails, such as for lack of memory, is said in its row.
"""

import argparse
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from tests import tiny
from vcd_ext.face import Detection
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.training import StandaloneTraining
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.identity import train
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.progress import Callbacks
from vcd_ext.settings import (
    EXACT,
    SPEEDS,
    FaceSettings,
    GenerateSettings,
    TiledSettings,
    TrainSettings,
    VideoSettings,
)
from vcd_ext.stages.video_to_video import run_stage, title

GIB = 2**30
MODES = {"fast": "off", "usual": "transformers", "low": "all"}  # of gradient checkpointing
PHOTOS = 4


class Sizes(NamedTuple):
    """How much is computed."""

    side: int  # of the frames and of the training's pictures, pixels
    frames: int
    long: int  # frames of the long video
    steps: int
    trainings: int  # steps of each training


REAL = Sizes(side=512, frames=16, long=64, steps=10, trainings=200)
SMALL = Sizes(side=64, frames=4, long=6, steps=2, trainings=1)


class Taken(NamedTuple):
    """What something took."""

    seconds: float
    peak: float  # bytes allocated at the most; NaN without CUDA


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="small models and few steps")
    parser.add_argument("--out", type=Path, default=Path("docs/gpu.md"))
    options = parser.parse_args(arguments)
    if not options.small and not torch.cuda.is_available():
        parser.error("There is no CUDA here; --small tries the command on the CPU.")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), SMALL if options.small else REAL, options.small)
        lines = [*bench.head(), *bench.table()]
    lines += ["", f"All of it took {time.monotonic() - begun:.0f} s, making the models and the long video included."]
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(options.out.read_text(encoding="utf-8"))


class Bench:
    """The models, and what is done with them."""

    def __init__(self, folder: Path, sizes: Sizes, small: bool):
        made = tiny.checkpoint(folder) if small else tiny.full_size_checkpoint(folder)
        self.host = Standalone.load(made)
        self.modules = {
            version: tiny.motion_module(folder, version) if small else tiny.full_size_motion_module(folder, version)
            for version in ("v2", "v3")
        }
        self.sizes, self.small = sizes, small
        self.picture = GenerateSettings("a cat", width=sizes.side, height=sizes.side, steps=sizes.steps, seed=1)

    def head(self) -> Iterator[str]:
        """Yield what was measured, and where."""
        cuda = self.host.device.type == "cuda"
        where = torch.cuda.get_device_name() if cuda else f"a CPU ({platform.machine()})"
        precision = str(self.host.unet.dtype).removeprefix("torch.")
        yield "# On a GPU"
        yield ""
        layout = "a small" if self.small else "the exact"
        yield f"`python -m benchmarks.gpu{' --small' * self.small}` on {where}, {precision}, torch {torch.__version__}:"
        yield f"random weights in {layout} layout of SD1.5, {self.sizes.side} pixels a side, Euler with CFG 7,"
        yield f"{self.sizes.steps} steps. GiB: the most that PyTorch had allocated, models included."
        yield ""

    def table(self) -> Iterator[str]:
        """Yield the rows, each measured when it is asked for."""
        yield "| | seconds a step | GiB |"
        yield "|---|---|---|"
        sizes = self.sizes
        yield self._row(f"{sizes.frames} frames, no motion module", lambda: self.video(None))
        for version, path in self.modules.items():
            for speed in SPEEDS:
                what = f"{sizes.frames} frames, {version}, {speed}"
                yield self._row(what, partial(self.video, path, speed))
        long = f"{sizes.long} frames in windows of {sizes.frames}, v2"
        yield self._row(long, lambda: self.video(self.modules["v2"], frames=sizes.long))
        yield self._row(f"{sizes.frames} frames, diffusers' AnimateDiffPipeline", self.peer)
        for mode, checkpointing in MODES.items():
            what = f"training, batch 4, gradient checkpointing {checkpointing} ({mode})"
            yield self._row(what, partial(self.training, checkpointing))
        yield from self._stages()

    def video(self, module: Path | None, speed: str = EXACT, frames: int = 0) -> Taken:
        """Return the seconds of a step of a video from text, the first included."""
        video = VideoSettings(frames=frames or self.sizes.frames, context=self.sizes.frames, overlap=1, speed=speed)
        self.host.generate(replace(self.picture, steps=1), replace(video, frames=self.sizes.frames), module)
        stamps: list[float] = []

        def progress(done: int, _total: int) -> None:
            self._wait()
            if done <= video.frames * self.sizes.steps:
                stamps.append(time.perf_counter())

        taken = self._taken(lambda: self.host.generate(self.picture, video, module, progress=progress))
        return taken._replace(seconds=(stamps[-1] - stamps[0]) / self.sizes.steps)

    def peer(self) -> Taken:
        """Return the seconds of a step of diffusers' own pipeline, with its own motion module of the same size."""
        from diffusers import AnimateDiffPipeline, EulerDiscreteScheduler, MotionAdapter

        host = self.host
        adapter = MotionAdapter(block_out_channels=host.unet.config.block_out_channels)
        pipe = AnimateDiffPipeline(
            host.vae, host.prompts.text_encoder, host.prompts.tokenizer, host.unet, adapter,
            EulerDiscreteScheduler(beta_schedule="linear"),
        )  # fmt: skip
        pipe.unet.to(host.device, host.unet.dtype)
        pipe.set_progress_bar_config(disable=True)
        text = torch.zeros(1, 77, host.prompts.width, device=host.device, dtype=host.unet.dtype)
        stamps: list[float] = []

        def after(_pipe: Any, _step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            self._wait()
            stamps.append(time.perf_counter())
            return tensors

        side = self.sizes.side
        taken = self._taken(
            lambda: pipe(
                prompt_embeds=text, negative_prompt_embeds=text, num_frames=self.sizes.frames, width=side, height=side,
                num_inference_steps=self.sizes.steps + 1, guidance_scale=7.0, output_type="latent",
                callback_on_step_end=after,
            )
        )  # fmt: skip
        return taken._replace(seconds=(stamps[-1] - stamps[0]) / self.sizes.steps)

    def training(self, checkpointing: str) -> Taken:
        """Return the seconds of a step of training, all that is around the steps included."""
        steps, side, random = self.sizes.trainings, self.sizes.side, np.random.default_rng(0)
        photos = [Photo(str(i), random.integers(0, 256, (side, side, 3), np.uint8)) for i in range(PHOTOS)]
        settings = TrainSettings(
            name="rexy", class_word="dog", steps=steps, size=side, batch=4, micro_batch=4, masked=False, variants=1,
            gradient_checkpointing=checkpointing, validate_every=0, seed=1,
        )  # fmt: skip
        taken = self._taken(lambda: train(StandaloneTraining(self.host), photos, settings))
        return taken._replace(seconds=taken.seconds / steps)

    def _stages(self) -> Iterator[str]:
        """Yield the rows of the pipeline, from a video of this size to twice its size."""
        clip = self.host.generate(self.picture, VideoSettings(frames=self.sizes.frames), self.modules["v2"])
        side = self.sizes.side
        common: dict[str, Any] = {
            "prompt": "a cat",
            "motion_module": str(self.modules["v2"]),
            "steps": self.sizes.steps,
            "seed": 1,
        }
        face = Detection((side * 0.3, side * 0.3, side * 0.6, side * 0.6), 0.9)
        faces = FaceSettings(size=side, min_face=8, **common)
        tiles = TiledSettings(tile=side + side // 8, tile_overlap=side // 4, **common)
        for settings in (faces, tiles):
            callbacks = Callbacks(lambda _: None, lambda _: None, lambda: False)

            def run(settings: Any = settings, callbacks: Callbacks = callbacks) -> object:
                return run_stage(StandaloneVideo(self.host), clip, settings, lambda _: lambda _: [face], callbacks)

            yield self._row(f"{title(settings)}, all of its {self.sizes.steps} steps at 0.6", lambda: self._taken(run))

    def _row(self, what: str, measure: Callable[[], Taken]) -> str:
        try:
            taken = measure()
        except Exception as error:  # the other rows are to be measured
            return f"| {what} | failed: {str(error).splitlines()[0][:80]} | |"
        return f"| {what} | {taken.seconds:.3f} | {taken.peak / GIB:.2f} |"

    def _taken(self, run: Callable[[], object]) -> Taken:
        """Return what running something takes as a whole."""
        cuda = self.host.device.type == "cuda"
        if cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        self._wait()
        begun = time.perf_counter()
        run()
        self._wait()
        peak = torch.cuda.max_memory_allocated() if cuda else float("nan")
        return Taken(time.perf_counter() - begun, peak)

    def _wait(self) -> None:
        """Wait for what the GPU still has to do."""
        if self.host.device.type == "cuda":
            torch.cuda.synchronize()


if __name__ == "__main__":
    main()
