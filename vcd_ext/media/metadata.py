"""What a video says of itself, without its frames."""

from pathlib import Path

from PIL import Image

from vcd_ext.media.exif import labels_in_exif
from vcd_ext.media.film import opened_film, tags
from vcd_ext.media.frame_folder import frame_files
from vcd_ext.media.gif import gif_labels
from vcd_ext.media.picture import FORMATS
from vcd_ext.media.pyav import DEMUXERS
from vcd_ext.media.record import understood


def read_metadata(path: Path) -> dict[str, str]:
    """Return the metadata that `read` gives the clip of a file or folder; none of one that cannot be read."""
    try:
        return understood(_labels(path)).metadata
    except Exception:  # decoders raise nearly anything on damaged data; `read` tells of it
        return {}


def _labels(path: Path) -> dict[str, str]:
    if path.suffix.lower() in DEMUXERS and path.is_file():
        with opened_film(path) as (container, _):
            return tags(container)
    picture = frame_files(path, lambda _: None)[0] if path.is_dir() else path
    with Image.open(picture, formats=FORMATS) as image:
        if image.format == "GIF":
            return gif_labels(image)
        text: dict[str, str] = getattr(image, "text", None) or {}  # PNG's, behind the pixels where an editor put it
        return text or labels_in_exif(image)
