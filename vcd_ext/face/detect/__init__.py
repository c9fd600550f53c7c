"""Finding faces, or what stands for them, in one frame at a time.

`BlazeFace` needs no download, `YuNet` a small file, `Words` (dog head) Grounding DINO. Another detector is a callable
from a frame to detections; its maker is given to `register_detector`, its name is in `vcd_ext.settings.DETECTORS`.
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from vcd_ext.face.detect import yunet
from vcd_ext.face.detect.blazeface import BlazeFace
from vcd_ext.face.detect.blazeface_video import BlazeFaceVideo
from vcd_ext.face.detect.detection import Detection, Detector
from vcd_ext.face.detect.registry import make, register_detector
from vcd_ext.face.detect.words import Words
from vcd_ext.face.detect.yunet import YuNet
from vcd_ext.settings import FaceSettings, SettingError

__all__ = ["BlazeFace", "BlazeFaceVideo", "Detection", "Detector", "Words", "YuNet", "detector", "register_detector"]


def detector(settings: FaceSettings, folders: Sequence[Path] = (), device: torch.device | str = "cpu") -> Detector:
    """Make the detector that the settings ask for; it is given the frames of one video in order.

    'auto' is that of the words, if there are any, else the best that is there.
    folders: where weights may lie, such as the WebUI's `models`. device: where Grounding DINO computes. ValueError, in
    one sentence, if something is missing.
    """
    name = _best(settings, folders) if settings.detector == "auto" else settings.detector
    return make(name, settings, folders, device)


def _best(settings: FaceSettings, folders: Sequence[Path]) -> str:
    if settings.words.strip():
        return "words"
    return "yunet" if yunet.yunet_file(folders) else "blazeface"


def _words(settings: FaceSettings, folders: Sequence[Path], device: torch.device | str) -> Detector:
    return Words.load(settings.words, folders, device)


def _yunet(_settings: FaceSettings, folders: Sequence[Path], _device: torch.device | str) -> Detector:
    file = yunet.yunet_file(folders)
    if file is None:
        raise SettingError(
            "detector",
            "There is no file of YuNet; put face_detection_yunet_2023mar.onnx into models/yunet, or choose blazeface.",
        )
    return YuNet(file)


def _blazeface(settings: FaceSettings, _folders: Sequence[Path], _device: torch.device | str) -> Detector:
    blazeface = BlazeFace(smallest=settings.min_face, thorough=settings.small_faces)
    if settings.small_faces:
        return blazeface
    return BlazeFaceVideo(blazeface)


register_detector("words", _words)
register_detector("yunet", _yunet)
register_detector("blazeface", _blazeface)
