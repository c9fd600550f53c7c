"""The colours of a GIF are the nearest that its palette has."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.identity.drawn import picture
from vcd_ext.media import Clip, read, write
from vcd_ext.media.gif import NearestColours


def test_each_colour_is_the_nearest() -> None:
    draw = np.random.default_rng(0)
    palette = draw.integers(0, 256, (256, 3), np.uint8)
    nearest = NearestColours(palette)
    for _ in range(2):  # the second has colours of the first, which are known by then
        pixels = np.concatenate(
            [draw.integers(0, 256, (20, 50, 3), np.uint8), palette.reshape(-1, 32, 3).repeat(2, 1)[:, :50]]
        )
        distance = ((pixels[:, :, None].astype(int) - palette) ** 2).sum(axis=-1)
        chosen = np.take_along_axis(distance, nearest.indices(pixels)[..., None].astype(int), axis=-1)[..., 0]
        assert np.array_equal(chosen, distance.min(axis=-1))


def test_a_gif_is_as_bright_as_its_video(tmp_path: Path) -> None:
    frames = np.stack([np.roll(picture(1), 4 * i, axis=1) for i in range(3)])
    path = write(tmp_path / "x.gif", Clip(frames, 8))
    back = read(path).frames
    assert abs((back.astype(int) - frames).mean()) < 0.2, "Pillow's own choice is 0.8 levels darker"
    with Image.open(path) as image:
        palette = np.array(image.getpalette()).reshape(-1, 3)
    best = ((frames[0, ::8, ::8, None].astype(int) - palette) ** 2).sum(axis=-1).min(axis=-1)
    assert ((back[0, ::8, ::8].astype(int) - frames[0, ::8, ::8]) ** 2).sum(axis=-1) == pytest.approx(best)


def test_shades_of_grey_keep_all_of_256(tmp_path: Path) -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16).repeat(2, axis=0)[..., None].repeat(3, axis=-1)
    back = read(write(tmp_path / "x.gif", Clip(np.stack([ramp] * 2), 8))).frames
    assert np.abs(back.astype(int) - ramp).max() <= 1
