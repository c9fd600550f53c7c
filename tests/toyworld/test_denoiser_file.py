"""A denoiser that is kept for trainings to begin with is a quarter as large and all but the same."""

from pathlib import Path

import torch
from safetensors.torch import load_file

from tools.toyworld import denoiser_file, vocabulary
from tools.toyworld.second_stage import Denoiser


def test_a_shrunk_file_reads_as_nearly_the_same_denoiser(tmp_path: Path) -> None:
    clip = vocabulary.write(tmp_path / "clip", 32, 1)
    torch.manual_seed(0)
    made, small = tmp_path / "denoiser.safetensors", tmp_path / "small.safetensors"
    denoiser_file.save(Denoiser.make([32, 32, 32, 32], clip), made)
    denoiser_file.shrink(made, small)
    assert small.stat().st_size < 0.3 * made.stat().st_size
    whole, again = (denoiser_file.load(path, clip).state_dict() for path in (made, small))
    assert whole.keys() == again.keys()
    for name, value in whole.items():
        rows, found = (
            one.reshape(len(one), -1) if one.dim() > 1 else one.reshape(1, -1) for one in (value, again[name])
        )
        step = rows.abs().amax(dim=1, keepdim=True) / 127
        assert ((rows - found).abs() <= 0.51 * step + 1e-6).all(), name


def test_the_file_that_trainings_begin_with_is_whole() -> None:
    folder = Path(denoiser_file.__file__).with_name("heard64")
    names = load_file(folder / "denoiser.safetensors").keys()
    loaded = denoiser_file.load(folder / "denoiser.safetensors", folder / "clip")
    assert any(name.startswith("model.diffusion_model.") for name in names)
    assert all(torch.isfinite(value).all() for value in loaded.state_dict().values())
