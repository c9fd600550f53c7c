"""An embedding of ours in diffusers: its own loader, the identical tensor, and the same condition as the host's."""

import copy
from pathlib import Path

import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from torch import Tensor

from tests.identity.embedding_layouts import LAYOUTS, NAME, vectors_of
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.identity import load_embedding, save_embedding


@pytest.fixture
def pipeline(host: Standalone) -> StableDiffusionPipeline:
    """Make a pipeline of the small checkpoint, with a text encoder and a tokenizer that may be added to."""
    return StableDiffusionPipeline(
        vae=host.vae,
        text_encoder=copy.deepcopy(host.prompts.text_encoder),
        tokenizer=copy.deepcopy(host.prompts.tokenizer),
        unet=host.unet,
        scheduler=DDIMScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def known(pipeline: StableDiffusionPipeline, name: str) -> Tensor:
    """Return the vectors that a prompt's `name` stands for."""
    words = pipeline.maybe_convert_prompt(name, pipeline.tokenizer)
    ids = pipeline.tokenizer(words, add_special_tokens=False).input_ids
    return pipeline.text_encoder.get_input_embeddings().weight.detach()[ids]


@pytest.mark.parametrize("count", [1, 4])
def test_the_loader_finds_the_name_and_the_identical_tensor(
    pipeline: StableDiffusionPipeline, host: Standalone, count: int, tmp_path: Path
) -> None:
    vectors = vectors_of(count, host.prompts.width)
    pipeline.load_textual_inversion(str(LAYOUTS["ours"](tmp_path, vectors)))
    assert torch.equal(known(pipeline, NAME), vectors)
    prompt = f"photo of {NAME} dog"
    theirs, _ = pipeline.encode_prompt(prompt, "cpu", 1, False)
    assert torch.equal(theirs, host.prompts.encode(prompt, {NAME: vectors}))


def test_a_file_of_magic_me_is_read_once_it_is_saved_as_ours(
    pipeline: StableDiffusionPipeline, host: Standalone, tmp_path: Path
) -> None:
    vectors = vectors_of(4, host.prompts.width)
    theirs = LAYOUTS["Magic-Me's"](tmp_path, vectors)
    path = save_embedding(tmp_path / f"{NAME}.safetensors", load_embedding(theirs))
    pipeline.load_textual_inversion(str(path))
    assert torch.equal(known(pipeline, NAME), vectors)
