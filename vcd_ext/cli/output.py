"""The files that a subcommand writes: their formats, names, folders and sound."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vcd_ext.cli.terminal import notify
from vcd_ext.settings import FORMATS, FORWARD, FileSettings, VideoSettings, parse

if TYPE_CHECKING:
    from vcd_ext.media import Clip
    from vcd_ext.stages.pipeline import Outcome


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


def sound_for(source: "Clip | None", path: Path, video: VideoSettings) -> Path | None:
    """Return the input, if its sound goes with pictures at this rate and order; else None, and the person is told."""
    from vcd_ext.media import has_sound
    from vcd_ext.media.clip import exact_fps
    from vcd_ext.media.order import soundless

    if source is None or not has_sound(path):
        return None
    if video.loops.order != FORWARD:
        notify(soundless(video.loops.order))
        return None
    if exact_fps(video.fps) != source.fps:
        notify(f"The sound is left out, as it would not be in time at {video.fps:g} frames a second.")
        return None
    return path


def write_videos(
    made: "Outcome", files: Sequence[Path], settings: VideoSettings, heard: Path | None, weights: Sequence[Path]
) -> None:
    """Write the last video and, if wanted, those before it; print their files, and why there is no later one.

    heard: a video whose sound they get. weights: folders in which FILM may lie, which interpolates.
    """
    from vcd_ext.media.order import ordered
    from vcd_ext.media.output_files import kept
    from vcd_ext.stages.film import interpolator
    from vcd_ext.stages.interpolation import interpolated

    by = interpolator(settings.onward, weights, notify)
    for video in made.videos[::-1] if settings.save_stages else made.videos[-1:]:
        last, clip = video is made.videos[-1], ordered(video.clip, settings.loops.order)
        clip = interpolated(clip, settings.onward.interpolate, settings.loops.closed, by) if last else clip
        beside = [file if last else video.beside(file) for file in files]
        for file in kept(clip, beside, heard, notify, settings.files):
            print(file)
    if made.error:
        notify(made.error)
