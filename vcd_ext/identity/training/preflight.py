"""What is refused, corrected or warned of before a training begins."""

import random
from collections.abc import Sequence
from dataclasses import asdict, replace

from vcd_ext.hosts.protocols import FACTOR, TrainingHost
from vcd_ext.identity.naming import check_class_word, check_name
from vcd_ext.identity.photos.photo import ONE, Photo
from vcd_ext.identity.training.snapshots import snapshot_names
from vcd_ext.settings import SettingError, TrainSettings, parse


def checked_settings(settings: TrainSettings, host: TrainingHost) -> TrainSettings:
    """Return the settings if an identity can be trained with them; SettingError names the first that cannot be."""
    settings = parse(TrainSettings, asdict(settings))
    if settings.size % FACTOR:
        nearest = max(round(settings.size / 64), 1) * 64
        raise SettingError("size", f"size is {settings.size}; it must be a multiple of {FACTOR}, best {nearest}.")
    snapshot_names(settings)  # not too many
    class_word = check_class_word(settings.class_word, check_name(settings.name, host.tokens))
    return replace(settings, class_word=class_word)


def usable_photos(photos: Sequence[Photo], settings: TrainSettings) -> tuple[list[Photo], list[str]]:
    """Return the photos to learn from, and sentences about the others; without masks if these are not to be used.

    ValueError where no photo is left.
    """
    if not photos:
        raise ValueError("There are no photos; give 5 to 10 pictures of what is to be learned.")
    if not settings.masked:
        photos = [replace(photo, mask=None, mask_source="") for photo in photos]
    kept = [photo for photo in photos if photo.mask is None or photo.mask.any()]
    if not kept:
        raise ValueError("The masks of all photos are empty; mark the subject in them, or train without masks.")
    empty = [photo.name for photo in photos if photo not in kept]
    warnings = [f"Left out, because the mask is empty: {', '.join(empty)}."] if empty else []
    if len(kept) == 1:
        warnings.append(ONE)
    return kept, warnings


def with_seed(settings: TrainSettings, begun: int | None) -> TrainSettings:
    """Return the settings with a seed: their own, else the one of the training that was begun, else a new one."""
    if settings.seed >= 0:
        return settings
    return replace(settings, seed=random.randrange(2**32) if begun is None else begun)
