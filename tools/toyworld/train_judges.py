"""Train the judges of the drawn world: what, where, doing what, whom; the subject's mask and face.

    python -m tools.toyworld.train_judges --out runs/judges

Run the same command again after an interruption: it goes on from the last saved state, bit for bit (on the same kind
of machine). First the network that looks at pictures, then the one that looks at cut-out subjects; everything is
drawn fresh, seen once, and most of it softened as generated pictures are.

Writes OUT/pictures.pt and OUT/subjects.pt (states), OUT/log.jsonl and, at the end, OUT/judges.safetensors (float16,
averaged weights).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import Tensor, nn

from vcd_ext.toyworld.judging import Judges, load_judges, new_picture_judge, new_subject_judge, save_judges
from vcd_ext.toyworld.picture_judge import PictureJudge

from .judge_batches import Subjects, picture_batch
from .judge_losses import Matching, picture_losses
from .training import State, descend, learning_rate, update_average

DECAY, WARM_UP = 0.998, 100
Losses = Callable[[Any, int], tuple[Tensor, dict[str, Tensor]]]


def main(arguments: list[str] | None = None) -> list[State]:
    """Train until the last step, or until `--stop-at`; the states of what has begun."""
    options = _options(arguments)
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    pictures = _train_pictures(options)
    looks = pictures.average
    assert isinstance(looks, PictureJudge)
    if pictures.step < options.picture_steps:
        return [pictures]
    subjects = _train_subjects(looks, options)
    matching = subjects.average
    assert isinstance(matching, Matching)
    if subjects.step == options.subject_steps:
        save_judges(options.out / "judges.safetensors", Judges(looks, matching.judge), {"seed": str(options.seed)})
    return [pictures, subjects]


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the judges of the drawn world.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training; resumed if it has states")
    parser.add_argument("--start", type=Path, help="begin with the networks of another edition's judges")
    parser.add_argument("--picture-steps", type=int, default=1800)
    parser.add_argument("--pairs", type=int, default=24, help="clips in a batch of pictures, with two pictures of each")
    parser.add_argument("--subject-steps", type=int, default=2600)
    parser.add_argument("--clips", type=int, default=2, help="clips of 8 frames in a batch of subjects")
    parser.add_argument("--singles", type=int, default=48, help="single pictures in it")
    parser.add_argument("--sceneries", type=int, default=256, help="painted, for subjects to stand before")
    parser.add_argument("--others", type=int, default=8192, help="individuals that strangers are chosen from")
    parser.add_argument("--strangers", type=int, default=512, help="others that they are told apart from")
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save-every", type=int, default=200)
    parser.add_argument("--stop-at", type=int, default=None, help="stop after so many steps in all, to go on later")
    return parser.parse_args(arguments)


def _train_pictures(options: argparse.Namespace) -> State:
    def losses(model: Any, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        parts = picture_losses(model, picture_batch(options.seed, step, options.pairs))
        return torch.stack(list(parts.values())).sum(), parts

    torch.manual_seed(options.seed)
    settings = {name: getattr(options, name) for name in ("pairs", "rate", "seed")}
    model = load_judges(options.start).pictures.requires_grad_(True) if options.start else new_picture_judge()
    return _train("pictures", model, losses, options.picture_steps, settings, options, options.stop_at)


def _train_subjects(looks: PictureJudge, options: argparse.Namespace) -> State:
    source = Subjects(options.seed, looks, options.sceneries, options.others)

    def losses(model: Any, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        batch = source.batch(step, options.clips, options.singles)
        parts, found = model.losses(batch, source.strangers(step, options.strangers), options.clips)
        return torch.stack(list(parts.values())).sum(), parts | {"found": found}

    torch.manual_seed(options.seed)
    settings = {name: getattr(options, name) for name in ("clips", "singles", "sceneries", "strangers", "rate", "seed")}
    stop_at = None if options.stop_at is None else max(options.stop_at - options.picture_steps, 0)
    judge = load_judges(options.start).subjects.requires_grad_(True) if options.start else new_subject_judge()
    return _train("subjects", Matching(judge), losses, options.subject_steps, settings, options, stop_at)


def _train(
    name: str, model: nn.Module, losses: Losses, steps: int, settings: dict[str, Any], options: argparse.Namespace,
    stop_at: int | None,
) -> State:  # fmt: skip
    state = State.start(model.train(), torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=0.01))
    file, settings = options.out / f"{name}.pt", {**settings, "steps": steps}
    if state.resume(file, settings):
        print(f"{name}: continues after step {state.step}")
    sums: dict[str, float] = {}
    last, since, began = steps if stop_at is None else min(steps, stop_at), time.process_time(), state.step
    while state.step < last:
        loss, parts = losses(state.model, state.step)
        descend(state, loss, learning_rate(state.step, steps, options.rate, WARM_UP), clip=5.0)
        state.step += 1
        update_average(state, DECAY)
        _average_buffers(state)
        sums = {key: sums.get(key, 0.0) + float(value) for key, value in parts.items()}
        if state.step % options.save_every == 0 or state.step == last:
            state.save(file, settings)
        if state.step % 50 == 0 or state.step == last:
            done = state.step - began
            record = {key: round(value / done, 4) for key, value in sums.items()}
            record["cpu_seconds_a_step"] = round((time.process_time() - since) / done, 3)
            line = json.dumps({"network": name, "step": state.step} | record)
            print(line, flush=True)
            with (options.out / "log.jsonl").open("a") as log:
                log.write(line + "\n")
            sums, since, began = {}, time.process_time(), state.step
    return state


@torch.no_grad()
def _average_buffers(state: State) -> None:
    """Batch norm's means and variances follow as the weights do; they are statistics of these weights."""
    for mean, now in zip(state.average.buffers(), state.model.buffers(), strict=True):
        if now.is_floating_point():
            mean.lerp_(now, 1 - DECAY) if state.step > 1 / (1 - DECAY) else mean.copy_(now)
        else:
            mean.copy_(now)


if __name__ == "__main__":
    main()
