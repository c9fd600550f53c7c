"""Gradient checkpointing of the UNet: activations are computed twice instead of kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from ldm.modules.attention import BasicTransformerBlock
from ldm.modules.diffusionmodules.openaimodel import ResBlock
from torch import nn
from torch.utils.checkpoint import checkpoint


@contextmanager
def recomputed(unet: nn.Module, every_block: bool) -> Iterator[None]:
    """Within this context blocks of LDM's `unet` compute their activations again in the backward pass.

    every_block: transformer and residual blocks; else the transformer blocks only, which costs less time.
    """
    kinds = (BasicTransformerBlock, ResBlock) if every_block else (BasicTransformerBlock,)
    blocks = [block for block in unet.modules() if isinstance(block, kinds)]
    # LDM's own way needs gradients of all weights; a forward of its own hides the class's on each block.
    before = [vars(block).get("forward") for block in blocks]
    try:
        for block in blocks:
            block.forward = _twice(block.forward)
        yield
    finally:
        for block, forward in zip(blocks, before, strict=True):
            if forward is None:
                vars(block).pop("forward", None)
            else:
                block.forward = forward


def _twice(forward: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(forward)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        # Nothing in these blocks draws random numbers.
        return checkpoint(forward, *args, use_reentrant=False, preserve_rng_state=False, **kwargs)

    return checkpointed
