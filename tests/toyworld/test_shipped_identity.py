"""The embedding that ships with the drawn world fits its checkpoint, and its copies are known for what they are."""

from pathlib import Path

import pytest

from vcd_ext import toyworld
from vcd_ext.identity import load_embedding


def test_the_shipped_identity_was_learned_on_the_shipped_checkpoint() -> None:
    path = toyworld.identity()
    assert path is not None, "learn one on the new checkpoint, or take the file away"
    assert load_embedding(path).shape == (4, 128)


def test_an_identity_of_another_checkpoint_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = toyworld._sums()
    monkeypatch.setattr(toyworld, "_sums", lambda: sums | {"toyworld.safetensors": "0" * 64})
    assert toyworld.identity() is None


def test_copies_are_installed_where_they_are_asked_for_and_known_again(tmp_path: Path) -> None:
    files = toyworld.install_into(tmp_path / "checkpoints", tmp_path / "modules")
    assert files[0] == tmp_path / "checkpoints" / "toyworld.safetensors"
    assert (tmp_path / "modules" / "toyworld_motion.safetensors").is_file()
    assert toyworld.is_checkpoint(files[0])
    files[0].write_bytes(files[0].read_bytes()[:-1] + b"x")
    assert not toyworld.is_checkpoint(files[0])
    assert not toyworld.is_checkpoint(tmp_path / "none.safetensors")
