"""Give the units of sd-webui-controlnet a picture for each frame of a video.

That extension makes hints of a batch of pictures for those who make videos, and hangs itself on the UNet's forward
function; it knows nothing of windows. So each of its units is given its video before it starts, and while the frames
are sampled it is given, before each call of the UNet, the hints of the frames in it. Its own functions stay.
Written for its commit 56cec5b.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from modules import errors
from numpy.typing import NDArray

from vcd_ext.denoising.frame_numbers import frames_told
from vcd_ext.hosts.shared.hint_video import HintVideo, KeyFrames, hint_video, key_frames, read_hints
from vcd_ext.hosts.webui.controlnet.hint_schedule import HintSchedule, check_type
from vcd_ext.hosts.webui.request.refused import Refused
from vcd_ext.hosts.webui.request.source_video import opened_source
from vcd_ext.settings import VideoSettings

CODE = "internal_controlnet.external_code"  # of the extension, once the WebUI has loaded it
KEYFRAME, MASK = "keyframe:", "mask:"  # lines below a folder in the tab Batch, as sd-webui-animatediff has them


class ControlUnits:
    """Hold the extension's script, the values that it is given in place of its own, and the units that have a video."""

    def __init__(self, script: Any, values: Sequence[Any], videos: "Sequence[tuple[int, Any, HintVideo]]"):
        self.script = script
        self.values = values  # of all scripts, for `p.script_args_value`
        self.videos = videos  # each unit's number, the unit as it is given to the extension, and its video
        self.schedules: list[HintSchedule] = []
        self._failed_before = errors.exception_records[-1:]

    @property
    def names(self) -> list[str]:
        """Return the names of the videos, each once."""
        return list(dict.fromkeys(video.name for _, _, video in self.videos))

    def check_started(self) -> None:
        """Raise Refused, in one sentence, unless the extension has made hints for all of them; called after it."""
        try:
            self.schedules = [self._schedule(number, unit, video) for number, unit, video in self.videos]
        except Refused:
            network, self.script.latest_network = self.script.latest_network, None
            if network is not None:
                network.restore()  # nobody tells the extension of the end
            raise

    @contextmanager
    def shown(self, unet: Any, frames: int) -> Iterator[None]:
        """Give each call of the UNet, within this context, the hints of the frames that it is called with."""

        def show(numbers: Sequence[int], latents: Any) -> None:
            for schedule in self.schedules:
                schedule.show(numbers, latents)

        try:
            with frames_told(unet, frames, show):
                yield
        finally:
            for schedule in self.schedules:
                schedule.put_back()

    def _schedule(self, number: int, unit: Any, video: HintVideo) -> HintSchedule:
        network, units = self.script.latest_network, list(self.script.enabled_units)
        known = [] if network is None else list(network.control_params or ())
        position = next((i for i, other in enumerate(units) if other is unit), None)
        if position is None or len(known) != len(units):
            raise Refused(f"sd-webui-controlnet did not start{self._reason()}; the WebUI's console has more of it.")
        check_type(number, unit, known[position], video)
        return HintSchedule(number, known[position], video)

    def _reason(self) -> str:
        last = errors.exception_records[-1:]
        return "" if not last or last == self._failed_before else f": {_sentence(last[0]['exception'])}"


def units_with_videos(p: Any, settings: VideoSettings, allowed: Sequence[Path]) -> ControlUnits | None:
    """Find the units of `p` that are to guide each frame by a picture of its own; None if there are none.

    allowed: folders that may be read. Refused, in one sentence, for what cannot be done.
    """
    script = next(
        (s for s in getattr(p.scripts, "alwayson_scripts", ()) if str(s.title()).lower() == "controlnet"), None
    )
    code: Any = sys.modules.get(CODE)
    found: list[tuple[int, Any, HintVideo]] = []
    values, finder = list(p.script_args), None
    if script is not None and script.args_from is not None and code is not None:
        finder = _Finder(p, settings, allowed)
        for number, place in enumerate(range(script.args_from, script.args_to)):
            unit = _enabled(values[place], number, code)
            video = None if unit is None else finder.video(number, unit)
            if video is not None:
                values[place] = _in_batch(unit, video, finder.resize_mode(unit))
                found.append((number, values[place], video))
    if settings.control.control_video and (finder is None or finder.section is None):
        raise Refused(
            "control_video is given, and no unit of sd-webui-controlnet takes it: turn one on that has no picture of "
            "its own, or take the video out."
        )
    return ControlUnits(script, type(p.script_args)(values), found) if found else None


