"""Text conditions: those of diffusers, with the WebUI's chunks for long prompts."""

import copy

import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from torch import Tensor

from vcd_ext.hosts.diffusers import checkpoint
from vcd_ext.hosts.diffusers.conditioning import Prompts
from vcd_ext.hosts.diffusers.tokenizer import tokenizer
from vcd_ext.identity import load_embedding
from vcd_ext.prompt.names import mentions


@pytest.fixture(scope="module")
def models(files) -> checkpoint.Models:
    return checkpoint.load(files.checkpoint)


@pytest.fixture(scope="module")
def prompts(models) -> Prompts:
    return Prompts(models.text_encoder, models.tokenizer)


@pytest.fixture
def vectors(files) -> Tensor:
    return load_embedding(files.embedding)


def diffusers_condition(models: checkpoint.Models, prompt: str, embeddings: dict[str, Tensor]) -> Tensor:
    """Compute the condition in the library's own way: tokens added to tokenizer and encoder."""
    pipe = StableDiffusionPipeline(
        vae=models.vae,
        text_encoder=copy.deepcopy(models.text_encoder),
        tokenizer=tokenizer(),
        unet=models.unet,
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    for name, tensor in embeddings.items():
        pipe.load_textual_inversion(tensor, token=name)
    return pipe.encode_prompt(prompt, "cpu", 1, False)[0]


def test_a_prompt_is_what_diffusers_makes_of_it(models, prompts):
    prompt = "a photo of a cat, wearing a hat"
    assert torch.equal(prompts.encode(prompt, {}), diffusers_condition(models, prompt, {}))


@pytest.mark.parametrize("count", [1, 2, 4])
def test_an_embedding_is_what_diffusers_makes_of_it(models, prompts, vectors, count):
    prompt, embeddings = "a photo of tinyperson at the beach", {"tinyperson": vectors[:count]}
    ours = prompts.encode(prompt, embeddings)
    assert torch.allclose(ours, diffusers_condition(models, prompt, embeddings), atol=1e-6)
    assert not torch.allclose(ours, prompts.encode(prompt, {}), atol=1e-2)


def test_nothing_remains_in_the_encoder(prompts, vectors):
    before = prompts.encode("tinyperson", {})
    prompts.encode("tinyperson", {"tinyperson": vectors})
    assert torch.equal(prompts.encode("tinyperson", {}), before)


def test_a_name_may_be_a_word_of_the_vocabulary_in_any_case(prompts, vectors):
    lower, upper = (prompts.encode(f"a {name}, smiling", {"Cat": vectors}) for name in ("cat", "CAT"))
    assert torch.equal(lower, upper)
    assert not torch.equal(lower, prompts.encode("a cat, smiling", {}))


def test_a_name_inside_another_word_is_not_meant(prompts, vectors):
    prompt = "annabel, joanna"
    assert torch.equal(prompts.encode(prompt, {"anna": vectors}), prompts.encode(prompt, {}))


def test_the_longer_of_two_names_is_meant(prompts, vectors):
    both = prompts.encode("ann lee smiles", {"ann": vectors[:1], "ann lee": vectors})
    assert torch.equal(both, prompts.encode("ann lee smiles", {"ann lee": vectors}))


@pytest.mark.parametrize(("words", "chunks"), [(0, 1), (75, 1), (76, 2), (150, 2), (151, 3)])
def test_long_prompts_are_encoded_in_chunks_of_75_tokens(prompts, words, chunks):
    assert prompts.encode("cat " * words, {}).shape == (1, 77 * chunks, 64)


def test_each_chunk_is_a_prompt_of_its_own(prompts):
    long = prompts.encode("cat " * 75 + "dog", {})
    assert torch.equal(long[:, :77], prompts.encode("cat " * 75, {}))
    assert torch.equal(long[:, 77:], prompts.encode("dog", {}))


def test_an_embedding_is_not_torn_between_chunks(prompts, vectors):
    embeddings = {"anna": vectors}
    moved = prompts.encode("cat " * 73 + "anna", embeddings)
    assert torch.equal(moved[:, 77:], prompts.encode("anna", embeddings))


def test_gradients_reach_the_vectors_and_nothing_else(prompts, vectors):
    vectors.requires_grad_()
    prompts.encode("a photo of anna", {"anna": vectors}).sum().backward()
    assert vectors.grad is not None
    assert vectors.grad.abs().min() > 0
    assert all(parameter.grad is None for parameter in prompts.text_encoder.parameters())


@pytest.mark.parametrize(
    ("prompt", "mentioned"), [("photo of Anna.", True), ("anna's hat", True), ("joanna", False), ("anna_2", False)]
)
def test_mentions_looks_for_whole_words(prompt, mentioned):
    assert mentions(prompt, "anna") is mentioned


@pytest.mark.parametrize(
    ("prompt", "lengths"),
    [
        ("cat " * 67 + ", " + "dog " * 20, [68, 20]),  # what follows the comma moves
        ("cat " * 55 + ", " + "dog " * 19 + "bird", [56, 20]),
        ("cat " * 54 + ", " + "dog " * 20 + "bird", [75, 1]),  # the comma is too far back
        ("cat " * 74 + ", dog", [75, 1]),
        ("cat " * 75 + ", dog", [75, 2]),
        ("cat BREAK dog bird", [1, 2]),
        ("BREAK cat BREAK", [0, 1]),
        ("cat " * 60 + ", dog anna " + "dog " * 20, [61, 25]),
    ],
)
def test_prompts_are_divided_at_commas_and_breaks(prompts, vectors, prompt, lengths):
    chunks = prompts.chunks(prompt, {"anna": vectors})
    assert [len(chunk.tokens) for chunk in chunks] == lengths


def test_emphasis_multiplies_what_is_encoded_and_keeps_the_mean(prompts):
    plain, strong = prompts.encode("a cat, sleeping", {}), prompts.encode("a (cat:1.5), sleeping", {})
    assert torch.allclose(plain.mean(), strong.mean(), atol=1e-6)
    factor = strong / plain
    assert torch.allclose(factor[0, 2] / factor[0, 1], torch.tensor(1.5), atol=1e-4)
    assert torch.equal(prompts.encode("a cat (1)", {}), prompts.encode("a cat 1", {})) is False
    assert torch.equal(prompts.encode(r"a cat \(1\)", {"x": plain[0, :1]}), prompts.encode(r"a cat \(1\)", {}))


def test_texts_of_one_prompt_are_encoded_to_one_length(prompts):
    both = prompts.encode_together(["cat", "dog " * 80], {})
    assert both.shape == (2, 154, 64)
    assert torch.equal(both[0, 77:], prompts.encode("", {})[0])
