"""Decode a picture file, be it a photo or a frame: upright, in sRGB, with its transparency; or say why not."""

import warnings
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from vcd_ext.media.clip import MediaError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "TIFF", "GIF", "JPEG2000")
MAX_PIXELS = 120_000_000  # what a phone's 108-megapixel camera takes still fits
_APPLE = (b"ftyphei", b"ftyphev", b"ftypmif1", b"ftypmsf1", b"ftypavif")


class PictureError(MediaError):
    """A picture that cannot be used; the message is one sentence that begins with its file's name."""


class Picture(NamedTuple):
    """RGB uint8 [H, W, 3], and the alpha channel uint8 [H, W], which is None where nothing is transparent."""

    pixels: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None


def read_picture(path: Path, most: int | None = None, smallest: int = 1) -> Picture:
    """Read a still picture upright and in sRGB; EXIF orientation and colour profile are applied.

    most: pixels to which a larger picture is reduced. smallest: pixels that each side must have.
    PictureError says what is wrong with the file.
    """
    try:
        # Pillow warns of large pictures and of damaged EXIF, about which nothing is to be done.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if path.stat().st_size == 0:
                raise PictureError(f"{path.name} is empty (0 bytes); copy it again.")
            with Image.open(path, formats=FORMATS) as image:
                _check(image, path.name, smallest)
                return _decoded(image, most)
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(_too_large(path.name, "far too many")) from error
    except Exception as error:  # decoders raise nearly anything on damaged data
        raise PictureError(_unreadable(path, error)) from error


def _check(image: Image.Image, name: str, smallest: int) -> None:
    frames = getattr(image, "n_frames", 1)
    # A camera's MPO holds the photo and a preview or a second eye's view: the first is the photo.
    if frames > 1 and image.format != "MPO":
        raise PictureError(
            f"{name} holds {frames} pictures (animated, or pages); save one of them as a file of its own."
        )
    if image.width * image.height > MAX_PIXELS:
        raise PictureError(_too_large(name, f"{image.width}x{image.height}"))
    if min(image.size) < smallest:
        raise PictureError(
            f"{name} is too small ({image.width}x{image.height} pixels); each side must have at least {smallest}."
        )


def _too_large(name: str, size: str) -> str:
    return f"{name} is too large ({size} pixels); save it smaller, {MAX_PIXELS // 1_000_000} megapixels are the most."


def _unreadable(path: Path, error: Exception) -> str:
    with suppress(OSError), path.open("rb") as file:
        if file.read(16)[4:].startswith(_APPLE):
            return f"{path.name} is a HEIC or AVIF picture, which cannot be read here; export it as JPEG or PNG."
    if isinstance(error, UnidentifiedImageError):
        return f"{path.name} is not a picture that can be read; use JPEG, PNG, WebP, BMP or TIFF."
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{path.name} cannot be read ({reason.splitlines()[0].rstrip('.')}); copy it again or choose another."


def _decoded(image: Image.Image, most: int | None) -> Picture:
    target = _kept(image.size, most)
    if image.format in ("JPEG", "MPO") and target != image.size:
        image.draft("RGB", (2 * target[0], 2 * target[1]))  # decoded at a half, fourth or eighth of its size
    image.load()
    upright = image
    if image.format != "TIFF":  # Pillow has turned these already
        with suppress(Exception):  # a damaged EXIF block does not make the photo useless
            upright = ImageOps.exif_transpose(image)
    size = _kept(upright.size, most)
    colours, alpha = separated(upright)
    if size != upright.size:
        colours = colours.resize(size, Image.Resampling.LANCZOS)
        alpha = alpha and alpha.resize(size, Image.Resampling.BOX)
    return Picture(np.array(colours), None if alpha is None else np.array(alpha))


def _kept(size: tuple[int, int], most: int | None) -> tuple[int, int]:
    """Return the size at which a picture is kept: at most so many pixels, never enlarged."""
    factor = 1.0 if most is None else min(1.0, (most / (size[0] * size[1])) ** 0.5)
    return max(1, int(size[0] * factor)), max(1, int(size[1] * factor))


def separated(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return the colours of a loaded picture as 8 bits of sRGB, and its alpha, which is None where all is opaque."""
    return _rgb(image), _alpha(image)


def _alpha(image: Image.Image) -> Image.Image | None:
    key = image.info.get("transparency")
    if key is None and image.mode not in ("RGBA", "LA", "PA", "RGBa", "La"):
        return None
    if _is_deep(image):  # Pillow looks for the key among values that it has cut to 8 bits
        alpha = Image.fromarray(np.where(np.asarray(image) == key, 0, 255).astype(np.uint8))
    else:
        alpha = image.convert("RGBA").getchannel("A")
    return None if alpha.getextrema() == (255, 255) else alpha


def _rgb(image: Image.Image) -> Image.Image:
    if _is_deep(image):
        return _from_deep_grey(image)
    profile = image.info.get("icc_profile") or b""
    if image.mode not in ("RGB", "CMYK", "L"):
        image = image.convert("L" if image.mode in ("LA", "La", "1") else "RGB")
    # A grey picture may have the profile of a grey scale, or that of the RGB picture that it was made from.
    for candidate in (image, image.convert("RGB")) if profile else ():
        with suppress(ImageCms.PyCMSError, OSError, ValueError):  # a profile of another mode, or a damaged one
            source, target = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(candidate, source, target, outputMode="RGB")
            assert converted is not None
            return converted
    return image.convert("RGB")


def _is_deep(image: Image.Image) -> bool:
    return image.mode == "F" or image.mode.startswith("I")


def _from_deep_grey(image: Image.Image) -> Image.Image:
    """Convert grey of 16 bits or of floats in [0, 1] to RGB; Pillow's own conversion cuts values above 255."""
    values = np.nan_to_num(np.asarray(image, np.float32)) * (255 if image.mode == "F" else 255 / 65535)
    return Image.fromarray(np.clip(values + 0.5, 0, 255).astype(np.uint8)).convert("RGB")
