"""Fine-tune some of a UNet's weights on photos, with prior preservation if that is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vcd_ext.batch.unit import Baseline
from vcd_ext.hosts.protocols import Interrupted, TrainingHost
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.identity.training import latent_cache
from vcd_ext.identity.training.batch import Batch, training_batch
from vcd_ext.identity.training.loop import noise_schedules
from vcd_ext.identity.training.step import masked_loss
from vcd_ext.progress import ENCODING, TRAINING, Callbacks, Clock
from vcd_ext.settings import TrainSettings

WEIGHT_DECAY = 1e-2  # AdamW's usual one, which diffusers' training scripts keep


class BaselineHost(TrainingHost, Protocol):
    """A `TrainingHost` whose UNet, in diffusers' layout and float32, may be changed while it is lent."""

    @property
    def unet(self) -> Any:
        """The UNet."""

    def pictures(self, prompt: str, count: int, size: int, seed: int) -> NDArray[np.uint8]:
        """Make pictures [count, size, size, 3] from text, which the UNet shows of itself."""


@dataclass(frozen=True)
class Fitting:
    """One training: what it learns from, and how. `settings.name` is what the photos' captions call the subject."""

    host: BaselineHost
    photos: Sequence[Photo]
    settings: TrainSettings
    baseline: Baseline
    callbacks: Callbacks

    def run(self, learned: Sequence[nn.Parameter | Tensor], embeddings: Mapping[str, Tensor]) -> None:
        """Change the weights `learned` by AdamW; Interrupted, with the weights as far as they are.

        Each step adds to the photos' loss that of as many pictures of the class, as the untouched UNet makes them
        (DreamBooth, arXiv 2208.12242, equation 2). embeddings: words of captions that are learned as well.
        """
        host, settings = self.host, self.settings
        own = self._cache(self.photos, settings)
        prior = self._class_pictures()
        host.free_encoder()
        for weight in learned:
            weight.requires_grad_(True)
        optimiser = torch.optim.AdamW(learned, lr=self.baseline.learning_rate, weight_decay=WEIGHT_DECAY)
        schedules = noise_schedules(host, settings)
        clock = Clock(self.callbacks.progress, TRAINING, settings.steps)
        for step in range(settings.steps):
            self._go_on()
            loss = _loss(host, training_batch(own, settings, schedules, step), embeddings)
            if prior:
                batch = training_batch(prior, self._of_class(), schedules, step)
                loss = loss + self.baseline.prior_weight * _loss(host, batch, {})
            if not torch.isfinite(loss):
                raise ValueError(f"The loss of {self.baseline.kind} is not a number; lower its learning rate.")
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            clock.tell(step + 1, float(loss.detach()))

    def _of_class(self) -> TrainSettings:
        """Return the settings of the class's pictures, which are shown as they are."""
        return replace(self.settings, name="", variants=1, far=0.0, close=0.0, rotate=0.0, background=0.0)

    def _class_pictures(self) -> latent_cache.LatentCache | None:
        baseline, settings = self.baseline, self.settings
        if not baseline.prior:
            return None
        prompt = f"photo of {settings.class_word}"
        made = self.host.pictures(prompt, baseline.prior, settings.size, settings.seed)
        return self._cache([Photo(f"{i}", pixels) for i, pixels in enumerate(made)], self._of_class())

    def _cache(self, photos: Sequence[Photo], settings: TrainSettings) -> latent_cache.LatentCache:
        clock = Clock(self.callbacks.progress, ENCODING, len(photos) * latent_cache.variants(len(photos), settings))

        def going_on(done: int) -> bool:
            clock.tell(done)
            return not self.callbacks.interrupted()

        made = latent_cache.encode(self.host, photos, settings, going_on)
        if made is None:
            raise Interrupted
        return made

    def _go_on(self) -> None:
        if self.callbacks.interrupted():
            raise Interrupted


def _loss(host: TrainingHost, batch: Batch, embeddings: Mapping[str, Tensor]) -> Tensor:
    texts = {caption: host.text(caption, embeddings) for caption in dict.fromkeys(batch.captions)}
    text = torch.cat([texts[caption] for caption in batch.captions])
    predicted = host.predict(batch.noisy.to(host.device), batch.times.to(host.device), text)
    return masked_loss(predicted, batch.target.to(predicted.device), batch.mask.to(predicted.device)).mean()
