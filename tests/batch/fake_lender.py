"""A lender without models: videos of one colour, identities that cost nothing, and faults on purpose."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.identity.toy_host import ToyHost
from vcd_ext.batch.unit import ModelFiles, TrainingWork, VideoWork
from vcd_ext.media import Clip
from vcd_ext.progress import StepReport
from vcd_ext.settings import FaceSettings


class FakeLender:
    """Makes videos whose colour is their seed's."""

    def __init__(self, before: Callable[[VideoWork], None] = lambda _: None):
        self.before = before
        self.generated: list[VideoWork] = []

    def trainer(self, models: ModelFiles) -> ToyHost:
        return ToyHost()

    def segmenters(self, models: ModelFiles) -> list[Any]:
        return []

    def generate(self, work: VideoWork, progress: StepReport) -> Clip:
        self.before(work)
        assert all(path.is_file() for path in work.embeddings), "trainings come first"
        for step in range(3):
            progress(step, 2)
        self.generated.append(work)
        size = work.picture.height, work.picture.width
        return Clip(np.full((work.video.frames, *size, 3), work.picture.seed * 20, np.uint8), work.video.fps)

    def remaker(self, work: VideoWork) -> Any:
        raise AssertionError("no stage was asked for")

    def detector(self, models: ModelFiles, settings: FaceSettings) -> Any:
        raise AssertionError("no stage was asked for")

    def upscalers(self, models: ModelFiles) -> list[str]:
        return ["Lanczos"]

    def check(self, work: VideoWork) -> None:
        pass

    def check_training(self, work: TrainingWork) -> None:
        pass


def plan_text(folder: Path, seeds: str = "[1, 2]", gamma: float = 0.15, steps: int = 2) -> Path:
    """Write a plan of one identity and a video for each seed; its path."""
    path = folder / "plan.toml"
    path.write_text(f"""
checkpoint = "tiny.safetensors"
[train]
steps = {steps}
size = 64
batch = 1
variants = 1
validate_every = 0
save_every = 1
masked = false
seed = 1
[video]
width = 64
height = 64
frames = 2
steps = 1
formats = ["gif"]
[[identities]]
name = "rex01"
class_word = "dog"
photos = "photos"
[[videos]]
prompts = ["photo of {{subject}}"]
seeds = {seeds}
gamma = {gamma}
""")
    return path
