"""Where weights are searched, and which are missing."""

from pathlib import Path

import pytest

from vcd_ext.identity.segment.weights import (
    DINO,
    SAM,
    SMALL,
    SWIN_B,
    SWIN_T,
    VIT_B,
    VIT_H,
    VOCABULARY,
    WeightFile,
    absent,
    find_all,
    find_vocabulary,
    find_weights,
)

KNOWN = [*DINO, *SAM, VOCABULARY]


@pytest.fixture(autouse=True)
def _empty_hub_cache(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)


def put(folder: Path, file: WeightFile, less: int = 0) -> Path:
    """Return a file of the right name and size that takes no space on the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / file.name).open("wb") as target:
        target.truncate(file.size - less)
    return folder / file.name


@pytest.mark.parametrize("file", KNOWN, ids=lambda file: file.name)
def test_every_known_file_has_a_size_a_hash_and_a_source(file: WeightFile):
    assert file.size > 200_000
    assert len(file.sha256) == 64
    assert int(file.sha256, 16)
    assert file.url.startswith("https://")
    assert file.url.endswith(file.name)


def test_a_file_is_found_where_the_webui_and_its_extension_keep_it(tmp_path: Path):
    models, extension = tmp_path / "models", tmp_path / "extensions" / "sd-webui-segment-anything" / "models"
    assert find_weights(VIT_H, [models, extension]) is None
    theirs = put(extension / "sam", VIT_H)
    dino = put(extension / "grounding-dino", SWIN_T)
    assert find_weights(VIT_H, [models, extension]) == theirs
    assert find_weights(SWIN_T, [models, extension]) == dino
    assert find_weights(SWIN_T, [models]) == dino, "beside the WebUI's models the extension is known"
    shared = put(models / "sam", VIT_H)
    assert find_weights(VIT_H, [models, extension]) == shared, "the first folder first"
    assert find_weights(VIT_H, [models / "sam"]) == shared, "a folder of weights itself"


def test_a_file_that_is_not_whole_is_not_found(tmp_path: Path):
    put(tmp_path / "sam", VIT_B, less=1)
    assert find_weights(VIT_B, [tmp_path]) is None


def test_the_best_that_is_complete_is_used(tmp_path: Path):
    assert find_all([tmp_path]) is None
    paths = [put(tmp_path / file.folder, file) for file in SMALL]
    assert find_all([tmp_path]) == tuple(paths)
    better = put(tmp_path / "sam", VIT_H), put(tmp_path / "grounding-dino", SWIN_B)
    found = find_all([tmp_path])
    assert found is not None
    assert (found.sam, found.dino) == better, "those of the paper"


def test_only_what_is_missing_is_to_be_downloaded(tmp_path: Path):
    assert absent([tmp_path]) == list(SMALL)
    put(tmp_path / "sam", VIT_H)
    assert absent([tmp_path]) == [SWIN_T, VOCABULARY]
    put(tmp_path / "bert-base-uncased", VOCABULARY)
    put(tmp_path, SWIN_B)
    assert absent([tmp_path]) == []
    assert find_all([tmp_path]) is not None


def test_the_vocabulary_that_the_interrogator_downloaded_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cached = put(tmp_path, VOCABULARY)
    asked = []

    def cache(name: str, file: str) -> str | None:
        asked.append((name, file))
        return str(cached) if name == "bert-base-uncased" else None

    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", cache)
    assert find_vocabulary([]) == cached
    assert asked == [("bert-base-uncased", "vocab.txt")]
    assert VOCABULARY not in absent([])


def test_what_the_hub_knows_to_be_missing_is_not_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: object())
    assert find_vocabulary([]) is None
