"""The subcommand `train`: an identity from photos, written as an embedding."""

import argparse
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcd_ext.cli.model_options import add_checkpoint
from vcd_ext.cli.subcommand import subcommand
from vcd_ext.cli.terminal import INTERRUPTED, interruption, notify, stage_bars
from vcd_ext.settings import TrainSettings, add_arguments, parse

if TYPE_CHECKING:
    from vcd_ext.hosts.diffusers.training import StandaloneTraining
    from vcd_ext.identity import Identity
    from vcd_ext.identity.photos.photo import Photo

OWN_OPTIONS = ("name", "class_word")
REPLACE = "add --overwrite to replace it"
SUFFIX, STATE_SUFFIX = ".safetensors", ".training"  # not one that the WebUI would take for an embedding


def add(commands: Any) -> None:
    """Add it to the subcommands of a parser."""
    command = subcommand(commands, "train", run)
    add_checkpoint(command)
    command.add_argument("--photos", type=Path, nargs="+", required=True, help="A folder of photos, or photos.")
    command.add_argument(
        "--class", dest="class_word", metavar="WORD", required=True, help="What the photos show: man, dog, toy car."
    )
    command.add_argument("--name", required=True, help="The word that will stand for the identity in prompts.")
    command.add_argument("--out", type=Path, help="Folder or file to write (default: NAME.safetensors, here)")
    command.add_argument(
        "--weights",
        type=Path,
        nargs="+",
        default=[],
        help="Folders with weights of Grounding DINO and SAM, to find masks with; else the checkpoint finds them.",
    )
    command.add_argument("--overwrite", action="store_true", help="Replace the file if there is one.")
    add_arguments(command, TrainSettings, skip=OWN_OPTIONS)


def run(arguments: argparse.Namespace) -> int:
    """Train the identity that the arguments describe and write its file."""
    settings = parse(TrainSettings, {field.name: getattr(arguments, field.name) for field in fields(TrainSettings)})

    import torch

    from vcd_ext.hosts.diffusers.host import Standalone
    from vcd_ext.hosts.diffusers.training import StandaloneTraining
    from vcd_ext.identity import save_embedding, train
    from vcd_ext.identity.naming import check_class_word, check_name
    from vcd_ext.identity.photos.photo import read_photos
    from vcd_ext.identity.training import snapshots

    check_class_word(settings.class_word, check_name(settings.name))
    out = output_path(arguments.out, settings.name, arguments.overwrite)
    state = out.with_suffix(STATE_SUFFIX)
    _check_steps_free(out, settings, arguments.overwrite or state.exists())
    photos, problems = read_photos(arguments.photos, settings.masked)
    notify(*problems)
    host = StandaloneTraining(Standalone.load(arguments.checkpoint, torch.float32 if arguments.no_half else None))
    check_name(settings.name, host.tokens)  # before masks are looked for, which takes a while
    if settings.masked:
        photos = photos_with_masks(photos, settings.class_word, arguments.weights, host)
    with interruption() as interrupted, stage_bars() as progress:
        identity = train(
            host, photos, settings, progress, state=state, interrupted=interrupted, keep=snapshots.kept_beside(out)
        )
    notify(*(warning for warning in identity.warnings if warning not in problems))
    if not identity.finished:
        notify(f"Stopped at step {identity.steps} of {settings.steps}. The same command goes on from {state}.")
        return INTERRUPTED
    save_embedding(out, identity.vectors, identity.metadata)
    for file in (state, state.with_name(f"{state.name}.bank")):
        file.unlink(missing_ok=True)
    notify(summary(identity))
    print(out)
    return 0


def photos_with_masks(
    photos: "list[Photo]", class_word: str, weights: Sequence[Path], host: "StandaloneTraining"
) -> "list[Photo]":
    """Give each photo a mask of the subject; those for which none was found are left out, which is told.

    weights: folders with Grounding DINO's and SAM's. ValueError if there is no mask for any photo.
    """
    if all(photo.mask is not None for photo in photos):
        return photos
    from vcd_ext.identity.segment import fill_masks, segmenters
    from vcd_ext.progress import Progress

    with stage_bars() as progress:
        photos, problems = fill_masks(
            photos,
            class_word,
            segmenters(weights, host, host.device),
            lambda done, total: progress(Progress("Finding masks", done, total)),
        )
    notify(*problems)
    found = [photo for photo in photos if photo.mask is not None]
    if not found:
        raise ValueError(
            "No mask was found for any photo; put masks beside them (rex.mask.png for rex.jpg, the subject white), or "
            "add --no-masked to learn from whole pictures."
        )
    if left_out := [photo.name for photo in photos if photo.mask is None]:
        notify(f"Left out, because no mask was found: {', '.join(left_out)}.")
    return found


def output_path(out: Path | None, name: str, overwrite: bool) -> Path:
    """Return the file to write: `out`, or <name>.safetensors in the folder `out`, or here.

    ValueError where it is not named after the identity, or its folder has an embedding of that name.
    """
    from vcd_ext.identity.library import check_free

    path = Path(f"{name}{SUFFIX}") if out is None else out / f"{name}{SUFFIX}" if out.is_dir() else out
    if path.name != f"{name}{SUFFIX}":
        raise ValueError(
            f"--out is {out}, but the file's name is what prompts call the identity; name it {name}{SUFFIX}, or give "
            "a folder that exists."
        )
    return check_free(path, path.parent.glob("*"), overwrite, REPLACE)


def _check_steps_free(out: Path, settings: TrainSettings, known: bool) -> None:
    """Raise ValueError where a step that is to be kept has the name of an embedding.

    known: such embeddings are this training's, or may be replaced.
    """
    from vcd_ext.identity.library import check_free
    from vcd_ext.identity.training.snapshots import snapshot_names

    for name in snapshot_names(settings):
        check_free(out.with_name(f"{name}{SUFFIX}"), out.parent.glob("*"), known, REPLACE)


def summary(identity: "Identity") -> str:
    """Sum up in a line how the training went and how the identity is used."""
    losses = dict(identity.validation)
    went = f"Best after step {identity.best_step} of {identity.steps}"
    if 0 in losses and identity.best_step in losses:
        went += f": loss {losses[identity.best_step]:.4f}, before the training {losses[0]:.4f}"
    return f'{went}. In prompts: "photo of {identity.name} {identity.metadata["class"]}".'
