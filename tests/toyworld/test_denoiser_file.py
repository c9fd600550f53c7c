"""A denoiser is read from its file as it was written."""

from pathlib import Path

import torch

from tools.toyworld import denoiser_file, vocabulary
from tools.toyworld.second_stage import Denoiser


def test_a_file_reads_as_the_denoiser_that_was_written(tmp_path: Path) -> None:
    clip = vocabulary.write(tmp_path / "clip", 32, 1)
    torch.manual_seed(0)
    made = Denoiser.make([32, 32, 32, 32], clip)
    denoiser_file.save(made, tmp_path / "denoiser.safetensors")
    torch.manual_seed(1)
    again = denoiser_file.load(tmp_path / "denoiser.safetensors", clip).state_dict()
    whole = made.state_dict()
    assert whole.keys() == again.keys()
    assert all(torch.equal(value, again[name]) for name, value in whole.items())
