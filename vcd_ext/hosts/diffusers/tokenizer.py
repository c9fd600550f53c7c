"""CLIP's tokenizer without a model hub: made from the merge table that open_clip and clip carry in their packages."""

import gzip
import importlib.util
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from transformers import CLIPTokenizer
from transformers.models.clip.tokenization_clip import bytes_to_unicode

TABLE = "bpe_simple_vocab_16e6.txt.gz"
PACKAGES = ("open_clip", "clip")
MERGES = 49152 - 256 - 2  # CLIP's vocabulary without the single bytes and the two special tokens
LENGTH = 77


def table() -> Path:
    """Find the merge table in the first installed package that has it; the package itself is not imported.

    FileNotFoundError where there is none.
    """
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec and spec.origin and (path := Path(spec.origin).parent / TABLE).is_file():
            return path
    raise FileNotFoundError(
        f"CLIP's merge table {TABLE} is in none of the packages {', '.join(PACKAGES)}; "
        "install one of them, for example: pip install open-clip-torch==2.20.0"
    )


def tokenizer() -> CLIPTokenizer:
    """Make a tokenizer with CLIP's 49408 tokens: the ids that Stable Diffusion 1.5 was trained on."""
    with gzip.open(table(), "rt", encoding="utf-8") as file:
        merges = file.read().split("\n")[1 : MERGES + 1]
    letters = list(bytes_to_unicode().values())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *(merge.replace(" ", "") for merge in merges)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    with TemporaryDirectory() as folder:
        vocabulary, merge_list = Path(folder, "vocab.json"), Path(folder, "merges.txt")
        vocabulary.write_text(json.dumps({token: i for i, token in enumerate(tokens)}), encoding="utf-8")
        merge_list.write_text("\n".join(["#version: 0.2", *merges, ""]), encoding="utf-8")
        return CLIPTokenizer(str(vocabulary), str(merge_list), model_max_length=LENGTH)
