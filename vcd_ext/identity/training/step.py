"""The masked loss of a batch and its gradient, for the identity's vectors and nothing else."""

from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import Tensor

from vcd_ext.hosts.protocols import TrainingHost
from vcd_ext.identity.training.batch import Batch
from vcd_ext.identity.training.plan import MicroBatchPlan

SMALLEST_AREA = 1e-6  # latent cells; an empty mask has loss 0, and not 0 / 0


def masked_loss(predicted: Tensor, wanted: Tensor, mask: Tensor) -> Tensor:
    """Compute the mean squared error inside each sample's mask, [B] (section 4.2).

    predicted, wanted: [B, 4, h, w]; mask: [B, h, w] in [0, 1]. Divided by the mask's area, so that a small subject
    counts as much as a large one.
    """
    error = (predicted - wanted).square().mean(1)
    return (error * mask).sum((1, 2)) / mask.sum((1, 2)).clamp(min=SMALLEST_AREA)


@torch.no_grad()
def loss(host: TrainingHost, name: str, vectors: Tensor, batch: Batch, rows: int) -> float:
    """Compute the batch's mean loss with these vectors, `rows` samples at once."""
    texts = _texts(host, batch.captions, name, vectors)
    losses = [_losses(host, batch, part, texts) for part in _parts(batch, rows)]
    return float(torch.cat(losses).mean())


def gradient(
    host: TrainingHost, name: str, vectors: Tensor, batch: Batch, plan: MicroBatchPlan, scale: float = 1.0
) -> tuple[float, Tensor]:
    """Compute the batch's mean loss and its gradient with respect to vectors [k, width]; float32, on the CPU.

    Each distinct caption is encoded once without a graph; the UNet's backward pass ends at these conditions; then
    each caption is encoded again and its gradient pulled through the text encoder. That gives the same bits as one
    graph through both, at 2% more work, and the text encoder may leave the device meanwhile.
    scale: the loss is multiplied by it and the gradient divided, which keeps small gradients in half precision.
    """
    total, pulls = _text_gradients(host, name, vectors, batch, plan, scale)
    result = torch.zeros_like(vectors)
    for caption, pull in pulls.items():
        leaf = vectors.detach().requires_grad_()
        text = host.text(caption, {name: leaf})
        (part,) = torch.autograd.grad(text, leaf, pull.to(text.dtype))
        result += part
    return total, result / scale


def _text_gradients(
    host: TrainingHost, name: str, vectors: Tensor, batch: Batch, plan: MicroBatchPlan, scale: float
) -> tuple[float, dict[str, Tensor]]:
    """Compute the mean loss and its scaled gradients for the conditions of the captions, float32 [1, 77, width]."""
    texts = {text: value.requires_grad_() for text, value in _texts(host, batch.captions, name, vectors).items()}
    pulls = {text: torch.zeros_like(value, dtype=torch.float32) for text, value in texts.items()}
    total = 0.0
    saving = nullcontext() if plan.every_block is None else host.checkpoint_activations(plan.every_block)
    with saving:
        for part in _parts(batch, plan.micro_batch):
            mean = _losses(host, batch, part, texts).sum() / len(batch.captions)
            used = list(dict.fromkeys(batch.captions[part]))
            for text, pull in zip(used, torch.autograd.grad(mean * scale, [texts[t] for t in used]), strict=True):
                pulls[text] += pull
            total += float(mean.detach())
    return total, pulls


def _texts(host: TrainingHost, captions: Sequence[str], name: str, vectors: Tensor) -> dict[str, Tensor]:
    with torch.no_grad():
        return {caption: host.text(caption, {name: vectors}) for caption in dict.fromkeys(captions)}


def _losses(host: TrainingHost, batch: Batch, part: slice, texts: dict[str, Tensor]) -> Tensor:
    """Compute the losses of some of the batch's samples."""
    text = torch.cat([texts[caption] for caption in batch.captions[part]])
    predicted = host.predict(batch.noisy[part].to(host.device), batch.times[part].to(host.device), text)
    return masked_loss(predicted, batch.target[part].to(predicted.device), batch.mask[part].to(predicted.device))


def _parts(batch: Batch, rows: int) -> list[slice]:
    return [slice(start, start + rows) for start in range(0, len(batch.captions), rows)]
