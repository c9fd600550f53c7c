"""The subcommands `face` and `tiled`: a video in, a better one out; stopped, what is finished stays."""

import signal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import film, tiny
from tests.command_line import MISSING_MODELS, last_line
from tests.conftest import Files
from vcd_ext import media
from vcd_ext.__main__ import main
from vcd_ext.hosts.diffusers.video import StandaloneVideo
from vcd_ext.media import has_sound

pytestmark = pytest.mark.usefixtures("_ctrl_c_as_in_a_terminal")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a film with two faces and sound, in the current folder; its squares are the faces."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vcd_ext.face.detector", lambda *_: film.bright_squares)
    (tmp_path / "in").mkdir()
    return film.film(tmp_path / "in" / "walk.mp4", faces=2)


@pytest.fixture
def face(files: Files, source: Path) -> list[str]:
    """Return a small job; options that come later count."""
    options = [f"--{key.replace('_', '-')}={value}" for key, value in film.SMALL_FACES.items()]
    return ["face", "--input", str(source), "--checkpoint", str(files.checkpoint), *options]


@pytest.fixture
def tiled(files: Files, source: Path) -> list[str]:
    """Return a small job; options that come later count."""
    small = "--tile 128 --tile-overlap 32 --steps 2 --cfg-scale 1 --seed 3"
    return ["tiled", "--input", str(source), "--checkpoint", str(files.checkpoint), *small.split()]


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"in"}


def test_faces_are_repaired_and_everything_else_of_the_video_is_kept(face, files, source, tmp_path, capsys):
    options = ["--motion-module", str(files.motion_module), "--embedding", str(files.embedding), "--prompt", "a man"]
    assert main([*face, *options]) == 0
    said = capsys.readouterr()
    assert said.out == "walk-face.mp4\n"
    for stage in ("Finding faces 100%", "Repairing face 1 ", "Repairing face 2 "):
        assert stage in said.err
    before, after = media.read(source), media.read(tmp_path / "walk-face.mp4")
    assert (after.fps, after.frames.shape, after.metadata["title"]) == (before.fps, before.frames.shape, "A walk")
    assert has_sound(tmp_path / "walk-face.mp4")
    changed = np.abs(after.frames.astype(int) - before.frames).max(axis=(0, 3))
    assert changed[24:36, 24:28].max() > 40, "a face"
    assert changed[52:].max() < 40, "the ground, but for compression"
    entries = "Face VCD identity: tinyperson, Face VCD motion module: mm_v2.safetensors, Face VCD denoise: 0.8"
    assert entries in after.metadata["parameters"]


def test_a_video_is_enlarged(tiled, tmp_path, capsys):
    control = tiny.controlnet(tmp_path / "in")
    assert main([*tiled, "--out", "big.gif", "--controlnet", str(control)]) == 0
    said = capsys.readouterr()
    assert said.out == "big.gif\n"
    assert "Enlarging and painting 100%" in said.err
    assert "The sound is left out" in said.err
    assert "No motion module is chosen" in said.err
    assert "ControlNet: control_sd15_tile.safetensors, with weight 1." in said.err
    after = media.read(tmp_path / "big.gif")
    assert "Tiled VCD controlnet: control_sd15_tile.safetensors" in after.metadata["parameters"]
    assert (after.frames.shape, after.fps) == ((film.FRAMES, 128, 192, 3), film.FPS)


def test_only_the_frames_that_are_asked_for_are_made_and_heard(tiled, face, source, tmp_path, capsys):
    assert main([*tiled, "--first-frame", "2", "--last-frame", "3"]) == 0
    after, before = media.read(tmp_path / "walk-tiled.mp4"), media.read(source, part=media.Part(2, 3))
    assert (after.frames.shape, after.fps) == ((2, 128, 192, 3), film.FPS)
    small = after.frames.reshape(2, 64, 2, 96, 2, 3).mean(axis=(2, 4))
    apart = [np.abs(small[0] - frame).mean() for frame in media.read(source).frames]
    assert np.argmin(apart) == 1, "it begins with the second frame"
    assert (before.start, media.has_sound(tmp_path / "walk-tiled.mp4")) == (Fraction(1, film.FPS), True)
    assert "Tiled VCD first frame: 2, Tiled VCD last frame: 3" in after.metadata["parameters"]
    capsys.readouterr()
    for call in (tiled, face, [*face, "--sheet", "people.png"]):
        assert main([*call, "--first-frame", "3", "--last-frame", "2"]) == 2
        assert "the last frame is 2 and the first 3; choose a last frame from 3 on" in last_line(
            capsys.readouterr().err
        )
    assert main([*face, "--first-frame", "9"]) == 2
    assert "it has 5 frames and no frame 9; choose an earlier first frame." in last_line(capsys.readouterr().err)


