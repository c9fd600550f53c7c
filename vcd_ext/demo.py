"""The subcommand `demo`: the whole method on the small drawn world that ships with the project.

It learns an individual from eight pictures, makes videos of its class and of the individual, without and with the
noise prior, and writes them with a contact sheet and a report that any browser shows.
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

from vcd_ext import media, report, toyworld
from vcd_ext.generate import progress_bar
from vcd_ext.media import Clip
from vcd_ext.metrics import motion as measures
from vcd_ext.settings import GenerateSettings, TrainSettings, VideoSettings

if TYPE_CHECKING:
    from vcd_ext.hosts.standalone import Standalone
    from vcd_ext.identity import Identity
    from vcd_ext.metrics.toyworld import Judges, Values
    from vcd_ext.toyworld import Subject

GAMMAS = (0.0, 0.15)
PICTURE = GenerateSettings(width=toyworld.SIZE, height=toyworld.SIZE, steps=10, cfg_scale=4.0, sampler="dpmpp_2m")
TRAINING = TrainSettings(size=toyworld.SIZE, steps=200, micro_batch=4)
FRAMES = 16
SUBJECT, PLACE = "mara", "in the snow, running"
SHOWN, LABEL_HEIGHT = 8, 16  # frames of a row of the contact sheet; pixels


@dataclass(frozen=True)
class Witness:
    """Whoever measures the videos: the drawn world's judges, and how the individual looks on its photos."""

    judges: "Judges"
    subject: "Subject"
    looks: "Values"

    @classmethod
    def of(cls, subject: "Subject") -> "Witness":
        """A witness who knows the subject's photos."""
        from vcd_ext.identity.photos import read_photos
        from vcd_ext.metrics.likeness import appearance
        from vcd_ext.metrics.toyworld import load_judges

        judges = load_judges(toyworld.judges())
        return cls(judges, subject, appearance(judges, read_photos(subject.folder).photos))

    def measure(self, clip: Clip) -> dict[str, str]:
        """What is seen in a video and measured of it, ready to be shown."""
        from vcd_ext.metrics.likeness import likeness
        from vcd_ext.metrics.toyworld import ACTIONS, KINDS, SCENES

        frames, judges = clip.frames, self.judges
        seen = KINDS[int(judges.kinds(frames).mean(0).argmax())], SCENES[int(judges.scenes(frames).mean(0).argmax())]
        return {
            "seen in it": f"{', '.join(seen)}, {ACTIONS[int(judges.actions(frames).argmax())]}",
            f"like {self.subject.name}": f"{likeness(judges, frames, self.looks):.2f}",
            "motion": f"{measures.flow_magnitude(frames):.2f} px/frame",
            "flicker": f"{measures.flicker(frames):.1f} of 255",
            "neighbours' correlation": f"{measures.neighbour_correlation(frames):.3f}",
        }


@dataclass(frozen=True)
class Shot:
    """One video of the demo: its file, how it was made, and what was measured on it."""

    file: Path
    clip: Clip
    prompt: str
    gamma: float
    measured: dict[str, str]


def run(arguments: argparse.Namespace) -> int:
    """Learn, make the videos, measure them, and write everything into the folder `out`; say what was done."""
    from vcd_ext.hosts.standalone import Standalone

    started = time.monotonic()
    toyworld.check()
    subject = next(one for one in toyworld.subjects() if one.name == SUBJECT)
    host = Standalone.load(toyworld.checkpoint())
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    print(f"Learning {subject.name}, a {subject.class_word}, from the pictures in {subject.folder}")
    identity, embedding = _learn(host, subject, out, arguments.seed)
    witness, shots = Witness.of(subject), []
    for prompt, vectors in _prompts(subject, embedding):
        for gamma in GAMMAS:
            shots.append(
                _shoot(host, replace(PICTURE, prompt=prompt, seed=arguments.seed), gamma, vectors, witness, out)
            )
    for shot in shots:
        print(f"{shot.file}: {shot.prompt}; gamma {shot.gamma:g}; {report.listed(shot.measured)}")
    contact_sheet({f"{shot.prompt}, gamma {shot.gamma:g}": shot.clip for shot in shots}).save(out / "contact_sheet.png")
    seconds = time.monotonic() - started
    page = report.write(out / "report.html", shots, identity, subject, seconds)
    print(f"{out / 'contact_sheet.png'}: frames side by side, one row for each video")
    print(f"{page}: the videos and what was measured; open it in a browser\nDone in {seconds:.0f} s.")
    return 0


def _learn(host: "Standalone", subject: "Subject", out: Path, seed: int) -> tuple["Identity", Path]:
    """The individual as an embedding in `out`."""
    from vcd_ext.hosts.training import StandaloneTraining
    from vcd_ext.identity import save_embedding, train
    from vcd_ext.identity.photos import read_photos
    from vcd_ext.train_command import bars

    settings = replace(TRAINING, name=subject.name, class_word=subject.class_word, seed=seed)
    with bars() as progress:
        identity = train(StandaloneTraining(host), read_photos(subject.folder).photos, settings, progress)
    return identity, save_embedding(out / f"{subject.name}.safetensors", identity.vectors, identity.metadata)


def _prompts(subject: "Subject", embedding: Path) -> list[tuple[str, list[Path]]]:
    """Prompts with the embeddings that they need: the class alone, then the individual."""
    return [
        (f"photo of a {subject.class_word} {PLACE}", []),
        (f"photo of {subject.name} {subject.class_word} {PLACE}", [embedding]),
        (f"photo of {subject.name} {subject.class_word} on the beach, waving", [embedding]),
    ]


def _shoot(
    host: "Standalone", picture: GenerateSettings, gamma: float, vectors: Sequence[Path], witness: Witness, out: Path
) -> Shot:
    settings = VideoSettings(frames=FRAMES, gamma=gamma)
    with progress_bar() as progress:
        clip = host.generate(picture, settings, toyworld.motion_module(), vectors, progress)
    name = "_".join(picture.prompt.replace(",", "").removeprefix("photo of ").split())
    return Shot(
        media.write(out / f"{name}_gamma_{gamma:g}.mp4", clip), clip, picture.prompt, gamma, witness.measure(clip)
    )


def contact_sheet(clips: dict[str, Clip]) -> Image.Image:
    """Frames of each clip in a row of its own, its label above them."""
    _, height, width, _ = next(iter(clips.values())).frames.shape
    row = height + LABEL_HEIGHT
    sheet = Image.new("RGB", (SHOWN * width, len(clips) * row), "white")
    for i, (label, clip) in enumerate(clips.items()):
        ImageDraw.Draw(sheet).text((4, i * row + 2), label, fill="black")
        sheet.paste(Image.fromarray(_strip(clip.frames)), (0, i * row + LABEL_HEIGHT))
    return sheet


def _strip(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`SHOWN` frames, evenly spread over the clip, side by side."""
    chosen = np.linspace(0, len(frames) - 1, min(SHOWN, len(frames))).round().astype(int)
    return np.hstack(list(frames[chosen]))
