"""Networks that a prompt asks for, such as `<lora:name:0.8>`."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from vcd_ext.prompt.comments import without_comments

NETWORK = re.compile(r"<(\w+):([^>]+)>")
LORAS = ("lora", "lyco")  # kinds of networks that are LoRAs


class Called(NamedTuple):
    """A LoRA that a prompt asks for, and how strongly it counts for the UNet and for the text encoder."""

    name: str
    weight: float
    text_weight: float


def check_no_networks(*prompts: str, known: Collection[str] = ()) -> None:
    """Raise ValueError, in one sentence, if a prompt asks for a network that is not among the `known` LoRAs."""
    for prompt in prompts:
        for found in NETWORK.finditer(without_comments(prompt)):
            if not _is_known(found, known):
                raise ValueError(
                    f"The prompt has {found[0]}, which is not among the LoRAs that were given; name its file or folder "
                    "with --loras, or leave it out."
                )


def called_loras(prompt: str, known: Collection[str]) -> list[Called]:
    """Return the `known` LoRAs that a prompt asks for; ValueError, in one sentence, for a weight that is no number."""
    found = NETWORK.finditer(without_comments(prompt))
    return [called(match[2].split(":")) for match in found if _is_known(match, known)]


def called(items: Sequence[str]) -> Called:
    """Return what `<lora:name:0.8>` asks for, by what stands between its colons.

    As the WebUI reads them: the first number, or `te=`, is that of the text encoder, and of the UNet where there is no
    second one, or `unet=`.
    """
    given = dict(item.split("=", 1) for item in items if "=" in item)
    numbers = [item for item in items if "=" not in item]
    of_text = given.get("te") or (numbers[1:2] or ["1"])[0]
    weight = given.get("unet") or (numbers[2:3] or [of_text])[0]
    try:
        return Called(items[0], float(weight), float(of_text))
    except ValueError:
        raise ValueError(
            f"The prompt has <lora:{':'.join(items)}>, whose weight is no number; write it as <lora:{items[0]}:0.8>."
        ) from None


def without_loras(prompt: str, known: Collection[str]) -> str:
    """Return the prompt without what it says of the `known` LoRAs."""
    return NETWORK.sub(lambda match: "" if _is_known(match, known) else match[0], prompt)


def _is_known(match: "re.Match[str]", known: Collection[str]) -> bool:
    return match[1] in LORAS and match[2].split(":")[0] in known
