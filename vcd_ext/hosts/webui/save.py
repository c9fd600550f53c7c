"""Write videos into the WebUI's output folder, named by its filename patterns."""

import base64
import copy
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from modules import devices, images, shared, ui_tempdir
from PIL import Image

from vcd_ext import media
from vcd_ext.hosts.webui.library.folders import film_folders
from vcd_ext.hosts.webui.request.read import delivery
from vcd_ext.media import output_files
from vcd_ext.media.names import cut_all
from vcd_ext.media.order import ordered, soundless
from vcd_ext.media.originals import ORIGINALS
from vcd_ext.media.output_files import MIME
from vcd_ext.settings import AUTO_FORMAT, FORWARD, FileSettings, VideoSettings
from vcd_ext.stages import film
from vcd_ext.stages.given_frames import GivenFrames
from vcd_ext.stages.interpolation import interpolated
from vcd_ext.stages.pipeline import Finished


class _Sound(NamedTuple):
    """Name a video whose sound the files get, from which second of it on, and who is told if it cannot be read."""

    source: Path | None
    start: Fraction | int
    note: Callable[[str], None]


@dataclass
class Written:
    """Hold what became of a run's videos."""

    described: list[dict[str, str]] = field(default_factory=list)  # the files, as page and API are told of them
    lines: list[str] = field(default_factory=list)  # sentences for the page
    failures: list[str] = field(default_factory=list)  # those of them that tell what was not written


def save_videos(
    p: Any,
    frames: Sequence[Image.Image],
    processed: Any,
    settings: VideoSettings,
    earlier: Mapping[int, Sequence[Finished]],
    sound_source: Path | None = None,
    start: Fraction | int = 0,
    given: GivenFrames | None = None,
) -> Written:
    """Write the videos of a run, whose frames came out one after the other, in each of the formats.

    The frames themselves ('png') are saved by the WebUI as pictures. earlier: by a video's number, those of the stages
    before it, which are written beside it, the last first. sound_source: a video whose sound they get, from the second
    `start` on. given: frames that were known; a video that was gone on with comes first.
    """
    result, length = Written(), settings.frames
    if not any(delivery(p)):
        return result
    if sound_source is not None and settings.loops.order != FORWARD:
        result.lines.append(f"VCD: {soundless(settings.loops.order)}")
        sound_source = None
    sound = _Sound(sound_source, start, result.lines.append)
    for number, begin in enumerate(range(0, len(frames) - length + 1, length)):
        infotext = processed.infotexts[processed.index_of_first_image + begin]
        try:
            with _folder(p) as folder:
                chosen = frames[begin : begin + length]
                for path, stage in _saved(p, folder, number, chosen, infotext, settings, earlier, sound, given):
                    if path.is_dir():
                        result.lines.append(f"VCD frames: {path}")
                        continue
                    if folder is None:
                        result.lines.append(f"VCD video: {path}")
                    result.described.append(file_entry(p, path) | ({"stage": stage} if stage else {}))
        except (OSError, ValueError, ImportError) as error:
            result.failures.append(f"VCD: a video was not written; its frames are in the gallery. {error}")
    result.lines += result.failures
    return result


@contextmanager
def _folder(p: Any) -> Iterator[Path | None]:
    """Lend a folder for files that are sent and not kept; None for those that belong into the output folder."""
    if delivery(p).save:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="vcd") as scratch:
        yield Path(scratch)


def _saved(
    p: Any,
    folder: Path | None,
    number: int,
    frames: Sequence[Image.Image],
    infotext: str,
    settings: VideoSettings,
    earlier: Mapping[int, Sequence[Finished]],
    sound: _Sound,
    given: GivenFrames | None,
) -> Iterator[tuple[Path, str]]:
    """Write a video and those of the stages before it; yield each file once it is there, with the name of its stage.

    OSError, ValueError or ImportError in one sentence if a file cannot be written.
    """
    formats = [suffix for suffix in settings.formats if suffix != "png"]
    if own_frames(settings) and folder is None:  # the answer has the frames, so they are not sent in a folder as well
        formats.append("png")
    if not formats:
        return
    stacked = np.stack([np.asarray(frame.convert("RGB")) for frame in frames])
    stem = _stem(p, number, frames[0], settings.files.subfolder)
    if folder is not None:
        stem = folder / stem.name
    files = output_files.targets(stem, formats)
    loops, last = settings.loops, media.Clip(stacked, settings.fps)
    made = ordered(last if given is None else given.finished(last), loops.order)
    by = film.interpolator(settings.onward, film_folders(), sound.note, devices.device)
    last = interpolated(made, settings.onward.interpolate, loops.closed, by)
    yield from ((path, "") for path in _written(files, last, settings.files, infotext, sound))
    for stage in reversed(earlier.get(number, ())):
        others = [stage.beside(path) for path in files]
        text = stage.clip.metadata.get("parameters", "")
        before = ordered(media.Clip(stage.clip.frames, settings.fps), loops.order)
        yield from ((path, stage.title) for path in _written(others, before, settings.files, text, sound))


