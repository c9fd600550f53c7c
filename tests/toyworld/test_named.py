"""Names: vectors that captions of a training call an individual by, as a learned identity is called later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from tools.toyworld import vocabulary
from tools.toyworld.captioning import captioned, tokenized
from tools.toyworld.identity import KINDS, individual
from tools.toyworld.looks import traits
from tools.toyworld.named import SPREAD, Names, Spoken, hears


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CLIPTokenizer:
    folder = vocabulary.write(tmp_path_factory.mktemp("names") / "clip", width=32, layers=1)
    return CLIPTokenizer.from_pretrained(folder)


def test_names_spread_around_the_class_word_and_are_always_the_same(tokenizer: CLIPTokenizer) -> None:
    names = Names(tokenizer, 32)
    many = torch.stack([names.of(individual(kind, number), 4) for kind in KINDS for number in range(200)])
    assert float(many.mean().abs()) < 0.1 * SPREAD
    assert 0.8 * SPREAD < float(many.std()) < 1.2 * SPREAD
    assert torch.equal(Names(tokenizer, 32).of(individual("dog", 3), 4), names.of(individual("dog", 3), 4))
    one, other = (names.of(individual("dog", number), 4) for number in (3, 4))
    assert float((one - other).square().mean().sqrt()) > 0.5 * SPREAD, "two dogs have two names"


def test_a_caption_that_calls_has_a_place_for_each_vector_and_says_all_looks(tokenizer: CLIPTokenizer) -> None:
    names, rng = Names(tokenizer, 32), np.random.default_rng(0)
    called = [captioned(number, rng, 1.0) for number in range(40)]
    assert {one.length for one in called} == {1, 2, 4, 8}
    assert {len(one.people) for one in called} == {1, 2}
    spoken = names.rows(tokenized(tokenizer, [one.text for one in called]), [(c.people, c.length) for c in called])
    assert len(spoken.places) == len(spoken.added) == sum(c.length * len(c.people) for c in called)
    assert all(one.looks == [traits(who) for who in one.people] for one in called)
    assert captioned(0, rng, 0.0).people == []


def test_texts_with_other_places_than_names_are_refused(tokenizer: CLIPTokenizer) -> None:
    tokens = tokenized(tokenizer, ["photo of q q man"])
    with pytest.raises(ValueError, match="texts have 2 places for names, expected 4"):
        Names(tokenizer, 32).rows(tokens, [([individual("man", 1)], 4)])


def test_a_text_encoder_hears_a_name_as_long_as_it_is_spoken(tokenizer: CLIPTokenizer) -> None:
    torch.manual_seed(0)
    model = CLIPTextModel(CLIPTextConfig.from_pretrained(Path(tokenizer.name_or_path))).eval()
    called, same = tokenized(tokenizer, ["photo of q q dog", "photo of dog dog dog"])
    spoken = Names(tokenizer, 32).rows(called[None], [([individual("dog", 1)], 2)])
    with torch.no_grad():
        before = model(called[None]).last_hidden_state
        with hears(model, spoken):
            heard = model(called[None]).last_hidden_state
        with hears(model, Spoken(spoken.places, spoken.classes, torch.zeros_like(spoken.added))):
            nobody = model(called[None]).last_hidden_state
        assert torch.equal(nobody, model(same[None]).last_hidden_state), "without a name it is the class word"
        assert not torch.allclose(heard, nobody)
        assert torch.equal(model(called[None]).last_hidden_state, before)
