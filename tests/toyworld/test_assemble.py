"""What was trained comes together as the files that ship, fits the product, and comes apart again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from tools.toyworld import assemble, denoiser_file, first_stage, vocabulary
from tools.toyworld.captioning import tokenized
from tools.toyworld.second_stage import Denoiser
from tools.toyworld.subjects import SUBJECTS
from tools.toyworld.train_motion import motion_module
from vcd_ext import motion, toyworld
from vcd_ext.hosts.diffusers import checkpoint


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with untrained parts, as trainings export them."""
    out = tmp_path_factory.mktemp("runs")
    torch.manual_seed(0)
    for name in ("autoencoder", "denoiser", "motion", "judges"):
        (out / name).mkdir()
    stage = first_stage.to_ldm(first_stage.autoencoder([32] * 4).state_dict())
    save_file(stage, out / "autoencoder/autoencoder.safetensors", metadata={"scale_factor": "0.5"})
    denoiser = Denoiser.make([32] * 4, vocabulary.write(out / "denoiser/clip", 32, 1))
    denoiser_file.save(denoiser, out / "denoiser/denoiser.safetensors")
    tensors = {name: value.contiguous() for name, value in motion_module(denoiser).state_dict().items()}
    save_file(tensors, out / "motion/motion.safetensors")
    (out / "judges/judges.safetensors").write_bytes(b"the judges")
    return out


@pytest.fixture(scope="module")
def shipped(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("shipped")
    assemble.main(["--runs", str(runs), "--out", str(out)])
    return out


def test_the_parts_come_together_as_a_checkpoint(runs: Path, shipped: Path) -> None:
    models = checkpoint.load(shipped / "toyworld.safetensors")
    denoiser = denoiser_file.load(runs / "denoiser/denoiser.safetensors", runs / "denoiser/clip")
    stage, scale = first_stage.load(runs / "autoencoder/autoencoder.safetensors")
    tokens = tokenized(models.tokenizer, ["photo of a dog in the snow", ""])
    latents, times = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(0)), torch.tensor([3, 600])
    with torch.no_grad():
        text = models.text_encoder.float()(tokens).last_hidden_state
        close(models.unet.float()(latents, times, text).sample, denoiser(latents, times, tokens))
        close(models.vae.float().decode(latents).sample, stage.decode(latents).sample)
    assert models.vae.config.scaling_factor == pytest.approx(scale)
    module = motion.load(shipped / "toyworld_motion.safetensors")
    assert (module.version, module.max_frames) == ("v3", 32)


def close(one: Tensor, two: Tensor) -> None:
    """Equal but for the rounding of the weights to float16."""
    assert (one - two).abs().max() < 0.02 * two.abs().max()


def test_every_individual_has_eight_pictures_with_masks(shipped: Path) -> None:
    for name, (kind, _) in SUBJECTS.items():
        folder = shipped / "subjects" / name
        assert (folder / "class.txt").read_text().strip() == kind
        assert len(list(folder.glob("?.png"))) == len(list(folder.glob("?.mask.png"))) == 8
        assert Image.open(folder / "1.png").size == Image.open(folder / "1.mask.png").size


def test_what_was_assembled_comes_apart_and_together_again(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assemble.subjects, "write", lambda out: None)  # takes a while, and is drawn anew
    assemble.main(["--runs", str(tmp_path / "apart"), "--out", str(shipped), "--take-apart"])
    assemble.main(["--runs", str(tmp_path / "apart"), "--out", str(tmp_path / "again")])
    first, again = (json.loads((folder / "manifest.json").read_text()) for folder in (shipped, tmp_path / "again"))
    assert len(again["files"]) > 7
    assert again["files"].items() <= first["files"].items()


def test_files_say_which_edition_they_are(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with safe_open(shipped / "toyworld.safetensors", "pt") as file:  # type: ignore[attr-defined]
        assert file.metadata()["drawn_world"] == str(toyworld.EDITION)
    monkeypatch.setattr(toyworld, "FOLDER", shipped)
    toyworld.check_files()
    manifest = json.loads((shipped / "manifest.json").read_text())
    for edition, content in ((1, manifest["files"]), (3, {**manifest, "edition": 3})):
        (shipped / "manifest.json").write_text(json.dumps(content))
        with pytest.raises(ValueError, match=f"are edition {edition} of the drawn world, and this version .* needs"):
            toyworld.check_files()
    (shipped / "manifest.json").write_text(json.dumps(manifest))
