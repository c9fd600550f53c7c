"""The autoencoder's training resumes bit for bit, and what it writes is LDM's first stage."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from tools.toyworld import first_stage, train_autoencoder
from tools.toyworld.pictures import batches
from tools.toyworld.training import learning_rate

SMALL = ["--channels", "32", "32", "32", "32", "--batch", "2", "--threads", "1", "--held-out", "2", "--steps", "4"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    train_autoencoder.main(["--out", str(out), *SMALL])
    return out


def test_an_interrupted_training_ends_the_same(whole: Path, tmp_path: Path) -> None:
    train_autoencoder.main(["--out", str(tmp_path), *SMALL, "--stop-at", "2"])
    assert not (tmp_path / "autoencoder.safetensors").exists()
    train_autoencoder.main(["--out", str(tmp_path), *SMALL])
    one, two = (torch.load(folder / "state.pt", weights_only=True) for folder in (whole, tmp_path))
    assert one["step"] == two["step"] == 4
    for part in ("model", "average"):
        for name, tensor in one[part].items():
            assert torch.equal(tensor, two[part][name]), f"{part}: {name}"
    moments = zip(one["optimiser"]["state"].values(), two["optimiser"]["state"].values(), strict=True)
    assert all(torch.equal(a["exp_avg_sq"], b["exp_avg_sq"]) for a, b in moments)


def test_other_settings_do_not_resume(whole: Path) -> None:
    with pytest.raises(ValueError, match="was made with rate = 0.001, not 0.002; use the same settings"):
        train_autoencoder.main(["--out", str(whole), *SMALL, "--rate", "0.002"])


def test_ldm_reconstructs_what_diffusers_reconstructs(whole: Path) -> None:
    modules = pytest.importorskip("ldm.modules.diffusionmodules.model")
    tensors = load_file(whole / "autoencoder.safetensors")
    sizes = {
        "ch": 32, "ch_mult": (1, 1, 1, 1), "num_res_blocks": 1, "attn_resolutions": [], "in_channels": 3, "out_ch": 3,
        "z_channels": 4, "resolution": 128,
    }  # fmt: skip
    encoder, decoder = modules.Encoder(**sizes, double_z=True), modules.Decoder(**sizes)
    for part, module in (("encoder.", encoder), ("decoder.", decoder)):
        module.load_state_dict({k.removeprefix(part): v for k, v in tensors.items() if k.startswith(part)}, strict=True)
    model = first_stage.autoencoder([32] * 4)
    state = torch.load(whole / "state.pt", weights_only=True)
    model.load_state_dict(state["average"])
    pictures = next(batches("test", 0, 1, 2))[:, :3]
    with torch.no_grad():
        moments = torch.nn.functional.conv2d(
            encoder(pictures), tensors["quant_conv.weight"], tensors["quant_conv.bias"]
        )
        mean = moments[:, :4]
        torch.testing.assert_close(mean, model.encode(pictures).latent_dist.mean, rtol=1e-4, atol=1e-4)
        hidden = torch.nn.functional.conv2d(mean, tensors["post_quant_conv.weight"], tensors["post_quant_conv.bias"])
        torch.testing.assert_close(decoder(hidden), model.decode(mean).sample, rtol=1e-4, atol=1e-4)


def test_the_file_knows_its_scale(whole: Path) -> None:
    with safe_open(whole / "autoencoder.safetensors", "pt") as file:  # type: ignore[attr-defined]
        assert float(file.metadata()["scale_factor"]) > 0


def test_a_step_sees_the_same_pictures_whenever_it_runs() -> None:
    straight = list(batches("train", 0, 3, 2))
    assert torch.equal(straight[2], next(batches("train", 2, 3, 2)))


def test_learning_rate_rises_and_falls() -> None:
    assert learning_rate(0, 1000, 1.0) == pytest.approx(1 / 200)
    assert learning_rate(199, 1000, 1.0) > 0.85
    assert learning_rate(1000, 1000, 1.0) == pytest.approx(0.01)


def test_widths_that_ldm_cannot_have_are_refused() -> None:
    with pytest.raises(ValueError, match="expected four multiples of 32"):
        first_stage.autoencoder([16, 32, 64, 64])
