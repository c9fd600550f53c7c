"""What a training depends on, written down, so that it is only ever gone on with as it was begun."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from vcd_ext.hosts.protocols import TrainingHost
from vcd_ext.identity.photos.photo import Photo
from vcd_ext.settings import TrainSettings

VERSION = 1  # of the state; raised when the same settings would learn something else
# What may change when a training goes on: it is only how long and how it is computed, not what is learned.
FREE = ("steps", "save_every", "keep_every", "early_stop", "micro_batch", "gradient_checkpointing")


def run_fingerprint(host: TrainingHost, photos: Sequence[Photo], settings: TrainSettings) -> str:
    """Describe the run as JSON; runs with the same description learn the same, step for step."""
    fixed = {name: value for name, value in asdict(settings).items() if name not in FREE}
    checkpoint = host.checkpoint_hash or host.checkpoint
    return json.dumps({"version": VERSION, "checkpoint": checkpoint, "photos": _digest(photos), "settings": fixed})


def differences(fingerprint: str, other: str) -> str:
    """Say in words in what two runs differ; "" if they are the same."""
    one, two = json.loads(fingerprint), json.loads(other)
    return ", ".join([*_different(one["settings"], two["settings"]), *_different(one, two, skip="settings")])


def seed_of(fingerprint: str) -> int:
    """Return the seed of the run that a fingerprint describes."""
    return int(json.loads(fingerprint)["settings"]["seed"])


def _different(one: dict[str, Any], two: dict[str, Any], skip: str = "") -> Iterator[str]:
    return (name for name in one | two if name != skip and one.get(name) != two.get(name))


def _digest(photos: Sequence[Photo]) -> str:
    sha = hashlib.sha256()
    for photo in photos:
        for picture in (photo.pixels, photo.mask):
            sha.update(b"none" if picture is None else repr(picture.shape).encode() + picture.tobytes())
    return sha.hexdigest()
