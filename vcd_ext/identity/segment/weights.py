"""The weights of Grounding DINO and SAM: which files are known, where they may lie, and where they come from.

Sizes and SHA-256 are those that projects which pin these files document; all of them agree.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vcd_ext.storage.download import WeightFile

_DINO = "https://github.com/IDEA-Research/GroundingDINO/releases/download"
_SAM = "https://dl.fbaipublicfiles.com/segment_anything"


SWIN_B = WeightFile(
    "groundingdino_swinb_cogcoor.pth",
    "grounding-dino",
    938_057_991,
    "46270f7a822e6906b655b729c90613e48929d0f2bb8b9b76fd10a856f3ac6ab7",
    f"{_DINO}/v0.1.0-alpha2/groundingdino_swinb_cogcoor.pth",
)
SWIN_T = WeightFile(
    "groundingdino_swint_ogc.pth",
    "grounding-dino",
    693_997_677,
    "3b3ca2563c77c69f651d7bd133e97139c186df06231157a64c507099c52bc799",
    f"{_DINO}/v0.1.0-alpha/groundingdino_swint_ogc.pth",
)
VIT_H = WeightFile(
    "sam_vit_h_4b8939.pth",
    "sam",
    2_564_550_879,
    "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
    f"{_SAM}/sam_vit_h_4b8939.pth",
)
VIT_L = WeightFile(
    "sam_vit_l_0b3195.pth",
    "sam",
    1_249_524_607,
    "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
    f"{_SAM}/sam_vit_l_0b3195.pth",
)
VIT_B = WeightFile(
    "sam_vit_b_01ec64.pth",
    "sam",
    375_042_383,
    "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
    f"{_SAM}/sam_vit_b_01ec64.pth",
)
VOCABULARY = WeightFile(
    "vocab.txt",
    "bert-base-uncased",
    231_508,
    "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    "https://huggingface.co/IDEA-Research/grounding-dino-tiny/resolve/main/vocab.txt",
)

# Best first. The paper's own are the first of each.
DINO = (SWIN_B, SWIN_T)
SAM = (VIT_H, VIT_L, VIT_B)
SMALL = (SWIN_T, VIT_B, VOCABULARY)  # 1.1 GB: what is downloaded unless the person chooses otherwise
HUB_NAMES = ("bert-base-uncased", "google-bert/bert-base-uncased")
# Where sd-webui-segment-anything keeps them, in the WebUI's folder.
SEGMENT_ANYTHING = "extensions/sd-webui-segment-anything/models"


class Found(NamedTuple):
    """Paths of all that `GroundedSam.load` needs, in the order of its parameters."""

    dino: Path
    sam: Path
    vocabulary: Path


def find_weights(file: WeightFile, folders: Sequence[Path]) -> Path | None:
    """Find a complete file, judged by its size, in one of the folders or in the file's own folder within one.

    folders: the WebUI's `models`, for example; sd-webui-segment-anything's folder in that WebUI is looked into too.
    """
    for folder in [*folders, *(folder.parent / SEGMENT_ANYTHING for folder in folders)]:
        for path in (folder / file.name, folder / file.folder / file.name):
            if path.is_file() and path.stat().st_size == file.size:
                return path
    return None


def find_all(folders: Sequence[Path]) -> Found | None:
    """Find the best weights that are there, or None if a part is missing; `absent` says which."""
    dino, sam = (next(filter(None, (find_weights(file, folders) for file in kind)), None) for kind in (DINO, SAM))
    vocabulary = find_vocabulary(folders)
    return Found(dino, sam, vocabulary) if dino and sam and vocabulary else None


def find_vocabulary(folders: Sequence[Path]) -> Path | None:
    """Find BERT's list of words, in one of the folders or where the WebUI's interrogator (BLIP) keeps it."""
    return find_weights(VOCABULARY, folders) or next(filter(None, map(_in_the_hubs_cache, HUB_NAMES)), None)


def absent(folders: Sequence[Path]) -> list[WeightFile]:
    """List what has to be downloaded before `find_all` finds everything: the smallest of each kind."""
    dino, sam, vocabulary = SMALL
    needed = [
        file for file, kind in ((dino, DINO), (sam, SAM)) if not any(find_weights(known, folders) for known in kind)
    ]
    return needed if find_vocabulary(folders) else [*needed, vocabulary]


def _in_the_hubs_cache(name: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache  # here, because importing it takes a while

    cached = try_to_load_from_cache(name, VOCABULARY.name)
    return Path(cached) if isinstance(cached, str) and Path(cached).stat().st_size == VOCABULARY.size else None
