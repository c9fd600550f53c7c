"""The training loop's steps: batch, gradient, update, and every so often a validation."""

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from vcd_ext.denoising.out_of_memory import explained, first_that_fits
from vcd_ext.hosts.protocols import TrainingHost
from vcd_ext.identity.training import step
from vcd_ext.identity.training.adam import Adam
from vcd_ext.identity.training.batch import Batch, NoiseSchedules, training_batch, validation_batch
from vcd_ext.identity.training.latent_cache import LatentCache
from vcd_ext.identity.training.plan import MicroBatchPlan, micro_batch_plans
from vcd_ext.identity.training.schedule import animatediff
from vcd_ext.identity.training.state import State
from vcd_ext.settings import TrainSettings

HALF_SCALE = 2.0**12  # of the loss in float16, which holds nothing below 6e-8
MOST_SKIPPED = 10  # steps
PATIENCE = 3  # validations without a better one, after which an early stop ends the training

Result = TypeVar("Result")


def initial_state(host: TrainingHost, settings: TrainSettings) -> State:
    """Start a training: k vectors that mean the class, or the words that were chosen, in turn."""
    words = settings.init_words.strip() or settings.class_word
    rows = host.vectors_of(words)
    vectors = rows[[i % len(rows) for i in range(settings.tokens)]]
    scale = HALF_SCALE if host.text(words, {}).dtype == torch.float16 else 1.0
    return State(Adam.start(vectors), best=vectors.clone(), scale=scale)


class TrainingLoop:
    """Makes one step of a training after the other, from the state that it is given and in it."""

    def __init__(self, host: TrainingHost, cache: LatentCache, settings: TrainSettings, state: State):
        self.host, self.cache, self.settings, self.state = host, cache, settings, state
        self.schedules = noise_schedules(host, settings)
        self.validation_batch = validation_batch(cache, settings, self.schedules)
        value_bytes = host.text(settings.class_word, {}).element_size()
        self.plans = micro_batch_plans(settings, host.free_memory(), value_bytes)
        if settings.validate_every and not state.validation:
            state.validation.append((0, self._loss()))

    @property
    def ended(self) -> bool:
        """Whether all steps are made, or no more are worth it."""
        stopped = self.settings.early_stop and self.state.no_better >= PATIENCE
        return stopped or self.state.step >= self.settings.steps

    def step(self) -> None:
        """Make one step. ValueError after ten whose loss was no number, and where no plan fits into the memory."""
        settings, state = self.settings, self.state
        batch = training_batch(self.cache, settings, self.schedules, state.step)
        loss, gradient = self._gradient(batch)
        state.step += 1
        if math.isfinite(loss) and gradient.isfinite().all():
            state.losses.append(loss)
            state.adam.update(gradient, settings.learning_rate, settings.ema)
        else:
            self._skip()
        if settings.validate_every and (state.step % settings.validate_every == 0 or state.step == settings.steps):
            self._validate()

    def _gradient(self, batch: Batch) -> tuple[float, Tensor]:
        state = self.state
        return self._fitting(
            lambda plan: step.gradient(self.host, self.settings.name, state.adam.vectors, batch, plan, state.scale)
        )

    def _fitting(self, compute: Callable[[MicroBatchPlan], Result]) -> Result:
        """Compute by the first plan that fits; ValueError if none does."""
        with explained(self._too_small):
            return first_that_fits(self.plans, compute)

    def _too_small(self) -> str:
        size = self.settings.size
        return (
            f"The memory is too small for training at {size}x{size}; close other programs, or choose a smaller size, a "
            "smaller micro-batch and gradient checkpointing."
        )

    def _skip(self) -> None:
        state = self.state
        state.losses.append(math.nan)
        state.scale = max(state.scale / 2, 1.0)  # a gradient that was too large for float16 may fit now
        if state.skipped >= MOST_SKIPPED:
            raise ValueError(
                f"The loss was not a number in {MOST_SKIPPED} steps; compute in float32 (--no-half), lower the "
                "learning rate, or use another checkpoint."
            )

    def _validate(self) -> None:
        state = self.state
        loss = self._loss()
        state.validation.append((state.step, loss))
        if loss < state.best_loss:
            state.best, state.best_step, state.best_loss, state.no_better = self._vectors(), state.step, loss, 0
        else:
            state.no_better += 1

    def _loss(self) -> float:
        name, vectors = self.settings.name, self._vectors()
        return self._fitting(lambda plan: step.loss(self.host, name, vectors, self.validation_batch, plan.micro_batch))

    def _vectors(self) -> Tensor:
        return current_vectors(self.state)


def current_vectors(state: State) -> Tensor:
    """Return a copy of the vectors as they are now, [k, width]. Without EMA the average is the last step's."""
    return state.adam.average.clone()


def noise_schedules(host: TrainingHost, settings: TrainSettings) -> NoiseSchedules:
    """Return the noise schedules of `settings.schedule`."""
    own = host.alphas_cumprod.detach().cpu().float()
    schedules = {"animatediff": (animatediff(),), "checkpoint": (own,), "mixed": (animatediff(), own)}
    return NoiseSchedules(schedules[settings.schedule], host.prediction_type)
