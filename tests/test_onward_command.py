"""`generate` goes on: its files at a higher rate, pictures that it begins and ends with, videos that it continues."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from tests import film
from tests.conftest import Files
from vcd_ext import media
from vcd_ext.__main__ import main
from vcd_ext.denoising.known_frames import KnownFrames
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.media import Clip


@pytest.fixture
def call(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a small job in the current folder, whose files are folders of frames, which lose nothing."""
    monkeypatch.chdir(tmp_path)
    sizes = {"width": 64, "height": 64, "steps": 2, "frames": 4, "seed": 5, "formats": "png"}
    models = {"checkpoint": files.checkpoint, "motion-module": files.motion_module, "prompt": "a photo"}
    return ["generate", *(f"--{name}={value}" for name, value in {**models, **sizes}.items())]


def test_a_video_is_interpolated_to_twice_its_rate(call: list[str], tmp_path: Path) -> None:
    assert main([*call, "--out", "plain.png"]) == 0
    assert main([*call, "--out", "twice.png", "--interpolate", "2"]) == 0
    plain, twice = media.read(tmp_path / "plain"), media.read(tmp_path / "twice")
    assert (plain.fps, twice.fps, len(twice.frames)) == (8, 16, 8)
    assert np.array_equal(twice.frames[::2], plain.frames)
    assert "VCD interpolate: 2" in twice.metadata["parameters"]
    assert "interpolate" not in plain.metadata["parameters"]


def test_a_rate_that_is_too_fast_is_refused_before_anything_is_computed(call: list[str], capsys: Any) -> None:
    assert main([*call, "--interpolate", "7"]) == 2
    assert "interpolate is 7; it must be from 1 to 4." in capsys.readouterr().err


