"""The paper's protocol, at its smallest count, from photos to the report: random weights and encoders, no network."""

import csv
import re
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file

from tests import tiny
from tests.metrics.encoders import write_encoders
from vcd_ext.__main__ import main
from vcd_ext.cli.evaluate import SHIPPED

SMALL = {
    r"width = \d+": "width = 64", r"height = \d+": "height = 64", r"frames = \d+": "frames = 2",
    r"steps = \d+": "steps = 1", r'baseline = "(\w+)"': r'baseline = { kind = "\1", prior = 0 }',
    r"\[train\]": "[train]\nsize = 64\nbatch = 1\nvariants = 1\nvalidate_every = 0\nsteps = 1",
    r"\[video\]": '[video]\nformats = ["gif"]', r"seeds = .*": "seeds = [1]",
    r'(= \[\n    ".*",\n)(?:    ".*",\n)+': r"\1",  # a prompt of each category
}  # fmt: skip


@pytest.fixture
def brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Bring what the protocol asks for, in small, into the working folder; the protocol's text."""
    pytest.importorskip("peft", reason="PEFT is not installed: pip install peft==0.13.2")
    monkeypatch.chdir(tmp_path)
    text = (SHIPPED / "paper.toml").read_text()
    tiny.checkpoint(write_encoders(Path("models")), "v1-5-pruned-emaonly")
    tiny.checkpoint(Path("models"), "realisticVisionV51", seed=1)
    tiny.motion_module(Path("models")).rename("models/mm_sd_v15_v2.safetensors")
    for name in re.findall(r'photos = "(.+)"', text):
        Path(name).mkdir(parents=True)
        noise = np.random.default_rng(len(name)).integers(0, 256, (64, 80, 3), np.uint8)
        Image.fromarray(noise).save(Path(name) / "1.png")
        mask = np.zeros((64, 80), np.uint8)
        mask[16:48, 20:60] = 255
        Image.fromarray(mask).save(Path(name) / "1.mask.png")
    return text


def test_the_papers_protocol_runs_from_photos_to_its_table(brought: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = brought.replace("mm_sd_v15_v2.ckpt", "mm_sd_v15_v2.safetensors")
    for pattern, small in SMALL.items():
        text = re.sub(pattern, small, text)
    Path("paper.toml").write_text(text)

    def refuse(*_: object) -> None:
        raise AssertionError("it asks the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    counts = [part for name in ("subjects", "prompts", "seeds") for part in (f"--{name}", "1")]
    assert main(["evaluate", "paper.toml", "--without-missing-measures", *counts]) == 0
    rows = list(csv.DictReader(Path("paper/rows.csv").read_text().splitlines()))
    assert [row["method"] for row in rows] == re.findall(r'label = "(.+)"', text)
    for measure in ("dino", "clip_i", "clip_t", "dino_temporal", "clip_temporal", "flow", "flicker"):
        assert all(np.isfinite(float(row[measure])) for row in rows), measure
    files = {row["method"]: Path("paper", row["file"]).read_bytes() for row in rows}
    assert len(set(files.values())) == len(files), "no two methods made the same video"
    assert load_file("paper/identities/8-tokens/person_1.safetensors")["person_1"].shape == (8, 64)
    assert "DreamBooth" in Path("paper/report.html").read_text()
