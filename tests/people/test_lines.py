"""Lines that say who is in a video, what they do and where they are."""

import pytest

from vcd_ext.people import PlacedPerson, RegionBox, check_identities, placed_people, with_regions

LEFT, RIGHT = RegionBox(0, 0, 0.5, 1), RegionBox(0.5, 0, 1, 1)


def test_a_line_is_an_identity_its_words_and_a_region() -> None:
    people = placed_people("rexly man, red jacket @ left\n\n  marla woman, (waving:1.2) @ 0.5 0.1 0.9 1  ")
    assert people == [
        PlacedPerson("rexly", "rexly man, red jacket", LEFT),
        PlacedPerson("marla", "marla woman, (waving:1.2)", RegionBox(0.5, 0.1, 0.9, 1)),
    ]
    assert placed_people("rexly @ left; marla @ right") == placed_people("rexly @ left\nmarla @ right")
    assert placed_people(" \n ") == []


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("left", LEFT),
        ("Right half", RIGHT),
        ("top", RegionBox(0, 0, 1, 0.5)),
        ("bottom third", RegionBox(0, 2 / 3, 1, 1)),
        ("centre", RegionBox(1 / 3, 0, 2 / 3, 1)),
        ("middle third", RegionBox(1 / 3, 0, 2 / 3, 1)),
        ("top right", RegionBox(0.5, 0, 1, 0.5)),
        ("whole", RegionBox(0, 0, 1, 1)),
        ("0.1, 0.2, 0.5, 0.9", RegionBox(0.1, 0.2, 0.5, 0.9)),
    ],
)
def test_regions_are_words_or_boxes(text: str, box: RegionBox) -> None:
    [person] = placed_people(f"rexly @ {text}")
    assert person.box == pytest.approx(box)
    assert not person.followed


def test_a_region_may_follow_its_person() -> None:
    assert placed_people("rexly @ followed left\nmarla @ followed right") == [
        PlacedPerson("rexly", "rexly", LEFT, True),
        PlacedPerson("marla", "marla", RIGHT, True),
    ]
    assert [person.box for person in placed_people("rexly @ followed\nmarla @ followed")] == [LEFT, RIGHT]


def test_a_region_may_move_over_the_video() -> None:
    [rexly, marla] = placed_people("rexly @ left -> right\nmarla @ 0.5 0 1 1->centre -> left")
    assert rexly.path == (LEFT, RIGHT)
    assert marla.path == (RIGHT, pytest.approx(RegionBox(1 / 3, 0, 2 / 3, 1)), LEFT)
    assert with_regions("rexly man @ left -> right") == "rexly man @ 0 0 0.5 1 -> 0.5 0 1 1"
    assert placed_people(with_regions("rexly man @ left -> right")) == placed_people("rexly man @ left -> right")
    assert len(placed_people("rexly @ left\nmarla @ left -> right")) == 2


def test_people_without_regions_stand_side_by_side() -> None:
    assert [person.box for person in placed_people("a\nb")] == [LEFT, RIGHT]
    assert [person.box.left for person in placed_people("a\nb\nc")] == pytest.approx([0, 1 / 3, 2 / 3])


def test_somebody_may_have_no_identity() -> None:
    people = placed_people("- man, red jacket @ left\n- woman @ right")
    assert people[0] == PlacedPerson("", "man, red jacket", LEFT)
    check_identities(people, [])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rexly @ left\nRexly, waving @ right", "People has Rexly twice"),
        ("rexly @ left\nmarla @ left", "'rexly' and 'marla' in the same region"),
        ("rexly @ 0.5 0 1.2 1", "whose region reaches outside of the picture"),
        ("rexly @ -0.1 0 1 1", "whose region reaches outside of the picture"),
        ("rexly @ 0.5 0 0.5 1", "whose region is empty"),
        ("rexly @ behind", "whose region 'behind' is unknown; choose one of left, right"),
        ("rexly @ left right", "whose region 'left right' is unknown"),
        ("rexly @ 0.1 0.2 0.3", "whose region '0.1 0.2 0.3' is unknown"),
        ("rexly @ nan 0 1 1", "whose region 'nan 0 1 1' is unknown"),
        ("rexly @ left -> behind", "whose region 'behind' is unknown"),
        ("rexly @ left ->", "whose region '' is unknown"),
        ("rexly @ followed left -> right", "is followed and moves by itself"),
        ("rexly @", "which ends before the region"),
        ("@ left", "which names nobody"),
        ("- @ left", "which names nobody"),
        ("rexly @ left\nmarla", "There are 2 people and 1 regions; give marla one"),
        ("a\nb\nc\nd", "There are 4 people and no regions"),
        ("rexly AND marla @ left", "with AND"),
        ("rexly <lora:hat:1> @ left", "People has <lora:hat:1>"),
        ("8: rexly @ left", "which looks like a key frame"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+\.$") as raised:
        placed_people(text)
    assert sentence in str(raised.value)


def test_identities_have_to_be_there() -> None:
    people = placed_people("ann lee woman @ left\nrexly dog @ right")
    check_identities(people, ["Ann Lee", "rexly", "marla"])
    with pytest.raises(ValueError, match="People has 'rexly', which is no identity that is here; there: ann lee."):
        check_identities(people, ["ann lee"])
    with pytest.raises(ValueError, match="there: none yet"):
        check_identities(people, [])
    with pytest.raises(ValueError, match="rexly is the identity of the whole video"):
        check_identities(people, ["ann lee", "rexly"], "rexly")
