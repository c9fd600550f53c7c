"""Denoiser and temporal module train for a few steps, resume bit for bit, and come together as a checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from tools.toyworld import (
    assemble,
    emphasis,
    first_stage,
    second_stage,
    train_autoencoder,
    train_denoiser,
    train_motion,
)
from tools.toyworld.captions import held_out
from tools.toyworld.second_stage import noised, scaled_linear
from tools.toyworld.spec import sample
from vcd_ext import motion
from vcd_ext.hosts.diffusers import checkpoint

STEPS = ["--steps", "3", "--threads", "1"]
DENOISER = ["--channels", "32", "32", "32", "32", "--width", "32", "--layers", "1", "--pictures", "8", "--a-part", "4",
            "--batch", "2", "--sheet-steps", "0", *STEPS]  # fmt: skip
MOTION = ["--clips", "2", "--a-part", "1", "--batch", "1", *STEPS]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which every part was trained for three steps without a stop."""
    out = tmp_path_factory.mktemp("runs")
    train_autoencoder.main(["--out", str(out / "autoencoder"), "--channels", *["32"] * 4, "--layers", "0", "--batch",
                            "2", "--held-out", "2", *STEPS])  # fmt: skip
    train_denoiser.main([*parts(out)[:2], "--out", str(out / "denoiser"), *DENOISER])
    train_motion.main([*parts(out), "--out", str(out / "motion"), *MOTION])
    return out


def parts(runs: Path) -> list[str]:
    return ["--autoencoder", str(runs / "autoencoder/autoencoder.safetensors"),
            "--denoiser", str(runs / "denoiser/denoiser.safetensors"),
            "--clip", str(runs / "denoiser/clip")]  # fmt: skip


def same(one: Path, two: Path) -> None:
    first, second = (torch.load(path / "state.pt", weights_only=True) for path in (one, two))
    assert first["step"] == second["step"] == 3
    for part in ("model", "average"):
        for name, tensor in first[part].items():
            assert torch.equal(tensor, second[part][name]), f"{part}: {name}"
    for one_moment, two_moment in zip(first["optimiser"]["state"].values(), second["optimiser"]["state"].values(),
                                      strict=True):  # fmt: skip
        assert torch.equal(one_moment["exp_avg_sq"], two_moment["exp_avg_sq"])


def test_an_interrupted_denoiser_ends_the_same(runs: Path, tmp_path: Path) -> None:
    call = [*parts(runs)[:2], "--out", str(tmp_path), *DENOISER]
    train_denoiser.main([*call, "--stop-at", "2"])
    assert not (tmp_path / "denoiser.safetensors").exists()
    train_denoiser.main([*call, "--sheet-steps", "1"])
    same(runs / "denoiser", tmp_path)
    assert Image.open(tmp_path / "samples.png").size == (8 * 128, 4 * 128), "a column a scene, a row a kind"
    assert not (runs / "denoiser/samples.png").exists(), "a sheet of 0 steps is none"


def test_an_interrupted_motion_module_ends_the_same(runs: Path, tmp_path: Path) -> None:
    call = [*parts(runs), "--out", str(tmp_path), *MOTION]
    train_motion.main([*call, "--stop-at", "2"])
    assert not (tmp_path / "motion.safetensors").exists()
    train_motion.main(call)
    same(runs / "motion", tmp_path)


def test_what_is_held_out_is_not_trained_on() -> None:
    specs = [sample(number, "train") for number in train_denoiser.allowed(200)]
    assert not any(held_out(spec.who.kind, spec.scene, spec.action) for spec in specs)
    everything = [sample(number, "train") for number in range(200)]
    assert any(held_out(spec.who.kind, spec.scene, spec.action) for spec in everything)


def test_the_parts_come_together_as_a_checkpoint(runs: Path, tmp_path: Path) -> None:
    assemble.main(["--runs", str(runs), "--out", str(tmp_path)])
    models = checkpoint.load(tmp_path / "toyworld.safetensors")
    denoiser = second_stage.load(runs / "denoiser/denoiser.safetensors", runs / "denoiser/clip")
    stage, scale = first_stage.load(runs / "autoencoder/autoencoder.safetensors")
    tokens = train_denoiser.tokenized(models.tokenizer, ["photo of a dog in the snow", ""])
    latents, times = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(0)), torch.tensor([3, 600])
    text = models.text_encoder.float()(tokens).last_hidden_state
    close(models.unet.float()(latents, times, text).sample, denoiser(latents, times, tokens))
    close(models.vae.float().decode(latents).sample, stage.decode(latents).sample)
    assert models.vae.config.scaling_factor == pytest.approx(scale)
    module = motion.load(tmp_path / "toyworld_motion.safetensors")
    assert module.version == "v3"
    assert module.max_frames == 32


def test_what_was_assembled_can_be_trained_on(runs: Path, tmp_path: Path) -> None:
    assemble.main(["--runs", str(runs), "--out", str(tmp_path / "out")])
    assemble.main(["--runs", str(tmp_path / "apart"), "--out", str(tmp_path / "out"), "--take-apart"])
    start = ["--start", str(tmp_path / "apart/motion/motion.safetensors")]
    once = [*MOTION, "--steps", "1"]
    state = train_motion.main([*parts(tmp_path / "apart"), *start, "--out", str(tmp_path / "more"), *once])
    assert state.step == 1


def close(one: Tensor, two: Tensor) -> None:
    """Equal but for the rounding of the weights to float16."""
    assert (one - two).abs().max() < 0.02 * two.abs().max()


def test_noise_is_added_as_the_schedule_says() -> None:
    alphas = scaled_linear()
    clean, noise = torch.ones(2, 4, 8, 8), torch.zeros(2, 4, 8, 8)
    found = noised(clean, noise, torch.tensor([0, 999]), alphas)
    assert found[:, 0, 0, 0].tolist() == pytest.approx([(1 - 0.00085) ** 0.5, 0.0682], abs=1e-4)


def test_the_loss_counts_most_on_faces_and_as_much_in_all_for_each_picture(tmp_path: Path) -> None:
    numbers = train_denoiser.allowed(4)
    covered = emphasis.covers(tmp_path / "covers.npy", numbers, train_denoiser.drawn)
    assert covered.shape == (4, 1, 2, 16, 16)
    weights = emphasis.loss_weights(covered, subject=8, face=20)
    torch.testing.assert_close(weights.mean(dim=(3, 4)), torch.ones(4, 1, 1))
    for drawn, (body, face), weight in zip(
        map(train_denoiser.drawn, numbers), covered[:, 0], weights[:, 0, 0], strict=True
    ):
        x0, y0, x1, y1 = drawn.face_boxes[0]
        inside = face[int((y0 + y1) / 16), int((x0 + x1) / 16)]
        assert inside == face.max(), "the middle of its box"
        beside = weight[(body == 0) & (face == 0)]
        torch.testing.assert_close(weight[face == 1], beside[0].expand(int((face == 1).sum())) * 20)
        assert weight[(body == 1) & (face == 0)] == pytest.approx(float(beside[0]) * 8, rel=1e-5)
