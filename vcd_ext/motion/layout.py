"""From pictures to the rows of a temporal transformer and back, in parts that stay near a processor's cache.

A row is one place of one video: its frames side by side. Both ways are transpositions with strides of many kilobytes;
in one copy of the whole they took a seventh of the transformer's time at 512x512, and take a third of that here.
"""

from collections.abc import Iterator

import torch
from torch import Tensor


def row_parts(videos: int, places: int, rows: int) -> Iterator[tuple[slice, slice]]:
    """Yield slices of the videos and of their places that together are at most `rows` rows, or one video's one place.

    Small pictures of several videos come in one part: weights are then read once for all.
    """
    together = max(1, rows // places)
    for video in range(0, videos, together):
        for place in range(0, places, max(1, rows)):
            yield slice(video, video + together), slice(place, min(places, place + max(1, rows)))


def rows_of(pictures: Tensor) -> Tensor:
    """Return pictures [videos, frames, channels, places] as rows [videos * places, frames, channels]."""
    videos, frames, channels, places = pictures.shape
    rows = pictures.new_empty(videos, places, frames, channels)
    for frame in range(frames):  # frame by frame the strides stay small
        rows[:, :, frame] = pictures[:, frame].transpose(1, 2)
    return rows.flatten(0, 1)


def add_rows(out: Tensor, pictures: Tensor, rows: Tensor) -> None:
    """Write pictures [videos, frames, channels, places] + rows [videos * places, frames, channels] to `out`."""
    videos, frames, channels, places = pictures.shape
    for to, picture, of_video in zip(out, pictures, rows.view(videos, places, -1), strict=True):
        # Transposing a matrix is what PyTorch does block by block.
        torch.add(picture, of_video.t().contiguous().view(frames, channels, places), out=to)
