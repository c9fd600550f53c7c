"""What every training here shares: a state that resumes bit for bit, a schedule, and an average of the weights."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

Model = TypeVar("Model", bound=nn.Module)


@dataclass
class State(Generic[Model]):
    """A training in progress: `step` steps are done."""

    model: Model
    average: Model
    optimiser: torch.optim.Optimizer
    step: int = 0

    @classmethod
    def start(cls, model: Model, optimiser: torch.optim.Optimizer) -> State[Model]:
        """Start a training."""
        average = copy.deepcopy(model).requires_grad_(False).eval()
        return cls(model, average, optimiser)

    def save(self, path: Path, settings: dict[str, Any]) -> None:
        """Write everything, or nothing: a killed process leaves the state before."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        parts = {name: getattr(self, name).state_dict() for name in ("model", "average", "optimiser")}
        torch.save({**parts, "step": self.step, "settings": settings}, beside)
        beside.replace(path)

    def resume(self, path: Path, settings: dict[str, Any]) -> bool:
        """Continue from `path` if it exists. ValueError if it was made with other settings."""
        if not path.is_file():
            return False
        saved = torch.load(path, map_location="cpu", weights_only=True)
        other = [name for name in settings if saved["settings"].get(name) != settings[name]]
        if other:
            raise ValueError(
                f"{path} was made with {other[0]} = {saved['settings'].get(other[0])}, not {settings[other[0]]}; "
                "use the same settings or another --out."
            )
        for name in ("model", "average", "optimiser"):
            getattr(self, name).load_state_dict(saved[name])
        self.step = int(saved["step"])
        return True


def learning_rate(step: int, steps: int, peak: float, warm_up: int = 200) -> float:
    """Rise in a line, fall along half a cosine to a hundredth of the peak."""
    rise = min(1.0, (step + 1) / warm_up)
    return peak * rise * (0.01 + 0.99 * (0.5 + 0.5 * cos(pi * min(1.0, step / steps))))


def adamw(model: nn.Module, rate: float) -> torch.optim.AdamW:
    """Make the optimiser of a model's weights; fused, in one pass, where this torch can (2.1: on a GPU alone)."""
    try:
        return torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01, fused=True)
    except RuntimeError:
        return torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)


def chance(seed: int, step: int, device: torch.device) -> torch.Generator:
    """Return the random numbers of one step, which depend on nothing else: a resumed training draws the same."""
    return torch.Generator(device).manual_seed(seed * 1_000_003 + step)


@torch.no_grad()
def update_average(state: State[Model], decay: float) -> None:
    """Move the average towards the weights; faster while the training is young."""
    share = 1 - min(decay, (1 + state.step) / (10 + state.step))
    for mean, now in zip(state.average.parameters(), state.model.parameters(), strict=True):
        mean.lerp_(now, share)


def descend(state: State[Model], loss: Tensor, rate: float, clip: float = 1.0) -> float:
    """One step of the optimiser; the norm of the gradient before it was clipped."""
    for group in state.optimiser.param_groups:
        group["lr"] = rate
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    norm = float(nn.utils.clip_grad_norm_(state.model.parameters(), clip))
    state.optimiser.step()
    return norm


def half(device: torch.device) -> torch.autocast:
    """Multiply in bfloat16 where the processor has instructions for it: 2.5 times as fast, and it needs no scaling.

    Without them (AVX2 alone) it would be 5 times as slow.
    """
    fast = device.type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=fast)


@contextmanager
def plain_attention(device: torch.device) -> Iterator[None]:
    """Let torch's attention be plain products on a CPU, where its fused one is slow on the way back with few places."""
    before = torch.backends.cuda.flash_sdp_enabled()  # the switch is the CPU's as well
    torch.backends.cuda.enable_flash_sdp(before and device.type != "cpu")
    try:
        yield
    finally:
        torch.backends.cuda.enable_flash_sdp(before)


def run(
    state: State[Model], step: Callable[[], float], out: Path, settings: dict[str, Any], last: int, save_every: int
) -> None:
    """Repeat `step`, which returns its loss, until step `last`; save OUT/state.pt and write OUT/log.jsonl."""
    started, first, losses = time.time(), state.step, []
    while state.step < last:
        losses.append(step())
        if state.step % save_every == 0 or state.step == last:
            state.save(out / "state.pt", settings)
        if state.step % 50 == 0:
            pace = (time.time() - started) / (state.step - first)
            line = json.dumps({"step": state.step, "loss": sum(losses) / len(losses), "seconds_a_step": pace})
            losses = []
            with (out / "log.jsonl").open("a") as log:
                log.write(line + "\n")
            print(line, flush=True)
