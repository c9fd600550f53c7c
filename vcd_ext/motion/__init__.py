"""AnimateDiff's temporal modules: read one from its file, hang it on a UNet, take it off again."""

from vcd_ext.motion.attach import attached
from vcd_ext.motion.checkpoint import load
from vcd_ext.motion.lora import MotionLora, is_motion_lora, load_lora
from vcd_ext.motion.module import MotionModule
from vcd_ext.motion.usable import suggested, usable
from vcd_ext.motion.windows import Window, ring_windows, windows

__all__ = [
    "MotionLora",
    "MotionModule",
    "Window",
    "attached",
    "is_motion_lora",
    "load",
    "load_lora",
    "ring_windows",
    "suggested",
    "usable",
    "windows",
]