def picture(path: Path, size: tuple[int, int] = (64, 64), seed: int = 3) -> Path:
    values = np.random.default_rng(seed).integers(0, 256, (size[1] // 8, size[0] // 8, 3), np.uint8)
    Image.fromarray(values).resize(size).save(path)
    return path


def test_a_video_is_continued_and_what_was_there_stays_as_it_is(call: list[str], tmp_path: Path) -> None:
    assert main([*call, "--out", "a.png"]) == 0
    call = [*call, "--no-freenoise", "--continue-frames", "2"]
    assert main([*call, "--out", "b.png", "--frames", "5", "--continue-video", "a"]) == 0
    before, after = media.read(tmp_path / "a"), media.read(tmp_path / "b")
    assert (len(after.frames), after.fps) == (7, 8)
    assert np.array_equal(after.frames[:4], before.frames)
    assert not np.array_equal(after.frames[4], before.frames[3])
    text = after.metadata["parameters"]
    assert "VCD continues: a" in text
    assert "VCD noise: 7 from 5 at 0.15" in text
    assert main([*call, "--out", "c.png", "--continue-video", "b"]) == 0
    assert "VCD noise: 9 from 5 at 0.15" in media.read(tmp_path / "c").metadata["parameters"]


def test_without_a_motion_module_new_frames_have_noise_of_their_own(call: list[str], tmp_path: Path) -> None:
    """FreeNoise is usual, and with the same noise frames that do not meet would be the same."""
    still = [word for word in call if not word.startswith("--motion-module")]
    assert main([*still, "--out", "a.png"]) == 0
    assert main([*still, "--out", "b.png", "--continue-video", "a", "--continue-frames", "1"]) == 0
    after = media.read(tmp_path / "b")
    assert "VCD noise: 7 from 5 at 0.15" in after.metadata["parameters"]
    assert len(np.unique(after.frames, axis=0)) == len(after.frames)


def test_known_frames_change_what_is_beside_them_in_every_window(call: list[str], tmp_path: Path) -> None:
    """Two windows share frames, so that what is known at the start reaches the end."""
    windows = [*call, "--frames", "6", "--context", "4", "--overlap", "2", "--steps", "4"]
    shown = picture(tmp_path / "start.png")
    assert main([*windows, "--out", "plain.png"]) == 0
    assert main([*windows, "--out", "held.png", "--start-picture", str(shown)]) == 0
    plain, held = (media.read(tmp_path / name).frames for name in ("plain", "held"))
    assert np.array_equal(held[0], np.asarray(Image.open(shown)))
    assert all(not np.array_equal(one, two) for one, two in zip(plain[1:5], held[1:5], strict=True))


def test_a_video_begins_and_ends_with_pictures(call: list[str], tmp_path: Path) -> None:
    wide, other = picture(tmp_path / "wide.png", size=(128, 64)), picture(tmp_path / "end.png")
    assert main([*call, "--out", "both.png", "--start-picture", str(wide), "--end-picture", str(other)]) == 0
    frames = media.read(tmp_path / "both").frames
    assert np.array_equal(frames[0], np.asarray(Image.open(wide))[:, 32:96]), "its middle"
    assert np.array_equal(frames[3], np.asarray(Image.open(other)))


@pytest.mark.parametrize("sampler", ["euler", "ddim", "dpmpp_2m", "lcm"])
def test_every_sampler_leads_known_frames_back_to_themselves(
    call: list[str], tmp_path: Path, sampler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before they are put back exactly, the latents that the sampler made are all but the known ones."""
    made: list[tuple[Any, Any]] = []
    put = KnownFrames.put_latents
    monkeypatch.setattr(
        KnownFrames,
        "put_latents",
        lambda known, rows: made.append((known.taken(rows), known.latents)) or put(known, rows),
    )
    shown = picture(tmp_path / "start.png")
    assert main([*call, "--steps", "4", "--sampler", sampler, "--start-picture", str(shown), "--out", "x.png"]) == 0
    [(ended, known)] = made
    assert float((ended - known).abs().mean()) < 0.05 * float(known.std())  # ddim leaves the noise of its last step


REFUSED = {
    "another size": (["--continue-video", "small"], "small is 72x64 and this video would be 64x64"),
    "another rate": (
        ["--continue-video", "fast"],
        "fast has 12.5 frames a second and this video would have 8; set 'FPS'",
    ),
    "no new frame": (
        ["--continue-video", "a", "--continue-frames", "4"],
        "there would be 4 frames, so that none is new",
    ),
    "too few frames": (["--continue-video", "a", "--continue-frames", "3"], "continue_frames is 3, and a has 2"),
    "not there": (["--continue-video", "b.mp4"], "continue_video: b.mp4 does not exist"),
    "broken": (["--continue-video", "broken.mp4"], "broken.mp4 is damaged"),
    "transparent": (["--start-picture", "glass.png"], "start_picture is transparent in places"),
    "no picture": (["--end-picture", "broken.mp4"], "end_picture: broken.mp4 is not a picture that can be read"),
    "two beginnings": (["--continue-video", "a", "--start-picture", "glass.png"], "begins with its own frames"),
    "a loop": (["--loop", "--end-picture", "solid.png"], "A closed loop has no first and no last frame"),
    "all given": (["--frames", "1", "--start-picture", "solid.png"], "frames is 1, and 1 of them are given"),
    "made again": (["--input", "a", "--start-picture", "solid.png"], "choose one"),
}


@pytest.mark.parametrize(("options", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence_before_anything_is_computed(
    call: list[str], tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch, options: list[str], sentence: str
) -> None:
    frames = np.zeros((2, 64, 64, 3), np.uint8)
    for name, clip in {
        "a": Clip(frames, 8),
        "fast": Clip(frames, 12.5),
        "small": Clip(frames[:, :, :1].repeat(72, 2), 8),
    }.items():
        media.write(tmp_path / name, clip)
    (tmp_path / "broken.mp4").write_bytes(b"\0\0\0\x20ftypisom nonsense")
    picture(tmp_path / "solid.png")
    Image.new("RGBA", (64, 64), (1, 2, 3, 100)).save(tmp_path / "glass.png")
    monkeypatch.setattr(Standalone, "load", lambda *_: pytest.fail("something was computed"))
    assert main([*call, "--out", "new.png", *options]) == 2
    said = capsys.readouterr().err.strip()
    assert sentence in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(("scale", "reached"), [("1", [True, False, False, False]), ("32", [True] * 4)])
def test_a_video_begins_from_a_picture_whose_share_falls(
    call: list[str], tmp_path: Path, scale: str, reached: list[bool]
) -> None:
    """Without a motion module a frame shows another picture only as far as it has a share of it."""
    still = [option for option in call if not option.startswith("--motion-module")]
    still += ["--from-picture", "--denoise", "0.5", "--steps", "4", "--latent-scale", scale]
    clips = []
    for seed, name in enumerate(("one", "two")):
        shown = picture(tmp_path / f"{name}.png", seed=seed)
        assert main([*still, "--start-picture", str(shown), "--out", f"{name}-made.png"]) == 0
        clips.append(media.read(tmp_path / f"{name}-made"))
    assert [not np.array_equal(a, b) for a, b in zip(clips[0].frames, clips[1].frames, strict=True)] == reached
    assert "Denoising strength: 0.5" in clips[0].metadata["parameters"]
    assert ("VCD latent scale: 1.0" in clips[0].metadata["parameters"]) == (scale == "1")


def test_a_share_needs_a_picture(call: list[str], capsys: Any) -> None:
    assert main([*call, "--from-picture"]) == 2
    assert "from_picture goes with a start picture, an end picture or both" in capsys.readouterr().err


def heard(path: Path) -> float:
    """Return the seconds of sound in a file."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return max(float(packet.pts * packet.time_base) for packet in container.demux(stream) if packet.pts is not None)


def test_sound_stays_with_its_pictures(call: list[str], tmp_path: Path) -> None:
    """A film of 96x64 is continued, and made again at twice its rate: what is heard is as long as before."""
    source = film.film(tmp_path / "walk.mp4")
    job = [*call, "--width", "96", "--height", "64", "--fps", str(film.FPS), "--formats", "mp4"]
    assert main([*job, "--continue-video", "walk.mp4", "--continue-frames", "2", "--out", "on.mp4"]) == 0
    again = [*job, "--input", "walk.mp4", "--frames", str(film.FRAMES), "--denoise", "0.5", "--interpolate", "2"]
    assert main([*again, "--out", "twice.mp4"]) == 0
    on, twice = media.read(tmp_path / "on.mp4"), media.read(tmp_path / "twice.mp4")
    assert (len(on.frames), on.fps) == (film.FRAMES + 2, film.FPS)
    assert (len(twice.frames), twice.fps) == (2 * film.FRAMES, 2 * film.FPS)
    assert abs(heard(tmp_path / "twice.mp4") - heard(source)) < 0.1
    assert heard(tmp_path / "on.mp4") >= heard(source) - 0.1
