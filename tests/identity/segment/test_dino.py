"""Grounding DINO: real network code with small random weights, and known answers for the thresholds."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vcd_ext.identity.segment import dino
from vcd_ext.identity.segment.dino import GroundingDino, build_grounding_dino

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", "dog", "golden", "retrieve", "##r"]
BERT = {"vocab_size": 11, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
SMALL = {"dim_feedforward": 32, "enc_layers": 1, "dec_layers": 1, "num_queries": 10}
PICTURE = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bert") / "vocab.txt"
    path.write_text("\n".join(WORDS) + "\n")
    return path


@pytest.fixture(scope="module")
def network(vocabulary: Path) -> nn.Module:
    torch.manual_seed(0)
    return build_grounding_dino("swin_T_224_1k", vocabulary, BERT, **SMALL)


@pytest.fixture(autouse=True)
def _small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dino, "SHORT", 64)


def test_nothing_but_the_two_packages_is_needed():
    """What they list beside the WebUI's own packages is for configuration files, drawing and evaluation."""
    script = """
import sys
for name in ("addict", "yapf", "matplotlib", "pycocotools", "supervision", "termcolor", "colorlog"):
    sys.modules[name] = None  # what is None cannot be imported
from vcd_ext.identity.segment.packages import imported, missing_packages
assert missing_packages() == []
assert callable(imported("groundingdino.models").build_model)
assert callable(imported("segment_anything").SamPredictor)
assert not any(name.startswith(("groundingdino.util.slconfig", "groundingdino.util.vis")) for name in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_random_weights_give_boxes_inside_the_picture(network: nn.Module, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dino, "BOX_THRESHOLD", 0.0)
    monkeypatch.setattr(dino, "TEXT_THRESHOLD", 0.0)
    boxes = GroundingDino(network)(PICTURE, "Dog")
    assert len(boxes) == 10
    for box in boxes:
        assert 0 <= box.x0 <= box.x1 <= 90
        assert 0 <= box.y0 <= box.y1 <= 60
        assert 0 <= box.score <= 1
    assert [box.score for box in boxes] == sorted((box.score for box in boxes), reverse=True)


def test_the_text_matters(network: nn.Module, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dino, "BOX_THRESHOLD", 0.0)
    monkeypatch.setattr(dino, "TEXT_THRESHOLD", 0.0)
    find = GroundingDino(network)
    assert find(PICTURE, "dog") == find(PICTURE, "dog")
    assert find(PICTURE, "dog") != find(PICTURE, "golden retriever")


def saved(network: nn.Module, path: Path, change: Callable[[dict[str, Tensor]], None] = lambda _: None) -> Path:
    """Return a file in the published layout: all under "model", the names as a parallel training leaves them."""
    state = {f"module.{name}": tensor for name, tensor in network.state_dict().items()}
    state["module.label_enc.weight"] = torch.zeros(3, 2)  # the published files have it, and nobody uses it
    change(state)
    torch.save({"model": state}, path)
    return path


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dino, "build_grounding_dino", partial(build_grounding_dino, bert=BERT, **SMALL))


@pytest.mark.usefixtures("_small")
def test_a_file_is_read_whole_and_without_a_hub(network: nn.Module, vocabulary: Path, tmp_path: Path):
    loaded = GroundingDino.load(saved(network, tmp_path / "groundingdino.pth"), vocabulary)
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], tensor)
    assert not loaded.network.training
    assert not any(parameter.requires_grad for parameter in loaded.network.parameters())


@pytest.mark.usefixtures("_small")
def test_a_file_that_lacks_a_tensor_is_refused(network: nn.Module, vocabulary: Path, tmp_path: Path):
    path = saved(network, tmp_path / "dino.pth", lambda state: state.pop("module.bert.pooler.dense.weight"))
    with pytest.raises(ValueError, match=r"dino\.pth lacks 'bert\.pooler\.dense\.weight'.*swint_ogc"):
        GroundingDino.load(path, vocabulary)


@pytest.mark.usefixtures("_small")
def test_a_file_with_a_tensor_of_another_shape_is_refused(network: nn.Module, vocabulary: Path, tmp_path: Path):
    path = saved(network, tmp_path / "dino.pth", lambda s: s.update({"module.feat_map.bias": torch.zeros(7)}))
    with pytest.raises(ValueError, match=r"dino\.pth is damaged or of another kind"):
        GroundingDino.load(path, vocabulary)


@pytest.mark.parametrize("content", [{"model": {}}, {"a": torch.zeros(1)}, [1, 2]])
def test_other_files_are_refused(content: Any, vocabulary: Path, tmp_path: Path):
    torch.save(content, tmp_path / "dino.pth")
    with pytest.raises(ValueError, match=r"dino\.pth holds no Grounding DINO.*groundingdino_swint_ogc\.pth"):
        GroundingDino.load(tmp_path / "dino.pth", vocabulary)


class Answers(nn.Module):
    """A network with known answers: for each box the scores of [CLS], the word, the full stop and [SEP]."""

    specical_tokens = (101, 102, 1012)

    def __init__(self, scores: list[list[float]], boxes: list[list[float]]):
        super().__init__()
        self.scores, self.boxes, self.captions = torch.tensor(scores), torch.tensor(boxes), []

    def tokenizer(self, caption: str) -> SimpleNamespace:
        return SimpleNamespace(input_ids=[101, *range(len(caption.rstrip(".").split())), 1012, 102])

    def forward(self, pictures: Tensor, captions: list[str]) -> dict[str, Tensor]:
        self.captions += captions
        return {"pred_logits": self.scores.logit()[None], "pred_boxes": self.boxes[None]}


MIDDLE = [0.5, 0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("scores", "kept"),
    [
        ([0.01, 0.31, 0.01, 0.01], True),
        ([0.01, 0.29, 0.01, 0.01], False),  # not sure enough of anything
        ([0.01, 0.26, 0.40, 0.01], True),
        ([0.01, 0.24, 0.90, 0.01], False),  # sure, but not of the word
    ],
)
def test_a_box_is_kept_above_both_thresholds(scores: list[float], kept: bool):
    network = Answers([scores], [MIDDLE])
    boxes = GroundingDino(network)(PICTURE, "Dog ")
    assert network.captions == ["dog."]
    assert [box.score for box in boxes] == pytest.approx([max(scores)] if kept else [])


def test_boxes_are_in_pixels_best_first_and_cut_at_the_border():
    low, high = [0.01, 0.4, 0.01, 0.01], [0.01, 0.8, 0.01, 0.01]
    first, second = GroundingDino(Answers([low, high], [MIDDLE, [0.9, 0.5, 0.4, 0.2]]))(PICTURE, "dog")
    assert first == pytest.approx((63, 24, 90, 36, 0.8), abs=1e-4)
    assert second == pytest.approx((22.5, 15, 67.5, 45, 0.4), abs=1e-4)


def test_an_empty_word_is_refused():
    with pytest.raises(ValueError, match="there is no word to look for"):
        GroundingDino(Answers([[0.5] * 4], [MIDDLE]))(PICTURE, " ")


@pytest.mark.parametrize("shape", [(60, 90), (300, 40), (2000, 3000)])
def test_the_picture_is_brought_to_the_size_that_the_network_knows(shape, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dino, "SHORT", 80)
    monkeypatch.setattr(dino, "LONG", 133)
    prepared = dino._prepared(np.full((*shape, 3), 255, np.uint8))
    height, width = prepared.shape[1:]
    assert min(height, width) == 80 or max(height, width) == 133
    assert width / height == pytest.approx(shape[1] / shape[0], rel=0.05)
    assert prepared[:, 0, 0].tolist() == pytest.approx([(1 - m) / s for m, s in zip(dino.MEAN, dino.STD, strict=True)])
