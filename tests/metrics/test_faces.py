"""Faces of one person are nearer than those of two, on real photos; frames without a face are counted.

The astronaut comes with scikit-image (NASA, public domain), the two presidents with the source package of
face_recognition (official portraits and photos of the White House), which the Makefile puts beside the packages.
"""

from __future__ import annotations

import sys
import tarfile
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

import vcd_ext.metrics.measures  # noqa: F401 - registers them
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.metrics import arcface, face_encoder
from vcd_ext.metrics.face_encoder import (
    DESCRIPTION,
    LANDMARKS,
    FaceEncoder,
    find_dlib_file,
    find_face_weights,
    missing_face_weights,
)
from vcd_ext.metrics.face_likeness import SAME, FaceVectors, face_distance, face_found, face_same
from vcd_ext.metrics.registry import MeasureContext, find_measure

Pixels = NDArray[np.uint8]
PHOTOS = Path(sys.prefix) / "photos" / "face_recognition-1.3.0.tar.gz"
LACKING = missing_face_weights([])
installed = pytest.mark.skipif(bool(LACKING), reason=LACKING)
NO_FACE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)


# The formulas, with an encoder that reads a face off the first pixel: red is its place on a line, 0 is no face.


def first_pixel(picture: Pixels) -> NDArray[np.float64] | None:
    return np.array([picture[0, 0, 0] / 100, 0]) if picture[0, 0, 0] else None


def video(*reds: int) -> Pixels:
    frames = np.zeros((len(reds), 8, 8, 3), np.uint8)
    frames[:, 0, 0, 0] = reds
    return frames


def photos(*reds: int) -> MeasureContext:
    return MeasureContext(
        photos=tuple(Photo(f"{red}.png", frame) for red, frame in zip(reds, video(*reds), strict=True))
    )


def test_the_distance_is_the_mean_over_frames_and_photos_with_a_face() -> None:
    faces = FaceVectors(first_pixel)
    # Photos at 1 and 1.2, one without a face; frames at 1.1 (0.1 and 0.1) and 2 (1 and 0.8), one without a face.
    assert face_distance(faces)(video(110, 0, 200), photos(100, 0, 120)) == pytest.approx((0.1 + 0.9) / 2)


def test_a_frame_without_a_face_is_not_the_person() -> None:
    faces = FaceVectors(first_pixel)
    frames = video(110, 0, 200, 120)
    assert face_same(faces)(frames, photos(100)) == 2 / 4
    assert face_found(faces)(frames, photos()) == 3 / 4


def test_without_any_face_there_is_no_distance() -> None:
    faces = FaceVectors(first_pixel)
    assert np.isnan(face_distance(faces)(video(0, 0), photos(100)))
    assert np.isnan(face_distance(faces)(video(100), photos(0)))
    assert np.isnan(face_same(faces)(video(100), photos()))
    assert face_same(faces)(video(0, 0), photos(100)) == 0
    assert face_found(faces)(video(0, 0), photos()) == 0


# Real faces.


@cache
def encoder() -> FaceEncoder:
    weights = find_face_weights([])
    assert weights is not None
    return FaceEncoder(*weights)


def astronaut() -> Pixels:
    data = pytest.importorskip("skimage.data")
    return np.asarray(data.astronaut())


def other_light_and_crops(picture: Pixels) -> dict[str, Pixels]:
    return {
        "mirrored": np.ascontiguousarray(picture[:, ::-1]),
        "half as large": cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        "darker": (picture * 0.5).astype(np.uint8),
        "blurred": cv2.GaussianBlur(picture, (0, 0), 3),
        "cut out": picture[:260, 120:340],
    }


@cache
def presidents() -> dict[str, Pixels]:
    if not PHOTOS.is_file():
        pytest.skip(f"the photos of face_recognition are not at {PHOTOS}; `make test` brings them")
    with tarfile.open(PHOTOS) as archive:
        names = ("obama", "obama2", "obama3", "obama_partial_face2", "biden")
        files = {name: archive.extractfile(f"face_recognition-1.3.0/tests/test_images/{name}.jpg") for name in names}
        return {name: np.array(Image.open(file).convert("RGB")) for name, file in files.items() if file is not None}


@installed
def test_one_person_is_herself_in_other_light_and_crops() -> None:
    her = encoder()(astronaut())
    assert her is not None
    for name, picture in other_light_and_crops(astronaut()).items():
        found = encoder()(picture)
        assert found is not None, name
        assert np.linalg.norm(found - her) < SAME - 0.1, name


