"""Colours that no picture for a checkpoint has, HDR and wide gamut, as a table that FFmpeg's `lut3d` applies.

PyAV's FFmpeg is built without `zscale`, which would make light of HDR's signals: that alone is done here, with numpy,
on the points of the table. Between both, FFmpeg's `tonemap` brings the light into the range of SDR.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from vcd_ext.media.pyav import pyav

# libavutil's numbers.
PQ, HLG = 16, 18
HDR = {PQ: "PQ", HLG: "HLG"}
# Primaries that are wider than sRGB's, as the rows of what turns their linear light into that of BT.709 (BT.2087 and
# SMPTE EG 432).
_BT2020 = ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187))
_P3 = ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979))
BT2020, DISPLAY_P3 = 9, 12
WIDE = {BT2020: ("BT.2020", _BT2020), DISPLAY_P3: ("Display P3", _P3)}
# BT.2408: white paper in HDR has 203 nits. Brighter light, up to what most HDR is made for, is rolled off.
WHITE, BRIGHTEST = 203.0, 1000.0
KNEE = 0.5  # of white; what is darker stays as it is
POINTS = 49  # a side

Light = NDArray[np.float64]


@contextmanager
def table_file(transfer: int, primaries: int) -> Iterator[Path]:
    """Yield a .cube file that turns RGB signals of this transfer and these primaries into those of sRGB."""
    with TemporaryDirectory(prefix="vcd") as folder:
        path = Path(folder) / "colours.cube"
        path.write_text(_cube(transfer, primaries))
        yield path


@lru_cache(maxsize=4)
def _cube(transfer: int, primaries: int) -> str:
    colours = _table(transfer, primaries).reshape(-1, 3)  # red changes fastest
    rows = "\n".join(f"{red:.6f} {green:.6f} {blue:.6f}" for red, green, blue in colours.tolist())
    return f"LUT_3D_SIZE {POINTS}\n{rows}\n"


def _table(transfer: int, primaries: int) -> Light:
    """Compute the sRGB signals [blue, green, red, 3] of the lattice's points, all from 0 to 1."""
    axis = np.linspace(0, 1, POINTS)
    signals = np.stack(np.meshgrid(axis, axis, axis, indexing="ij")[::-1], axis=-1)
    light = {PQ: _pq, HLG: _hlg}.get(transfer, _srgb_light)(signals)
    if primaries in WIDE:
        light = light @ np.array(WIDE[primaries][1]).T
    if transfer in HDR:
        light = _tone_mapped(light)
    light = np.clip(light, 0, 1)
    signal: Light = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return signal


def _pq(signals: Light) -> Light:
    """Compute light, 1 for white, from SMPTE ST 2084 signals."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = signals ** (1 / m2)
    nits: Light = 10000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    return nits / WHITE


def _hlg(signals: Light) -> Light:
    """Compute light, 1 for white, from BT.2100 HLG signals on a display of 1000 nits."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signals <= 0.5, signals**2 / 3, (np.exp((signals - c) / a) + b) / 12)
    luminance = scene @ np.array((0.2627, 0.6780, 0.0593))
    nits: Light = BRIGHTEST * luminance[..., None] ** 0.2 * scene
    return nits / WHITE


def _srgb_light(signals: Light) -> Light:
    light: Light = np.where(signals <= 0.04045, signals / 12.92, ((signals + 0.055) / 1.055) ** 2.4)
    return light


def _tone_mapped(light: Light) -> Light:
    """Bring light of BT.709 [..., 3] from HDR's range to 0 to 1, as FFmpeg's `tonemap` does."""
    picture = np.ascontiguousarray(light.reshape(-1, POINTS, 3), np.float32)
    frame = pyav().VideoFrame.from_ndarray(picture, format="gbrpf32le")
    graph = pyav().filter.Graph()
    nodes = [
        graph.add("buffer", video_size=f"{frame.width}x{frame.height}", pix_fmt="gbrpf32le", time_base="1/1"),
        graph.add("tonemap", tonemap="mobius", param=str(KNEE), desat="0", peak=str(BRIGHTEST / WHITE)),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes).configure()
    graph.push(frame)
    mapped: Light = graph.pull().to_ndarray().reshape(light.shape).astype(np.float64)
    return mapped
