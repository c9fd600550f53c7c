"""The subcommand `demo`: the whole method on the small drawn world that ships with the project.

It learns an individual from eight pictures, makes videos of its class and of the individual, without and with the
noise prior, takes one through Face VCD and Tiled VCD, and writes them with contact sheets and a report that any browser
shows.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vcd_ext import media, toyworld
from vcd_ext.cli import demo_report
from vcd_ext.cli.demo_report import Shot
from vcd_ext.cli.terminal import notify, progress_bar, stage_bars
from vcd_ext.media import Clip
from vcd_ext.metrics import motion as measures
from vcd_ext.settings import FaceSettings, GenerateSettings, TiledSettings, TrainSettings, VideoSettings
from vcd_ext.stages import pipeline

if TYPE_CHECKING:
    from vcd_ext.hosts.diffusers.host import Standalone
    from vcd_ext.identity import Identity
    from vcd_ext.toyworld import Subject
    from vcd_ext.toyworld.judging import Judges, Values

GAMMAS = (0.0, 0.15)
PICTURE = GenerateSettings(
    width=toyworld.SIZE, height=toyworld.SIZE, steps=toyworld.STEPS, cfg_scale=toyworld.CFG_SCALE, sampler="dpmpp_2m"
)
TRAINING = TrainSettings(size=toyworld.SIZE, steps=200, micro_batch=4)
FRAMES = 16
SUBJECT, PLACE = "mara", "on the beach, jumping, facing right"
# What the video of a far subject shows that goes on through Face VCD and Tiled VCD.
FAR = "in the snow, running, facing right"
# Settings for a checkpoint of 128 pixels: a face is painted at that size, a tile shows about as much. Heads of drawn
# figures have hats and ears that are larger than their faces.
FACE = FaceSettings(
    detector="drawn", min_face=8, size=toyworld.SIZE, mask=1.8, feather=0.4,
    steps=10, cfg_scale=toyworld.CFG_SCALE, sampler="dpmpp_2m",
)  # fmt: skip
TILED = TiledSettings(
    tile=144, tile_overlap=32, upscaler="Lanczos", steps=20, cfg_scale=toyworld.CFG_SCALE, sampler="dpmpp_2m"
)
SHOWN, LABEL_HEIGHT = 8, 16  # frames of a row of the contact sheet; pixels


@dataclass(frozen=True)
class Witness:
    """Whoever measures the videos: the drawn world's judges, and how the individual looks on its photos."""

    judges: "Judges"
    subject: "Subject"
    looks: "Values"

    @classmethod
    def of(cls, subject: "Subject") -> "Witness":
        """Make a witness who knows the subject's photos."""
        from vcd_ext.identity.photos.photo import read_photos
        from vcd_ext.toyworld.judging import load_judges
        from vcd_ext.toyworld.likeness import appearance

        judges = load_judges(toyworld.judges())
        return cls(judges, subject, appearance(judges, read_photos(subject.folder).photos))

    def measure(self, clip: Clip) -> dict[str, str]:
        """Return what is seen in a video and measured of it, as text."""
        from vcd_ext.toyworld.judging import ACTIONS, KINDS, SCENES
        from vcd_ext.toyworld.likeness import likeness

        frames, judges = clip.frames, self.judges
        seen = KINDS[int(judges.kinds(frames).mean(0).argmax())], SCENES[int(judges.scenes(frames).mean(0).argmax())]
        return {
            "seen in it": f"{', '.join(seen)}, {ACTIONS[int(judges.actions(frames).argmax())]}",
            f"like {self.subject.name}": f"{likeness(judges, frames, self.looks):.2f}",
            "motion": f"{measures.flow_magnitude(frames):.2f} px/frame",
            "flicker": f"{measures.flicker(frames):.1f} of 255",
            "neighbours' correlation": f"{measures.neighbour_correlation(frames):.3f}",
        }


def run(arguments: argparse.Namespace) -> int:
    """Learn, make the videos, measure them, and write everything into the folder `out`; say what was done."""
    from vcd_ext.hosts.diffusers.host import Standalone

    started = time.monotonic()
    toyworld.check_files()
    subject = next(one for one in toyworld.subjects() if one.name == SUBJECT)
    host = Standalone.load(toyworld.checkpoint())
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    print(f"Learning {subject.name}, a {subject.class_word}, from the pictures in {subject.folder}")
    identity, embedding = learn(host, subject, out, arguments.seed)
    witness, shots = Witness.of(subject), []
    for prompt, vectors in _prompts(subject, embedding):
        for gamma in GAMMAS:
            shots.append(
                _shoot(host, replace(PICTURE, prompt=prompt, seed=arguments.seed), gamma, vectors, witness, out)
            )
    stages = _stages(host, subject, embedding, witness, arguments.seed, out)
    for shot in (*shots, *stages):
        print(f"{shot.file}: {shot.prompt}; {shot.what}; {demo_report.listed(shot.measured)}")
    for name, some in {"contact_sheet.png": shots, "stages.png": stages}.items():
        contact_sheet({f"{shot.prompt}, {shot.what}": shot.clip for shot in some}).save(out / name)
    seconds = time.monotonic() - started
    page = demo_report.write_report(out / "report.html", [*shots, *stages], identity, subject, seconds)
    print(f"{out / 'contact_sheet.png'}, {out / 'stages.png'}: frames side by side, one row for each video")
    print(f"{page}: the videos and what was measured; open it in a browser\nDone in {seconds:.0f} s.")
    return 0


