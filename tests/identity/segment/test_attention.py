"""The checkpoint's cross-attention as a segmenter: what is read is what the UNet computes, and nothing stays behind."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from tests.conftest import Files
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.training import StandaloneTraining
from vcd_ext.hosts.protocols import FACTOR, Posterior
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.identity.segment import Attention, CentrePrior, attention, fill_masks, segmenters
from vcd_ext.identity.segment.attention import TIMES, word_map
from vcd_ext.identity.segment.cross_attention import WordMaps, listening

PICTURE = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)


@pytest.fixture(autouse=True)
def _small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "AREA", 192 * 256)


class Host:
    """A host whose latents are the picture, and whose text is a number for each word."""

    device = torch.device("cpu")
    alphas_cumprod = torch.linspace(0.999, 0.005, 1000)

    def __init__(self, unet: nn.Module, width: int = 64):
        self.unet, self.width = unet, width
        self.within = 0
        self.encoder_freed = False
        self.times: list[int] = []
        self.prompts: list[str] = []

    @contextmanager
    def training(self) -> Iterator[None]:
        self.within += 1
        self.encoder_freed = False
        try:
            yield
        finally:
            self.within -= 1

    def tokens(self, words: str) -> list[int]:
        """Two tokens for each word that has more than five letters."""
        return [len(word) for word in words.split() for _ in range(1 + (len(word) > 5))]

    def encode(self, pictures: Tensor) -> Posterior:
        assert self.within
        assert not self.encoder_freed
        assert pictures.abs().max() <= 1
        cells = F.avg_pool2d(pictures, FACTOR)
        mean = torch.cat((cells, cells[:, :1]), dim=1)
        return Posterior(mean, torch.zeros_like(mean))

    def free_encoder(self) -> None:
        self.encoder_freed = True

    def text(self, prompt: str, embeddings: Mapping[str, Tensor]) -> Tensor:
        assert not embeddings
        self.prompts.append(prompt)
        return torch.randn(1, 77, self.width, generator=torch.Generator().manual_seed(len(prompt)))

    def predict(self, latents: Tensor, times: Tensor, text: Tensor) -> Tensor:
        assert self.within
        assert self.encoder_freed, "with --medvram there is no place for both"
        assert not torch.is_grad_enabled()
        self.times.append(int(times))
        if hasattr(self.unet, "input_blocks"):
            return self.unet(latents, times, context=text)
        found = self.unet(latents, times, text)
        return getattr(found, "sample", found)


def test_ldm_and_diffusers_unets_give_the_same_map(ldm_unet: nn.Module, diffusers_unet: nn.Module):
    maps = [word_map(Host(unet), PICTURE, "dog") for unet in (ldm_unet, diffusers_unet)]
    assert maps[0].shape == PICTURE.shape[:2]
    assert maps[0].std() > 1e-4 * maps[0].mean(), "the map must show something"
    np.testing.assert_allclose(*maps, atol=1e-6)


class Recording:
    """diffusers' attention written out, which keeps the weights that the text's tokens get."""

    def __init__(self, kept: list[Tensor]):
        self.kept = kept

    def __call__(self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor, **_: Any) -> Tensor:
        query, key, value = (
            attn.head_to_batch_dim(projected)
            for projected in (
                attn.to_q(hidden_states),
                attn.to_k(encoder_hidden_states),
                attn.to_v(encoder_hidden_states),
            )
        )
        weights = attn.get_attention_scores(query, key)
        self.kept.append(weights)
        return attn.to_out[0](attn.batch_to_head_dim(weights @ value))


@torch.no_grad()
def test_the_map_is_the_mean_of_what_the_layers_compute(diffusers_unet: nn.Module):
    kept: list[Tensor] = []
    own = dict(diffusers_unet.attn_processors)
    processors = {name: Recording(kept) if "attn2" in name else one for name, one in own.items()}
    latents, text = torch.randn(1, 4, 8, 16), torch.randn(1, 77, 64)
    maps = WordMaps([5, 6], (8, 16))
    try:
        diffusers_unet.set_attn_processor(processors)
        with listening(diffusers_unet, maps):
            diffusers_unet(latents, torch.tensor([300]), text)
    finally:
        diffusers_unet.set_attn_processor(own)
    assert len(kept) == maps.count == 16
    expected = torch.zeros(8, 16)
    for weights in kept:
        found = weights[..., [5, 6]].sum(-1).mean(0)
        factor = round((128 / len(found)) ** 0.5)
        small = found.reshape(1, 1, 8 // factor, 16 // factor)
        expected += F.interpolate(small, (8, 16), mode="bilinear", align_corners=False)[0, 0] / 16
    torch.testing.assert_close(maps.mean, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("kind", ["ldm_unet", "diffusers_unet"])
@pytest.mark.parametrize("fails", [False, True])
def test_nothing_stays_behind(kind: str, fails: bool, request: pytest.FixtureRequest):
    unet = request.getfixturevalue(kind)
    host = Host(unet)
    before = {name: tensor.clone() for name, tensor in unet.state_dict().items()}
    hooks = [len(module._forward_hooks) for module in unet.modules()]
    if fails:
        host.text = lambda *_: torch.zeros(1, 77, 3)  # type: ignore[method-assign]
        with pytest.raises(RuntimeError):
            word_map(host, PICTURE, "dog")
    else:
        word_map(host, PICTURE, "dog")
    assert [len(module._forward_hooks) for module in unet.modules()] == hooks
    assert all(torch.equal(tensor, before[name]) for name, tensor in unet.state_dict().items())
    assert host.within == 0


def test_the_standalone_host_lends_what_is_needed_and_gets_it_back(files: Files):
    standalone = Standalone.load(files.checkpoint, device="cpu")
    before = {name: tensor.clone() for name, tensor in standalone.unet.state_dict().items()}
    found = word_map(StandaloneTraining(standalone), PICTURE, "dog")
    assert found.shape == PICTURE.shape[:2]
    assert np.isfinite(found).all()
    assert 0 < found.mean() < 1
    assert all(torch.equal(tensor, before[name]) for name, tensor in standalone.unet.state_dict().items())


def test_several_noise_levels_are_asked_with_the_word_in_a_prompt(ldm_unet: nn.Module):
    host = Host(ldm_unet)
    first, again = (word_map(host, PICTURE, "dog") for _ in range(2))
    assert host.times == [*TIMES, *TIMES]
    assert host.prompts[0] == "a photo of a dog"
    assert np.array_equal(first, again)


class Sighted(nn.Module):
    """A UNet of one attention layer that sees red: reddish latents ask for token 5, the others for token 0."""

    def __init__(self) -> None:
        super().__init__()
        self.attn2 = nn.Module()
        self.attn2.heads = 2
        self.attn2.to_q = nn.Identity()
        self.attn2.to_k = nn.Identity()
        self.sees = True

    def forward(self, latents: Tensor, times: Tensor, text: Tensor) -> Tensor:
        red = (F.avg_pool2d(latents[:, 0] - latents[:, 1], 2) > 0.2).flatten(1) & self.sees
        asks = 30 * torch.stack((red, ~red), dim=-1).float().repeat(1, 1, 2)
        self.attn2.to_k(F.pad(torch.eye(77)[[5, 0]].T, (0, 2))[None])  # the order of the two must not matter
        self.attn2.to_q(asks)
        return latents


def scene() -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return a red disc at the lower left, and a larger blue one in the middle."""
    pixels = np.full((300, 400, 3), (60, 140, 70), np.uint8)
    cv2.circle(pixels, (240, 120), 80, (50, 60, 200), -1)
    cv2.circle(pixels, (90, 210), 60, (210, 60, 50), -1)
    pixels = (pixels + np.random.default_rng(0).normal(0, 8, pixels.shape)).clip(0, 255).astype(np.uint8)
    return pixels, cv2.circle(np.zeros((300, 400), np.uint8), (90, 210), 60, 1, -1) > 0