class _Finder:
    """Find the video of each unit."""

    def __init__(self, p: Any, settings: VideoSettings, allowed: Sequence[Path]):
        self.p, self.settings, self.allowed = p, settings, allowed
        self.section: HintVideo | None = None  # of the section VCD, once a unit has taken it

    def video(self, number: int, unit: Any) -> HintVideo | None:
        """Return the video of a unit; None for one that has a picture for all frames."""
        try:
            path, keys = self._batch(number, unit)
            if path:
                _check_many(number, unit)
                return self._read(path, keys)
            if not _lacks_picture(unit):
                return None
            return self._without_picture(number, unit)
        except (OSError, ValueError, ImportError, MemoryError) as error:
            raise Refused(f"ControlNet unit {number}: {error}") from error

    def resize_mode(self, unit: Any) -> Any:
        """Return how the unit's pictures come to the size of the frames; init images come as the WebUI's own do."""
        if self.settings.control.control_video or _batch_lines(unit) or not hasattr(self.p, "init_images"):
            return unit.resize_mode
        modes: Any = type(unit.resize_mode)
        return list(modes)[self.p.resize_mode % len(modes)]  # the WebUI's last mode, on latents, squeezes as its first

    def _batch(self, number: int, unit: Any) -> tuple[str, KeyFrames]:
        """Return the folder or file of a unit's tab Batch, "" if that is not in use, and its key frames."""
        path, *more = _batch_lines(unit) or [""]
        keys = self.settings.control.control_frames
        for line in (line.strip() for line in more):
            if line.startswith(MASK):
                raise ValueError(f"'{line}' is in its folder's lines; VCD gives hints without masks, so take it out.")
            if line.startswith(KEYFRAME):
                keys = line.removeprefix(KEYFRAME)
        return path.strip(), key_frames(keys, self.settings.control.control_reach, self.settings.frames)

    def _without_picture(self, number: int, unit: Any) -> HintVideo | None:
        frames = getattr(self.p, "init_images", None)
        if _takes_one(unit):
            return None
        _, keys = self._batch(number, unit)
        if self.settings.control.control_video:
            if self.section is None:
                self.section = self._read(self.settings.control.control_video, keys)
            return self.section
        if frames is None:
            raise ValueError(
                "it is on and has no picture; give it one, a folder or a video in its tab 'Batch', or VCD's section a "
                "ControlNet video."
            )
        if len({id(frame) for frame in frames}) < 2:
            return None  # the one init image is what the extension takes by itself
        return hint_video("the init images", _pixels(frames), self.settings.frames, keys)

    def _read(self, path: str, keys: KeyFrames) -> HintVideo:
        with opened_source(path, self.allowed) as (file, name):
            return read_hints(file, name, self.settings.frames, keys, lambda _: None)


def _enabled(value: Any, number: int, code: Any) -> Any:
    """Return the unit that a value of the extension's script is, if it is on; else None."""
    on = value.get("enabled", False) if isinstance(value, dict) else getattr(value, "enabled", False)
    if not on:
        return None
    try:
        return code.to_processing_unit(value)
    except Exception as error:  # the extension checks units in several ways
        raise Refused(f"ControlNet unit {number} cannot be read: {_sentence(str(error))}.") from error


def _in_batch(unit: Any, video: HintVideo, resize_mode: Any) -> Any:
    """Return a copy of a unit that takes the video's pictures, by the way that the extension has for animations."""
    return unit.copy(
        update={
            "animatediff_batch": True,
            # It lists a folder, which must exist, and then lets others change the list.
            "batch_images": str(Path(__file__).parent),
            "batch_modifiers": [lambda _files, _p: list(video.pictures)],
            "input_mode": type(unit.input_mode)["SIMPLE"],
            "image": None,
            "mask": None,
            "resize_mode": resize_mode,
            "save_detected_map": False,  # else each of them is among the frames in the gallery
        }
    )


def _batch_lines(unit: Any) -> list[str]:
    """Return what stands in a unit's tab Batch, where that is in use."""
    text = unit.batch_images if unit.input_mode.name == "BATCH" else None
    return text.strip().split("\n") if isinstance(text, str) and text.strip() else []


def _lacks_picture(unit: Any) -> bool:
    return unit.input_mode.name == "BATCH" or (unit.image is None and unit.ipadapter_input is None)


def _takes_one(unit: Any) -> bool:
    """Return whether a unit takes a picture of its own for all frames, or a mask with it."""
    return bool(unit.is_inpaint or unit.uses_clip or unit.is_ipadapter)


def _check_many(number: int, unit: Any) -> None:
    if _takes_one(unit):
        raise ValueError(f"its preprocessor {unit.module} takes one picture for the whole video; give it one.")


def _pixels(frames: Sequence[Any]) -> NDArray[np.uint8]:
    """Return pictures as uint8 [F, H, W, 3]; ValueError if they are not of one size."""
    sizes = {frame.size for frame in frames}
    if len(sizes) > 1:
        raise ValueError(f"the init images have {len(sizes)} sizes; give all of them one, or it a picture of its own.")
    return np.stack([np.asarray(frame.convert("RGB")) for frame in frames])


def _sentence(text: str) -> str:
    return " ".join(str(text).split())[:200].rstrip(".") or "no reason was given"
