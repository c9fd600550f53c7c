"""Use a UNet's deep features again in the next steps: DeepCache (Ma et al., arXiv 2312.00858), for videos.

What the deep blocks of the UNet compute changes little from one step to the next. So they, and the motion module's
transformers among them, are computed at every second or third step only; in between the shallow blocks alone are
computed, beside what the deep ones gave last. It is the paper's uniform schedule, at its shallowest skip connection.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import psutil
import torch
from torch import Tensor, nn

from vcd_ext.denoising.unet import Forward, forward_replaced, is_ldm
from vcd_ext.denoising.video_memory import free_bytes
from vcd_ext.settings import EXACT, FAST, FASTEST, SPEEDS

EVERY = {EXACT: 1, FAST: 2, FASTEST: 3}  # of so many steps, one computes all of the UNet
SHARE = 0.5  # of the memory that is free at the first part, for all that is kept
_REUSED = "vcd_reused"  # how a block's stand-in is marked


class Blocks(NamedTuple):
    """The blocks of a UNet that are passed over; the last of them hands the deep features to the shallow blocks."""

    skipped: Sequence[nn.Module]
    last: nn.Module


@dataclass
class Kept:
    """What one part of a step has left for the same part of the next steps."""

    signature: tuple[Any, ...]  # of its inputs: where it differs, nothing is used again
    outputs: dict[nn.Module, Any] = field(default_factory=dict)  # of the skipped blocks: shapes, and the last's tensors
    residuals: Any = None  # of a ControlNet, as the shallow blocks need them
    reusing: bool = False


_current: "WeakKeyDictionary[nn.Module, Kept]" = WeakKeyDictionary()


def is_reused(module: nn.Module) -> bool:
    """Return whether a block stands aside in this call; what is hung behind it has nothing to do then."""
    return hasattr(vars(module).get("forward"), _REUSED)


def kept_part(unet: nn.Module) -> Kept | None:
    """Return what is kept of the part that is being computed; None where everything is computed at each step."""
    return _current.get(unet)


@contextmanager
def deep_features_reused(unet: nn.Module, speed: str) -> Iterator[None]:
    """Compute the deep blocks at every second (FAST) or third step (FASTEST) within this context; EXACT: at each.

    unet: an LDM `UNetModel` or a diffusers `UNet2DConditionModel`. To be entered behind `attached` and
    `controlnet_attached` and before `multidiffusion`, whose parts each have deep features of their own. A new step
    begins where the time changes; a new sampling, with nothing kept, where it rises. Of a part whose size or text is
    another than before, and of those for which there is no memory, everything is computed.
    """
    if speed not in SPEEDS:
        raise ValueError(f"speed is '{speed}'; choose one of {', '.join(SPEEDS)}.")
    if speed == EXACT:
        yield
        return
    steps = _Steps(unet, EVERY[speed])
    with ExitStack() as stack:
        for module in steps.blocks.skipped:
            stack.callback(module.register_forward_hook(steps.note).remove)
        stack.enter_context(forward_replaced(unet, steps.instead_of))
        yield


def skipped_blocks(unet: Any) -> Blocks:
    """Return what is passed over: all but the entrance, the last block and the exit."""
    if is_ldm(unet):
        skipped = [*unet.input_blocks[1:], unet.middle_block, *unet.output_blocks[:-1]]
        return Blocks(skipped, skipped[-1])
    first, last = unet.down_blocks[0], unet.up_blocks[-1]
    skipped = [*_layers(first), *(first.downsamplers or ()), *unet.down_blocks[1:], unet.mid_block]
    skipped += [*unet.up_blocks[:-1], *_layers(last)[: -2 if getattr(last, "attentions", None) else -1]]
    return Blocks(skipped, skipped[-1])


def _layers(block: Any) -> list[nn.Module]:
    """Return a block's residual blocks and transformers in the order in which they are called."""
    attentions = getattr(block, "attentions", None)
    if not attentions:
        return list(block.resnets)
    return [layer for pair in zip(block.resnets, attentions, strict=True) for layer in pair]


