"""Files of low-rank changes (LoRA): read them, whoever has named their tensors.

Names are those of AnimateDiff (`...attn1.processor.to_q_lora.down.weight`), of diffusers and PEFT
(`unet....attn1.to_q.lora_A.weight`, and older ones) or of kohya's scripts (`lora_unet_..._to_q.lora_down.weight`). All
become one flat name for each layer. Only kohya's have an alpha, by which the change is scaled, over its rank.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

_SIDES = {
    "down": re.compile(r"(?:_lora\.down|\.lora\.down|\.lora_down|\.lora_A(?:\.\w+)?)\.weight"),
    "up": re.compile(r"(?:_lora\.up|\.lora\.up|\.lora_up|\.lora_B(?:\.\w+)?)\.weight"),
    "alpha": re.compile(r"\.alpha"),
}
_PREFIXES = re.compile(r"^(?:module\.|unet\.|base_model\.model\.|lora_unet_)+")


class LowRank(NamedTuple):
    """The change of one layer's weight: scale * up @ down, up [out, rank, ...], down [rank, in, ...]."""

    up: Tensor
    down: Tensor
    scale: float


def changes(state: Mapping[str, Any], name: str, what_to_use: str) -> dict[str, LowRank]:
    """Return the changes in a file's tensors by the flat names of their layers.

    ValueError, in a sentence that what_to_use ends, for what is no LoRA or half of one. name: the file's.
    """
    parts: dict[str, dict[str, Tensor]] = {}
    for key, value in state.items():
        layer, side = _read(key)
        if side is None or not isinstance(value, Tensor):
            raise ValueError(f"{name} is of an unknown kind: it holds '{key}'. {what_to_use}")
        parts.setdefault(layer, {})[side] = value
    if not parts:
        raise ValueError(f"{name} is empty. {what_to_use}")
    return {layer: _change(layer, tensors, name, what_to_use) for layer, tensors in parts.items()}


def flat(name: str) -> str:
    """Return the name of a layer in all layouts alike, such as down_blocks_0_attentions_0_..._attn1_to_out_0."""
    joined = _PREFIXES.sub("", name).replace(".processor", "").replace(".", "_")
    return f"{joined}_0" if joined.endswith("_to_out") else joined


def _read(key: str) -> tuple[str, str | None]:
    """Return the flat name of the layer that a tensor belongs to, and which of its parts it is."""
    for side, pattern in _SIDES.items():
        found = pattern.search(key)
        if found and found.end() == len(key):
            return flat(key[: found.start()]), side
    return key, None


def _change(layer: str, tensors: Mapping[str, Tensor], name: str, what_to_use: str) -> LowRank:
    up, down = tensors.get("up"), tensors.get("down")
    if up is None or down is None or up.dim() != down.dim() or up.dim() < 2 or up.shape[1] != down.shape[0]:
        raise ValueError(
            f"{name} is damaged or of an unknown kind: the two parts of '{layer}' are missing or do not go together. "
            f"{what_to_use}"
        )
    alpha = tensors.get("alpha")
    return LowRank(up, down, 1.0 if alpha is None else float(alpha) / down.shape[0])
