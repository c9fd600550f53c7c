"""Where, when and with what somebody filmed stays in their own file: nothing of it goes into what is made of it."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from vcd_ext.media import read, write

SECRETS = {
    "com.apple.quicktime.location.ISO6709": "+48.8584+002.2945+035.000/",
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.model": "iPhone 15 Pro",
    "com.apple.quicktime.software": "17.5.1",
    "com.apple.quicktime.creationdate": "2024-06-12T18:30:12+0200",
    "com.apple.quicktime.author": "Jane Roe",
    "com.android.version": "14",
    "com.android.manufacturer": "Google",
    "com.android.model": "Pixel 7a",
    "com.android.capture.fps": "30.000000",
    "com.samsung.android.utc_offset": "+0200",
    "com.xiaomi.product.marketname": "Redmi Note 12",
    "location": "+52.5163+013.3777/",
    "location-eng": "+52.5163+013.3777/",
    "xyz": "+51.5007-000.1246/",
    "date": "2023-11-05",
    "year": "2022",
    "creation_time": "2021-04-03T02:01:00.000000Z",
    "make": "DJI",
    "model": "FC7303",
    "model-eng": "SM-S918B",
    "firmware": "HD9.01.01.60.00",
    "artist": "John Doe",
    "author": "Max Mustermann",
    "comment": "DE=None, SN=1SDF7H3BC0, Type=Normal, HQ=Normal",
    "description": "Made at Lake Garda",
    "keywords": "GPS 45.6N",
    "encoder": "HUAWEI P30",
}
MARKS = [text.encode() for text in SECRETS.values()]


def filmed(path: Path) -> Path:
    """Return a film with sound, both of which have all tags that phones and drones write; and a title."""
    options = {"movflags": "use_metadata_tags"} if path.suffix in (".mp4", ".mov") else {}
    with av.open(str(path), "w", options=options) as container:
        container.metadata.update(SECRETS | {"title": "A walk"})
        video = container.add_stream("mpeg4", rate=8)
        video.width, video.height, video.pix_fmt = 32, 16, "yuv420p"
        sound = container.add_stream("aac", rate=44100, layout="mono")
        for stream in (video, sound):
            stream.metadata.update({"handler_name": "Pixel 7a", "creation_time": SECRETS["creation_time"]})
        container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((16, 32, 3), np.uint8), format="rgb24")))
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        tone.sample_rate, tone.pts, tone.time_base = 44100, 0, Fraction(1, 44100)
        container.mux(sound.encode(tone))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    return path


@pytest.mark.parametrize("name", ["film.mp4", "film.mov", "film.mkv"])
def test_what_a_phone_tells_of_its_owner_is_left_out(name: str, tmp_path: Path) -> None:
    source = filmed(tmp_path / name)
    kept = source.read_bytes()
    assert sum(mark in kept for mark in MARKS) > 15, "or there is nothing to leave out"
    clip = read(source)
    assert clip.metadata == {"title": "A walk"}
    for suffix in ("mp4", "webm", "gif", "webp"):
        made = write(tmp_path / f"made.{suffix}", clip, sound=source).read_bytes()
        assert [mark for mark in MARKS if mark in made and len(mark) > 4] == []


def test_what_a_camera_tells_in_pictures_is_left_out(tmp_path: Path) -> None:
    block = Image.Exif()
    block[0x010E], block[0x010F], block[0x0110], block[0x0132] = (
        "Lake Garda",
        "Google",
        "Pixel 7a",
        "2024:06:12 18:30:12",
    )
    block[0x8769] = {0x9003: "2024:06:12 18:30:12", 0x9286: b'ASCII\0\0\0{"sensor": 7}'}
    block[0x8825] = {1: "N", 2: (48.0, 51.0, 30.0)}
    text = PngInfo()
    text.add_text("Creation Time", "2024-06-12")
    text.add_text("XML:com.adobe.xmp", "<rdf exif:GPSLatitude='48'/>")
    for i, options in enumerate(({"exif": block}, {"exif": block, "pnginfo": text})):
        folder = tmp_path / str(i)
        folder.mkdir()
        Image.new("RGB", (16, 8)).save(folder / ("0.png" if i else "0.jpg"), **options)
        assert read(folder).metadata == {}
    Image.new("RGB", (16, 8)).save(tmp_path / "x.webp", save_all=True, exif=block)
    assert read(tmp_path / "x.webp").metadata == {}


def test_a_comment_that_is_an_infotext_is_one(tmp_path: Path) -> None:
    path = tmp_path / "made-elsewhere.mp4"
    with av.open(str(path), "w") as container:
        container.metadata["comment"] = "a dog\nSteps: 20, Sampler: Euler, Seed: 1"
        stream = container.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((16, 32, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    assert read(path).metadata == {"parameters": "a dog\nSteps: 20, Sampler: Euler, Seed: 1"}
