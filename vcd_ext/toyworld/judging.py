"""Judges of the drawn world (`tools/toyworld`): what a picture or clip shows, and whom. For measuring only.

Two small networks, trained by `tools/toyworld/train_judges.py` on renders, most of them softened as generated
pictures are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vcd_ext.face.boxes import nms
from vcd_ext.storage import tensor_file
from vcd_ext.storage.atomic import atomically
from vcd_ext.toyworld.picture_judge import SIDE, Findings, PictureJudge, face_boxes
from vcd_ext.toyworld.subject_judge import Impression, SubjectJudge, cut_out

KINDS = ("man", "woman", "dog", "cat")
SCENES = ("beach", "desert", "meadow", "forest", "snow", "street", "room", "kitchen")
ACTIONS = ("standing", "waving", "running", "jumping")
SHORTEST = 8  # frames of a clip whose action can be told
SURE = 0.3  # the least score of a face that is reported
SURE_OF_MORE = 0.5  # the least score of another one; of 600 drawn pictures three have a face too many or too few by it
SAME_FACE = 0.3  # overlap of boxes above which they are of one face
_AT_ONCE = 32  # pictures that a network sees at a time
_RESTORE = "restore it with git, or rebuild it with python -m tools.toyworld.train_judges --out runs/judges"

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels
Frames = NDArray[np.uint8]
Values = NDArray[np.float32]


@dataclass(frozen=True)
class SubjectDetection:
    """Where the subject and its face are in one picture."""

    mask: Frames  # uint8 [H, W], 255 where the subject surely covers the pixel
    face: Box | None  # the surest one, inside the picture
    score: float  # 0 to 1, how sure the face is; below SURE there is no box


class Judges:
    """The trained networks. Frames are uint8 [F, H, W, 3], RGB.

    They were trained on 128x128; square pictures of another size are brought to that. ValueError for anything else.
    """

    def __init__(self, pictures: PictureJudge, subjects: SubjectJudge) -> None:
        """Judge with these networks, from now on in evaluation mode."""
        self.pictures = pictures.eval().requires_grad_(False)
        self.subjects = subjects.eval().requires_grad_(False)

    def kinds(self, frames: Frames, masks: Frames | None = None) -> Values:
        """Return the probabilities [F, 4] of `KINDS`, for the subject of each picture. masks: as of `identity`."""
        return _probabilities(self._impression(frames, masks).kinds)

    def scenes(self, frames: Frames) -> Values:
        """Return the probabilities [F, 8] of `SCENES`, for each picture."""
        return _probabilities(self._found(frames).scenes)

    @torch.inference_mode()
    def actions(self, clip: Frames) -> Values:
        """Return the probabilities [4] of `ACTIONS` for one clip of at least 8 frames."""
        if len(_checked(clip)) < SHORTEST:
            raise ValueError(f"The clip has {len(clip)} frames; an action is told from at least {SHORTEST}.")
        return _probabilities(self.subjects.actions(self._impression(clip).summary[None]))[0]

    def identity(self, frames: Frames, masks: Frames | None = None) -> Values:
        """Return unit vectors [F, 64]; the product of two says how much alike the individuals look.

        masks: uint8 [F, H, W], 255 on the subject; by default those that the judges find. What is outside them tells
        the light and nothing else.
        """
        return np.asarray(self._impression(frames, masks).identity.numpy(), np.float32)

    def detect(self, frame: Frames) -> SubjectDetection:
        """Find the subject's mask and the box of its face in one picture, uint8 [H, H, 3]."""
        found = self._found(frame[None])
        side = len(frame)
        cover = F.interpolate(found.mask.sigmoid()[:, None], (side, side), mode="bilinear")[0, 0]
        surest = int(found.face.argmax())
        score = float(found.face.flatten()[surest].sigmoid())
        return SubjectDetection(_as_bytes(cover), _box(found, surest, side) if score >= SURE else None, score)

    def faces(self, frame: Frames) -> list[tuple[Box, float]]:
        """Find all faces in one picture, uint8 [H, H, 3], the surest first: boxes as of `detect`, with their scores."""
        found = self._found(frame[None])
        scores = found.face[0].sigmoid().flatten().numpy()
        sure = np.nonzero(scores >= min(SURE_OF_MORE, float(scores.max())))[0]
        boxes = face_boxes(found.sides)[0].flatten(1).T.numpy().astype(np.float64)
        kept = [cell for cell in sure[nms(boxes[sure], scores[sure], SAME_FACE)].tolist() if scores[cell] >= SURE]
        placed = [(_box(found, cell, len(frame)), float(scores[cell])) for cell in kept]
        return [(box, score) for box, score in placed if box is not None]

    @torch.inference_mode()
    def _impression(self, frames: Frames, masks: Frames | None = None) -> Impression:
        found = self._found(frames)
        covers = found.mask.sigmoid() if masks is None else _as_covers(masks, frames)
        parts = zip(_parts(frames), covers.split(_AT_ONCE), found.lights.split(_AT_ONCE), strict=True)
        seen = [self.subjects(cut_out(_as_pictures(part), *truth)) for part, *truth in parts]
        return Impression(*(torch.cat(values) for values in zip(*seen, strict=True)))

    @torch.inference_mode()
    def _found(self, frames: Frames) -> Findings:
        found = [self.pictures(_as_pictures(part)) for part in _parts(_checked(frames))]
        return Findings(*(torch.cat(values) for values in zip(*found, strict=True)))


