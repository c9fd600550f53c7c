"""Tiled VCD: enlarge, denoise in tiles as one video, keep the source's colours (arXiv 2402.09368 v1, section 4.3)."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from vcd_ext.denoising.out_of_memory import explained, first_that_fits
from vcd_ext.hosts.protocols import FACTOR, Interrupted, Picture, VideoHost
from vcd_ext.media.clip import check_frames
from vcd_ext.people import RegionalTexts, Regions
from vcd_ext.progress import Report, steps
from vcd_ext.settings import AUTO, SettingError, TiledSettings, parse, with_drawn_seed
from vcd_ext.storage.disk_array import allocate
from vcd_ext.tiled.colours import with_low_frequencies
from vcd_ext.tiled.upscaled_frames import SCALE, UpscaledFrames
from vcd_ext.tiled.video_pass import Boxes, attempts, video_pass

PAINTING = "Enlarging and painting"


def upscale(
    host: VideoHost,
    frames: NDArray[np.uint8],
    settings: TiledSettings,
    progress: Report | None = None,
    *,
    boxes: Boxes | None = None,
    regions: Regions | None = None,
    interrupted: Callable[[], bool] | None = None,
    note: Callable[[str], None] | None = None,
) -> NDArray[np.uint8]:
    """Enlarge a video to twice its width and height, with detail from the checkpoint: uint8 [F, 2H, 2W, 3].

    frames: uint8 [F, H, W, 3]. progress: told the steps of the stage PAINTING, which begins anew when the memory was
    too small. boxes: where the subject is, [F, N, 4] in pixels of the frames as left, top, right, bottom, NaN for none;
    tiles without it have the prompt `settings.elsewhere`. None, or no box in any frame: it may be everywhere.
    regions: of the people of `settings.people`, where they are known better than by their lines.
    interrupted: asked at every frame and step; then only the frames that are finished come back, [0, 2H, 2W, 3] if
    none is. note: given sentences for the person, as they become true.

    Where the memory is too small, shorter windows and then smaller tiles are tried. Frames that need more than 1 GiB
    lie on the disk, also those that come back. ValueError, in one sentence, for frames, boxes or settings that cannot
    work, and if the memory is too small for everything; OSError for a full disk.
    """
    stop, tell = interrupted or (lambda: False), note or (lambda _: None)
    settings = with_upscaler(host, checked(settings))
    check_frames(frames)
    _check_boxes(boxes, len(frames))
    settings = with_drawn_seed(with_controlnet(host, settings, tell))
    run = _Upscaling(host, UpscaledFrames(host, frames, settings.upscaler, stop), boxes, regions, progress, stop)
    if boxes is not None and np.isnan(boxes).all():
        tell("The subject was found in no frame; its name is used everywhere.")
    tried = attempts(settings, len(frames), max(run.upscaled.canvas))
    with explained(lambda: _too_small(run.upscaled, tried[-1])):
        first_that_fits(
            tried, run.make, lambda less: tell(f"The memory was too small; it goes on with {_sizes(less)}.")
        )
    if run.done < len(frames):
        tell(f"Stopped: {run.done} of {len(frames)} frames are finished.")
    return run.finished[: run.done]


class _Upscaling:
    """Make one video: the first `done` frames of `finished` are."""

    def __init__(
        self,
        host: VideoHost,
        upscaled: UpscaledFrames,
        boxes: Boxes | None,
        regions: Regions | None,
        progress: Report | None,
        interrupted: Callable[[], bool],
    ):
        self.host, self.upscaled = host, upscaled
        self.boxes, self.regions = None if boxes is None else SCALE * boxes, regions
        self.progress, self.interrupted = progress, interrupted
        self.finished: NDArray[np.uint8] = allocate((len(upscaled), *upscaled.size, 3), np.uint8)
        self.done = 0

    def make(self, settings: TiledSettings) -> None:
        """Make the video, or as much of it as the person wants."""
        height, width = self.upscaled.size
        self.done = 0
        with ExitStack() as stack:
            try:
                pictures = self._denoised(settings)
                if isinstance(pictures, Generator):
                    stack.callback(pictures.close)  # the host takes its model back now, whatever happens
                for i, picture in enumerate(pictures):
                    coloured = with_low_frequencies(picture, self.upscaled[i], settings.keep_colours)
                    self.finished[i] = np.rint(coloured[:height, :width].clip(0, 1) * 255)
                    self.done = i + 1
                    if self.interrupted():
                        return
            except Interrupted:
                return

    def _denoised(self, settings: TiledSettings) -> Iterator[Picture]:
        """Yield the upscaled frames, denoised in windows and tiles."""
        work = video_pass(settings, self.upscaled.canvas, self.boxes, self.regions)
        report = steps(self.progress, PAINTING)
        return self.host.denoise(self.upscaled, replace(work, progress=report, interrupted=self.interrupted))


def checked(settings: TiledSettings) -> TiledSettings:
    """Check the settings and return them; SettingError for those that no host can work with."""
    settings = parse(TiledSettings, asdict(settings))
    sizes = {"tile_overlap": ("tiles", settings.tile), "context_overlap": ("windows", settings.context)}
    for key, (what, size) in sizes.items():
        if (overlap := getattr(settings, key)) >= size:
            raise SettingError(
                key, f"{key} is {overlap}, which is no less than the {what} themselves, {size}; use {size // 4}."
            )
    try:
        RegionalTexts.of(settings.several)
    except ValueError as error:
        raise SettingError("people", str(error)) from error
    for key in ("tile", "tile_overlap"):
        if (pixels := getattr(settings, key)) % FACTOR:
            raise SettingError(
                key, f"{key} is {pixels}; it must be a multiple of {FACTOR}, use {pixels // FACTOR * FACTOR}."
            )
    return settings


def with_upscaler(host: VideoHost, settings: TiledSettings) -> TiledSettings:
    """Return the settings with an upscaler's name; SettingError if it is not there."""
    names = host.upscalers()
    upscaler = settings.upscaler or names[0]
    if upscaler not in names:
        raise SettingError("upscaler", f"There is no upscaler {upscaler}; choose one of {', '.join(names)}.")
    return replace(settings, upscaler=upscaler)


def with_controlnet(host: VideoHost, settings: TiledSettings, note: Callable[[str], None]) -> TiledSettings:
    """Return the settings with the name of the ControlNet that 'auto' stands for; 'none' where there is none."""
    if settings.controlnet != AUTO:
        return settings
    return replace(settings, controlnet=host.controlnet(note))


def _check_boxes(boxes: Boxes | None, frames: int) -> None:
    if boxes is not None and (boxes.ndim != 3 or boxes.shape[0] != frames or boxes.shape[2] != 4):
        raise ValueError(
            f"The subject's boxes have the shape {list(boxes.shape)}; for this video it must be [{frames}, boxes, 4]: "
            "left, top, right and bottom."
        )


def _sizes(settings: TiledSettings) -> str:
    return f"windows of {settings.context} frames and tiles of {settings.tile}"


def _too_small(upscaled: UpscaledFrames, settings: TiledSettings) -> str:
    height, width = upscaled.size
    return (
        f"The memory is too small for {width}x{height}, even with {_sizes(settings)}; close other programs, load the "
        "checkpoint in half precision or use a smaller video."
    )
