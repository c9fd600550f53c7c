"""Snapshots: what an identity has learned so far, kept as embeddings beside it to be compared, such as rexly_50."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vcd_ext.identity.embedding import save_embedding
from vcd_ext.identity.training.learned import Identity
from vcd_ext.settings import SettingError, TrainSettings

MOST = 100  # of one training


def snapshot_name(name: str, step: int) -> str:
    """Return what prompts call an identity as it was after `step` steps.

    An underscore, as no prompt that says rexly_50 mentions rexly; it would with any other sign between.
    """
    return f"{name}_{step}"


def snapshot_names(settings: TrainSettings) -> list[str]:
    """Return the names of all snapshots of a training; SettingError if they are too many."""
    every = settings.keep_every
    count = settings.steps // every if every else 0
    if count > MOST:
        fewest = -(-settings.steps // MOST)
        raise SettingError(
            "keep_every",
            f"keep_every is {every}, which leaves {count} embeddings of {settings.steps} steps; use {fewest} or more, "
            f"for {MOST} at most, or 0 for none.",
        )
    return [snapshot_name(settings.name, every * k) for k in range(1, count + 1)]


def snapshot(identity: Identity) -> Identity:
    """Return what an identity has learned by its last step, under that step's name."""
    return replace(
        identity,
        name=snapshot_name(identity.name, identity.steps),
        best_step=identity.steps,
        metadata=identity.metadata | {"best_step": str(identity.steps), "snapshot_of": identity.name},
    )


def kept_beside(file: Path) -> Callable[[Identity], None]:
    """Return what writes snapshots beside an identity's file, named after it."""

    def keep(kept: Identity) -> None:
        path = file.with_name(f"{snapshot_name(file.stem, kept.steps)}{file.suffix}")
        save_embedding(path, kept.vectors, kept.metadata)

    return keep