def test_a_folder_of_frames_is_a_video_too(tiled, tmp_path, capsys):
    media.write(tmp_path / "in" / "walk", film.clip())
    assert main([*tiled, "--input", "in/walk", "--formats", "png", "webp"]) == 0
    assert capsys.readouterr().out == "walk-tiled\nwalk-tiled.webp\n"
    assert len(list((tmp_path / "walk-tiled").iterdir())) == film.FRAMES


def test_what_is_lost_of_a_file_is_told(face, tiled, tmp_path, capsys):
    (tmp_path / "in" / "drawn").mkdir()
    Image.new("RGBA", (64, 48), (255, 0, 0, 100)).save(tmp_path / "in" / "drawn" / "0.png")
    for call in (face, tiled, [*face, "--sheet", "people.png"]):
        assert main([*call, "--input", "in/drawn"]) == 0
        assert "The video is transparent in places" in capsys.readouterr().err


def test_the_sheet_shows_the_faces_without_a_checkpoint(source, tmp_path, capsys):
    call = ["face", "--input", str(source), "--min-face", "8", "--min-track", "2", "--sheet"]
    assert main([*call, "people.png"]) == 0
    assert capsys.readouterr().out == "people.png\n"
    with Image.open(tmp_path / "people.png") as sheet:
        assert np.asarray(sheet).ndim == 3
    assert main([*call, "people.jpg"]) == 2
    assert "name a PNG file" in last_line(capsys.readouterr().err)
    assert left(tmp_path) == {"people.png"}


def test_who_is_who_is_said_by_the_numbers_of_the_sheet(face, tmp_path, capsys):
    assert main([*face, "--people", "1: -; 2: -"]) == 0
    frames = media.read(tmp_path / "walk-face.mp4").frames
    assert np.abs(frames[:, 24:36, 24:28].astype(int) - 250).max() < 40
    assert main([*face, "--people", "3: rex"]) == 2
    assert "People names face 3, but there are faces 1 to 2" in last_line(capsys.readouterr().err)


def pressed(monkeypatch: pytest.MonkeyPatch, when: int) -> None:
    """Ctrl-C while the pass of this number is decoding its second frame."""
    plain, passes = StandaloneVideo.denoise, []

    def denoise(self, *arguments, **options):
        passes.append(1)
        for i, picture in enumerate(plain(self, *arguments, **options)):
            if len(passes) == when and i == 1:
                signal.raise_signal(signal.SIGINT)
            yield picture

    monkeypatch.setattr(StandaloneVideo, "denoise", denoise)


def test_ctrl_c_keeps_the_faces_that_are_finished(face, tmp_path, capsys, monkeypatch):
    pressed(monkeypatch, 2)
    assert main(face) == 130
    said = capsys.readouterr()
    assert said.out == "walk-face.mp4\n"
    assert "Stopped: face 1 is finished" in said.err
    assert len(media.read(tmp_path / "walk-face.mp4").frames) == film.FRAMES


def test_ctrl_c_keeps_the_frames_that_are_finished_with_their_sound(tiled, tmp_path, capsys, monkeypatch):
    pressed(monkeypatch, 1)
    assert main(tiled) == 130
    assert "Stopped: 2 of 5 frames are finished." in capsys.readouterr().err
    assert len(media.read(tmp_path / "walk-tiled.mp4").frames) == 2
    assert has_sound(tmp_path / "walk-tiled.mp4")


