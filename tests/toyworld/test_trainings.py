"""Every training runs a few steps, resumes bit for bit, and hears what it should."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from tools.toyworld import (
    first_stage,
    grow,
    train_all,
    train_autoencoder,
    train_denoiser,
    train_judges,
    train_motion,
    vocabulary,
)
from tools.toyworld.bank import allowed
from tools.toyworld.captions import held_out
from tools.toyworld.first_stage import autoencoder
from tools.toyworld.pictures import batches
from tools.toyworld.second_stage import noised, scaled_linear
from tools.toyworld.spec import sample
from tools.toyworld.text import teach
from tools.toyworld.training import learning_rate

ONE = ["--threads", "1"]
AUTOENCODER = ["--channels", *["32"] * 4, "--batch", "2", "--held-out", "2", "--steps", "4", *ONE]
DENOISER = ["--channels", *["32"] * 4, "--width", "32", "--layers", "1", "--pictures", "6", "--batch", "2",
            "--size", "64", "--teach", "2", "--heard", "2", "--placed", "0.1", "--steps", "4", "--sheet-steps", "0",
            *ONE]  # fmt: skip
MOTION = ["--clips", "2", "--batch", "1", "--size", "64", "--steps", "4", *ONE]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which every part was trained for four steps without a stop."""
    out = tmp_path_factory.mktemp("runs")
    train_autoencoder.main(["--out", str(out / "autoencoder"), *AUTOENCODER])
    train_denoiser.main([*_code(out), "--out", str(out / "denoiser"), *DENOISER])
    train_motion.main([*_code(out), "--denoiser", str(out / "denoiser"), "--out", str(out / "motion"), *MOTION])
    return out


def _code(runs: Path) -> list[str]:
    return ["--autoencoder", str(runs / "autoencoder/autoencoder.safetensors")]


def _same(one: Path, two: Path) -> None:
    first, second = (torch.load(path / "state.pt", weights_only=True) for path in (one, two))
    assert first["step"] == second["step"] == 4
    for part in ("model", "average"):
        assert all(torch.equal(tensor, second[part][name]) for name, tensor in first[part].items())
    moments = zip(first["optimiser"]["state"].values(), second["optimiser"]["state"].values(), strict=True)
    assert all(torch.equal(a["exp_avg_sq"], b["exp_avg_sq"]) for a, b in moments)


def test_an_interrupted_autoencoder_ends_the_same(runs: Path, tmp_path: Path) -> None:
    for stop in ("2", "4"):
        train_autoencoder.main(["--out", str(tmp_path), *AUTOENCODER, "--stop-at", stop])
    _same(runs / "autoencoder", tmp_path)


def test_an_interrupted_denoiser_ends_the_same(runs: Path, tmp_path: Path) -> None:
    for stop in ("2", "4"):
        train_denoiser.main([*_code(runs), "--out", str(tmp_path), *DENOISER, "--stop-at", stop])
    _same(runs / "denoiser", tmp_path)
    heard = [json.loads(line) for line in (tmp_path / "hears.jsonl").read_text().splitlines()]
    assert [record["step"] for record in heard] == [2, 4]
    assert {"looks", "wrong_action", "wrong_kind"} <= set(heard[0])


@pytest.mark.parametrize(("share", "expected"), [(0.0, [1, 3]), (1.0, [0, 2]), (None, [0, 1, 2, 3])])
def test_a_training_takes_as_many_pairs_as_it_is_told(share: float | None, expected: list[int]) -> None:
    pairs = np.array([True, False, True, False])
    chosen = train_denoiser.chosen(np.random.default_rng(0), pairs, 40, share)
    assert sorted(set(chosen.tolist())) == expected


def test_an_interrupted_motion_module_ends_the_same(runs: Path, tmp_path: Path) -> None:
    for stop in ("2", "4"):
        train_motion.main([*_code(runs), "--denoiser", str(runs / "denoiser"), "--out", str(tmp_path), *MOTION,
                           "--stop-at", stop])  # fmt: skip
    _same(runs / "motion", tmp_path)


def test_a_decoder_trained_alone_leaves_the_latents_as_they_are(runs: Path, tmp_path: Path) -> None:
    file = runs / "autoencoder/autoencoder.safetensors"
    train_autoencoder.main(
        ["--out", str(tmp_path), *AUTOENCODER, "--start", str(file), "--decoder", "--critic", "0.1", "--size", "128"]
    )
    (before, scale), (after, kept) = (first_stage.load(path) for path in (file, tmp_path / "autoencoder.safetensors"))
    assert scale == kept, "what a denoiser has learned of them stays true"
    pictures = torch.rand(1, 3, 64, 64)
    assert torch.equal(before.encode(pictures).latent_dist.mean, after.encode(pictures).latent_dist.mean)
    latents = torch.randn(1, 4, 8, 8)
    assert not torch.equal(before.decode(latents).sample, after.decode(latents).sample)


