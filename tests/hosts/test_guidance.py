"""How a prompt in the WebUI's syntax guides: parts with weights, changes by the step, lengths that differ."""

import pytest
import torch
from torch import Tensor

from vcd_ext.hosts.diffusers import checkpoint
from vcd_ext.hosts.diffusers.conditioning import Prompts
from vcd_ext.hosts.diffusers.guidance import Guidance, guidance


@pytest.fixture(scope="module")
def prompts(files) -> Prompts:
    models = checkpoint.load(files.checkpoint)
    return Prompts(models.text_encoder, models.tokenizer)


def guided(prompts: Prompts, prompt: str, negative: str = "", cfg: float = 5.0, steps: int = 4) -> Guidance:
    with torch.no_grad():
        return guidance(prompts, prompt, negative, cfg, steps, {})


def called(text: Guidance, step: int) -> tuple[Tensor, list[list[int]]]:
    """Return the prediction of a UNet that gives the mean of its text, and the texts' lengths in each of its calls."""
    calls: list[list[int]] = []

    def unet(conditions: list[Tensor]) -> list[Tensor]:
        calls.append([condition.shape[1] for condition in conditions])
        return [condition.mean().reshape(1) for condition in conditions]

    return text.at(step, rows=2).predict(unet), calls


def test_parts_guide_side_by_side_by_their_weights(prompts):
    made, calls = called(guided(prompts, "cat AND dog :-0.5", "ugly AND bad"), 0)
    cat, dog, bad = (prompts.encode(text, {}).mean() for text in ("cat", " dog", "ugly AND bad"))
    assert torch.allclose(made, bad + 5 * (cat - bad) - 2.5 * (dog - bad), atol=1e-5)
    assert calls == [[77, 77, 77]]


def test_texts_of_other_lengths_are_computed_apart_and_parts_together(prompts):
    _, calls = called(guided(prompts, "cat AND " + "dog " * 80), 0)
    assert calls == [[77], [154, 154]]


def test_a_prompt_changes_with_the_step_as_the_webui_counts(prompts):
    text = guided(prompts, "[cat:dog:0.5]", steps=4)
    said = [text.at(step, 1).conds[0] for step in range(4)]
    assert [torch.equal(each, said[0]) for each in said] == [True, True, True, False]
    with pytest.raises(ValueError, match="changes while it is painted"):
        _ = text.constant
    with pytest.raises(ValueError, match="joins parts with AND"):
        _ = guided(prompts, "cat AND dog").constant


@pytest.mark.parametrize(("prompt", "needed"), [("cat", False), ("cat :2", True), ("cat AND dog", True)])
def test_without_guidance_the_negative_prompt_costs_nothing(prompts, prompt, needed):
    assert (guided(prompts, prompt, cfg=1.0).at(0, 1).uncond is not None) is needed


def test_a_comment_is_not_read(prompts):
    plain = guided(prompts, "a cat\n").constant
    assert torch.equal(guided(prompts, "a cat # <lora:x:1> AND (dog\n").constant, plain)