@installed
def test_a_person_is_nearer_to_himself_in_other_photos_than_to_others() -> None:
    pictures = presidents() | {
        "astronaut": astronaut(),
        "astronaut, darker": other_light_and_crops(astronaut())["darker"],
    }
    vectors = {name: encoder()(picture) for name, picture in pictures.items()}
    assert all(vector is not None for vector in vectors.values())
    distances = {
        (one, other): float(np.linalg.norm(vectors[one] - vectors[other]))
        for one in vectors for other in vectors if one < other
    }  # fmt: skip
    same = {pair: value for pair, value in distances.items() if pair[0][:5] == pair[1][:5]}
    others = {pair: value for pair, value in distances.items() if pair not in same}
    assert len(same) == 7
    assert max(same.values()) < SAME - 0.1
    assert min(others.values()) > SAME + 0.1


@installed
def test_measures_tell_a_video_of_her_from_one_of_noise() -> None:
    her = cv2.resize(astronaut()[:300, 80:380], (256, 256), interpolation=cv2.INTER_AREA)
    context = MeasureContext("photo of a woman", photos=(Photo("her.png", astronaut()),))
    clip = np.stack([her, other_light_and_crops(her)["darker"], cv2.resize(NO_FACE, (256, 256))])
    computes = {name: find_measure(name).load([], "cpu") for name in ("face_distance", "face_same", "face_found")}
    found = {name: compute(clip, context) for name, compute in computes.items()}
    assert found["face_distance"] < 0.4
    assert found["face_same"] == found["face_found"] == pytest.approx(2 / 3)


# What is missing.


def test_weights_that_are_missing_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_encoder, "_package", list)
    monkeypatch.setattr(face_encoder.importlib.util, "find_spec", lambda _: object())
    sentence = missing_face_weights([tmp_path])
    for part in (DESCRIPTION, LANDMARKS, f"{tmp_path} and its folder dlib", "pip install .[faces]"):
        assert part in sentence
    (tmp_path / "dlib").mkdir()
    (tmp_path / "dlib" / DESCRIPTION).touch()
    assert find_face_weights([tmp_path]) is None, "one of the two is not enough"
    (tmp_path / "dlib" / LANDMARKS).touch()
    assert find_face_weights([tmp_path]) == (tmp_path / "dlib" / DESCRIPTION, tmp_path / "dlib" / LANDMARKS)
    assert missing_face_weights([tmp_path]) == ""


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_encoder.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"needs dlib, which is not installed: pip install \.\[faces\]"):
        find_measure("face_distance").load([], "cpu")


@installed
def test_damaged_weights_are_said(tmp_path: Path) -> None:
    for name in (DESCRIPTION, LANDMARKS):
        (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(ValueError, match="is damaged; delete it, and pip install"):
        FaceEncoder(tmp_path / DESCRIPTION, tmp_path / LANDMARKS)


# ArcFace, of which there are no weights here: a small network with its input and output, found under its name.


class Half(torch.nn.Module):
    """Makes the left and the right half's mean colours of a face [1, 3, 112, 112]."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(x, (112, 56)).flatten(1)


def test_a_face_is_turned_scaled_and_shifted_to_the_template() -> None:
    turn = np.deg2rad(20)
    matrix = 0.4 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = (arcface.TEMPLATE - [7, -9]) @ np.linalg.inv(matrix).T
    assert np.allclose(arcface.similarity(points, arcface.TEMPLATE), np.column_stack([matrix, [7, -9]]))


@installed
def test_arcface_sees_the_upright_face_in_red_green_blue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = tmp_path / "w600k_r50.onnx"
    # Its last step asks for a package that it needs for functions of one's own alone.
    monkeypatch.setattr("torch.onnx._internal.onnx_proto_utils._add_onnxscript_fn", lambda model, _: model)
    torch.onnx.export(Half(), torch.zeros(1, 3, 112, 112), str(network))
    points = find_dlib_file(arcface.POINTS, [])
    assert points is not None
    tilted = cv2.warpAffine(astronaut(), cv2.getRotationMatrix2D((225, 115), 15, 1), (512, 512))
    encode = arcface.ArcFace(network, points)
    upright, turned = encode(astronaut()), encode(tilted)
    assert upright is not None
    assert turned is not None
    assert upright.shape == (6,)
    assert upright[:2].mean() > upright[4:].mean(), "skin is redder than blue"
    assert np.abs(upright - turned).max() < 0.1
    assert encode(NO_FACE) is None
    context = MeasureContext(photos=(Photo("her.png", astronaut()),))
    found = find_measure("arcface").load([tmp_path], "cpu")(np.stack([astronaut(), tilted]), context)
    by_hand = [upright @ other / np.linalg.norm(upright) / np.linalg.norm(other) for other in (upright, turned)]
    assert found == pytest.approx(np.mean(by_hand))


def test_arcface_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arcface, "find_encoder", lambda *_: None)
    with pytest.raises(ValueError, match=r"ArcFace (needs dlib|are missing: none of w600k_r50\.onnx)"):
        find_measure("arcface").load([tmp_path], "cpu")
