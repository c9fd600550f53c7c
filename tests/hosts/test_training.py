"""The standalone host lends its models to a training: right gradients, and nothing of the model is changed."""

import copy
import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.hosts.test_standalone import PICTURE, VIDEO
from vcd_ext import identity
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.hosts.diffusers.training import StandaloneTraining
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.identity.training.batch import Batch
from vcd_ext.identity.training.plan import MicroBatchPlan
from vcd_ext.identity.training.schedule import animatediff
from vcd_ext.identity.training.step import gradient
from vcd_ext.settings import TrainSettings

SETTINGS = TrainSettings(name="rexy", class_word="dog", size=64, steps=2, seed=1, variants=1, batch=2)
NAME = "rexy"


@pytest.fixture
def lent(host: Standalone) -> StandaloneTraining:
    return StandaloneTraining(host)


@pytest.fixture(scope="module")
def photos() -> list[Photo]:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 80, 64, 3), np.uint8)
    mask = np.zeros((80, 64), np.uint8)
    mask[16:56, 8:48] = 255
    return [Photo(f"{i}.png", picture, mask, "file") for i, picture in enumerate(pixels)]


def batch() -> Batch:
    """Four samples of two captions, one of them with an empty mask."""
    draw = torch.Generator().manual_seed(4)
    noisy, target = torch.randn(2, 4, 4, 8, 8, generator=draw)
    mask = torch.zeros(4, 8, 8)
    mask[:3, 2:6, 1:5] = 1
    captions = (f"photo of {NAME} dog", f"close up photo of {NAME} dog", f"photo of {NAME} dog", f"photo of {NAME} dog")
    return Batch(noisy, torch.tensor([10, 400, 700, 999]), target, mask, captions)


def naive_gradient(host: Standalone, vectors: Tensor, batch: Batch) -> tuple[float, Tensor]:
    """Loss and gradient in double precision, with one graph from the vectors to the loss, sample by sample."""
    models = copy.copy(host)
    models.unet = copy.deepcopy(host.unet).double()
    models.prompts = copy.copy(host.prompts)
    models.prompts.text_encoder = copy.deepcopy(host.prompts.text_encoder).double()
    leaf = vectors.double().requires_grad_()
    losses = []
    for noisy, time, target, mask, caption in zip(*batch, strict=True):
        text = models.prompts.encode(caption, {NAME: leaf})
        error = (models.unet(noisy[None].double(), time, text).sample[0] - target.double()) ** 2
        losses.append(error[:, mask > 0].mean() if mask.any() else torch.zeros((), dtype=torch.float64))
    loss = torch.stack(losses).mean()
    loss.backward()
    return loss.item(), leaf.grad


def cosine(one: Tensor, other: Tensor) -> float:
    return torch.cosine_similarity(one.double().flatten(), other.double().flatten(), dim=0).item()


@pytest.mark.parametrize(
    "plan", [MicroBatchPlan(4, None), MicroBatchPlan(1, None), MicroBatchPlan(3, False), MicroBatchPlan(2, True)]
)
def test_the_gradient_is_that_of_a_naive_reference(lent: StandaloneTraining, plan: MicroBatchPlan):
    vectors = lent.vectors_of("dog small dog")
    with lent.training():
        loss, found = gradient(lent, NAME, vectors, batch(), plan)
    expected_loss, expected = naive_gradient(lent.standalone, vectors, batch())
    assert loss == pytest.approx(expected_loss, rel=1e-4)
    assert cosine(found, expected) >= 0.999
    assert found.norm().item() == pytest.approx(expected.norm().item(), rel=1e-3)


def test_the_gradient_in_two_parts_is_that_of_one_graph_to_the_bit(lent: StandaloneTraining):
    vectors = lent.vectors_of("small dog").requires_grad_()
    one = batch()._replace(captions=("photo of rexy dog",) * 4)
    with lent.training():
        _, found = gradient(lent, NAME, vectors.detach(), one, MicroBatchPlan(4, None))
        text = lent.text(one.captions[0], {NAME: vectors})
        predicted = lent.predict(one.noisy, one.times, torch.cat([text] * 4))
        error = (predicted - one.target).square().mean(1)
        loss = ((error * one.mask).sum((1, 2)) / one.mask.sum((1, 2)).clamp(min=1e-6)).sum() / 4
        (expected,) = torch.autograd.grad(loss, vectors)
    assert torch.equal(found, expected)


def test_half_precision_points_the_same_way(files, lent: StandaloneTraining):
    half = StandaloneTraining(Standalone.load(files.checkpoint, torch.bfloat16, "cpu"))
    vectors = lent.vectors_of("small dog")
    with lent.training(), half.training():
        _, expected = gradient(lent, NAME, vectors, batch(), MicroBatchPlan(4, None))
        _, found = gradient(half, NAME, vectors, batch(), MicroBatchPlan(4, None), scale=2.0**12)
    assert cosine(found, expected) > 0.95


