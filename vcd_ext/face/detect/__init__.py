"""Finding faces, or what stands for them, in one frame at a time.

`BlazeFace` needs no download, `YuNet` a small file, `Words` (dog head) Grounding DINO; `Drawn` is for the drawn world.
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from vcd_ext.face.detect import yunet
from vcd_ext.face.detect.blazeface import BlazeFace
from vcd_ext.face.detect.detection import Detection, Detector
from vcd_ext.face.detect.drawn import Drawn
from vcd_ext.face.detect.following import Following
from vcd_ext.face.detect.words import Words
from vcd_ext.face.detect.yunet import YuNet
from vcd_ext.settings import FaceSettings, SettingError

__all__ = ["BlazeFace", "Detection", "Detector", "Drawn", "Following", "Words", "YuNet", "detector"]


def detector(settings: FaceSettings, folders: Sequence[Path] = (), device: torch.device | str = "cpu") -> Detector:
    """The detector that the settings ask for; it is given the frames of one video in order.

    'auto' is that of the words, if there are any, else the best that is there.
    folders: where weights may lie, such as the WebUI's `models`. device: where Grounding DINO computes. ValueError, in
    one sentence, if something is missing.
    """
    kind = settings.detector
    if kind == "words" or (kind == "auto" and settings.words.strip()):
        return Words.load(settings.words, folders, device)
    if kind == "drawn":
        return Drawn()
    file = yunet.weights(folders) if kind in ("auto", "yunet") else None
    if file:
        return YuNet(file)
    if kind == "yunet":
        raise SettingError(
            "detector",
            "There is no file of YuNet; put face_detection_yunet_2023mar.onnx into models/yunet, or choose blazeface.",
        )
    blazeface = BlazeFace(smallest=settings.min_face, thorough=settings.small_faces)
    if settings.small_faces:
        return blazeface
    return Following(blazeface)
