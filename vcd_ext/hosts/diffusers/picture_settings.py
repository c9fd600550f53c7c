"""What is asked of the standalone host, checked and completed before a checkpoint is loaded."""

import random
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from vcd_ext.hosts.protocols import FACTOR
from vcd_ext.identity.embedding import names_meant
from vcd_ext.prompt.names import mentions, with_name
from vcd_ext.prompt.networks import check_no_networks
from vcd_ext.settings import GenerateSettings, parse


def check_picture(picture: GenerateSettings) -> GenerateSettings:
    """Return the settings; SettingError or ValueError for a value that is out of range or no multiple of 8."""
    picture = parse(GenerateSettings, asdict(picture))
    for name, length in (("width", picture.width), ("height", picture.height)):
        if length % FACTOR:
            raise ValueError(f"{name} is {length}; it must be a multiple of {FACTOR}, for example {length // 8 * 8}.")
    return picture


def complete(
    picture: GenerateSettings, embeddings: Sequence[Path], loras: Collection[str] = (), people: str = ""
) -> GenerateSettings:
    """Return the settings with a drawn seed instead of -1, and with the names of all embeddings in the prompt.

    loras: the names of those that the prompt may ask for. people: lines of `settings.PeopleSettings`; who is in them
    is not in the prompt.
    ValueError, in one sentence, for a prompt that asks for what only the WebUI has, or a name that no prompt can have.
    """
    check_no_networks(picture.prompt, picture.negative_prompt, known=loras)
    seed = random.randrange(2**32) if picture.seed < 0 else picture.seed
    prompt = picture.prompt
    for path in embeddings:
        for name in names_meant(path, f"{picture.prompt}\n{picture.negative_prompt}\n{people}"):
            if not mentions(picture.negative_prompt, name) and not mentions(people, name):
                prompt = with_name(prompt, name)
    return replace(picture, seed=seed, prompt=prompt)
