"""Names of a motion module's tensors: AnimateDiff's own, and diffusers' (`MotionAdapter`), which become AnimateDiff's.

diffusers' scripts `convert_animatediff_motion_module_to_diffusers.py` and `..._motion_lora_to_diffusers.py` say what
became of what. A transformer block's table of positions is one there, and one for each attention here.
"""

import re
from collections.abc import Mapping
from typing import TypeVar

PLACE = r"(?:(?:down|up)_blocks\.\d+\.motion_modules\.\d+|mid_block\.motion_modules\.0)"
POSITIONS = "pos_encoder.pe"
_DIFFUSERS = re.compile(rf"({PLACE})\.((?!temporal_transformer\.).+)")
_TABLE = re.compile(r"(.*transformer_blocks\.\d+)\.pos_embed\.pe")
_PARTS = {
    ".attn1.": ".attention_blocks.0.",
    ".attn2.": ".attention_blocks.1.",
    ".norm1.": ".norms.0.",
    ".norm2.": ".norms.1.",
    ".norm3.": ".ff_norm.",
}

Value = TypeVar("Value")


def original_names(state: Mapping[str, Value]) -> dict[str, Value]:
    """Return the same tensors by AnimateDiff's names; names that are neither's stay as they are."""
    renamed: dict[str, Value] = {}
    for key, value in state.items():
        match = _DIFFUSERS.fullmatch(key)
        if match is None:
            renamed[key] = value
            continue
        inner = match[2]
        for theirs, ours in _PARTS.items():
            inner = inner.replace(theirs, ours)
        start = f"{match[1]}.temporal_transformer"
        table = _TABLE.fullmatch(inner)
        names = [inner] if table is None else [f"{table[1]}.attention_blocks.{i}.{POSITIONS}" for i in range(2)]
        renamed |= {f"{start}.{name}": value for name in names}
    return renamed
