"""Tiled VCD (arXiv 2402.09368 v1, section 4.3): a video at twice its size, denoised in tiles."""

from vcd_ext.tiled.upscale import upscale

__all__ = ["upscale"]
