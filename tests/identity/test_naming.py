"""Names that an identity can have, and classes that it can be."""

import pytest

from vcd_ext.hosts.diffusers.tokenizer import tokenizer
from vcd_ext.identity.naming import check_class_word, check_name
from vcd_ext.settings import SettingError


@pytest.fixture(scope="module")
def tokens():
    clip = tokenizer()
    return lambda words: clip(words, add_special_tokens=False).input_ids


@pytest.mark.parametrize("name", ["rex", "Rexy", "my_dog-2", "ann lee", "sks", "Zoë", "rex01"])
def test_rare_words_are_names(name: str, tokens):
    assert check_name(name, tokens) == name


@pytest.mark.parametrize("name", ["dog", "Dog", "the", "photo", "anna", "a", "woman", "beach"])
def test_a_common_word_would_be_hijacked(name: str, tokens):
    with pytest.raises(SettingError, match=rf"{name} is a common word.*{name}01") as refusal:
        check_name(name, tokens)
    assert refusal.value.key == "name"
    check_name(f"{name}01", tokens)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("", "empty"), ("  ", "empty"), (" rex", "spaces around"), ("a/b", "'/' in it"), ("..", r"'\.' in it"),
     ("a\\b", "in it"), ("C:rex", "':' in it"), ("rex\n", "spaces around"), ("rex,dog", "',' in it"),
     ("(rex:1.2)", "in it"), ("rex\0", "in it"), ("x" * 65, "65 characters"), ("123", "no letter"),
     ("-_-", "no letter")],
)  # fmt: skip
def test_what_is_no_name_is_refused(name: str, reason: str):
    with pytest.raises(SettingError, match=reason):
        check_name(name)


def test_a_class_is_one_to_four_plain_words():
    assert check_class_word(" toy   car ", "rexy") == "toy car"
    assert check_class_word("man's best friend dog", "rexy")


@pytest.mark.parametrize(
    ("class_word", "reason"),
    [
        ("", "empty"),
        ("a b c d e", "5 words"),
        ("dog, cat", "',' in it"),
        ("(dog)", "in it"),
        ("my Rexy", "use another"),
    ],
)
def test_what_is_no_class_is_refused(class_word: str, reason: str):
    with pytest.raises(SettingError, match=reason) as refusal:
        check_class_word(class_word, "rexy")
    assert refusal.value.key == "class_word"


@pytest.mark.parametrize(("name", "class_word"), [("my dog", "dog"), ("Black Dog", "dog"), ("red toy car", "toy car")])
def test_a_name_with_the_class_in_it_would_appear_in_prompts_of_others(name: str, class_word: str):
    with pytest.raises(SettingError, match=f"The class {class_word} is also in the name {name}"):
        check_class_word(class_word, name)
    assert check_class_word(class_word, "dogrex toycar") == class_word
