"""The photo that is being edited on the page: its mask is painted, erased, taken from a file or dropped."""

from html import escape
from typing import Any

import gradio as gr

from vcd_ext.ui.overlay import overlay
from vcd_ext.ui.selection import ERASE, PAINT, PAINTED, Chosen, Selection, with_strokes
from vcd_ext.ui.uploads import UploadButton

EDITED = 640  # pixels of the longer side
BRUSH = 28


class MaskEditor:
    """Creates its components where it is made; `shown` are those that `show` gives values to."""

    def __init__(self) -> None:
        with gr.Row(visible=False, elem_id="vcd_train_editor") as self.row:
            self.sketch = gr.Image(
                label="Paint on it to correct the mask", tool="sketch", type="numpy", height=360, scale=3,
                brush_radius=BRUSH, brush_color="#ff4081", mask_opacity=0.6, show_download_button=False,
                elem_id="vcd_train_sketch",
            )  # fmt: skip
            with gr.Column(scale=2, min_width=220):
                self.about = gr.HTML(elem_id="vcd_train_about")
                self.used = gr.Checkbox(True, label="Use this photo", elem_id="vcd_train_used")
                self.way = gr.Radio([PAINT, ERASE], value=PAINT, label="What the brush does", elem_id="vcd_train_way")
                self.apply = gr.Button("Apply what I painted", variant="primary", elem_id="vcd_train_apply")
                self.mask_file = UploadButton(
                    "Take the mask from a file", file_types=["image"], elem_id="vcd_train_mask_file"
                )
                self.drop = gr.Button("No mask: learn the whole picture", elem_id="vcd_train_drop_mask")
        self.shown = [self.row, self.sketch, self.about, self.used]

    def show(self, one: Chosen | None) -> list[Any]:
        """Return values for `shown`. one: the photo that is being edited; None: there is none."""
        return [
            gr.update(visible=one is not None),
            gr.update(value=overlay(one.photo, EDITED) if one else None),
            gr.update(value=_about(one) if one else ""),
            gr.update(value=one.used if one else True),
        ]


def painted(sketch: dict[str, Any] | None, way: str, selection: Selection, index: int) -> Selection:
    """Return the selection with a mask corrected by strokes; ValueError, in one sentence, where there are none.

    sketch: the value of the editor's own. way: PAINT or ERASE.
    """
    if sketch is None or not sketch["mask"].any():
        raise ValueError("Nothing was painted; paint on the photo, then apply it.")
    strokes = sketch["mask"].max(axis=2) if sketch["mask"].ndim == 3 else sketch["mask"]
    return with_strokes(selection, index, strokes, way)


def _about(one: Chosen) -> str:
    """Tell the photo's name, and where its mask is from."""
    photo = one.photo
    if not one.used:
        mask = "It is left out of the training."
    elif photo.mask is None:
        mask = "The whole picture is learned." if one.whole else "No mask yet: find it, or paint it."
    else:
        source = {"alpha": "its transparency", "file": "a file", PAINTED: "your brush"}
        share = (photo.mask >= 128).mean()
        mask = f"The subject covers {share:.0%} of it. Mask from {source.get(photo.mask_source, photo.mask_source)}."
    return f'<div class="vcd-about"><b>{escape(photo.name)}</b><br>{escape(mask)}</div>'
