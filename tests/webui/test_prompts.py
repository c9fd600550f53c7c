"""The command line reads a prompt as the WebUI does: its parser and its text encoder are asked what they make of it."""

import random
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.webui.server import Server
from vcd_ext.hosts.diffusers.conditioning import CHUNK, Prompts
from vcd_ext.hosts.diffusers.host import Standalone
from vcd_ext.prompt import parts, schedule

STEPS = 10
NAMES = ("tinyperson", "ann lee", "rex (1)")
WORDS = "a photo of cat, dog beach running smiling detailed 8k, snow, tinyperson"
COMMON = [
    "",
    "a photo of tinyperson, smiling",
    "Tinyperson's TINYPERSON tinyperson_2, ann lee, ann  lee",
    "masterpiece, (best quality:1.2), ((detailed)), [blurry], (sharp focus:0.8), \\(literal\\), rex \\(1\\)",
    "a [cat:dog:0.5] and [an oak:a pine:7] [in snow:3] [by night::.6] [red|blue]",
    "a cat AND a (dog:1.1) :0.7 AND [rain|sun] at night :-0.5",
    "far BREAK near, (a BREAK b) BREAKFAST BREAK",
    "cat " * 75,
    "cat " * 76,
    "cat, " * 60,
    ", ".join(["a beautiful landscape"] * 14) + ", tinyperson in the middle of a very long description of it all",
    "cat " * 73 + "tinyperson, ann lee",
    "cat " * 54 + ", " + "dog " * 20 + "bird",
    "cat " * 55 + ", " + "dog " * 20 + "bird",
    "cafe \u00e9t\u00e9, \u732b, \U0001f600, don't, 12:30, <a>, {b}, x_y-z",
]


def random_prompt(rng: random.Random, depth: int = 0) -> str:
    """Words and groups of all kinds, within each other.

    Without brackets that do not match: where one stands next to a group, what the WebUI makes of that changes from
    start to start, with the order of Python's sets.
    """
    pieces = []
    for _ in range(rng.randint(1, 4 if depth else 16)):
        kind = rng.randrange(14) if depth < 2 else 0
        if kind < 8:
            pieces.append(rng.choice([*WORDS.split(), *NAMES[:2], "rex \\(1\\)", "\\[", ",", "BREAK"]))
            continue
        first, second = (random_prompt(rng, depth + 1) for _ in range(2))
        weight, step = rng.choice(["1.3", ".5", " 2 ", "-1"]), rng.choice(["0.3", "4", " .5 ", "12", "0"])
        groups = (f"({first})", f"[{first}]", f"({first}:{weight})", f"[{first}:{second}:{step}]",
                  f"[{first}:{step}]", f"[{first}|{second}]")  # fmt: skip
        pieces.append(groups[kind - 8])
    return " ".join(pieces)


@pytest.fixture(scope="module")
def prompts(data: Path) -> Prompts:
    return Standalone.load(data / "models/Stable-diffusion/tiny.safetensors").prompts


@pytest.fixture(scope="module")
def embeddings(server: Server) -> Any:
    """Three embeddings in the WebUI's folder, one of them with a name in brackets."""
    vectors = {name: torch.full((i + 2, 64), float(i + 1)) for i, name in enumerate(NAMES)}
    own = [name for name in NAMES if name != "tinyperson"]
    files = [server.data / "embeddings" / f"{name}.pt" for name in own]
    for name, file in zip(own, files, strict=True):
        torch.save({"string_to_param": {"*": vectors[name]}, "name": name}, file)
    server.post("/sdapi/v1/refresh-embeddings").raise_for_status()
    vectors["tinyperson"] = torch.full((4, 64), 1.0)
    yield vectors
    for file in files:
        file.unlink()
    server.post("/sdapi/v1/refresh-embeddings").raise_for_status()


def ours(prompts: Prompts, prompt: str, embeddings: dict[str, torch.Tensor]) -> Any:
    """Return what we make of a prompt, in the layout of the probe's answer; a vector is token 0 there."""
    names = {float(vectors[0, 0]): name for name, vectors in embeddings.items()}

    def chunks(text: str) -> list[Any]:
        told = []
        for chunk in prompts.chunks(text, embeddings):
            rest = CHUNK + 1 - len(chunk.tokens)
            tokens = [0 if isinstance(token, torch.Tensor) else token for token in chunk.tokens]
            found, place = [], 0
            while place < len(chunk.tokens):
                token = chunk.tokens[place]
                if isinstance(token, torch.Tensor):
                    found.append(names[float(token[0])])
                    place += len(embeddings[found[-1]])
                else:
                    place += 1
            told.append([[49406, *tokens, *[49407] * rest], [1.0, *chunk.weights, *[1.0] * rest], found])
        return told

    return [
        [weight, [[end, said, chunks(said)] for end, said in schedule(text, STEPS)]] for text, weight in parts(prompt)
    ]


def test_tokens_weights_chunks_and_steps_are_the_webuis(server: Server, prompts: Prompts, embeddings: Any) -> None:
    rng = random.Random(0)
    asked = COMMON + [random_prompt(rng) for _ in range(60)]
    answer = server.post("/probe/prompts", prompts=asked, steps=STEPS)
    assert answer.status_code == 200, answer.text
    theirs = answer.json()
    for prompt, expected in zip(asked, theirs, strict=True):
        found = ours(prompts, prompt, embeddings)
        assert without_moved(found) == without_moved(expected), prompt
    assert sum(len(part[1]) > 1 for prompt in theirs for part in prompt) > 10
    assert sum(len(said[2]) > 1 for prompt in theirs for part in prompt for said in part[1]) > 10


def without_moved(told: Any) -> Any:
    """Return the same with the names of embeddings for a whole text, not for each chunk.

    Where the WebUI moves what follows a comma to the next chunk, it leaves the vectors of an embedding behind, among
    the padding of the chunk before; we move them with their places.
    """
    return [
        [
            weight,
            [[end, said, [c[:2] for c in chunks], [n for c in chunks for n in c[2]]] for end, said, chunks in part],
        ]
        for weight, part in told
    ]
