"""One track repaired: its crops are denoised as a video and brought back to where they came from."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from vcd_ext.face.boxes import Values
from vcd_ext.face.colour_transfer import REACH, ColourTransfer, fit_transfer, smoothed
from vcd_ext.face.crops import squares
from vcd_ext.face.mask import Weights, beyond_face, paste_weights, pasted, repaint_mask
from vcd_ext.face.resample import Area, Square, enlarge, reduce
from vcd_ext.face.track.track import Track, in_picture
from vcd_ext.hosts.protocols import Interrupted, Picture, VideoHost, VideoPass
from vcd_ext.progress import StepReport
from vcd_ext.settings import NO_MODULE, FaceSettings

# Motion modules were trained on 16 frames and know nothing of much less; shorter tracks are continued there and back.
SHORTEST = 8

Frames = NDArray[np.uint8]
Item = TypeVar("Item")


class Patch(NamedTuple):
    """Pixels that replace those of one frame."""

    frame: int
    place: Area
    pixels: NDArray[np.uint8]  # [h, w, 3]


class _Face(NamedTuple):
    frame: int
    box: Values
    square: Square


class _Repainted(NamedTuple):
    frame: int
    place: Area
    weights: Weights  # [h, w]
    picture: Picture  # [h, w, 3], in the frame's own pixels
    transfer: ColourTransfer  # that gives it the colours of what is around it


class _LazySequence(Sequence[Item], Generic[Item]):
    """A sequence whose items are made when they are asked for, and not kept."""

    def __init__(self, faces: Sequence[_Face], make: Callable[[_Face], Item]):
        """make: makes the item of a face."""
        self.faces, self.make = faces, make

    def __len__(self) -> int:
        return len(self.faces)

    @overload
    def __getitem__(self, place: int) -> Item: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Item]: ...

    def __getitem__(self, place: int | slice) -> Item | Sequence[Item]:
        if isinstance(place, slice):
            return [self.make(face) for face in self.faces[place]]
        return self.make(self.faces[place])


class _CompletedProgress:
    """Passes on what the host tells: it counts all that it was given, also faces that are not taken from it."""

    def __init__(self, progress: StepReport):
        self.progress, self.done, self.total = progress, 0, 0

    def __call__(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self.progress(done, total)

    def finish(self) -> None:
        """Mark that all that is needed is there."""
        if self.done < self.total:
            self(self.total, self.total)


@dataclass(frozen=True)
class Repair:
    """How tracks of one video are repaired."""

    host: VideoHost
    frames: Frames  # uint8 [F, H, W, 3], as they came
    settings: FaceSettings
    interrupted: Callable[[], bool]

    def patches(self, track: Track, work: VideoPass, below: Frames, progress: StepReport | None) -> Iterator[Patch]:
        """Yield a patch for each frame in which a track is repaired, to be put on `below`, as large as the frames.

        Raises `host.Interrupted`, also between frames, and what the host raises.
        """
        height, width = self.frames.shape[1:3]
        places, first = squares(track, self.settings, height, width), track.frames.start
        shown = in_picture(track.boxes, track.seen, width, height)
        for part in track.parts():
            # Where it has gone out of the picture for a moment, a face would be made of what is at the edge.
            faces = [_Face(i, track.boxes[i - first], places[i - first]) for i in part if shown[i - first]]
            for back in _coloured(self._denoised(faces, work, progress), self.settings.colour):
                if presence := float(track.presence[back.frame - first]):
                    yield _patch(back, presence, below)

    def _denoised(self, faces: Sequence[_Face], work: VideoPass, progress: StepReport | None) -> Iterator[_Repainted]:
        """Yield the faces as the denoiser made them, in the frames' own pixels."""
        order = _continued(faces) if work.motion_module not in ("", NO_MODULE) else faces
        crops = _LazySequence(order, lambda face: enlarge(self.frames[face.frame], face.square, self.settings.size))
        masks = _LazySequence(order, lambda face: repaint_mask(face.box, face.square, self.settings))
        told = None if progress is None else _CompletedProgress(progress)
        loop = work.loop and len(faces) == len(self.frames)  # one that is away for a while has a first and a last frame
        own = replace(
            work,
            loop=loop,
            masks=masks,
            frame_numbers=[face.frame for face in order],
            around=len(self.frames) if work.loop else 0,
            progress=told,
            interrupted=self.interrupted,
        )
        pictures = self.host.denoise(crops, own)
        with ExitStack() as stack:
            if isinstance(pictures, Generator):
                stack.callback(pictures.close)  # the host takes its model back now, whatever happens
            for face in faces:
                picture = next(pictures, None)
                if picture is None or self.interrupted():
                    raise Interrupted
                yield self._back(face, picture)
        if told is not None:
            told.finish()

    def _back(self, face: _Face, picture: Picture) -> _Repainted:
        frame = self.frames[face.frame]
        size = frame.shape[:2]
        place = pasted(face.box, face.square, self.settings, *size)
        reduced = reduce(picture, face.square, place, *size)
        if not np.isfinite(reduced).all():
            raise ValueError("The denoiser made NaN instead of a picture; load the checkpoint in float32 (--no-half).")
        weights = paste_weights(face.box, face.square, place, self.settings, *size)
        came_back, original = np.clip(reduced, 0, 1), frame[place].astype(np.float32) / 255
        transfer = fit_transfer(came_back, original, weights * beyond_face(face.box, place))
        return _Repainted(face.frame, place, weights, came_back, transfer)


def _coloured(backs: Iterator[_Repainted], strength: float) -> Iterator[_Repainted]:
    """Match the faces' colours to what is around them, calmed over the frames before and after."""
    transfers: list[ColourTransfer] = []
    waiting: deque[_Repainted] = deque()

    def first() -> _Repainted:
        place = len(transfers) - len(waiting)
        start = max(0, place - REACH)
        transfer = smoothed(transfers[start : place + REACH + 1], place - start)
        back = waiting.popleft()
        return back._replace(picture=transfer.apply(back.picture, strength))

    for back in backs:
        transfers.append(back.transfer)
        waiting.append(back)
        if len(waiting) > REACH:
            yield first()
    while waiting:
        yield first()


def _patch(back: _Repainted, presence: float, below: Frames) -> Patch:
    """Return the face's picture over the frame of `below`."""
    weights = presence * back.weights[..., None]
    pixels = below[back.frame][back.place].copy()
    mixed = np.rint((1 - weights) * pixels + weights * (255 * back.picture))
    # Where the weight is 0 the pixels are the input's by themselves, and not by rounding.
    np.copyto(pixels, mixed.astype(np.uint8), where=weights > 0)
    return Patch(back.frame, back.place, pixels)


def _continued(faces: Sequence[_Face]) -> list[_Face]:
    """Return at least `SHORTEST` faces: a shorter track goes back and forth."""
    turned = [*faces, *faces[-2:0:-1]]
    return [turned[i % len(turned)] for i in range(max(SHORTEST, len(faces)))]
