"""The sound of a video goes on into what is made of it, in time with the pictures."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vcd_ext.media import Clip, SoundError, carries_sound, has_sound, read, write

FPS = 8
RATE = 44100
BEEP = 1.0  # seconds after which it begins to sound, where the pictures turn white


def film(path: Path, codec: str = "aac", seconds: float = 2, offset: float = 0) -> Path:
    """A film of 2 s, black and silent, then white with a tone; the pictures begin `offset` seconds late."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libvpx-vp9" if path.suffix == ".webm" else "libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        audio = container.add_stream(codec, rate=48000 if "opus" in codec else RATE)
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
        samples = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
        samples.sample_rate = rate
        container.mux(audio.encode(samples))
        container.mux(audio.encode(None))
    return path


def heard(path: Path) -> tuple[np.ndarray, float]:
    """The sound of a file as the loudness of each hundredth of a second, from the moment of its first picture on."""
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


def test_it_ends_with_the_pictures(source: Path, tmp_path: Path) -> None:
    clip = read(source)
    short = write(tmp_path / "short.mp4", Clip(clip.frames[:4], clip.fps), sound=source)
    with av.open(str(short)) as container:
        assert float(container.duration / av.time_base) == pytest.approx(0.5, abs=0.1)
    assert payload(short) == payload(source)[: len(payload(short))]


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
