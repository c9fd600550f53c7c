"""The sound of a video goes on into what is made of it, in time with the pictures."""

import errno
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.media.matroska import retimed
from vcd_ext.media import Clip, Part, SoundError, carries_sound, has_sound, output_files, read, write

FPS = 8
RATE = 44100
BEEP = 1.0  # seconds after which it begins to sound, where the pictures turn white


def film(
    path: Path,
    codec: str = "aac",
    seconds: float = 2,
    offset: float = 0,
    rate: int = RATE,
    change: Callable[[np.ndarray], None] = lambda _: None,
) -> Path:
    """Return a film of 2 s, black and silent, then white with a tone; the pictures begin `offset` seconds late.

    change: what is done to the samples.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream("libvpx-vp9" if path.suffix == ".webm" else "libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        audio = container.add_stream(codec, rate=48000 if "opus" in codec else rate)
        audio.layout = "mono"
        for i in range(2 * FPS):
            picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 255 * (i >= FPS), np.uint8), format="rgb24")
            picture.pts = i + round(offset * FPS)
            picture.time_base = Fraction(1, FPS)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        rate = audio.codec_context.sample_rate
        times = np.arange(int((seconds + offset) * rate)) / rate
        tone = np.where(times >= BEEP + offset, np.sin(2764 * times), 0).astype(np.float32)
        change(tone)
        for first in range(0, len(tone), 1024):
            samples = av.AudioFrame.from_ndarray(tone[None, first : first + 1024].copy(), format="fltp", layout="mono")
            samples.sample_rate, samples.pts, samples.time_base = rate, first, Fraction(1, rate)
            container.mux(audio.encode(samples))
        container.mux(audio.encode(None))
    return path


def heard(path: Path) -> tuple[np.ndarray, float]:
    """Measure a file's sound, the loudness of each hundredth of a second, from the moment of its first picture on."""
    with av.open(str(path)) as container:
        begin = float((container.streams.video[0].start_time or 0) * container.streams.video[0].time_base)
        loud: dict[int, float] = {}
        for frame in container.decode(audio=0):
            values = np.abs(frame.to_ndarray().astype(float)).max(axis=0)
            if frame.format.is_packed:
                values = values[:: len(frame.layout.channels)]
            for k, value in enumerate(values[::50]):
                at = round((float(frame.time) - begin + 50 * k / frame.sample_rate) * 100)
                loud[at] = max(loud.get(at, 0.0), value)
        return np.array([loud.get(i, 0.0) for i in range(max(loud))]), begin


def beep(path: Path) -> float:
    """Seconds after the first picture at which it begins to sound."""
    loudness, _ = heard(path)
    return float(np.argmax(loudness > 0.3 * loudness.max())) / 100


def payload(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("film") / "film.mp4")


def test_sound_that_the_format_takes_is_copied_as_it_is(source: Path, tmp_path: Path) -> None:
    clip = read(source)
    copy = write(tmp_path / "copy.mp4", clip, sound=source)
    assert payload(copy) == payload(source)
    assert beep(copy) == pytest.approx(BEEP, abs=0.03)
    back = read(copy)
    assert (back.fps, back.metadata, back.frames.shape) == (clip.fps, clip.metadata, clip.frames.shape)


@pytest.mark.parametrize(("name", "codec", "to", "becomes"), [
    ("film.mp4", "aac", "out.webm", "opus"),
    ("film.webm", "libopus", "out.webm", "opus"),
    ("film.webm", "libopus", "out.mp4", "opus"),
    ("film.avi", "pcm_s16le", "out.mp4", "aac"),
    ("film.mkv", "libmp3lame", "out.webm", "opus"),
])  # fmt: skip
def test_other_sound_is_encoded_anew_and_stays_in_time(
    tmp_path: Path, name: str, codec: str, to: str, becomes: str
) -> None:
    source = film(tmp_path / name, codec)
    made = write(tmp_path / to, read(source), sound=source)
    with av.open(str(made)) as container:
        assert becomes in container.streams.audio[0].codec_context.name
    assert beep(made) == pytest.approx(BEEP, abs=0.05)


