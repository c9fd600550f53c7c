"""LoRA, DreamBooth and Custom Diffusion learn from photos, change videos, and leave the checkpoint as it was."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from tests import tiny
from tests.batch.test_protocol import TEXT, read
from vcd_ext import media
from vcd_ext.batch.protocol import Protocol, reduced
from vcd_ext.batch.run import in_process, run_units
from vcd_ext.batch.toml_file import PlanError
from vcd_ext.batch.unit import ModelFiles, TrainingWork
from vcd_ext.denoising import lora
from vcd_ext.hosts.diffusers.lender import StandaloneLender
from vcd_ext.progress import Callbacks

SMALL = TEXT.replace("steps = 3", "steps = 2\nsize = 64\nbatch = 1\nvariants = 1\nseed = 1").replace(
    "frames = 4", "frames = 2\nsteps = 1"
)
ROWS = """
[[methods]]
label = "LoRA"
baseline = { kind = "lora", learning_rate = 0.1 }
[[methods]]
label = "DreamBooth"
baseline = { kind = "dreambooth", learning_rate = 0.01, prior = 1 }
[[methods]]
label = "Custom Diffusion"
baseline = { kind = "custom_diffusion", learning_rate = 0.1, prior = 0 }
"""
ONE = SMALL[: SMALL.index('[[methods]]\nlabel = "ours"')].replace('reference = "ours"', "") + ROWS


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Protocol, StandaloneLender, bool]:
    """Carry out a protocol with a subject, a prompt and a seed; say whether the UNet is the same bits afterwards."""
    folder = tmp_path_factory.mktemp("baselines")
    photos = folder / "photos"
    photos.mkdir()
    for i in range(2):
        noise = torch.randint(0, 256, (64, 80, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(i))
        Image.fromarray(noise.numpy()).save(photos / f"{i}.png")
    tiny.checkpoint(folder)
    protocol = reduced(read(folder, ONE), 1, 1, 1)
    lender = StandaloneLender()
    host = lender.host(ModelFiles(folder / "tiny.safetensors", no_half=True))
    before = {name: value.clone() for name, value in host.unet.state_dict().items()}
    summary = run_units(
        [unit for unit in protocol.units if isinstance(unit.work, TrainingWork)], protocol.out, in_process(lender),
        Callbacks(lambda _: None, lambda _: None, lambda: False),
    )  # fmt: skip
    assert not summary.failed, summary.failed
    after = host.unet.state_dict()
    same = list(after) == list(before) and all(torch.equal(after[name], before[name]) for name in before)
    summary = run_units(
        protocol.units, protocol.out, in_process(lender), Callbacks(lambda _: None, lambda _: None, lambda: False)
    )
    assert not summary.failed, summary.failed
    return folder, protocol, lender, same


def test_the_checkpoint_is_the_same_bits_afterwards(made) -> None:
    assert made[3]


def test_each_baseline_changes_the_video(made) -> None:
    videos = {cell.method: media.read(cell.unit.files[0]).frames.tobytes() for cell in made[1].cells}
    assert len(videos) == len(set(videos.values())) == 4


def test_the_subject_is_called_by_the_baseline_s_words(made) -> None:
    prompts = {cell.method: cell.unit.work.picture.prompt for cell in made[1].cells}
    assert prompts["DreamBooth"] == "photo of sks dog in the snow"
    assert prompts["LoRA"] == "photo of sks dog in the snow <lora:rex01-lora:1>"
    assert prompts["Custom Diffusion"] == "photo of rex01 dog in the snow <lora:rex01-weights:1>"


def test_a_lora_has_kohya_s_key_names(made) -> None:
    names = set(load_file(made[0] / "compared/identities/LoRA/rex01-lora.safetensors"))
    layer = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_out_0"
    assert {f"{layer}.lora_down.weight", f"{layer}.lora_up.weight", f"{layer}.alpha"} <= names
    assert all(name.startswith("lora_unet_") for name in names)


def test_custom_diffusion_changes_what_is_read_in_texts_alone(made) -> None:
    found = lora.load(made[0] / "compared/identities/Custom-Diffusion/rex01-weights.safetensors").changes
    assert all(name.endswith(("attn2_to_k", "attn2_to_v")) for name in found)
    assert all((change.up @ change.down).abs().max() > 0 and change.scale == 1 for change in found.values())


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ('"lara"', "write one of lora, dreambooth, custom_diffusion"),
        ('{ kind = "lora", rank = 0 }', "rank of the baseline of method LoRA is 0; it is usually 4."),
        ('{ kind = "lora", ranks = 3 }', "did you mean rank?"),
    ],
)
def test_a_baseline_that_cannot_be_meant_is_refused(folder: Path, value: str, sentence: str) -> None:
    with pytest.raises(PlanError, match=sentence.replace("?", r"\?")):
        read(folder, ONE.replace('{ kind = "lora", learning_rate = 0.1 }', value))


def test_a_file_for_each_subject_can_be_a_row(folder: Path) -> None:
    (folder / "rex01.safetensors").write_bytes(b"a checkpoint")
    (folder / "mia01.safetensors").write_bytes(b"another")
    protocol = read(
        folder, TEXT + '[[methods]]\nlabel = "elsewhere"\ncheckpoint = "{name}.safetensors"\nwords = "zwx {class}"\n'
    )
    works = {cell.subject: cell.unit.work for cell in protocol.cells if cell.method == "elsewhere"}
    assert {name: work.models.checkpoint.stem for name, work in works.items()} == {"rex01": "rex01", "mia01": "mia01"}
    assert works["mia01"].picture.prompt.startswith("photo of zwx owl")
