"""LoRAs without the WebUI: `<lora:name:0.8>` in the prompt, and motion LoRAs by the setting as well."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from torch import nn

from vcd_ext.denoising import lora
from vcd_ext.denoising.unet import device_of, dtype_of
from vcd_ext.motion import MotionLora, is_motion_lora, load_lora
from vcd_ext.prompt.networks import Called, called_loras
from vcd_ext.prompt.travel import travels
from vcd_ext.settings import NO_MODULE, SettingError, VideoSettings
from vcd_ext.storage import walk


def lora_files(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the files in folders, and those that are named themselves, by the names that prompts know them by.

    ValueError for one that is not there.
    """
    files: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise ValueError(f"There is no LoRA at {path}; check the folder and the name.")
        inside = sorted(file for file in walk.files(path) if file.suffix.lower() in lora.SUFFIXES)
        for file in inside if path.is_dir() else [path]:
            files.setdefault(file.stem, file)
    return files


def asked(known: Mapping[str, Path], prompt: str, video: VideoSettings) -> tuple[tuple[str, float], ...]:
    """Return the files of the motion LoRAs of a video, with their weights; ValueError for a weight that is none.

    known: the LoRAs that prompts may ask for. The setting may be the name of one, or the path of a file.
    """
    calls = [call for call in _calls(known, prompt) if is_motion_lora(known[call.name])]
    if video.motion_lora != NO_MODULE:
        calls.append(Called(video.motion_lora, video.motion_lora_weight, 0.0))
    return tuple((str(known.get(call.name, call.name)), call.weight) for call in calls)


def _calls(known: Mapping[str, Path], prompt: str) -> Sequence[Called]:
    """Return the LoRAs that a prompt asks for; one that stands at several key frames counts once, as first said."""
    calls = called_loras(prompt, known)
    if not travels(prompt):
        return calls
    return list({call.name: call for call in calls[::-1]}.values())[::-1]


def loaded(files: Sequence[tuple[str, float]]) -> list[MotionLora]:
    """Read motion LoRAs, with their weights; ValueError says what is wrong with a file."""
    return [load_lora(path).weighted(weight) for path, weight in files]


def chosen_motion_loras(known: Mapping[str, Path], prompt: str, video: VideoSettings, moves: bool) -> list[MotionLora]:
    """Return the motion LoRAs of a video; SettingError if nothing moves that they could change. See `asked`."""
    files = asked(known, prompt, video)
    if files and not moves:
        raise SettingError(
            "motion_lora",
            f"{Path(files[0][0]).stem} is a motion LoRA, which changes a motion module, and there is none; give one "
            "with --motion-module, or leave the motion LoRA out.",
        )
    return loaded(files)


class Prompted:
    """The ordinary LoRAs that prompts ask for, on one UNet and text encoder; the last prompt's are kept."""

    def __init__(self, unet: nn.Module, text_encoder: nn.Module):
        self.unet, self.text_encoder = unet, text_encoder
        self._kept: tuple[tuple[Called, ...], list[lora.Lora]] = ((), [])

    def of(self, known: Mapping[str, Path], prompt: str) -> list[lora.Lora]:
        """Return those of a prompt; ValueError, in one sentence, for a file that cannot be used."""
        calls = tuple(call for call in _calls(known, prompt) if not is_motion_lora(known[call.name]))
        if calls != self._kept[0]:
            made = [part for call in calls for part in _parts(lora.load(known[call.name]), call)]
            lora.check_lora_fits(made, lora.layers(self.unet, self.text_encoder))
            self._kept = calls, lora.same_precision(made, device_of(self.unet), dtype_of(self.unet))
        return self._kept[1]

    @contextmanager
    def attached(self, known: Mapping[str, Path], prompt: str) -> Iterator[None]:
        """Let the LoRAs of a prompt change UNet and text encoder within this context."""
        made = self.of(known, prompt)
        with lora.lora_attached(lora.layers(self.unet, self.text_encoder) if made else {}, made):
            yield


def _parts(read: lora.Lora, call: Called) -> Iterator[lora.Lora]:
    """Yield what a LoRA changes of the UNet, and of the text encoder, each with its weight."""
    for of_text, weight in ((False, call.weight), (True, call.text_weight)):
        inside = {name: change for name, change in read.changes.items() if name.startswith(lora.OF_TEXT) == of_text}
        yield lora.Lora(read.name, inside, weight)
