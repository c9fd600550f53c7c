"""The WebUI's prompt syntax, without a text encoder: what a prompt says at which step, and how strongly."""

from vcd_ext.prompt.emphasis import BREAK, weighted
from vcd_ext.prompt.parts import parts
from vcd_ext.prompt.schedule import schedule

__all__ = ["BREAK", "parts", "schedule", "weighted"]
