"""Gradient checkpointing of chosen modules: their activations are computed again in the backward pass, not kept."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint


@contextmanager
def recomputed(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Let modules keep only their inputs for the backward pass within this context; their outputs are the same.

    Nothing random may happen in them: what they draw is not repeated.
    """
    changed: list[nn.Module] = []
    own = {module: module.__dict__["forward"] for module in modules if "forward" in module.__dict__}
    try:
        for module in modules:
            module.forward = partial(checkpoint, module.forward, use_reentrant=False, preserve_rng_state=False)
            changed.append(module)
        yield
    finally:
        for module in changed:
            del module.forward
            if module in own:
                module.forward = own[module]