class _Steps:
    """Count the steps, and know which call of the UNet is which part of its step."""

    def __init__(self, unet: nn.Module, every: int):
        self.unet, self.every, self.blocks = unet, every, skipped_blocks(unet)
        self.kept: dict[int, Kept] = {}  # by the part's number
        self.number, self.part, self.time = -1, -1, float("-inf")
        self.room: float | None = None  # bytes

    def instead_of(self, plain: Forward) -> Forward:
        """Return what is called instead of the UNet's forward."""

        def forward(*args: Any, **kwargs: Any) -> Any:
            latents, time, text = _inputs(args, kwargs)
            self._count(time)
            kept, signature = self.kept.get(self.part), (latents.shape, latents.dtype, *_described(text))
            if self.number % self.every and kept is not None and kept.signature == signature:
                return self._shallow(kept, plain, args, kwargs)
            return self._whole(Kept(signature), plain, args, kwargs)

        return forward

    def note(self, module: nn.Module, _args: Any, output: Any) -> None:
        """Keep what a skipped block gives; a forward hook, behind those of a motion module."""
        kept = _current.get(self.unet)
        if kept is not None and not kept.reusing:
            kept.outputs[module] = output if module is self.blocks.last else _shapes(output)

    def _count(self, time: float) -> None:
        if time > self.time:
            self.number = -1
            self.kept.clear()
        if time != self.time:
            self.number, self.part = self.number + 1, -1
        self.time, self.part = time, self.part + 1

    def _whole(self, kept: Kept, plain: Forward, args: Any, kwargs: Any) -> Any:
        self.kept.pop(self.part, None)  # frees it before its successor is made
        with _at_work(self.unet, kept):
            result = plain(*args, **kwargs)
        if self._has_room(kept):
            self.kept[self.part] = kept
        return result

    def _shallow(self, kept: Kept, plain: Forward, args: Any, kwargs: Any) -> Any:
        kept.reusing = True
        with _at_work(self.unet, kept), ExitStack() as stack:
            for module, output in kept.outputs.items():
                stack.enter_context(_standing_in(module, output, kept.outputs[self.blocks.last]))
            return plain(*args, **kwargs)

    def _has_room(self, kept: Kept) -> bool:
        """Return whether there is room for it beside what is kept; each part is as large as any other of its step."""
        if self.blocks.last not in kept.outputs:  # somebody computes the UNet in another way
            return False
        tensors = list(_tensors((kept.outputs[self.blocks.last], kept.residuals)))
        if self.room is None:
            self.room = SHARE * _free(tensors[0].device)
        held = [tensor for each in self.kept.values() for tensor in _tensors((each.outputs, each.residuals))]
        return sum(tensor.untyped_storage().nbytes() for tensor in held + tensors) <= self.room


@contextmanager
def _at_work(unet: nn.Module, kept: Kept) -> Iterator[None]:
    _current[unet] = kept
    try:
        yield
    finally:
        _current.pop(unet, None)


@contextmanager
def _standing_in(module: nn.Module, output: Any, like: Any) -> Iterator[None]:
    """Let a block give an output without computing anything within this context."""
    given = _filled(output, next(_tensors(like)))

    def stand_in(*_: Any, **__: Any) -> Any:
        return given

    setattr(stand_in, _REUSED, True)
    with forward_replaced(module, lambda _plain: stand_in):
        yield


class _Shape(NamedTuple):
    size: torch.Size


def _shapes(output: Any) -> Any:
    """Return the same with shapes for its tensors."""
    return _mapped(output, lambda value: _Shape(value.shape) if isinstance(value, Tensor) else value)


def _filled(output: Any, like: Tensor) -> Any:
    """Return the same with nothing but zeros where shapes are: they take no memory, and nobody looks at them."""
    return _mapped(output, lambda v: like.new_zeros(()).expand(v.size) if isinstance(v, _Shape) else v)


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, tuple | list) and not isinstance(value, _Shape):
        return type(value)(_mapped(item, change) for item in value)
    return change(value)


def shallow_residuals(residuals: tuple[Sequence[Tensor], Tensor]) -> Any:
    """Return a ControlNet's residuals for the skip connections and the middle as far as the shallow blocks see them."""
    (first, *others), middle = residuals
    return [first.clone(), *_shapes(others)], _shapes(middle)


def whole_residuals(kept: Any) -> Any:
    """Return residuals of the shapes that a ControlNet gives, of which those for the deep blocks are zeros."""
    return _filled(kept, kept[0][0])


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _tensors(item)


def _inputs(args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Tensor, float, Tensor | None]:
    """Return latents, the time and the text of a call."""
    names = (("x", "sample"), ("timesteps", "timestep"), ("context", "encoder_hidden_states"))
    found = [
        args[i] if i < len(args) else next((kwargs[name] for name in known if name in kwargs), None)
        for i, known in enumerate(names)
    ]
    return found[0], float(torch.as_tensor(found[1]).flatten()[0]), found[2]


def _described(text: Tensor | None) -> tuple[Any, ...]:
    """Return what tells one text from another."""
    return () if text is None else (text.shape, float(text.float().square().sum()))


def _free(device: torch.device) -> float:
    on_gpu = free_bytes(device)
    return psutil.virtual_memory().available if on_gpu is None else on_gpu
