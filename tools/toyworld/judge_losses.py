"""What the judges are trained to: the truth of pictures and clips, and telling one individual from hundreds."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vcd_ext.toyworld.picture_judge import CELLS, PATCH, Findings, PictureJudge, face_boxes
from vcd_ext.toyworld.subject_judge import SubjectJudge

from .judge_batches import LENGTH, PictureBatch, SubjectBatch
from .training import half
from .traits import TRAITS


def picture_losses(model: PictureJudge, batch: PictureBatch) -> dict[str, Tensor]:
    """All losses of the picture judge, already weighted."""
    with half(batch.pictures.device):
        found = model(batch.pictures)
    heat, sides = face_losses(found, batch.boxes)
    return {
        "mask": 2 * mask_loss(found.mask, batch.masks),
        "face": heat,
        "sides": sides,
        "scene": F.cross_entropy(found.scenes, batch.scenes),
        "light": 5 * F.mse_loss(found.lights, batch.lights),
    }


def mask_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross entropy of the pixels' coverage, and one minus the soft overlap, so that far subjects count as much."""
    there = masks.sum(dim=(1, 2)) > 0
    guess = logits.sigmoid()
    both = torch.minimum(guess, masks).sum(dim=(1, 2))
    either = torch.maximum(guess, masks).sum(dim=(1, 2))
    missed = (1 - both / either.clamp_min(1))[there].sum() / len(masks)
    return 2 * F.binary_cross_entropy_with_logits(logits, masks) + missed


def face_losses(found: Findings, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Of the face's place and of its box.

    The first is the focal loss of CenterNet (Zhou et al., Objects as Points, equation 1); the second is one minus the
    boxes' overlap, at the cells around the face's middle.
    """
    extent = boxes[..., 2:] - boxes[..., :2]
    there = (extent.amin(dim=2) > 3).float()[..., None, None]
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2 / PATCH - 0.5
    cells = torch.arange(CELLS, device=boxes.device).float()
    dx, dy = cells - middle[..., :1], cells - middle[..., 1:]
    nears = torch.exp(-0.5 * (dy[..., :, None] ** 2 + dx[..., None, :] ** 2)) * there  # [B, 2, cells, cells]
    centres = ((dy.abs()[..., :, None] <= 0.5) & (dx.abs()[..., None, :] <= 0.5)).float() * there
    near, centre = nears.amax(dim=1), centres.amax(dim=1)
    chance = found.face.sigmoid().clamp(1e-4, 1 - 1e-4)
    hit = centre * (1 - chance) ** 2 * chance.log()
    miss = (1 - centre) * (1 - near) ** 4 * chance**2 * (1 - chance).log()
    heat = -(hit + miss).sum() / len(boxes)
    around = (nears > 0.35).float()
    guessed = face_boxes(found.sides)
    overlaps = torch.stack([box_overlap(guessed, boxes[:, k, :, None, None]) for k in range(boxes.shape[1])], dim=1)
    return heat, ((1 - overlaps) * around).sum() / around.sum().clamp_min(1)


def box_overlap(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union of boxes [B, 4, ...] that can be broadcast: [B, ...]."""
    low, high = torch.maximum(first[:, :2], second[:, :2]), torch.minimum(first[:, 2:], second[:, 2:])
    both = (high - low).clamp_min(0).prod(dim=1)
    areas = [(box[:, 2:] - box[:, :2]).clamp_min(0).prod(dim=1) for box in (first, second)]
    return both / (areas[0] + areas[1] - both).clamp_min(1e-6)


class Matching(nn.Module):
    """A subject judge and, for its training only, a network that turns traits into the vectors it should find.

    Pictures and traits meet as pictures and captions do in CLIP (Radford et al., 2021). So every step can tell each
    picture from hundreds of individuals that nobody had to draw.
    """

    def __init__(self, judge: SubjectJudge) -> None:
        """judge: the network to train."""
        super().__init__()
        self.judge = judge
        width = judge.identity.out_features
        self.from_traits = nn.Sequential(nn.Linear(TRAITS, 256), nn.ReLU(), nn.Linear(256, width))
        self.sharpness = nn.Parameter(torch.tensor(2.3))

    def losses(self, batch: SubjectBatch, others: Tensor, clips: int) -> tuple[dict[str, Tensor], Tensor]:
        """All losses, already weighted, and how often a subject's traits were found among all.

        others: [M, TRAITS] of individuals whom the batch does not show; `clips` is how many clips it begins with.
        """
        with half(others.device):
            seen = self.judge(batch.cut)
            known = F.normalize(self.from_traits(torch.cat([batch.traits, others])).float(), dim=1)
            actions = self.judge.actions(seen.summary[: clips * LENGTH].unflatten(0, (clips, LENGTH)))
        scores = seen.identity @ known.T * self.sharpness.clamp_max(4.0).exp()
        losses = {
            "identity": F.cross_entropy(scores, batch.who),
            "kind": 0.5 * F.cross_entropy(seen.kinds, batch.kinds[batch.who]),
            "pose": 0.5 * F.cross_entropy(seen.poses, batch.actions[batch.who]),
            "action": 0.5 * F.cross_entropy(actions, batch.actions[:clips]),
        }
        return losses, (scores.argmax(dim=1) == batch.who).float().mean()
