"""Pictures that show the same: copies, also those saved again at another quality, size or format."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CELLS = 16
# Mean difference over the colours in the worst of 16x16 cells, of 255. Measured: pictures saved again as JPEG or WebP,
# down to 0.3 of their size and quality 30, stay below 6; frames of a moving subject a quarter of a second apart or
# views of two eyes are above 9.
WORST_CELL = 6.0
# The whole difference as a share of the picture's own contrast: tells hazy or grainy pictures apart.
SHARE_OF_CONTRAST = 0.2
ASPECT = 0.02


class PhotoSignature:
    """What is compared of a picture uint8 [H, W, 3]."""

    def __init__(self, pixels: NDArray[np.uint8]):
        small = Image.fromarray(pixels).resize((CELLS, CELLS), Image.Resampling.BILINEAR)
        self.cells = np.asarray(small, np.float32)  # [16, 16, 3]
        self.aspect = pixels.shape[1] / pixels.shape[0]

    def shows_the_same(self, other: "PhotoSignature") -> bool:
        """Return whether both are one picture. Crops, mirrored and recoloured copies are pictures of their own."""
        if abs(self.aspect / other.aspect - 1) > ASPECT:
            return False
        difference = self.cells - other.cells
        contrast = max(float(self.cells.std()), float(other.cells.std()))
        worst = float(np.abs(difference).mean(axis=-1).max())
        return worst <= WORST_CELL and float(np.sqrt((difference**2).mean())) <= SHARE_OF_CONTRAST * contrast + 0.01
