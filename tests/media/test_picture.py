"""One picture file: whatever way it is stored, it comes upright, in 8 bits of RGB; or one sentence says why not."""

import random
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.identity.drawn import picture
from vcd_ext.identity.photos.photo import KEPT_PIXELS, MIN_SIDE
from vcd_ext.media.picture import PictureError, read_picture

UPRIGHT = picture(1)
STORED = {  # how a camera stores an upright picture that it marks with each EXIF orientation
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean difference of two pictures, of 255."""
    assert a.shape == b.shape
    return float(np.abs(a.astype(float) - b).mean())


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp", "gif", "jpg", "jp2", "JPEG"])
def test_usual_formats_are_read(tmp_path: Path, suffix: str):
    options = {"quality": 95} if suffix.lower() in ("jpg", "jpeg", "webp") else {}
    Image.fromarray(UPRIGHT).save(tmp_path / f"a.{suffix}", **options)
    pixels, alpha = read_picture(tmp_path / f"a.{suffix}")
    assert pixels.dtype == np.uint8
    assert difference(pixels, UPRIGHT) < (12 if suffix == "gif" else 3)
    assert alpha is None


def test_the_content_counts_and_not_the_suffix(tmp_path: Path):
    Image.fromarray(UPRIGHT).save(tmp_path / "a.jpg", "PNG")
    assert np.array_equal(read_picture(tmp_path / "a.jpg").pixels, UPRIGHT)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_exif_rotation_is_applied(tmp_path: Path, orientation: int, suffix: str):
    stored, method = Image.fromarray(UPRIGHT), STORED[orientation]
    stored = stored if method is None else stored.transpose(method)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / f"a.{suffix}", exif=exif, **({} if suffix == "tif" else {"quality": 95}))
    assert difference(read_picture(tmp_path / f"a.{suffix}").pixels, UPRIGHT) < 3


def test_a_large_rotated_jpeg_is_reduced_and_upright(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(UPRIGHT).resize((3200, 2400)).transpose(Image.Transpose.ROTATE_90)
    stored.save(tmp_path / "a.jpg", exif=exif, quality=90)
    pixels = read_picture(tmp_path / "a.jpg", KEPT_PIXELS).pixels
    height, width, _ = pixels.shape
    assert 0.98 * KEPT_PIXELS < height * width <= KEPT_PIXELS
    assert width / height == pytest.approx(4 / 3, rel=0.005)
    assert difference(np.asarray(Image.fromarray(pixels).resize((128, 96), Image.Resampling.BOX)), UPRIGHT) < 2


def test_damaged_exif_does_not_cost_the_photo(tmp_path: Path):
    Image.fromarray(UPRIGHT).save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\xff\xff", quality=95)
    assert difference(read_picture(tmp_path / "a.jpg").pixels, UPRIGHT) < 3


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_of_grey_keep_their_shades(tmp_path: Path, suffix: str):
    shades = np.linspace(0, 65535, 96 * 128).reshape(96, 128)
    Image.fromarray(shades.astype(np.uint16)).save(tmp_path / f"a.{suffix}")
    pixels = read_picture(tmp_path / f"a.{suffix}").pixels
    assert np.abs(pixels[..., 1] - shades / 257).max() <= 1


def test_floats_from_0_to_1_keep_their_shades(tmp_path: Path):
    shades = np.linspace(0, 1, 96 * 128).reshape(96, 128).astype(np.float32)
    shades[0, 0] = np.nan
    Image.fromarray(shades).save(tmp_path / "a.tif")
    assert np.abs(read_picture(tmp_path / "a.tif").pixels[..., 2] - np.nan_to_num(shades) * 255).max() <= 1


@pytest.mark.parametrize(("mode", "tolerance"), [("L", 0), ("1", 0), ("P", 10), ("LA", 0), ("RGBA", 0)])
def test_grey_black_and_white_and_palettes_become_rgb(tmp_path: Path, mode: str, tolerance: float):
    image = Image.fromarray(UPRIGHT).convert(mode)
    image.save(tmp_path / "a.png")
    pixels, alpha = read_picture(tmp_path / "a.png")
    assert difference(pixels, np.asarray(image.convert("RGB"))) <= tolerance
    assert alpha is None


def test_cmyk_becomes_rgb(tmp_path: Path):
    Image.fromarray(UPRIGHT).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert difference(read_picture(tmp_path / "a.jpg").pixels, UPRIGHT) < 4


def swapped_profile() -> bytes:
    """Return a colour profile whose red is sRGB's green."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for old, new in ((b"rXYZ", b"????"), (b"gXYZ", b"rXYZ"), (b"????", b"gXYZ")):
        profile = profile.replace(old, new, 1)
    return profile


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_colour_profiles_are_applied(tmp_path: Path, suffix: str):
    Image.new("RGB", (96, 96), (250, 10, 10)).save(tmp_path / f"a.{suffix}", icc_profile=swapped_profile())
    red, green, blue = read_picture(tmp_path / f"a.{suffix}").pixels[48, 48]
    assert green > 200
    assert red < 80
    assert blue < 80


def test_a_damaged_profile_is_ignored(tmp_path: Path):
    Image.fromarray(UPRIGHT).save(tmp_path / "a.png", icc_profile=b"no profile")
    assert np.array_equal(read_picture(tmp_path / "a.png").pixels, UPRIGHT)


@pytest.mark.parametrize("kind", ["RGBA", "LA", "palette", "key"])
def test_transparency_is_told(tmp_path: Path, kind: str):
    wanted = np.full((96, 128), 255, np.uint8)
    wanted[:, :40] = 0
    if kind == "RGBA":
        Image.fromarray(np.dstack([UPRIGHT, wanted])).save(tmp_path / "a.png")
    elif kind == "LA":
        Image.merge("LA", [Image.fromarray(UPRIGHT[..., 0]), Image.fromarray(wanted)]).save(tmp_path / "a.png")
    elif kind == "palette":
        Image.fromarray(wanted // 255).convert("P").save(tmp_path / "a.png", transparency=0)
    else:
        pixels = np.maximum(UPRIGHT, 5)
        pixels[:, :40] = 0
        Image.fromarray(pixels).save(tmp_path / "a.png", transparency=(0, 0, 0))
    alpha = read_picture(tmp_path / "a.png").alpha
    assert alpha is not None
    assert np.array_equal(alpha, wanted)


def header_only_png(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and has no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def saved(path: Path, image: Image.Image, **options: object) -> bytes:
    """Return the bytes of a picture in the format of the path's suffix."""
    image.save(path, **options)
    return path.read_bytes()


def frames(count: int) -> dict[str, object]:
    """Pillow's options for an animation."""
    return {"save_all": True, "append_images": [Image.fromarray(picture(i)) for i in range(2, count + 1)]}


PICTURE = Image.fromarray(UPRIGHT)
BAD = {
    "empty.jpg": (lambda _: b"", r"empty \(0 bytes\)"),
    "text.jpg": (lambda _: b"hello, this is no picture", "not a picture that can be read; use JPEG, PNG"),
    "video.mp4": (lambda _: b"\0\0\0\x18ftypmp42" + bytes(100), "not a picture"),
    "phone.heic": (lambda _: b"\0\0\0\x18ftypheic" + bytes(100), "HEIC.*export it as JPEG"),
    "renamed.jpg": (lambda _: b"\0\0\0\x18ftypmif1" + bytes(100), "HEIC.*export it as JPEG"),
    "cut.jpg": (lambda path: saved(path, PICTURE)[:-600], "cannot be read .*truncated.*copy it again"),
    "cut.png": (lambda path: saved(path, PICTURE)[:-2000], "cannot be read.*copy it again"),
    "claims.png": (lambda _: header_only_png(100, 100), "cannot be read"),
    "bomb.png": (lambda _: header_only_png(30_000, 30_000), "too large .*120 megapixels"),
    "large.png": (lambda _: header_only_png(12_000, 11_000), r"too large \(12000x11000 pixels\)"),
    "small.png": (lambda path: saved(path, PICTURE.resize((200, 63))), r"too small \(200x63 pixels\).*at least 64"),
    "moves.gif": (lambda path: saved(path, PICTURE, **frames(3)), "3 pictures .*save one of them"),
    "moves.webp": (lambda path: saved(path, PICTURE, **frames(4)), "4 pictures .*save one of them"),
    "moves.png": (lambda path: saved(path, PICTURE, **frames(2)), "2 pictures .*save one of them"),
    "pages.tif": (lambda path: saved(path, PICTURE, **frames(2)), "2 pictures .*save one of them"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.filterwarnings("error")  # Pillow's warnings of large pictures would only confuse
def test_what_cannot_be_used_is_refused_in_one_sentence(tmp_path: Path, name: str):
    content, reason = BAD[name]
    path = tmp_path / name
    path.write_bytes(content(path))
    with pytest.raises(PictureError, match=reason) as caught:
        read_picture(path, smallest=MIN_SIDE)
    text = str(caught.value)
    assert text.startswith(f"{name} ")
    assert text.endswith(".")
    assert "\n" not in text
    assert ". " not in text


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "tif", "bmp"])
def test_damaged_bytes_end_in_a_picture_or_in_a_sentence(tmp_path: Path, suffix: str):
    path, chance = tmp_path / f"a.{suffix}", random.Random(0)
    data = saved(path, PICTURE)
    for _ in range(20):
        damaged = bytearray(data)
        for _ in range(5):
            damaged[chance.randrange(chance.choice((60, len(data))))] = chance.randrange(256)
        path.write_bytes(damaged)
        with suppress(PictureError):  # anything else fails
            assert read_picture(path).pixels.shape[2] == 3


def test_a_cameras_second_picture_is_left_out(tmp_path: Path):
    PICTURE.save(tmp_path / "a.jpg", "MPO", quality=95, **frames(2))
    assert difference(read_picture(tmp_path / "a.jpg").pixels, UPRIGHT) < 3


def test_a_picture_that_is_reduced_has_all_of_it_in_each_pixel(tmp_path: Path):
    stripes = np.zeros((960, 960, 3), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "a.png")
    pixels = read_picture(tmp_path / "a.png", most=240 * 240).pixels
    assert pixels.shape == (240, 240, 3)
    assert np.abs(pixels[:, 4:-4].astype(int) - 127).max() <= 2, "taking every fourth column would leave one colour"


def test_transparency_is_reduced_with_its_picture(tmp_path: Path):
    shapes = np.zeros((128, 128, 4), np.uint8)
    shapes[:, ::2, 3] = 255
    Image.fromarray(shapes).save(tmp_path / "a.png")
    alpha = read_picture(tmp_path / "a.png", most=64 * 64).alpha
    assert alpha is not None
    assert np.abs(alpha.astype(int) - 127).max() <= 2