def test_only_the_vectors_have_a_gradient_and_recomputation_is_taken_off(lent: StandaloneTraining):
    host = lent.standalone
    weights = [weight for model in lent.models for weight in model.parameters()]
    with lent.training():
        _, found = gradient(lent, NAME, lent.vectors_of("dog"), batch(), MicroBatchPlan(4, True))
    assert found.abs().max() > 0
    assert all(weight.grad is None for weight in weights)
    assert not any("forward" in vars(module) for module in host.unet.modules())


def test_recomputation_keeps_fewer_activations(lent: StandaloneTraining):
    def kept(every_block: bool | None) -> int:
        sizes: dict[int, int] = {}

        def pack(tensor: Tensor) -> Tensor:
            sizes[tensor.data_ptr()] = tensor.numel()
            return tensor

        text = lent.text("photo of a dog", {}).requires_grad_()
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            if every_block is None:
                lent.predict(one.noisy, one.times, text.expand(4, -1, -1))
            else:
                with lent.checkpoint_activations(every_block):
                    lent.predict(one.noisy, one.times, text.expand(4, -1, -1))
        return sum(sizes.values())

    one = batch()
    with lent.training():
        nothing, transformers, everything = (kept(every_block) for every_block in (None, False, True))
    assert everything < transformers < nothing


def test_the_model_is_the_same_to_the_bit_after_a_training(lent: StandaloneTraining, photos: list[Photo]):
    host = lent.standalone
    before = [{name: tensor.clone() for name, tensor in model.state_dict().items()} for model in lent.models]
    frames = host.generate(PICTURE, VIDEO).frames
    weight = next(host.unet.parameters()).requires_grad_()
    result = identity.train(lent, photos, SETTINGS)
    assert result.finished
    assert result.vectors.shape == (4, lent.width)
    for model, tensors in zip(lent.models, before, strict=True):
        assert all(torch.equal(tensor, tensors[name]) for name, tensor in model.state_dict().items())
        assert not model.training
    assert weight.requires_grad
    weight.requires_grad_(False)
    assert np.array_equal(host.generate(PICTURE, VIDEO).frames, frames)


def test_an_error_gives_the_model_back(lent: StandaloneTraining, photos: list[Photo], monkeypatch: pytest.MonkeyPatch):
    weight = next(lent.standalone.unet.parameters()).requires_grad_()
    monkeypatch.setattr(lent.standalone.unet, "forward", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        identity.train(lent, photos, SETTINGS)
    assert weight.requires_grad
    weight.requires_grad_(False)


def test_stopped_and_gone_on_with_is_the_same_to_the_bit(lent: StandaloneTraining, photos: list[Photo], tmp_path):
    settings = replace(SETTINGS, steps=3)
    steps: list[int] = []
    identity.train(
        lent, photos, settings, lambda now: steps.append(now.step if now.vectors is not None else -1),
        state=tmp_path / "state", interrupted=lambda: steps[-1] == 1,
    )  # fmt: skip
    assert steps[-1] == 1
    resumed = identity.train(lent, photos, settings, state=tmp_path / "state")
    assert torch.equal(resumed.vectors, identity.train(lent, photos, settings).vectors)


def test_the_posterior_is_scaled_as_the_unet_wants_it(lent: StandaloneTraining):
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    posterior = lent.encode(picture)
    expected = lent.standalone.vae.encode(picture).latent_dist
    assert torch.allclose(posterior.mean, expected.mean * 0.18215)
    assert torch.allclose(posterior.std, expected.std * 0.18215)


def test_what_is_said_of_the_checkpoint(lent: StandaloneTraining, files):
    assert lent.checkpoint == "tiny.safetensors"
    assert lent.checkpoint_hash == hashlib.sha256(files.checkpoint.read_bytes()).hexdigest()[:10]
    assert lent.free_memory() is None
    assert lent.prediction_type == "epsilon"
    assert len(lent.tokens("small dog")) == len(lent.vectors_of("small dog")) == 2


def test_the_checkpoints_schedule_is_not_animatediffs(lent: StandaloneTraining):
    own, linear = lent.alphas_cumprod, animatediff()
    assert own.shape == linear.shape == (1000,)
    # The noise level that AnimateDiff's schedule has at 500 is that of the checkpoint's at 600.
    assert linear[500].item() == pytest.approx(own[600].item(), rel=0.05)


def test_a_text_that_is_too_long_is_refused(lent: StandaloneTraining):
    with pytest.raises(ValueError, match="more than 75 tokens"):
        lent.text("dog " * 76, {})
