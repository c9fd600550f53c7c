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

from transformers import CLIPTextConfig, CLIPTokenizer
from transformers.models.clip.tokenization_clip import bytes_to_unicode

from .captions import LIGHT_WORDS, PLACES, PREFIXES
from .identity import KINDS
from .looks import words
from .motion import ACTIONS

LENGTH = 77
MORE = "a an the and of with picture photograph video cartoon drawing portrait person animal pet people face very small"


def known_words() -> list[str]:
    """Every word of the captions, and a few that people are likely to try."""
    texts = [*PLACES.values(), *PREFIXES.values(), *LIGHT_WORDS.values(), *KINDS, *ACTIONS, *words(), MORE]
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
    letters = list(bytes_to_unicode().values())
    found = merges(known_words())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in found)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in found), ""]
    (folder / "merges.txt").write_text("\n".join(lines), encoding="utf-8")
    CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=LENGTH
    ).save_pretrained(folder)  # fmt: skip
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