def test_it_stays_in_time_with_pictures_that_begin_late(tmp_path: Path) -> None:
    source = film(tmp_path / "late.mkv", offset=0.5)
    with av.open(str(source)) as container:
        assert container.streams.video[0].start_time * container.streams.video[0].time_base == Fraction(1, 2)
    made = write(tmp_path / "made.mp4", read(source), sound=source)
    assert beep(made) == pytest.approx(BEEP, abs=0.05)


@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_it_begins_where_the_part_of_the_pictures_does(suffix: str, source: Path, tmp_path: Path) -> None:
    clip = read(source, part=Part(6))
    made = write(tmp_path / f"part.{suffix}", clip, sound=source)
    assert beep(made) == pytest.approx(BEEP - 5 / FPS, abs=0.05)


def test_it_ends_with_the_pictures(source: Path, tmp_path: Path) -> None:
    clip = read(source)
    short = write(tmp_path / "short.mp4", Clip(clip.frames[:4], clip.fps), sound=source)
    with av.open(str(short)) as container:
        assert float(container.duration / av.time_base) == pytest.approx(0.5, abs=0.1)
    assert payload(short) == payload(source)[: len(payload(short))]


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_it_begins_with_the_part_of_the_film_that_was_read(codec: str, tmp_path: Path) -> None:
    source = film(tmp_path / "film.mkv", codec)
    clip = read(source)
    made = write(tmp_path / "part.mp4", Clip(clip.frames[4:], clip.fps, start=Fraction(4, FPS)), sound=source)
    assert beep(made) == pytest.approx(BEEP - 0.5, abs=0.05)


def test_silent_files_and_formats_stay_silent(source: Path, tmp_path: Path) -> None:
    clip = read(source)
    silent = write(tmp_path / "silent.mp4", clip)
    assert [has_sound(path) for path in (source, silent, tmp_path, tmp_path / "missing.mp4")] == [True, *[False] * 3]
    assert not has_sound(write(tmp_path / "still.mp4", clip, sound=silent))
    for name in ("film.gif", "film.webp", "film"):
        path = write(tmp_path / name, clip, sound=source)
        assert not carries_sound(path)
        assert not has_sound(path)
    assert carries_sound(Path("a.MP4"))


def test_damaged_sound_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    source = film(tmp_path / "film.avi", "pcm_s16le")
    clip = read(source)

    def fail(*_: object) -> None:
        raise KeyError

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("vcd_ext.media.sound._rate", fail)
        with pytest.raises(SoundError, match=r"The sound of .*film\.avi cannot be read \(KeyError\)"):
            write(tmp_path / "made.mp4", clip, sound=source)
    assert [path.name for path in tmp_path.iterdir()] == ["film.avi"]


def twice(times: list[int]) -> list[int]:
    return [times[i - 1] if i % 5 == 4 else time for i, time in enumerate(times)]


def back(times: list[int]) -> list[int]:
    return [times[i - 2] if i % 7 == 6 else time for i, time in enumerate(times)]


def stuck(times: list[int]) -> list[int]:
    return [times[0]] * len(times)