def test_ctrl_c_before_anything_is_finished_leaves_no_file(face, tmp_path, capsys, monkeypatch):
    pressed(monkeypatch, 1)
    assert main(face) == 130
    assert last_line(capsys.readouterr().err) == "No file was written, as nothing is finished."
    assert left(tmp_path) == set()


def test_without_a_face_the_video_is_written_as_it_was(face, source, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("vcd_ext.face.detector", lambda *_: lambda frame: [])
    assert main([*face, "--out", "same.png"]) == 0
    assert "There is no face to repair in any frame" in capsys.readouterr().err
    assert np.array_equal(media.read(tmp_path / "same").frames, media.read(source).frames)


def test_a_full_disk_at_the_end_costs_nothing(tiled, tmp_path, capsys, monkeypatch):
    film.fill_the_disk(monkeypatch)
    assert main(tiled) == 0
    said = capsys.readouterr()
    assert "the disk is full. It is in /" in last_line(said.err).replace(str(tmp_path), "/")
    assert len(media.read(said.out.strip()).frames) == film.FRAMES


MISTAKES = {
    "missing input": (["--input", "missing.mp4"], "missing.mp4 does not exist"),
    **MISSING_MODELS,
    "no video": (["--input", "in/text.mp4"], "is damaged or not a mp4 video"),
    "only sound": (["--input", "in/sound.mp4"], "there is no video in it, only sound"),
    "the input itself": (["--out", "in/walk.mp4"], "is the input, which would be lost"),
    "unknown format": (["--out", "walk.mov"], ".mov, which is no format"),
    "setting out of range": (["--denoise", "2"], "denoise is 2.0; it must be from 0.01 to 1"),
    "window within its overlap": (["--context", "4", "--context-overlap", "4"], "context_overlap is 4"),
    "unknown sampler": (["--sampler", "magic"], "sampler is 'magic'"),
    "a LoRA": (
        ["--prompt", "a man <lora:mara:1>"],
        "The prompt has <lora:mara:1>, which is not among the LoRAs that were given",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gives_one_sentence_and_changes_nothing(face, source, tmp_path, capsys, mistake):
    (tmp_path / "in" / "text.mp4").write_text("text")
    sound = tmp_path / "in" / "sound.mp4"
    only_sound(sound)
    before = source.read_bytes()
    options, reason = MISTAKES[mistake]
    assert main([*face, *options]) == 2
    said = capsys.readouterr().err
    assert reason in last_line(said)
    assert last_line(said).startswith("vcd: ")
    assert left(tmp_path) == set()
    assert source.read_bytes() == before


def only_sound(path: Path) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4410), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--tile", "64", "--tile-overlap", "64"], "tile_overlap is 64"),
        (["--upscaler", "magic"], "There is no upscaler magic; choose one of Lanczos"),
        (["--upscaler-weights", "missing.pth"], "There is no upscaler at missing.pth"),
        (["--controlnet", "missing.pth"], "There is no ControlNet at missing.pth"),
        (["--controlnet", "in/walk.mp4"], "walk.mp4 is not a ControlNet: its name must end in .safetensors"),
        (["--controlnet-weight", "3"], "controlnet_weight is 3.0; it must be from 0 to 2"),
    ],
)
def test_mistakes_of_tiled_vcd_are_told_too(tiled, tmp_path, capsys, options, reason):
    assert main([*tiled, *options]) == 2
    assert reason in last_line(capsys.readouterr().err)
    assert left(tmp_path) == set()


def test_face_needs_a_checkpoint_or_a_sheet(source, capsys):
    assert main(["face", "--input", str(source)]) == 2
    assert "--checkpoint is missing" in last_line(capsys.readouterr().err)


@pytest.mark.parametrize("command", ["face", "tiled"])
def test_help_is_there(capsys, command):
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert "--context-overlap" in capsys.readouterr().out


def test_a_network_that_nothing_can_read_is_not_passed_over(tiled, tmp_path, capsys, monkeypatch):
    network = tmp_path / "in" / "4x.pth"
    network.touch()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main([*tiled, "--upscaler-weights", str(network)]) == 2
    said = last_line(capsys.readouterr().err)
    assert said.startswith("vcd: 4x.pth needs spandrel, which is not installed: pip install --no-deps spandrel==")
    assert left(tmp_path) == set()
