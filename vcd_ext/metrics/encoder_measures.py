"""Measures by CLIP and DINO: the paper's five (arXiv 2402.09368 v1, section 5.1, tables 1 and 2), and their kin.

The paper does not say which CLIP; DreamBooth's is ViT-B/32. ViT-L/14's are measures of their own, by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from vcd_ext.metrics import clip, dino
from vcd_ext.metrics.clip import ClipEncoder, ClipKind, Vectors
from vcd_ext.metrics.cosine import mean_cosine, neighbour_cosine, pairs_cosine
from vcd_ext.metrics.dino import DinoEncoder
from vcd_ext.metrics.encoded import EncodedPictures, PictureEncoder, shared_encoder
from vcd_ext.metrics.encoder_file import EncoderFile, find_encoder, missing_encoder
from vcd_ext.metrics.registry import Compute, Frames, Measure, MeasureContext, register_measure

Load = Callable[[Path, torch.device | str], PictureEncoder]


def subject_likeness(encoder: EncodedPictures) -> Compute:
    """Make CLIP-I or DINO: mean over frames and photos of the cosine between them; NaN without photos."""

    def compute(frames: Frames, context: MeasureContext) -> float:
        return mean_cosine(encoder.video(frames), encoder.photos(context.photos)) if context.photos else np.nan

    return compute


def text_likeness(encoder: EncodedPictures, text_vector: Callable[[str], Vectors]) -> Compute:
    """Make CLIP-T: mean over frames of their cosine with `MeasureContext.text`; NaN for a prompt without text.

    It is not times 100, nor 0 where it is below, as CLIPScore is (arXiv 2104.08718).
    """

    def compute(frames: Frames, context: MeasureContext) -> float:
        return mean_cosine(encoder.video(frames), text_vector(context.text)[None]) if context.text else np.nan

    return compute


def temporal_consistency(encoder: EncodedPictures, formula: Callable[[Vectors], float]) -> Compute:
    """Make a consistency between the frames of one video. It is 1 for a still one: look at the motion as well."""
    return lambda frames, _: formula(encoder.video(frames))


def register_pictures(name: str, label: str, file: EncoderFile, load: Load, likeness: str) -> None:
    """Register an encoder's likeness (under the name `likeness`) and its two temporal consistencies.

    name, label: of the encoder, "dino" and "DINO".
    """

    def register(
        measure: str, shown: str, make: Callable[[EncodedPictures], Compute], photos: bool, fewest: int
    ) -> None:
        register_measure(
            Measure(
                measure, shown, lambda folders, device: make(_encoder(file, load, folders, device)),
                missing=partial(missing_encoder, file), of_photos=photos, fewest=fewest,
            )
        )  # fmt: skip

    register(likeness, label, subject_likeness, True, 1)
    for ending, words, formula in (("", "temporal", neighbour_cosine), ("_pairs", "temporal, all pairs", pairs_cosine)):
        register(
            f"{name}_temporal{ending}", f"{label} {words}", partial(temporal_consistency, formula=formula), False, 2
        )


def register_text(name: str, label: str, kind: ClipKind) -> None:
    """Register CLIP-T of one kind of CLIP."""

    def load(folders: Sequence[Path], device: torch.device | str) -> Compute:
        shared = _encoder(kind.file, partial(ClipEncoder.load, kind), folders, device)
        assert isinstance(shared.encoder, ClipEncoder)
        return text_likeness(shared, shared.encoder.text)

    register_measure(Measure(name, label, load, missing=partial(missing_encoder, kind.file)))


def _encoder(file: EncoderFile, load: Load, folders: Sequence[Path], device: torch.device | str) -> EncodedPictures:
    path = find_encoder(file, folders)
    if path is None:
        raise ValueError(missing_encoder(file, folders))
    return shared_encoder(load, path, device)


register_pictures("dino", "DINO", dino.FILE, DinoEncoder.load, "dino")
register_pictures("clip", "CLIP-I", clip.B32.file, partial(ClipEncoder.load, clip.B32), "clip_i")
register_text("clip_t", "CLIP-T", clip.B32)
register_pictures("clip_l14", "CLIP-I (L/14)", clip.L14.file, partial(ClipEncoder.load, clip.L14), "clip_i_l14")
register_text("clip_t_l14", "CLIP-T (L/14)", clip.L14)