def astray(times: list[int]) -> list[int]:
    return [time + 20_000 * (i == len(times) // 3) for i, time in enumerate(times)]


SLIPS = (twice, back, stuck, astray)
CODECS = ("aac", "libmp3lame", "libopus", "libvorbis", "flac", "ac3", "pcm_s16le")


@pytest.mark.parametrize(("codec", "slip"), [(codec, SLIPS[i % 4]) for i, codec in enumerate(CODECS)]
                         + [("aac", back), ("aac", stuck), ("pcm_s16le", twice)])  # fmt: skip
@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_sound_whose_clock_slips_is_carried_over_in_time(
    codec: str, slip: Callable[[list[int]], list[int]], suffix: str, tmp_path: Path
) -> None:
    source = retimed(film(tmp_path / "film.mkv", codec, rate=48000), slip)
    made = write(tmp_path / f"made.{suffix}", read(source), sound=source)
    assert len(read(made).frames) == 2 * FPS
    assert beep(made) == pytest.approx(BEEP, abs=0.1)
    with av.open(str(made)) as container:
        stream = container.streams.audio[0]
        seconds = sum(frame.samples for frame in container.decode(stream)) / stream.rate
    assert seconds == pytest.approx(2, abs=0.15)


def test_where_sound_jumps_back_what_was_heard_is_not_heard_again(tmp_path: Path) -> None:
    half = retimed(film(tmp_path / "film.mkv"), lambda times: times[:44] + [time - 900 for time in times[44:]])
    made = write(tmp_path / "made.mp4", read(half), sound=half)
    assert len(read(made).frames) == 2 * FPS
    assert beep(made) == pytest.approx(BEEP, abs=0.1)


@pytest.mark.parametrize(("name", "codec"), [
    ("film.mkv", "pcm_f32le"), ("film.mov", "pcm_f32le"), ("film.mkv", "pcm_f64le"), ("film.avi", "pcm_f32le"),
])  # fmt: skip
@pytest.mark.parametrize("suffix", ["mp4", "webm"])
def test_samples_that_are_no_numbers_are_silent(name: str, codec: str, suffix: str, tmp_path: Path) -> None:
    def spoil(tone: np.ndarray) -> None:
        tone[5000:5200] = np.nan
        tone[70000:70005] = [np.inf, -np.inf, np.nan, 1e30, -1e30]

    source = film(tmp_path / name, codec, change=spoil)
    made = write(tmp_path / f"made.{suffix}", read(source), sound=source)
    assert beep(made) == pytest.approx(BEEP, abs=0.05)
    loudness, _ = heard(made)
    assert np.isfinite(loudness).all()
    assert loudness[:90].max() < 0.05


@pytest.mark.parametrize(("rate", "becomes"), [(192_000, 96_000), (44_056, 44_100), (50_000, 64_000), (1000, 7350)])
def test_sound_of_a_rate_that_the_encoder_does_not_know_gets_the_next_that_it_knows(
    rate: int, becomes: int, tmp_path: Path
) -> None:
    source = film(tmp_path / "film.mkv", "pcm_s16le", rate=rate)
    for suffix in ("mp4", "webm"):
        made = write(tmp_path / f"made.{suffix}", read(source), sound=source)
        assert beep(made) == pytest.approx(BEEP, abs=0.05)
    with av.open(str(tmp_path / "made.mp4")) as container:
        assert container.streams.audio[0].rate == becomes


def test_sound_that_a_format_has_no_room_for_as_it_is_is_encoded_anew(tmp_path: Path) -> None:
    source = film(tmp_path / "film.mkv", "libmp3lame", rate=8000)  # MP4 takes MP3 from 16 kHz on
    made = write(tmp_path / "made.mp4", read(source), sound=source)
    with av.open(str(made)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
    assert beep(made) == pytest.approx(BEEP, abs=0.15)


def test_sound_that_the_muxer_refuses_costs_the_sound_and_not_the_video(source: Path, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise ValueError(errno.EINVAL, "Invalid argument")

    clip, notes = read(source), list[str]()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("vcd_ext.media.sound.Sound._peek", refuse)
        output_files.write(clip, tmp_path / "made.mp4", source, notes.append)
    assert len(read(tmp_path / "made.mp4").frames) == len(clip.frames)
    assert not has_sound(tmp_path / "made.mp4")
    assert "The video was written without it." in notes[0]


def test_a_full_disk_is_not_taken_for_bad_sound(source: Path, tmp_path: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("vcd_ext.media.sound.Sound._peek", full)
        with pytest.raises(OSError, match="the disk is full"):
            write(tmp_path / "made.mp4", read(source), sound=source)
