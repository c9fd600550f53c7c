"""Previews: what a perfect UNet sees is what is shown."""

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.identity.toy_host import WIDTH, ToyHost
from vcd_ext.identity.training import preview

VECTORS = torch.zeros(2, WIDTH)


class Seeing(ToyHost):
    """Knows the clean latents of what the prompt says; its VAE shows the first three of their channels as colours."""

    def __init__(self, prediction_type: str = "epsilon"):
        super().__init__()
        self.prediction_type = prediction_type
        self.clean = torch.tensor([0.5, -0.25, 0.0, 1.0]).reshape(1, 4, 1, 1)
        self.texts: list[str] = []

    def text(self, prompt: str, embeddings: dict[str, Tensor]) -> Tensor:  # type: ignore[override]
        self.texts.append(prompt)
        assert prompt == "" or list(embeddings) == ["rexy"]
        return torch.full((1, 77, WIDTH), float(prompt != ""))

    def predict(self, latents: Tensor, times: Tensor, text: Tensor) -> Tensor:
        assert not torch.is_grad_enabled()
        # Without the prompt it sees nothing; guidance goes from there past what the prompt says.
        clean = self.clean * text[:, :1, :1, None] / preview.GUIDANCE
        kept = self.alphas_cumprod[times].reshape(-1, 1, 1, 1)
        noise = (latents - kept.sqrt() * clean) / (1 - kept).sqrt()
        return noise if self.prediction_type == "epsilon" else kept.sqrt() * noise - (1 - kept).sqrt() * clean

    def decode(self, latents: Tensor) -> Tensor:
        return latents[0, :3].repeat_interleave(8, 1).repeat_interleave(8, 2)


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
def test_the_picture_is_what_the_prompt_says(prediction_type: str) -> None:
    host = Seeing(prediction_type)
    shown = preview.preview_picture(host, "photo of rexy dog", "rexy", VECTORS, 128)
    assert (shown.shape, shown.dtype) == ((128, 128, 3), np.uint8)
    assert host.texts == ["", "photo of rexy dog"]
    # A little noise is left at the schedule's first step.
    assert shown.mean((0, 1)) == pytest.approx([191, 96, 128], abs=3)
    assert shown.std((0, 1)).max() < 12


def test_the_same_vectors_make_the_same_picture() -> None:
    first, second = (preview.preview_picture(Seeing(), "photo of rexy dog", "rexy", VECTORS, 64) for _ in range(2))
    assert np.array_equal(first, second)
