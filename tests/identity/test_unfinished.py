"""What a training was begun with comes back exactly, and nothing else is taken for it."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.identity.toy_host import PHOTOS, SETTINGS, ToyHost
from vcd_ext.identity import train
from vcd_ext.identity.training import unfinished
from vcd_ext.identity.training.fingerprint import run_fingerprint
from vcd_ext.identity.training.unfinished import Begun


def test_photos_masks_and_settings_come_back_exactly(tmp_path: Path) -> None:
    photos = [*PHOTOS, replace(PHOTOS[0], name="ä (2).jpg", mask=None, mask_source="")]
    unfinished.save(tmp_path, Begun(photos, SETTINGS, True))
    begun = unfinished.load(tmp_path, SETTINGS.name)
    assert (begun.settings, begun.replace_existing) == (SETTINGS, True)
    for back, photo in zip(begun.photos, photos, strict=True):
        assert (back.name, back.mask_source) == (photo.name, photo.mask_source)
        assert np.array_equal(back.pixels, photo.pixels)
        assert (back.mask is None) == (photo.mask is None)
        assert photo.mask is None or np.array_equal(back.mask, photo.mask)
    assert run_fingerprint(ToyHost(), begun.photos, SETTINGS) == run_fingerprint(ToyHost(), photos, SETTINGS)


def test_all_that_can_be_gone_on_with_is_listed_the_last_one_first(tmp_path: Path) -> None:
    assert unfinished.unfinished(tmp_path / "nowhere") == []
    asked: list[tuple[str, int]] = []
    for name in ("rexy", "bello"):
        unfinished.save(tmp_path, Begun(PHOTOS, replace(SETTINGS, name=name), False))
    train(
        ToyHost(), PHOTOS, SETTINGS, lambda now: asked.append((now.stage, now.step)),
        state=unfinished.state_file(tmp_path, "rexy"), interrupted=lambda: asked[-1] == ("Training", 3),
    )  # fmt: skip
    (tmp_path / "broken.training.photos").write_bytes(b"?")
    for name, saved in {"rexy.training": 3, "rexy.training.photos": 1, "bello.training.photos": 2}.items():
        os.utime(tmp_path / name, (saved, saved))
    assert unfinished.unfinished(tmp_path) == [("rexy", "dog", 3, 20), ("bello", "dog", 0, 20)]
    os.utime(tmp_path / "bello.training.photos", (4, 4))
    assert [one.name for one in unfinished.unfinished(tmp_path)] == ["bello", "rexy"]


def test_a_discarded_training_leaves_nothing_and_the_others_stay(tmp_path: Path) -> None:
    for name in ("rexy", "rexy two"):
        unfinished.save(tmp_path, Begun(PHOTOS, replace(SETTINGS, name=name), False))
        for ending in ("", ".bank"):
            (tmp_path / f"{name}.training{ending}").touch()
    unfinished.discard(tmp_path, "rexy")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "rexy two.training", "rexy two.training.bank", "rexy two.training.photos",
    ]  # fmt: skip
    unfinished.discard(tmp_path, "rexy")


def test_what_is_not_there_or_damaged_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="There is no unfinished training of rexy"):
        unfinished.load(tmp_path, "rexy")
    unfinished.save(tmp_path, Begun(PHOTOS, SETTINGS, False))
    path = tmp_path / "rexy.training.photos"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="damaged"):
        unfinished.load(tmp_path, "rexy")
