"""Training of an identity: a few text vectors, and nothing else, learn to mean what the photos show.

Magic-Me (arXiv 2402.09368 v1), sections 4.2 and 5.2: extended ID tokens, trained with the loss inside the subject's
mask. The same photos, settings, seed and checkpoint learn the same, also when the run is stopped and gone on with.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

import vcd_ext
from vcd_ext.hosts.protocols import TrainingHost
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.identity.training import latent_cache
from vcd_ext.identity.training import state as states
from vcd_ext.identity.training.fingerprint import run_fingerprint, seed_of
from vcd_ext.identity.training.latent_cache import LatentCache
from vcd_ext.identity.training.learned import Identity
from vcd_ext.identity.training.loop import TrainingLoop, current_vectors, initial_state
from vcd_ext.identity.training.preflight import checked_settings, usable_photos, with_seed
from vcd_ext.identity.training.snapshots import snapshot
from vcd_ext.identity.training.state import State
from vcd_ext.progress import ENCODING, TRAINING, Clock, Report
from vcd_ext.settings import TrainSettings


def train(
    host: TrainingHost,
    photos: Sequence[Photo],
    settings: TrainSettings,
    progress: Report | None = None,
    *,
    state: Path | None = None,
    interrupted: Callable[[], bool] | None = None,
    keep: Callable[[Identity], None] | None = None,
) -> Identity:
    """Learn an identity on the host's checkpoint.

    photos: those whose mask is None are learned from as a whole. progress: called with a `Progress` at every step.
    state: a file that is written every `settings.save_every` steps, and gone on from if it is there; beside it, with
    `.bank` at its end, lie the encoded photos. Both are the caller's to delete once the identity is safe.
    interrupted: asked before each step; once it says True, the state is saved and what was learned so far returned.
    keep: called every `settings.keep_every` steps with what was learned by then, under a name of its own.

    ValueError, before anything is computed, for photos, settings, a model or a state that cannot work, and later for
    a loss that is not a number ten times. OSError if the state cannot be written.
    """
    settings = checked_settings(settings, host)
    kept, warnings = usable_photos(photos, settings)
    begun = states.fingerprint_of(state) if state else None
    settings = with_seed(settings, seed_of(begun) if begun else None)
    run = _Training(host, kept, settings, progress, interrupted or (lambda: False), state, keep)
    reached = states.load(state, run.fingerprint) if state else None
    with torch.inference_mode(False), torch.enable_grad(), host.training():
        reached = reached or initial_state(host, settings)
        run.save(reached)  # now, and not after 25 steps: the folder may be read-only or the disk full
        finished = run.go(reached)
    return run.identity(reached, finished, warnings)


class _Training:
    """One call of `train`: what it was asked for, and whom it tells."""

    def __init__(
        self,
        host: TrainingHost,
        photos: Sequence[Photo],
        settings: TrainSettings,
        progress: Report | None,
        interrupted: Callable[[], bool],
        state: Path | None,
        keep: Callable[[Identity], None] | None,
    ):
        self.host, self.photos, self.settings = host, photos, settings
        self.progress, self.interrupted, self.path, self.keep = progress, interrupted, state, keep
        self.fingerprint = run_fingerprint(host, photos, settings)

    def go(self, reached: State) -> bool:
        """Make the steps that are left, in `reached`; False if the training was interrupted."""
        cache = self._latent_cache()
        self.host.free_encoder()
        if cache is None:
            return False
        loop = TrainingLoop(self.host, cache, self.settings, reached)
        clock = Clock(self.progress, TRAINING, self.settings.steps, reached.step)
        clock.tell(reached.step, None, _last(reached.validation), current_vectors(reached))
        while not loop.ended and not self.interrupted():
            loop.step()
            clock.tell(reached.step, reached.losses[-1], _last(reached.validation), current_vectors(reached))
            if reached.step % self.settings.save_every == 0:
                self.save(reached)
            if self.keep and self.settings.keep_every and reached.step % self.settings.keep_every == 0:
                self.keep(snapshot(self._identity(reached, reached.step, current_vectors(reached), False, [])))
        self.save(reached)
        return loop.ended

    def save(self, reached: State) -> None:
        """Write the state, if the caller wants one."""
        if self.path:
            states.save(reached, self.path, self.fingerprint)

    def _latent_cache(self) -> LatentCache | None:
        """Return the cache that was saved, or a new one; None if it was interrupted while it was made."""
        path = self.path and self.path.with_name(f"{self.path.name}.bank")
        if path and (saved := latent_cache.load(path, self.fingerprint)):
            return saved
        entries = len(self.photos) * latent_cache.variants(len(self.photos), self.settings)
        clock = Clock(self.progress, ENCODING, entries)

        def going_on(done: int) -> bool:
            clock.tell(done)
            return not self.interrupted()

        made = latent_cache.encode(self.host, self.photos, self.settings, going_on)
        if made:
            clock.tell(len(made.prefixes))
        if made and path:
            latent_cache.save(made, path, self.fingerprint)
        return made

    def identity(self, reached: State, finished: bool, warnings: list[str]) -> Identity:
        """Return the identity that was learned when the training ended at `reached`."""
        best = reached.best_step > 0
        if reached.validation and best and reached.best_loss >= reached.validation[0][1]:
            warnings.append("The validation loss did not fall: lower the learning rate, or look at the masks.")
        if reached.skipped:
            warnings.append(f"{reached.skipped} steps were skipped, because their loss was not a number.")
        vectors = reached.best.clone() if best else current_vectors(reached)
        return self._identity(reached, reached.best_step if best else reached.step, vectors, finished, warnings)

    def _identity(self, reached: State, step: int, vectors: Tensor, finished: bool, warnings: list[str]) -> Identity:
        return Identity(
            name=self.settings.name,
            vectors=vectors,
            metadata=self._metadata(reached, step),
            steps=reached.step,
            best_step=step,
            losses=tuple(reached.losses),
            validation=tuple(reached.validation),
            skipped=reached.skipped,
            finished=finished,
            warnings=tuple(warnings),
        )

    def _metadata(self, reached: State, best_step: int) -> dict[str, str]:
        settings = self.settings
        facts = {
            "class": settings.class_word,
            "tokens": settings.tokens,
            "steps": reached.step,
            "best_step": best_step,
            "seed": settings.seed,
            "schedule": settings.schedule,
            "photos": len(self.photos),
            "mask_source": ", ".join(sorted({photo.mask_source for photo in self.photos} - {""})),
            "checkpoint": self.host.checkpoint,
            "checkpoint_hash": self.host.checkpoint_hash,
            "version": vcd_ext.__version__,
        }
        return {name: str(fact) for name, fact in facts.items()}


def _last(validation: Sequence[tuple[int, float]]) -> float | None:
    return validation[-1][1] if validation else None