def test_the_mask_is_where_the_checkpoint_looks_not_the_middle():
    pixels, truth = scene()
    found = Attention(Host(Sighted()))(pixels, "dog") > 0
    assert (found & truth).sum() / (found | truth).sum() > 0.95
    middle = CentrePrior()(pixels, "dog") > 0
    assert (middle & truth).sum() / (middle | truth).sum() < 0.3, "what makes this a test"


def test_all_tokens_of_the_word_count():
    """Four tokens of "a photo of a" follow the start, so the word's first is the sixth; "puppies" has two."""
    asked = []
    host = Host(Sighted())
    maps = WordMaps.__init__

    def spy(self: WordMaps, tokens: Any, size: tuple[int, int]) -> None:
        asked.append(list(tokens))
        maps(self, tokens, size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WordMaps, "__init__", spy)
        for word in ("dog", "puppies"):
            word_map(host, scene()[0], word)
    assert asked == [[5], [5, 6]]


def test_a_checkpoint_that_sees_nothing_says_so_and_the_middle_is_taken():
    pixels, _ = scene()
    host = Host(Sighted())
    host.unet.sees = False  # type: ignore[assignment]
    with pytest.raises(ValueError, match="does not see where a dog is"):
        Attention(host)(pixels, "dog")
    (filled,), problems = fill_masks([Photo("rex.jpg", pixels)], "dog", segmenters([], host))
    assert filled.mask_source == "GrabCut"
    assert problems == []


def test_a_unet_without_cross_attention_is_refused():
    maps = WordMaps([5], (8, 8))
    with listening(nn.Sequential(nn.Linear(1, 1)), maps), pytest.raises(ValueError, match="no cross-attention"):
        _ = maps.mean
