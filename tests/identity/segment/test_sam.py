"""Segment Anything: real network code with small random weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from segment_anything import sam_model_registry
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, TwoWayTransformer
from segment_anything.modeling import Sam as Network

from vcd_ext.identity.segment import packages, sam
from vcd_ext.identity.segment.boxes import Box
from vcd_ext.identity.segment.sam import Sam

SIDE, CELLS, WIDTH = 64, 4, 32
PICTURE = np.random.default_rng(0).integers(0, 256, (40, 70, 3), np.uint8)


def small(checkpoint: None = None) -> Network:
    torch.manual_seed(0)
    return Network(
        ImageEncoderViT(img_size=SIDE, depth=1, embed_dim=WIDTH, num_heads=2, out_chans=WIDTH, use_rel_pos=True),
        PromptEncoder(WIDTH, (CELLS, CELLS), (SIDE, SIDE), mask_in_chans=4),
        MaskDecoder(transformer_dim=WIDTH, transformer=TwoWayTransformer(1, WIDTH, 2, 32)),
    )


def test_a_mask_has_the_pictures_size_and_two_values():
    mask = Sam(small())(PICTURE, Box(10, 5, 60, 35, 0.9))
    assert mask.shape == (40, 70)
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) <= {0, 255}


def test_the_box_is_what_is_asked(monkeypatch: pytest.MonkeyPatch):
    """One mask of the box, in the pixels of the picture."""
    asked: dict[str, Any] = {}

    class Predictor:
        def __init__(self, network: Network):
            pass

        def set_image(self, pixels: np.ndarray) -> None:
            asked["pixels"] = pixels

        def predict(self, **prompt: Any) -> tuple[np.ndarray, None, None]:
            asked.update(prompt)
            return np.eye(40, 70, dtype=bool)[None], None, None

    monkeypatch.setattr("segment_anything.SamPredictor", Predictor)
    mask = Sam(small())(PICTURE, Box(10, 5, 60, 35, 0.9))
    assert asked["pixels"] is PICTURE
    assert asked["box"].tolist() == [10, 5, 60, 35]
    assert asked["multimask_output"] is False
    assert mask.sum() == 255 * 40


@pytest.fixture
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sam.KINDS, WIDTH, "small")
    monkeypatch.setitem(sam_model_registry, "small", small)


@pytest.mark.usefixtures("_known")
def test_a_file_is_read_whole(tmp_path: Path):
    state = small().state_dict()
    torch.save({name: tensor + 1 for name, tensor in state.items()}, tmp_path / "sam.pth")
    loaded = Sam.load(tmp_path / "sam.pth").network
    assert all(torch.equal(tensor, state[name] + 1) for name, tensor in loaded.state_dict().items())
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


@pytest.mark.usefixtures("_known")
def test_a_variant_of_sam_is_refused(tmp_path: Path):
    torch.save(small().state_dict() | {"mask_decoder.hf_token.weight": torch.zeros(1)}, tmp_path / "sam_hq.pth")
    with pytest.raises(ValueError, match=r"sam_hq\.pth is damaged or a variant of SAM.*sam_vit_h_4b8939\.pth"):
        Sam.load(tmp_path / "sam_hq.pth")


@pytest.mark.parametrize("content", [{}, {"a": torch.zeros(1)}, [1]])
def test_other_files_are_refused(content: Any, tmp_path: Path):
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"other\.pth holds no SAM"):
        Sam.load(tmp_path / "other.pth")


@pytest.mark.parametrize(("channels", "kind"), sam.KINDS.items())
def test_the_published_sizes_are_told_apart_by_their_first_layer(channels: int, kind: str):
    with torch.device("meta"):
        network = sam_model_registry[kind]()
    assert network.state_dict()[sam._FIRST_LAYER].shape[0] == channels


def test_a_package_that_is_not_installed_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert packages.missing_packages() == ["rf-groundingdino==0.3.0", "segment-anything==1.0"]
    with pytest.raises(ValueError, match=r"run 'pip install --no-deps segment-anything==1\.0' and start again"):
        packages.imported("segment_anything")
