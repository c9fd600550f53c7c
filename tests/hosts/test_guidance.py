"""How a prompt in the WebUI's syntax guides: parts with weights, changes by the step, lengths that differ."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from vcd_ext.hosts.diffusers import checkpoint
from vcd_ext.hosts.diffusers.conditioning import Prompts
from vcd_ext.hosts.diffusers.guidance import Guidance, guidance
from vcd_ext.hosts.shared.prompt_travel import KeyFraming


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


def travelling(prompts: Prompts, prompt: str, negative: str = "", frames: Sequence[int] = (0, 1, 2, 3, 4)) -> Guidance:
    with torch.no_grad():
        return guidance(prompts, prompt, negative, 5.0, 4, {}, KeyFraming(frames))


def test_frames_between_key_frames_have_conditions_between_theirs(prompts):
    text = travelling(prompts, "photo of\n0: cat\n4: dog", "0: ugly\n2: bad").at(0, rows=1)
    [cond], uncond = text.conds, text.uncond
    ends = {said: prompts.encode(said, {})[0] for said in ("photo of, cat", "photo of, dog", "ugly", "bad")}
    for i, share in enumerate((0, 0.25, 0.5, 0.75, 1)):
        assert torch.allclose(cond[i], torch.lerp(ends["photo of, cat"], ends["photo of, dog"], share), atol=1e-6)
    assert torch.equal(cond[0], ends["photo of, cat"])
    assert torch.equal(cond[4], ends["photo of, dog"])
    assert torch.allclose(uncond[1], (ends["ugly"] + ends["bad"]) / 2, atol=1e-6)
    assert torch.equal(uncond[4], ends["bad"])


def test_a_constant_prompt_stands_beside_a_travelling_one_in_each_frame(prompts):
    text = travelling(prompts, "cat", "0: ugly\n2: bad").at(0, rows=1)
    assert text.conds[0].shape[0] == text.uncond.shape[0] == 5
    assert torch.equal(text.conds[0][3], prompts.encode("cat", {})[0])


def test_parts_of_some_key_frames_fade_in_by_their_weight(prompts):
    text = travelling(prompts, "0: cat\n4: cat AND dog :0.5", frames=[0, 2, 4]).at(0, rows=3)
    assert text.scales[0] == 5
    assert text.scales[1].flatten().tolist() == [0, 1.25, 2.5]

    def unet(conditions: list[Tensor]) -> list[Tensor]:
        return [condition.mean(dim=(1, 2)).reshape(-1, 1, 1, 1) for condition in conditions]

    cat, dog, empty = (prompts.encode(said, {}).mean() for said in ("cat", " dog", ""))
    expected = [empty + 5 * (cat - empty) + scale * (dog - empty) for scale in (0, 1.25, 2.5)]
    assert torch.allclose(text.predict(unet).flatten(), torch.stack(expected), atol=1e-5)


def test_a_weight_of_its_own_at_each_key_frame_is_mixed_as_well(prompts):
    text = guidance(prompts, "0: cat :0.2\n2: cat :0.6", "", 5.0, 4, {}, KeyFraming((0, 1, 2))).at(0, rows=1)
    assert text.scales[0].flatten().tolist() == pytest.approx([1, 2, 3])
    assert text.uncond is not None


def test_a_travelling_prompt_is_constant_over_the_steps_or_is_not(prompts):
    assert travelling(prompts, "0: cat\n4: dog").constant.shape[0] == 5
    with pytest.raises(ValueError, match="changes while it is painted"):
        _ = travelling(prompts, "0: cat\n4: [dog:cow:0.5]").constant


def test_the_same_text_in_all_key_frames_is_the_plain_prompt(prompts):
    long = "dog " * 80
    plain = guided(prompts, f"[cat:{long}:0.5] AND cow", "bad").at(3, rows=5)
    same = travelling(prompts, f"0: [cat:{long}:0.5] AND cow\n3: [cat:{long}:0.5] AND cow", "bad").at(3, rows=1)
    assert torch.allclose(same.uncond, plain.uncond)
    for one, other in zip(same.conds, plain.conds, strict=True):
        assert torch.allclose(one, other, atol=1e-6)
