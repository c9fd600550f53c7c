"""What the host is asked for: the settings of Tiled VCD in the words of `vcd_ext.hosts.protocols`."""

import random
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vcd_ext.hosts.protocols import FACTOR, Tiling, VideoPass
from vcd_ext.prompt.names import with_name, without_name
from vcd_ext.settings import NO_MODULE, TiledSettings
from vcd_ext.tiled.memory import Plan
from vcd_ext.tiled.presence import presence
from vcd_ext.tiled.tiles import tiles


def work(settings: TiledSettings) -> VideoPass:
    """Return the denoiser's pass, with the identity's name in the prompt and a drawn seed instead of -1."""
    asked = VideoPass(
        prompt=settings.prompt,
        negative_prompt=settings.negative_prompt,
        denoise=settings.denoise,
        steps=settings.steps,
        cfg_scale=settings.cfg_scale,
        sampler=settings.sampler,
        seed=settings.seed,
        gamma=settings.gamma,
        motion_module=settings.motion_module,
        context=settings.context,
        overlap=settings.context_overlap,
        controlnet=settings.controlnet,
        controlnet_weight=settings.controlnet_weight,
    )
    if settings.identity != NO_MODULE:
        asked = replace(asked, prompt=with_name(asked.prompt, settings.identity))
    return replace(asked, seed=random.randrange(2**32) if asked.seed < 0 else asked.seed)


def tiling(
    settings: TiledSettings,
    prompt: str,
    plan: Plan,
    canvas: tuple[int, int],
    boxes: NDArray[np.floating] | None,
) -> Tiling:
    """Return the tiles of a canvas (height, width in pixels), and the prompt of those without the subject.

    boxes: where the subject is, [F, N, 4] in pixels of the canvas. The whole prompt is used everywhere if there is no
    box, or nothing in the prompt to leave out.
    """
    elsewhere = settings.elsewhere.strip() or without_name(prompt, settings.identity)
    if boxes is None or np.isnan(boxes).all() or elsewhere == prompt:
        return Tiling(plan.tile, plan.tile_overlap)
    # As the host will have them: in latents, which also takes less memory for the weights.
    height, width, size, overlap = (side // FACTOR for side in (*canvas, plan.tile, plan.tile_overlap))
    present = presence(boxes / FACTOR, tiles(height, width, size, overlap))
    return Tiling(plan.tile, plan.tile_overlap, elsewhere, present)
