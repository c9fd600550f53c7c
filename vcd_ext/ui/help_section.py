"""A small help at the top of each tab: one picture and three sentences."""

from pathlib import Path

import gradio as gr
from PIL import Image

from vcd_ext.ui.inline import data_url

PICTURES = Path(__file__).parent / "help"
# What the picture shows, and the three sentences.
HELP = {
    "train": (
        "Photos and their masks",
        "Drop 5 to 10 photos of one person, pet or thing, and say in a word what it is.",
        "Look at the masks: what is white is learned, and a brush corrects them.",
        "Press Train; when it is done, the name stands for the identity in every prompt.",
    ),
    "face": (
        "Before and after: the face that was too small is painted anew",
        "Drop a video, or send one here from txt2img, and press Find faces to see who is in it.",
        "Choose the identity, and a motion module, so that the new faces move steadily.",
        "Press Repair faces: each face is enlarged, painted anew and put back, and nothing else changes.",
    ),
    "tiled": (
        "Before and after: twice the width and height, with new detail",
        "Drop a video, or send one here from Face VCD or txt2img.",
        "Describe what it shows, and choose the identity and a motion module.",
        "Press Enlarge: it is doubled and its detail painted in tiles; more Denoise paints more.",
    ),
    "compare": (
        "The same prompt and seed with three embeddings, best first",
        "Drop the photos, and choose the embeddings that were trained on them, such as those of 50, 100 and 200 steps.",
        "Press Compare: each makes the same prompts with the same seeds, and likeness and text are measured.",
        "Below, Show opens the report of a whole evaluation, which python -m vcd_ext evaluate has written.",
    ),
}


def help_section(tab: str) -> None:
    """Create a tab's help here, closed."""
    shown, *sentences = HELP[tab]
    with Image.open(PICTURES / f"{tab}.jpg") as picture:
        url = data_url(picture)
    with gr.Accordion("Help", open=False, elem_id=f"vcd_{tab}_help"):
        listed = "".join(f"<li>{sentence}</li>" for sentence in sentences)
        gr.HTML(
            f'<figure class="vcd-help"><img src="{url}" alt="{shown}"><figcaption>{shown}</figcaption></figure>'
            f"<ol>{listed}</ol>"
        )
