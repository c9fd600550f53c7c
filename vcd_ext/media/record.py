"""What a file says about its clip: two labels, which every format stores in its own way.

"parameters" holds the WebUI's infotext as plain text, where other tools look for it. "vcd" holds the rest as JSON
in ASCII, which no container can garble: the exact rate, the number of frames, the true size and all other metadata.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vcd_ext.media.clip import FASTEST, SLOWEST, Clip, MediaError, exact_fps

# For a file that says nothing about its rate: the settings' default.
FALLBACK_FPS = Fraction(8)
# What is kept of a file from elsewhere. All else may tell where and when it was filmed, and by whom: each phone has
# other names for that.
KEPT = ("parameters", "title", "copyright")
INFOTEXT = "Steps: "  # as the WebUI knows a text for its own


@dataclass(frozen=True)
class ClipRecord:
    """The labels of a file, understood; fps, frames and size are None in files from elsewhere."""

    metadata: dict[str, str]
    fps: Fraction | None = None
    frames: int | None = None
    size: tuple[int, int] | None = None  # height, width

    def clip(self, frames: NDArray[np.uint8], fps: Fraction | None) -> Clip:
        """Return the clip of these frames. fps: as the file's timing tells it; where it does not, the recorded one.

        Others may have changed the file, by interpolation for example, and left its labels as they were.
        """
        shown = min(max(fps, SLOWEST), FASTEST) if fps else self.fps or FALLBACK_FPS
        return Clip(frames, shown, self.metadata)

    def check_complete(self, frames: NDArray[np.uint8]) -> None:
        """Raise MediaError if fewer frames could be read than were written."""
        if self.frames is not None and len(frames) < self.frames:
            raise MediaError(
                f"only {len(frames)} of its {self.frames} frames are there; copy the file again or make it anew."
            )


def labels(clip: Clip) -> dict[str, str]:
    """Return the labels to store with a clip; "parameters" is missing where there is no infotext."""
    parameters = clip.metadata.get("parameters")
    plain = {} if parameters is None or not _is_plain(parameters) else {"parameters": parameters}
    frames, height, width, _ = clip.frames.shape
    vcd = {
        "fps": str(clip.fps),
        "frames": frames,
        "size": [height, width],
        "metadata": {k: v for k, v in clip.metadata.items() if k not in plain},
    }
    return {**plain, "vcd": json.dumps(vcd)}


def understood(stored: Mapping[str, str]) -> ClipRecord:
    """Return the record in a file's labels.

    Of the labels of a file from elsewhere a few are its metadata; a comment is one where it is an infotext.
    """
    try:
        vcd = json.loads(stored["vcd"])
        return _own(vcd, {k: v for k, v in stored.items() if k == "parameters"})
    except (KeyError, TypeError, ValueError):
        comment = stored.get("comment", "")
        found = {"parameters": comment} if INFOTEXT in comment else {}
        return ClipRecord(found | {name: text for name, text in stored.items() if name in KEPT})


def _own(vcd: dict[str, Any], plain: dict[str, str]) -> ClipRecord:
    height, width = vcd["size"]
    return ClipRecord(
        metadata={**plain, **vcd["metadata"]},
        fps=exact_fps(vcd["fps"]),
        frames=int(vcd["frames"]),
        size=(int(height), int(width)),
    )


def _is_plain(text: str) -> bool:
    # Containers cut text at a NUL and drop empty text, and lone surrogates have no UTF-8: JSON holds all three.
    return text != "" and "\0" not in text and text == text.encode("utf-8", "replace").decode("utf-8")
