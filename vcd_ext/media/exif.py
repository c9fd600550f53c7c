"""Labels in the EXIF block of WebP and JPEG pictures, where the WebUI's PNG Info finds them."""

import struct
from collections.abc import Mapping
from contextlib import suppress

from PIL import Image

# EXIF's numbers: a picture's description, the folder of EXIF values, and the user comment in that folder.
DESCRIPTION, EXIF_FOLDER, USER_COMMENT = 0x010E, 0x8769, 0x9286
ASCII, LONG, UNDEFINED = 2, 4, 7
UNICODE = b"UNICODE\0"


def exif_block(stored: Mapping[str, str]) -> bytes:
    """Return a TIFF header, folder 0 with the description, the EXIF folder with the user comment, then both texts.

    "parameters" is the user comment, "vcd" the description. By hand, as Pillow would give the comment the type BYTE,
    with which the WebUI's piexif cannot read it.
    """
    description = stored["vcd"].encode("ascii") + b"\0"
    comment = UNICODE + stored.get("parameters", "").encode("utf-16-be")
    exif_folder, texts = 38, 56
    comment_at = texts + len(description) + len(description) % 2
    return b"".join(
        [
            struct.pack("<2sHI", b"II", 42, 8),
            struct.pack("<H", 2),
            struct.pack("<HHII", DESCRIPTION, ASCII, len(description), texts),
            struct.pack("<HHII", EXIF_FOLDER, LONG, 1, exif_folder),
            struct.pack("<IH", 0, 1),
            struct.pack("<HHII", USER_COMMENT, UNDEFINED, len(comment), comment_at),
            struct.pack("<I", 0),
            description.ljust(comment_at - texts, b"\0"),
            comment,
        ]
    )


def labels_in_exif(image: Image.Image) -> dict[str, str]:
    """Return the labels of an open picture; none where it has none, or a damaged block."""
    stored = {}
    with suppress(Exception):  # decoders raise nearly anything on damaged data
        exif = image.getexif()
        comment = exif.get_ifd(EXIF_FOLDER).get(USER_COMMENT)
        if isinstance(comment, bytes) and comment.startswith(UNICODE) and comment != UNICODE:
            stored["parameters"] = comment.removeprefix(UNICODE).decode("utf-16-be", "replace")
        if isinstance(exif.get(DESCRIPTION), str):
            stored["vcd"] = exif[DESCRIPTION]
    return stored
