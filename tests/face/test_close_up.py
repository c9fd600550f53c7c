"""A face is painted close up, however far away its video shows it."""

import pytest

from tools.toyworld.captions import PREFIXES
from vcd_ext.face.close_up import close_up
from vcd_ext.identity.photos.augment import CLOSE, FAR


@pytest.mark.parametrize(
    ("prompt", "wanted"),
    [
        ("far away photo of rex dog in the snow", "close up photo of rex dog in the snow"),
        ("a very far-away Picture of rex", "a close up Picture of rex"),
        ("Full body portrait of ann, smiling", "close up portrait of ann, smiling"),
        ("photo of ann, (full body:1.3), <lora:full-body:1>", "photo of ann, (close up:1.3), <lora:full-body:1>"),
        ("full-length", "close up"),
        ("photo of ann, far away", "photo of ann, close up"),
        ("photo of rex on the beach", "close up photo of rex on the beach"),
        ("<lora:photo of:1> (photo of rex:1.2)", "<lora:photo of:1> (close up photo of rex:1.2)"),
        (
            "A grainy old photo of rex, holding a photo of ann",
            "A grainy old close up photo of rex, holding a photo of ann",
        ),
        ("photo of rex, mountains far away in the mist", "close up photo of rex, mountains far away in the mist"),
        ("extreme wide shot of ann in a desert", "close up shot of ann in a desert"),
    ],
)
def test_words_of_distance_become_close_up(prompt: str, wanted: str) -> None:
    assert close_up(prompt) == wanted


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "rex, running on the beach",
        "close up photo of rex",
        "A closeup photo of rex",
        "photo of rex, close-up",
        "rex holding up a big photo of ann",
        "mountains far away in the mist",
        "ann in a full length dress and full body armour, with a wide shotgun",
        "a photorealistic far away planet",
    ],
)
def test_other_prompts_stay_as_they_are(prompt: str) -> None:
    assert close_up(prompt) == prompt


def test_these_are_the_words_that_an_identity_and_the_shipped_world_have_learned() -> None:
    assert close_up(f"{FAR}photo of rex") == f"{CLOSE}photo of rex"
    assert close_up(f"{PREFIXES['far']} rex") == f"{PREFIXES['close']} rex"
