"""The command line as people use it: files out, one sentence for a mistake, and never the network."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

import vcd_ext
from tests import tiny
from tests.command_line import MISSING_MODELS, refused
from tests.conftest import Files
from vcd_ext import media, toyworld
from vcd_ext.__main__ import main
from vcd_ext.cli import demo, doctor
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.identity import load_embedding
from vcd_ext.identity.segment import packages, weights
from vcd_ext.settings import FORMATS

# Run in a process of its own, where whoever opens a connection ends it.
OFFLINE = """
import socket, sys
def refuse(*_):
    sys.exit("a connection was opened")
socket.socket.connect = refuse
from vcd_ext.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what was printed to stderr: one line, no traceback."""
    text = capsys.readouterr().err
    assert "Traceback" not in text
    assert len(text.strip().splitlines()) == 1, text
    return text


def test_generate_writes_a_playable_mp4_without_a_network(files: Files, call: list[str], tmp_path: Path):
    hub = tmp_path / "hub"
    (hub / "hub").mkdir(parents=True)
    (hub / "hub" / "0123").write_text("a file of a library's older version")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    models = ["--motion-module", str(files.motion_module), "--embedding", str(files.embedding)]
    options = ["--frames", "4", "--fps", "12", "--gamma", "0.2", "--prompt", "tinyperson, at the beach"]
    finished = subprocess.run(
        [sys.executable, "-c", OFFLINE, *call, *models, *options],
        cwd=Path(vcd_ext.__file__).parents[1],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(hub), "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.strip() == str(tmp_path / "clip.mp4")
    assert "100%" in finished.stderr
    assert "left" in finished.stderr
    assert "igrat" not in finished.stderr, finished.stderr
    assert [path.name for path in hub.rglob("*") if path.is_file()] == ["0123"]
    assert not [path.name for path in temporary.iterdir() if path.name.startswith("vcd-")]
    clip = media.read(tmp_path / "clip.mp4")
    assert clip.frames.shape == (4, 64, 64, 3)
    assert clip.fps == 12
    prompt, settings = clip.metadata["parameters"].splitlines()
    assert prompt == "tinyperson, at the beach"
    for entry in ("Seed: 1", "Steps: 1", "Size: 64x64", "VCD frames: 4", "VCD gamma: 0.2", "VCD identity: tinyperson"):
        assert entry in settings.split(", ")


def test_several_formats_are_written_beside_out(call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([*call, "--formats", *FORMATS]) == 0
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"clip.mp4", "clip.webm", "clip.gif", "clip.webp", "clip"}
    assert len(capsys.readouterr().out.splitlines()) == 5
    assert "VCD formats: mp4 webm gif webp png" in media.read(tmp_path / "clip.gif").metadata["parameters"]


@pytest.mark.parametrize(
    ("out", "options", "written"),
    [("a.gif", [], "a.gif"), ("a.gif", ["--formats", "mp4"], "a.gif"), ("a", ["--formats", "webp"], "a.webp"),
     ("deep/er/a", [], "deep/er/a.mp4"), ("a.png", [], "a")],
)  # fmt: skip
def test_the_suffix_of_out_wins_for_a_single_file(call, tmp_path, out, options, written):
    assert main([*call, "--out", str(tmp_path / out), *options]) == 0
    assert media.read(tmp_path / written).frames.shape[0] == 2


def test_embeddings_can_be_given_several_times(files, call, tmp_path):
    other = tiny.embedding(tmp_path, "other")
    assert main([*call, "--embedding", str(files.embedding), "--embedding", str(other)]) == 0
    assert media.read(tmp_path / "clip.mp4").metadata["parameters"].startswith("a photo, tinyperson, other\n")


MISTAKES = {
    **MISSING_MODELS,
    "setting out of range": (["--gamma", "2"], "gamma is 2.0; it must be from 0 to 0.5"),
    "odd size": (["--width", "100"], "width is 100; it must be a multiple of 8"),
    "unknown format": (["--out", "clip.avi"], ".avi, which is no format"),
    "unknown sampler": (["--sampler", "magic"], "invalid choice: 'magic'"),
    "no number": (["--steps", "many"], "invalid int value: 'many'"),
    "unknown option": (["--strength", "1"], "unrecognized arguments: --strength"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gives_one_sentence_and_status_2(call, capsys, mistake):
    options, reason = MISTAKES[mistake]
    assert reason in refused([*call, *options], capsys)


def test_an_existing_folder_of_frames_is_refused_before_the_work(call, tmp_path, capsys):
    (tmp_path / "clip").mkdir()
    assert main([*call, "--out", str(tmp_path / "clip.png"), "--steps", "1000"]) == 2
    assert "clip already exists" in said(capsys)


@pytest.mark.parametrize(
    "error",
    [
        KeyboardInterrupt(),
        RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 2 GiB"),
        MemoryError(),
    ],
    ids=["Ctrl-C", "GPU", "CPU", "Python"],
)
def test_an_end_in_the_middle_gives_one_line_and_no_file(call, tmp_path, capsys, monkeypatch, error):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(Standalone, "predict", fail)
    assert main(call) == (130 if isinstance(error, KeyboardInterrupt) else 2)
    # The bar's own line stands before it.
    assert re.search("Interrupted|Out of memory", capsys.readouterr().err.splitlines()[-1])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [[], ["generate"], ["demo"], ["doctor"]])
def test_help_is_there_for_every_subcommand(capsys, command):
    with pytest.raises(SystemExit, match="0"):
        main([*command, "--help"])
    assert "usage:" in capsys.readouterr().out


def test_a_call_without_a_subcommand_is_a_mistake(capsys):
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "SUBCOMMAND" in said(capsys)


def test_doctor_finds_what_this_environment_has(capsys):
    assert main(["doctor"]) == 0
    report = capsys.readouterr().out
    assert re.search(r"ok +torch +2\.1\.2", report)
    assert re.search(r"ok +tokenizer +open_clip", report)
    assert report.endswith("generate can work.\n")


def test_doctor_says_what_is_missing(capsys, monkeypatch):
    monkeypatch.setattr(doctor, "EXPECTED", {"torch": "9.9", "no-such-package": "1.0"})
    assert main(["doctor"]) == 1
    report = capsys.readouterr().out
    assert re.search(r"note +torch .*9\.9 is tested", report)
    assert re.search(r"missing +no-such-package +pip install no-such-package==1\.0", report)
    assert "generate cannot work" in report


def test_doctor_expects_the_versions_of_pyproject():
    pins = (Path(vcd_ext.__file__).parents[1] / "pyproject.toml").read_text()
    for name, version in doctor.EXPECTED.items():
        assert f'"{name}=={version}"' in pins or (not version and f'"{name}"' in pins)


def test_doctor_lists_the_models_of_a_webui(tmp_path, capsys):
    (tmp_path / "webui.py").touch()
    folder = tmp_path / "models" / "Stable-diffusion"
    folder.mkdir(parents=True)
    (folder / "a.safetensors").touch()
    assert main(["doctor", "--webui", str(tmp_path)]) == 0
    report = capsys.readouterr().out
    assert re.search(r"ok +checkpoints +1", report)
    assert re.search(r"note +motion modules +0 +none yet in .*AnimateDiff", report)
    assert re.search(r"note +upscalers +0 +none yet in .*ESRGAN; Tiled VCD enlarges by Lanczos", report)
    assert re.search(r"note +ControlNets Tile +0 +none yet in .*ControlNet with 'tile' .*works without", report)
    theirs = tmp_path / "extensions/sd-webui-controlnet/models"
    theirs.mkdir(parents=True)
    for name in ("control_v11f1e_sd15_tile.pth", "control_v11p_sd15_canny.pth"):
        (theirs / name).touch()
    main(["doctor", "--webui", str(tmp_path)])
    assert re.search(r"ok +ControlNets Tile +1\n", capsys.readouterr().out)


def test_doctor_says_what_face_vcd_and_tiled_vcd_would_like(capsys, monkeypatch):
    monkeypatch.setattr("vcd_ext.face.detect.blazeface.blazeface_file", lambda: None)
    monkeypatch.setattr(doctor, "version", lambda name: "1" if name != "spandrel" else absent(name))
    assert main(["doctor"]) == 0, "generate can work without them"
    report = capsys.readouterr().out
    assert re.search(
        r"note +BlazeFace +run install\.py in VCD's folder .* with the same Python and a network\n", report
    )
    assert re.search(r"note +spandrel +pip install --no-deps spandrel==0\.3\.4 .*Lanczos", report)


def test_doctor_refuses_a_pyav_that_is_too_old(capsys, monkeypatch):
    monkeypatch.setattr("av.__version__", "13.1.0")
    assert main(["doctor"]) == 1
    assert re.search(r"missing +av +PyAV 13\.1\.0 is too old: pip install", capsys.readouterr().out)


def absent(name):
    raise PackageNotFoundError(name)


def test_doctor_names_the_packages_and_weights_that_find_masks_with_the_commands_that_bring_them(
    tmp_path, capsys, monkeypatch
):
    (tmp_path / "webui.py").touch()
    monkeypatch.setattr(packages, "missing_packages", lambda: ["segment-anything==1.0"])
    monkeypatch.setattr(weights, "_in_the_hubs_cache", lambda name: None)
    theirs = tmp_path / weights.SEGMENT_ANYTHING / "sam" / weights.VIT_L.name
    theirs.parent.mkdir(parents=True)
    with theirs.open("wb") as file:
        file.truncate(weights.VIT_L.size)
    assert main(["doctor", "--webui", str(tmp_path)]) == 0, "generate can work without them"
    report = capsys.readouterr().out
    assert re.search(r"ok +rf-groundingdino +0\.3\.0\n", report)
    assert re.search(r"note +segment-anything +pip install --no-deps segment-anything==1\.0\n", report)
    assert re.search(r"ok +SAM +sam_vit_l_0b3195\.pth\n", report)
    for name, file in {"Grounding DINO": weights.SWIN_T, "BERT's words": weights.VOCABULARY}.items():
        command = f"curl -fL --create-dirs -o '{tmp_path / 'models' / file.folder / file.name}' {file.url}"
        assert re.search(f"note +{name} +{re.escape(command)} ", report)


def test_doctor_refuses_a_folder_that_is_no_webui(tmp_path, capsys):
    assert main(["doctor", "--webui", str(tmp_path)]) == 2
    assert "is not a WebUI" in said(capsys)


@pytest.fixture
def _quick(monkeypatch):
    """Run the demo with one training step, and one sampling step without guidance."""
    for name in ("PICTURE", "FACE", "TILED"):
        monkeypatch.setattr(demo, name, replace(getattr(demo, name), steps=1, cfg_scale=1))
    monkeypatch.setattr(demo, "TRAINING", replace(demo.TRAINING, steps=1, variants=1, batch=1))
    monkeypatch.setattr(demo, "FRAMES", 8)


@pytest.mark.usefixtures("_quick")
def test_demo_learns_shows_and_measures(tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path), "--seed", "3"]) == 0
    subject = next(one for one in toyworld.subjects() if one.name == demo.SUBJECT)
    videos = sorted(tmp_path.glob("*.mp4"))
    assert len(videos) == 7
    stages = [path for path in videos if "far_away" in path.name]
    sizes = {path.stem.partition("-")[2]: media.read(path).frames.shape[1] for path in stages}
    assert sizes == {"": 128, "face": 128, "tiled": 256}
    plain, mixed = (media.read(path) for path in videos if path.name.startswith("mara"))
    assert "Seed: 3" in plain.metadata["parameters"]
    assert not np.array_equal(plain.frames, mixed.frames)
    assert load_embedding(tmp_path / f"{subject.name}.safetensors").shape[0] == 4
    assert Image.open(tmp_path / "contact_sheet.png").size == (8 * 128, 4 * (128 + 16))
    page = (tmp_path / "report.html").read_text()
    assert Image.open(tmp_path / "stages.png").size == (8 * 256, 3 * (256 + 16))
    assert page.count("<video") == 7
    assert page.count("data:image/png;base64,") == 8
    assert not re.search(r'(src|href)="(?!data:)', page), "the report needs nothing beside it"
    assert "motion" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["toyworld.safetensors", "toyworld_motion.safetensors", "clip/vocab.json",
                                  "subjects/biscuit/3.png", "manifest.json"])  # fmt: skip
@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_demo_names_the_shipped_file_that_is_not_whole(tmp_path, capsys, monkeypatch, name, damage):
    folder = shutil.copytree(toyworld.FOLDER, tmp_path / "toyworld")
    monkeypatch.setattr(toyworld, "FOLDER", folder)
    (folder / name).unlink() if damage == "missing" else (folder / name).write_bytes(b"no such luck")
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 2
    sentence = said(capsys)
    assert Path(name).name in sentence
    assert "git checkout -- vcd_ext/toyworld" in sentence
    assert not (tmp_path / "demo").exists()


def test_threads_sleep_while_they_wait_unless_somebody_chose_otherwise(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    for chosen, used in ((None, "PASSIVE"), ("ACTIVE", "ACTIVE")):
        monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
        if chosen:
            monkeypatch.setenv("OMP_WAIT_POLICY", chosen)
        assert main(["toyworld", "--webui", str(tmp_path)]) == 0
        assert os.environ["OMP_WAIT_POLICY"] == used


def test_the_help_of_the_drawn_world_says_the_cfg_scale_that_suits_it(capsys):
    with pytest.raises(SystemExit):
        main(["toyworld", "--help"])
    assert f"CFG scale {toyworld.CFG_SCALE} and {toyworld.STEPS} steps" in " ".join(capsys.readouterr().out.split())


def test_toyworld_goes_into_a_webui(tmp_path, capsys):
    (tmp_path / "models").mkdir()
    assert main(["toyworld", "--webui", str(tmp_path)]) == 0
    config = OmegaConf.load(tmp_path / "models/Stable-diffusion/toyworld.yaml")
    clip = Path(config.model.params.cond_stage_config.params.version)
    assert clip.is_absolute()
    assert (clip / "merges.txt").is_file()
    assert (tmp_path / "models/AnimateDiff/toyworld_motion.safetensors").is_file()


def test_toyworld_refuses_a_folder_that_is_no_webui(tmp_path, capsys):
    assert main(["toyworld", "--webui", str(tmp_path)]) == 2
    assert "is not a WebUI" in said(capsys)
