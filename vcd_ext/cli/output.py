"""The files that a subcommand writes: their formats, names and folders."""

from collections.abc import Sequence
from pathlib import Path

from vcd_ext.settings import FORMATS, FileSettings, parse


def chosen_formats(out: Path, formats: Sequence[str]) -> list[str]:
    """Return the formats to write: several --formats as they are, else the suffix of --out, else the one format or mp4.

    ValueError for a suffix that is no format.
    """
    suffix = out.suffix.lower().removeprefix(".")
    if suffix and suffix not in FORMATS:
        raise ValueError(f"--out ends in .{suffix}, which is no format; use one of .{', .'.join(FORMATS)}.")
    if len(formats) > 1:
        return list(dict.fromkeys(formats))
    return [suffix or next(iter(formats), FORMATS[0])]


def output_paths(out: Path, formats: Sequence[str], subfolder: str = "") -> list[Path]:
    """Return one path for each format, as `media.output_files.targets` of `out` without its suffix.

    Names that are too long for their folder are cut off. subfolder: of the folder of `out`, as in `FileSettings`.
    """
    from vcd_ext.media.names import cut_all
    from vcd_ext.media.output_files import subfolder_of, targets

    parse(FileSettings, {"subfolder": subfolder})
    return targets(cut_all(subfolder_of(out.parent, subfolder) / out.with_suffix("").name), formats)


def make_folders(files: Sequence[Path]) -> None:
    """Make the folders of the files; ValueError where a folder is in a file's way."""
    # Now, and not when the video is made and would be lost.
    for file in files:
        if file.is_dir() or (not file.suffix and file.exists()):
            raise ValueError(f"{file} already exists; choose another name or delete it first.")
        file.parent.mkdir(parents=True, exist_ok=True)
