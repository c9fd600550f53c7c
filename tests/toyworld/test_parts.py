"""The parts that a denoiser is asked for are where the drawing has them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tools.toyworld.identity import KINDS
from tools.toyworld.parts import PARTS, Finder, parts
from tools.toyworld.spec import sample
from tools.toyworld.world import render

SIZE = 128


@pytest.mark.parametrize("subjects", [1, 2])
def test_the_classes_together_cover_the_subjects_masks(subjects: int) -> None:
    spec = sample(5, "train", subjects=subjects)
    truth = render(spec, [4], SIZE).masks[:, 0].max(axis=0) / 255
    blocks = truth.reshape(SIZE // 8, 8, SIZE // 8, 8).mean(axis=(1, 3))
    found = parts(spec, 4, SIZE)[[PARTS.index(kind) for kind in KINDS]].sum(axis=0) / 255
    assert np.abs(found - blocks).max() < 0.02


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_the_kind_has_is_there(kind: str) -> None:
    spec = sample(9, "train", kind=kind, subjects=1, distance="close", action="standing")
    found = {name: layer.astype(float) for name, layer in zip(PARTS, parts(spec, 4, SIZE), strict=True)}
    person = kind in ("man", "woman")
    assert found["skin" if person else "fur"].sum() > 1000
    assert found["fur" if person else "skin"].sum() == 0
    assert (found["faces left"].sum() > 0) == (spec.figures[0].facing < 0)


def test_features_that_hold_the_parts_have_no_loss() -> None:
    finder = Finder([len(PARTS)])
    with torch.no_grad():
        finder.layers[0].weight.copy_(torch.eye(len(PARTS))[..., None, None])
        finder.layers[0].bias.zero_()
    shares = (torch.rand(2, len(PARTS), 4, 4) > 0.5).float()
    assert finder.loss([40 * (shares - 0.5)], shares) < 1e-3 < finder.loss([40 * (0.5 - shares)], shares)