def own_frames(settings: VideoSettings) -> bool:
    """Return whether frames are written as a folder for each video, and not by the WebUI among its other pictures."""
    return "png" in settings.formats and (settings.files.frame_format != AUTO_FORMAT or bool(settings.files.subfolder))


def file_entry(p: Any, path: Path) -> dict[str, str]:
    """Describe a file as page and API are told of it; the API gets it whole, and no path of one that is not kept."""
    save, send = delivery(p)
    entry = {"path": str(path)} if save else {"name": path.name}
    entry["mime"] = MIME[path.suffix]
    if send and getattr(p, "is_api", False):
        entry["base64"] = base64.b64encode(path.read_bytes()).decode("ascii")
    return entry


def _written(
    files: Sequence[Path], made: media.Clip, settings: FileSettings, infotext: str, sound: _Sound
) -> Iterator[Path]:
    """Write a video in each of its formats; yield each file once it is there."""
    clip = replace(made, metadata={"parameters": infotext} if shared.opts.enable_pnginfo else {})
    written = list[Path]()
    for file in files:
        heard = replace(clip, start=Fraction(sound.start))
        for path in output_files.write(heard, file, sound.source, sound.note, settings):
            if shared.demo is not None:
                # Lets the page play it if the person's output folder lies outside the WebUI's.
                ui_tempdir.register_tmp_file(shared.demo, str(path))
            written.append(path)
            yield path
    if shared.opts.save_txt or settings.text_file:
        output_files.write_infotext(written, infotext, sound.note)
    if not output_files.is_divided(clip, settings):
        ORIGINALS.keep(written, clip)


def _stem(p: Any, number: int, image: Image.Image, subfolder: str) -> Path:
    """Return folder and name without suffix, as `images.save_image` makes them for a single picture of this seed.

    subfolder: in place of the WebUI's own ones.
    """
    first = number * p.batch_size
    single = copy.copy(p)  # one file for the whole batch, so no [batch_number] in its name
    single.batch_size, single.iteration, single.batch_index = 1, number, 0
    namer = images.FilenameGenerator(single, p.all_seeds[first], p.all_prompts[first], image)
    folder = Path(p.outpath_samples)
    if subfolder:
        parts = (namer.apply(part).strip(" .") for part in subfolder.split("/"))
        folder = output_files.subfolder_of(folder, "/".join(filter(None, parts)))
    elif shared.opts.save_to_dirs:
        pattern = shared.opts.directories_filename_pattern or "[prompt_words]"
        folder = cut_all(folder / namer.apply(pattern).lstrip(" ").rstrip("\\ /"))
    pattern = "[seed]" if shared.opts.save_to_dirs else "[seed]-[prompt_spaces]"
    name = namer.apply(shared.opts.samples_filename_pattern or pattern)
    if not name or shared.opts.save_images_add_number:
        counter = images.get_next_sequence_number(str(folder), "") if folder.is_dir() else 0
        return cut_all(folder / "-".join(filter(None, [f"{counter:05}", name])))
    return _unused(cut_all(folder / name))


def _unused(stem: Path) -> Path:
    """Return the stem, with -1, -2, ... if a file of that name exists and the person does not want it replaced."""
    candidate, count = stem, 0
    while shared.opts.save_images_replace_action != "Replace" and any(
        candidate.with_name(f"{candidate.name}{suffix}").exists() for suffix in (".mp4", ".webm", ".gif", ".webp", "")
    ):
        count += 1
        candidate = stem.with_name(f"{stem.name}-{count}")
    return candidate
