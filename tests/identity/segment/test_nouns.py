"""The class word: the thing that most captions are about."""

import pytest

from vcd_ext.identity.segment.coco import CLASSES, SYNONYMS, class_of
from vcd_ext.identity.segment.nouns import class_word, head_class

CAPTIONS = {
    "a man with a beard and a hat": "person",
    "a close up of a dog laying on a couch": "dog",
    "two dogs playing in the grass": "dog",
    "a black and white photo of a woman": "person",
    "a small white and brown puppy sitting on a rug": "dog",
    "there is a cat that is sitting on a table": "cat",
    "arafed kitten laying on a couch with a blanket": "cat",
    "a smiling man": "person",
    "a group of people standing around": "person",
    "a woman in a red dress smiling at the camera": "person",
    "a painting of a horse": "horse",
    "a person riding a bike": "person",
    "a man and a dog": "person",
    "a woman and two dogs": "person",
    "a hot dog with mustard": "hot dog",
    "a teddy bear on a bed": "teddy bear",
    "a stuffed animal sitting on a shelf": "teddy bear",
    "a pair of scissors on a table": "scissors",
    "a red car parked on the street": "car",
    "A Golden Retriever": "dog",
    "a toy robot on a table": None,
    "a building with a clock": None,
    "": None,
}


@pytest.mark.parametrize("caption", CAPTIONS)
def test_a_caption_is_about_its_head_noun(caption: str):
    assert head_class(caption) == CAPTIONS[caption]


def test_there_are_cocos_80_classes_and_every_synonym_leads_to_one():
    assert len(set(CLASSES.split())) == 80
    assert set(SYNONYMS) <= set(CLASSES.split())
    assert not {word for words in SYNONYMS.values() for word in words.split()} & set(CLASSES.split())


@pytest.mark.parametrize(
    ("word", "name"),
    [("Dogs", "dog"), ("women", "person"), ("buses", "bus"), ("skis", "skis"), ("wine glasses", "wine glass"),
     ("mice", "mouse"), ("cell phones", "cell phone"), ("dragon", None)],
)  # fmt: skip
def test_plurals_and_capitals_name_the_same_class(word: str, name: str | None):
    assert class_of(word) == name


def test_most_captions_decide_and_the_first_where_they_draw():
    assert class_word(["a dog", "a cat", "a dog on a sofa", "a robot"]) == "dog"
    assert class_word(["a cat", "a dog"]) == "cat"


@pytest.mark.parametrize("captions", [[], ["a robot", "a dragon"]])
def test_where_nothing_is_recognised_the_person_is_asked(captions: list[str]):
    with pytest.raises(ValueError, match="write it in a word, for example dog"):
        class_word(captions)