def learn(host: "Standalone", subject: "Subject", out: Path, seed: int) -> tuple["Identity", Path]:
    """Train the individual and return it with its embedding, a file in `out`."""
    from vcd_ext.hosts.diffusers.training import StandaloneTraining
    from vcd_ext.identity import save_embedding, train
    from vcd_ext.identity.photos.photo import read_photos

    settings = replace(TRAINING, name=subject.name, class_word=subject.class_word, seed=seed)
    with stage_bars() as progress:
        identity = train(StandaloneTraining(host), read_photos(subject.folder).photos, settings, progress)
    return identity, save_embedding(out / f"{subject.name}.safetensors", identity.vectors, identity.metadata)


def _prompts(subject: "Subject", embedding: Path) -> list[tuple[str, list[Path]]]:
    """Return prompts with the embeddings that they need: the class alone, then the individual."""
    return [
        (f"photo of a {subject.class_word} {PLACE}", []),
        (f"photo of {subject.name} {subject.class_word} {PLACE}", [embedding]),
    ]


def _shoot(
    host: "Standalone", picture: GenerateSettings, gamma: float, vectors: Sequence[Path], witness: Witness, out: Path
) -> Shot:
    settings = VideoSettings(frames=FRAMES, gamma=gamma)
    with progress_bar() as progress:
        clip = host.generate(picture, settings, toyworld.motion_module(), vectors, progress)
    file = media.write(out / f"{_named(picture.prompt)}_gamma_{gamma:g}.mp4", clip)
    return Shot(file, clip, picture.prompt, f"gamma {gamma:g}", witness.measure(clip))


def _named(prompt: str) -> str:
    return "_".join(prompt.replace(",", "").replace("photo of ", "").split())


def _stages(
    host: "Standalone", subject: "Subject", embedding: Path, witness: Witness, seed: int, out: Path
) -> list[Shot]:
    """Make a video of the individual far away, repair its face, then enlarge it: the paper's pipeline."""
    from vcd_ext.face import detector
    from vcd_ext.face.close_up import close_up
    from vcd_ext.hosts.diffusers.video import StandaloneVideo
    from vcd_ext.progress import Callbacks

    picture = replace(PICTURE, prompt=f"far away photo of {subject.name} {subject.class_word} {FAR}", seed=seed)
    first = _shoot(host, picture, VideoSettings().gamma, [embedding], witness, out)
    module = str(toyworld.motion_module())
    face = replace(FACE, prompt=close_up(picture.prompt), seed=seed, motion_module=module)
    tiled = replace(TILED, prompt=picture.prompt, seed=seed, motion_module=module)
    with stage_bars() as progress:
        made = pipeline.run_stages(
            StandaloneVideo(host, [embedding]),
            first.clip,
            [pipeline.Stage(face), pipeline.Stage(tiled)],
            detector,
            Callbacks(progress, notify, lambda: False),
        )
    if made.error:
        raise ValueError(made.error)
    shots = [replace(first, what=made.videos[0].title)]
    for video in made.videos[1:]:
        file = media.write(video.beside(first.file), video.clip)
        shots.append(Shot(file, video.clip, picture.prompt, video.title, witness.measure(video.clip)))
    return shots


def contact_sheet(clips: dict[str, Clip]) -> Image.Image:
    """Draw frames of each clip in a row of its own, its label above them, all as large as the largest."""
    height, width = max(clip.frames.shape[1:3] for clip in clips.values())
    row = height + LABEL_HEIGHT
    sheet = Image.new("RGB", (SHOWN * width, len(clips) * row), "white")
    for i, (label, clip) in enumerate(clips.items()):
        ImageDraw.Draw(sheet).text((4, i * row + 2), label, fill="black")
        strip = Image.fromarray(_strip(clip.frames))
        across = strip.width * height // strip.height
        sheet.paste(strip.resize((across, height), Image.Resampling.LANCZOS), (0, i * row + LABEL_HEIGHT))
    return sheet


def _strip(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `SHOWN` frames, evenly spread over the clip, side by side."""
    chosen = np.linspace(0, len(frames) - 1, min(SHOWN, len(frames))).round().astype(int)
    return np.hstack(list(frames[chosen]))
