"""The small CLIP tokenizer of the drawn world: its words are one token each, all others fall into pieces or letters.

python -m tools.toyworld.vocabulary OUT        # a second; writes the text encoder's folder without weights
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

from transformers import CLIPTextConfig

from .captions import FACINGS, LIGHT_WORDS, PLACES, PREFIXES
from .identity import KINDS
from .looks import words
from .motion import ACTIONS

LENGTH = 77
MORE = """a an the and of with on left right two picture photograph video cartoon drawing portrait person animal pet
    people face very small"""


def known_words() -> list[str]:
    """Every word of the captions, and a few that people are likely to try."""
    parts = (PLACES, PREFIXES, LIGHT_WORDS, FACINGS)
    texts = [*(text for part in parts for text in part.values()), *KINDS, *ACTIONS, *words(), MORE]
    return sorted({word for text in texts for word in re.findall(r"[a-z]+", text)})


def merges(vocabulary: list[str]) -> list[tuple[str, str]]:
    """Byte-pair merges, the most frequent pair first, until every word is one token (Sennrich et al., 1508.07909)."""
    pieces = [[*word[:-1], f"{word[-1]}</w>"] for word in vocabulary]
    found: list[tuple[str, str]] = []
    while pairs := Counter(pair for word in pieces for pair in pairwise(word)):
        best = max(sorted(pairs), key=lambda pair: pairs[pair])
        found.append(best)
        pieces = [_joined(word, best) for word in pieces]
    return found


def _letters() -> list[str]:
    """Return a printable letter for each byte, in the order of byte-level BPE (Radford et al., GPT-2)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = len(set(range(256)) - set(printable))
    return [*map(chr, printable), *(chr(256 + k) for k in range(others))]


def _joined(word: list[str], pair: tuple[str, str]) -> list[str]:
    joined: list[str] = []
    for piece in word:
        if joined and (joined[-1], piece) == pair:
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def write(folder: Path, width: int = 128, layers: int = 3, heads: int = 4) -> Path:
    """Write config and tokenizer of the text encoder as `from_pretrained` reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = _letters()
    found = merges(known_words())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in found)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in found), ""]
    (folder / "merges.txt").write_text("\n".join(lines), encoding="utf-8")
    start, end = tokens[-2:]
    special = {"bos_token": start, "eos_token": end, "unk_token": end, "pad_token": end}
    (folder / "special_tokens_map.json").write_text(json.dumps(special), encoding="utf-8")
    names = {"tokenizer_class": "CLIPTokenizer", "model_max_length": LENGTH, "do_lower_case": True, "errors": "replace"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**special, **names}), encoding="utf-8")
    CLIPTextConfig(
        vocab_size=len(tokens), hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers,
        num_attention_heads=heads, bos_token_id=len(tokens) - 2, eos_token_id=len(tokens) - 1,
        max_position_embeddings=LENGTH,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def main() -> None:
    """Write the folder named on the command line."""
    parser = argparse.ArgumentParser(description="Write the tokenizer and the text encoder's config.")
    parser.add_argument("out", type=Path)
    print(write(parser.parse_args().out))


if __name__ == "__main__":
    main()