def test_a_grown_autoencoder_begins_as_the_smaller_one() -> None:
    torch.manual_seed(0)
    small, large = autoencoder([32] * 4, 0).eval(), autoencoder([32] * 4, 1).eval()
    train_autoencoder.grow(large, small)
    pictures = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        latents = small.encode(pictures).latent_dist.mean
        torch.testing.assert_close(large.encode(pictures).latent_dist.mean, latents, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(large.decode(latents).sample, small.decode(latents).sample, rtol=1e-4, atol=1e-5)


def test_a_text_encoder_learns_to_name_the_truth(tmp_path: Path) -> None:
    folder = vocabulary.write(tmp_path / "clip", width=32, layers=1)
    torch.manual_seed(0)
    model = CLIPTextModel(CLIPTextConfig.from_pretrained(folder))
    torch.set_num_threads(1)
    untaught = teach(model, CLIPTokenizer.from_pretrained(folder), 2, size=16)
    assert teach(model, CLIPTokenizer.from_pretrained(folder), 120, size=16) > untaught + 0.1


def test_one_command_plans_each_part_by_its_pace_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parts stand in here: each counts its calls, and takes a tenth of a second a step on a clock of its own."""
    clock, calls = [0.0], []

    def part(arguments: list[str]) -> None:
        value = dict(pairwise(arguments))
        out = Path(value["--out"])
        steps = int(value.get("--steps", value.get("--picture-steps", 0)))
        last = min(steps, int(value.get("--stop-at", steps)))
        done = int((out / "done").read_text()) if (out / "done").is_file() else 0
        calls.append((out.name, "trial" in out.parts, done, last))
        clock[0] += 1.0 + 0.1 * max(last - done, 0)  # a second for what comes before the first step
        out.mkdir(parents=True, exist_ok=True)
        (out / "latents").mkdir(exist_ok=True)
        (out / "done").write_text(str(last))
        (out / "log.jsonl").write_text(json.dumps({"step": last}) + "\n")

    for module in (train_autoencoder, train_denoiser, train_motion, train_judges):
        monkeypatch.setattr(module, "main", part)
    monkeypatch.setattr("tools.toyworld.train_all.time.monotonic", lambda: clock[0])
    reached = train_all.main(["--out", str(tmp_path), "--minutes", "10"])
    assert list(reached) == ["autoencoder", "denoiser", "motion", "judges"]
    for name, share in train_all.SHARES.items():
        assert 0.9 * 600 * share < 0.1 * reached[name]["steps"] + 3 < 1.1 * 600 * share
        assert (tmp_path / name / "latents").is_dir(), "what was drawn for the trial is kept"
    assert not list((tmp_path / "trial").iterdir())
    before = len(calls)
    train_all.main(["--out", str(tmp_path), "--minutes", "10"])
    assert not any(trial for _, trial, _, _ in calls[before:]), "the plan is kept"
    assert all(done == last for _, _, done, last in calls[before:]), "nothing is trained twice"


def test_other_settings_do_not_resume(runs: Path) -> None:
    with pytest.raises(ValueError, match="was made with rate = 0.0006, not 0.002; use the same settings"):
        train_autoencoder.main(["--out", str(runs / "autoencoder"), *AUTOENCODER, "--rate", "0.002"])


def test_ldm_reconstructs_what_diffusers_reconstructs(runs: Path) -> None:
    modules = pytest.importorskip("ldm.modules.diffusionmodules.model")
    file = runs / "autoencoder/autoencoder.safetensors"
    tensors = load_file(file)
    sizes = {
        "ch": 32, "ch_mult": (1, 1, 1, 1), "num_res_blocks": 1, "attn_resolutions": [], "in_channels": 3, "out_ch": 3,
        "z_channels": 4, "resolution": 128,
    }  # fmt: skip
    encoder, decoder = modules.Encoder(**sizes, double_z=True), modules.Decoder(**sizes)
    for part, module in (("encoder.", encoder), ("decoder.", decoder)):
        module.load_state_dict({k.removeprefix(part): v for k, v in tensors.items() if k.startswith(part)}, strict=True)
    model, scale = first_stage.load(file)
    assert scale > 0
    pictures = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        moments = torch.nn.functional.conv2d(
            encoder(pictures), tensors["quant_conv.weight"], tensors["quant_conv.bias"]
        )
        mean = moments[:, :4]
        torch.testing.assert_close(mean, model.encode(pictures).latent_dist.mean, rtol=1e-4, atol=1e-4)
        hidden = torch.nn.functional.conv2d(mean, tensors["post_quant_conv.weight"], tensors["post_quant_conv.bias"])
        torch.testing.assert_close(decoder(hidden), model.decode(mean).sample, rtol=1e-4, atol=1e-4)


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


def test_what_is_held_out_is_not_trained_on() -> None:
    numbers = allowed(100)
    figures = [(spec, figure) for spec in (sample(number, "train") for number in numbers) for figure in spec.figures]
    assert not any(held_out(figure.who.kind, spec.scene, spec.action) for spec, figure in figures)
    assert numbers != list(range(100))


def test_noise_is_added_as_the_schedule_says() -> None:
    clean, noise = torch.ones(2, 4, 8, 8), torch.zeros(2, 4, 8, 8)
    found = noised(clean, noise, torch.tensor([0, 999]), scaled_linear())
    assert found[:, 0, 0, 0].tolist() == pytest.approx([(1 - 0.00085) ** 0.5, 0.0682], abs=1e-4)


def test_words_that_both_editions_know_keep_their_vectors() -> None:
    old, new = {"t.token_embedding.weight": torch.eye(3)}, {"t.token_embedding.weight": torch.zeros(3, 3)}
    found = grow.remapped(old, new, {"a": 0, "dog": 1, "tie": 2}, {"dog": 0, "scarf": 1, "a": 2})
    assert found["t.token_embedding.weight"].tolist() == [[0, 1, 0], [pytest.approx(1 / 3)] * 3, [1, 0, 0]]


def test_what_is_asked_beside_the_noise_is_learned(runs: Path) -> None:
    state = train_denoiser.main([*_code(runs), "--out", str(runs / "denoiser"), *DENOISER])
    for asked in (state.model.answers, state.model.parts):
        for parameter in asked.parameters():
            assert state.optimiser.state[parameter]["exp_avg_sq"].sum() > 0