def new_picture_judge() -> PictureJudge:
    """Make an untrained network for the scenes of the drawn world."""
    return PictureJudge(len(SCENES))


def new_subject_judge() -> SubjectJudge:
    """Make an untrained network for the kinds and actions of the drawn world."""
    return SubjectJudge(len(KINDS), len(ACTIONS))


def load_judges(path: str | Path) -> Judges:
    """Load the judges in the file at `path`. ValueError, in one sentence, if it is missing or damaged."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"There are no judges of the drawn world at {path}; {_RESTORE}.")
    judges = Judges(new_picture_judge(), new_subject_judge())
    try:
        tensors = {name: value.float() for name, value in tensor_file.read(path).items()}
        judges.pictures.load_state_dict(_under("pictures.", tensors))
        judges.subjects.load_state_dict(_under("subjects.", tensors))
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged or does not hold the judges of the drawn world; {_RESTORE}.") from error
    return judges


def save_judges(path: str | Path, judges: Judges, metadata: Mapping[str, str] | None = None) -> None:
    """Write the judges in float16."""
    parts = {"pictures": judges.pictures, "subjects": judges.subjects}
    tensors = {
        f"{name}.{key}": value.half() if value.is_floating_point() else value
        for name, part in parts.items()
        for key, value in part.state_dict().items()
    }
    with atomically(path) as part:
        tensor_file.write(part, tensors, metadata or {})


def _box(found: Findings, cell: int, side: int) -> Box | None:
    """Return the box that a cell of the first picture has, in pixels of `side`; None outside of it."""
    x0, y0, x1, y1 = (face_boxes(found.sides).flatten(2)[0, :, cell] * (side / SIDE)).clamp(0, side).tolist()
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _checked(frames: Frames) -> Frames:
    good = isinstance(frames, np.ndarray) and frames.dtype == np.uint8 and frames.ndim == 4 and frames.shape[3] == 3
    if not good or 0 in frames.shape:
        what = f"{frames.dtype} {list(frames.shape)}" if isinstance(frames, np.ndarray) else type(frames).__name__
        raise ValueError(
            f"The judges look at uint8 [frames, height, width, 3], not at {what}; convert the frames first."
        )
    if frames.shape[1] != frames.shape[2]:
        raise ValueError(
            f"The judges look at square pictures, as the drawn world's are, not at {frames.shape[2]}x"
            f"{frames.shape[1]}; cut a square out of each frame."
        )
    return frames


def _parts(frames: Frames) -> list[Frames]:
    return [frames[start : start + _AT_ONCE] for start in range(0, len(frames), _AT_ONCE)]


def _as_pictures(frames: Frames) -> Tensor:
    """Convert frames to float32 [F, 3, 128, 128] in [0, 1]."""
    return _scaled(torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 255)


def _as_covers(masks: Frames, frames: Frames) -> Tensor:
    """Convert masks to float32 [F, 128, 128] in [0, 1]."""
    if masks.shape != _checked(frames).shape[:3] or masks.dtype != np.uint8:
        raise ValueError(
            f"The masks are {masks.dtype} {list(masks.shape)}; for these frames they must be uint8 "
            f"{list(frames.shape[:3])}, 255 on the subject."
        )
    return _scaled(torch.from_numpy(np.ascontiguousarray(masks))[:, None].float() / 255)[:, 0]


def _scaled(pictures: Tensor) -> Tensor:
    """Scale [F, C, S, S] to [F, C, 128, 128]."""
    if pictures.shape[2] == SIDE:
        return pictures.contiguous()
    return F.interpolate(pictures, (SIDE, SIDE), mode="bilinear", antialias=True)


def _probabilities(logits: Tensor) -> Values:
    return np.asarray(logits.float().softmax(dim=-1).numpy(), np.float32)


def _as_bytes(cover: Tensor) -> Frames:
    return np.asarray((cover * 255).round().byte().numpy())
