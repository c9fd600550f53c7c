"""A small evaluation in the background: pictures with several embeddings of one identity, measured, best first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from vcd_ext.identity.embedding import SUFFIXES, load_embedding
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.jobs.job import Job
from vcd_ext.jobs.queue import JobQueue
from vcd_ext.jobs.studio import Studio
from vcd_ext.metrics import measures  # noqa: F401 - registers them
from vcd_ext.metrics.registry import Compute, MeasureContext, can_be_made, find_measure, no_likeness
from vcd_ext.progress import Progress
from vcd_ext.storage import walk

MAKING = "Making pictures"
FACES = "face_same"  # which drawn ones do not have
GENERAL = ("dino", "clip_i", "clip_t", "clip_i_l14", "clip_t_l14", FACES)  # wherever their weights are
MOST = 500  # pictures


@dataclass(frozen=True)
class Comparison:
    """What is compared: embeddings by their names, each with all prompts and seeds. {subject} is "rex01 dog"."""

    photos: tuple[Photo, ...]
    class_word: str
    names: tuple[str, ...]
    prompts: tuple[str, ...]
    seeds: int
    size: int

    def prompt(self, text: str, name: str) -> str:
        """Return a prompt for one embedding."""
        return text.replace("{subject}", f"{name} {self.class_word}").replace("{class}", self.class_word)

    @property
    def count(self) -> int:
        """Pictures to make."""
        return len(self.names) * len(self.prompts) * self.seeds


@dataclass(frozen=True)
class Sample:
    """A picture [size, size, 3], and what was measured of it."""

    name: str
    prompt: str
    seed: int
    pixels: NDArray[np.uint8]
    values: dict[str, float]


class ComparisonJob(Job):
    """A comparison of embeddings. What is made when it is stopped can be looked at."""

    kind = "comparison"
    too_small = "The memory is too small for pictures of this size; choose a smaller one."

    def __init__(self, identifier: str, wanted: Comparison, names: Sequence[str]):
        """names: of the measures, those of likeness first."""
        super().__init__(identifier, ", ".join(wanted.names))
        self.wanted, self.measures, self.samples = wanted, tuple(names), list[Sample]()

    @property
    def saved(self) -> bool:
        """Whether all pictures are made; nothing of it is a file."""
        return len(self.samples) == self.wanted.count

    def means(self) -> dict[str, dict[str, float]]:
        """Return each embedding's mean of each measure, best first by the first measure; NaN is left out."""
        found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for sample in list(self.samples):
            for measure, value in sample.values.items():
                found[sample.name][measure].append(value)
        means = {
            name: {measure: _mean(values) for measure, values in by_measure.items()}
            for name, by_measure in found.items()
        }
        return dict(sorted(means.items(), key=lambda item: -self._rank(item[1])))

    def best_first(self, name: str) -> list[Sample]:
        """Return the pictures of one embedding."""
        own = [sample for sample in list(self.samples) if sample.name == name]
        return sorted(own, key=lambda sample: -self._rank(sample.values))

    def _rank(self, values: dict[str, float]) -> float:
        value = values[self.measures[0]] * (find_measure(self.measures[0]).better or 1)
        return value if np.isfinite(value) else -np.inf

    def run(self, studio: Studio) -> None:
        """Make and measure; Interrupted if it is stopped while it waits for its turn, ValueError in a sentence."""
        wanted = self.wanted
        vectors = {name: load_embedding(_file(studio.folders.identities, name)) for name in wanted.names}
        device = "cuda" if torch.cuda.is_available() else "cpu"
        computes = {name: find_measure(name).load(studio.folders.weights, device) for name in self.measures}
        with studio.sampling(self.stops) as sample:
            # Picture by picture of all embeddings, so that it can be compared at any time.
            for seed in range(wanted.seeds):
                for text in wanted.prompts:
                    for name in wanted.names:
                        if self.stops() or studio.interrupted():
                            return
                        self.report(Progress(MAKING, len(self.samples), wanted.count))
                        prompt = wanted.prompt(text, name)
                        pixels = sample(prompt, name, vectors[name], wanted.size, seed)
                        self.samples.append(self._measured(name, prompt, seed, pixels, computes))

    def _measured(
        self, name: str, prompt: str, seed: int, pixels: NDArray[np.uint8], computes: dict[str, Compute]
    ) -> Sample:
        context = MeasureContext(prompt, name, self.wanted.class_word, self.wanted.photos)
        values = {measure: compute(pixels[None], context) for measure, compute in computes.items()}
        return Sample(name, prompt, seed, pixels, values)


class Comparisons:
    """The comparisons among the jobs of a queue."""

    def __init__(self, queue: JobQueue):
        self.queue, self.studio = queue, queue.studio

    def start(self, wanted: Comparison) -> ComparisonJob:
        """Begin one; ValueError, in one sentence, if it cannot work; BusyError if something else is done."""
        if not wanted.photos:
            raise ValueError("There are no photos; drop those that the embeddings were trained on.")
        if not wanted.names or not wanted.prompts:
            raise ValueError("Nothing is chosen to compare; choose embeddings, and write a prompt in each line.")
        if wanted.count > MOST:
            raise ValueError(f"These are {wanted.count} pictures; choose fewer, at most {MOST}.")
        for name in wanted.names:
            _file(self.studio.folders.identities, name)
        names = self._measures()
        return self.queue.begin(lambda identifier: ComparisonJob(identifier, wanted, names), self._run)

    def _measures(self) -> list[str]:
        """Return the measures that can be made here; ValueError, naming what is missing, for none of likeness."""
        weights, own = self.studio.folders.weights, self.studio.measures()
        names = [*own, *(name for name in can_be_made(GENERAL, weights) if not (own and name == FACES))]
        alike = [name for name in names if find_measure(name).of_photos]
        if not alike:
            raise no_likeness(weights)
        return [*alike, *(name for name in names if name not in alike)]

    def _run(self, job: ComparisonJob) -> None:
        job.run(self.studio)


def _file(folder: Path, name: str) -> Path:
    for path in walk.files(folder):
        if path.stem == name and path.suffix.lower() in SUFFIXES:
            return path
    raise ValueError(f"There is no embedding called {name} in {folder}; refresh the list.")


def _mean(values: Sequence[float]) -> float:
    there = [value for value in values if np.isfinite(value)]
    return float(np.mean(there)) if there else float("nan")
