"""The mask of what a box holds, by Segment Anything (arXiv 2304.02643)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vcd_ext.identity.photos.photo import Pixels, SubjectMask
from vcd_ext.identity.segment.boxes import Box
from vcd_ext.identity.segment.packages import imported
from vcd_ext.storage import tensor_file

KINDS = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}  # by the channels of its first layer
_FIRST_LAYER = "image_encoder.patch_embed.proj.weight"
_WHAT_TO_USE = "Use sam_vit_h_4b8939.pth, sam_vit_l_0b3195.pth or sam_vit_b_01ec64.pth."


class Sam:
    """Cuts out what a box holds."""

    def __init__(self, network: Any, device: torch.device | str = "cpu"):
        """network: the package's `Sam`."""
        self.network = network.eval().requires_grad_(False).to(torch.device(device))

    @classmethod
    def load(cls, weights: Path, device: torch.device | str = "cpu") -> "Sam":
        """Read one of the three published files; ValueError if it is none of them."""
        state = tensor_file.read(weights)
        first = state.get(_FIRST_LAYER) if isinstance(state, Mapping) else None
        if not isinstance(first, Tensor) or first.shape[0] not in KINDS:
            raise ValueError(f"{weights.name} holds no SAM of a known size. {_WHAT_TO_USE}")
        network: Any = imported("segment_anything").sam_model_registry[KINDS[first.shape[0]]]()
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            raise ValueError(f"{weights.name} is damaged or a variant of SAM. {_WHAT_TO_USE}") from error
        return cls(network, device)

    def __call__(self, pixels: Pixels, box: Box) -> SubjectMask:
        """Segment the thing in a box of pixels uint8 [H, W, 3] RGB: mask uint8 [H, W], 0 or 255."""
        predictor = imported("segment_anything").SamPredictor(self.network)
        predictor.set_image(pixels)
        # One mask: a box leaves no doubt about what is meant, as a point does.
        masks, _, _ = predictor.predict(box=np.array(box[:4]), multimask_output=False)
        return masks[0].astype(np.uint8) * 255
