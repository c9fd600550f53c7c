"""Lines such as `marla woman, waving @ right`: an identity, words of its own, and where it is in the picture.

A line begins with the identity's name, or with `-` for somebody without one. Behind the last `@` stands the region: see
`regions.parse_box`. `left -> right` moves it over the video, `followed` before it lets it go with the person.
"""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from vcd_ext.people.regions import STRIPS, WORDS, RegionBox, parse_box
from vcd_ext.prompt.names import found
from vcd_ext.prompt.networks import NETWORK
from vcd_ext.prompt.parts import parts
from vcd_ext.prompt.travel import travels

NOBODY = "-"
FOLLOWED, TO = "followed", "->"
_EXAMPLE = "write a line as in 'marla woman, waving @ right'"
_FIRST = re.compile(r"[^\s,;:()\[\]]+")


class PlacedPerson(NamedTuple):
    """Somebody in a video."""

    name: str  # as the line begins; "" for nobody in particular
    words: str  # the text that the region hears, with the name
    box: RegionBox
    followed: bool = False  # whether the region goes with the person; the box is where it begins, and what is used else
    beyond: tuple[RegionBox, ...] = ()  # where the region moves from the box on

    @property
    def path(self) -> tuple[RegionBox, ...]:
        """Return where the region is, one after the other, from the first frame to the last."""
        return (self.box, *self.beyond)


def placed_people(text: str) -> list[PlacedPerson]:
    """Read who is in a video, one a line or parted by `;`; [] for none.

    Where nobody has a region, two people have the halves from left to right, and three the thirds. ValueError, in one
    sentence, for lines that cannot be.
    """
    read = [_read(line) for line in split_lines(text)]
    boxes = _boxes([(name, path[0] if path else None) for name, _, path, _ in read])
    people = [
        PlacedPerson(name, words, box, goes, path[1:])
        for (name, words, path, goes), box in zip(read, boxes, strict=True)
    ]
    for i, person in enumerate(people):
        for other in people[:i]:
            if person.name and person.name.lower() == other.name.lower():
                raise ValueError(f"People has {person.name} twice; give each identity one line.")
            if person.path == other.path:
                raise ValueError(
                    f"People has '{_short(other.words)}' and '{_short(person.words)}' in the same region; give each a "
                    "place of its own, or write both into one line."
                )
    return people


def split_lines(text: str) -> list[str]:
    """Return the lines of a text, which newlines or `;` part, without those that are empty."""
    return [line.strip() for line in re.split(r"[;\n]", text) if line.strip()]


def with_regions(text: str) -> str:
    """Return lines of people in which each has its region; ValueError as `placed_people`."""
    return "\n".join(
        f"{'' if person.name else f'{NOBODY} '}{person.words} @ {f'{FOLLOWED} ' if person.followed else ''}"
        + f" {TO} ".join(" ".join(f"{side:g}" for side in box) for box in person.path)
        for person in placed_people(text)
    )


def check_identities(people: Sequence[PlacedPerson], known: Collection[str], everywhere: str = "") -> None:
    """Raise ValueError, in one sentence, for a person whose identity is not among the known ones.

    everywhere: the identity of the whole video, who cannot be in a region as well.
    """
    for person in people:
        if not person.name:
            continue
        if everywhere and begins(person.words, everywhere):
            raise ValueError(
                f"{everywhere} is the identity of the whole video and stands among its people; choose the identity "
                "'none', or take the line out."
            )
        if not any(begins(person.words, name) for name in known):
            there = ", ".join(sorted(known)) or "none yet"
            raise ValueError(
                f"People has '{person.name}', which is no identity that is here; there: {there}. Begin a line with the "
                f"identity's name, or with {NOBODY} for somebody without one."
            )


def begins(words: str, name: str) -> bool:
    """Return whether words begin with an identity's name."""
    return any(start == 0 for start, _ in found(words, name))


def _read(line: str) -> tuple[str, str, tuple[RegionBox, ...], bool]:
    """Return name, words, the region's path, () where the line has none, and whether that is followed."""
    words, marked, place = (part.strip() for part in line.rpartition("@"))
    if not marked:
        words, place = line, ""
    first = _FIRST.match(words)
    if not first:
        raise ValueError(f"People has the line '{_short(line)}', which names nobody; {_EXAMPLE}.")
    if marked and not place:
        raise ValueError(f"People has the line '{_short(line)}', which ends before the region; {_EXAMPLE}.")
    followed = place.lower().split()[:1] == [FOLLOWED]
    if followed:
        place = place[len(FOLLOWED) :].strip()
    name = first[0]
    if name == NOBODY:
        name, words = "", words[len(NOBODY) :].strip()
        if not words:
            raise ValueError(f"People has the line '{_short(line)}', which names nobody; {_EXAMPLE}.")
    _check_words(words)
    path = tuple(parse_box(box.strip(), _short(line)) for box in place.split(TO)) if place else ()
    if followed and len(path) > 1:
        raise ValueError(
            f"People has the line '{_short(line)}', whose region is followed and moves by itself; take '{FOLLOWED}' or "
            f"'{TO}' out."
        )
    return name, words, path, followed


def _check_words(words: str) -> None:
    if len(parts(words)) > 1:
        raise ValueError(
            f"People has '{_short(words)}' with AND, which joins parts of a whole prompt; write it with a comma."
        )
    if travels(words):
        raise ValueError(
            f"People has '{_short(words)}', which looks like a key frame; key frames belong into the prompt."
        )
    if network := NETWORK.search(words):
        raise ValueError(
            f"People has {network[0]}, and a network changes the whole picture; write it into the prompt instead."
        )


def _boxes(asked: Sequence[tuple[str, RegionBox | None]]) -> list[RegionBox]:
    """Return a region for each person: those that were asked for, or strips where nobody asks."""
    given = [box for _, box in asked if box is not None]
    if len(given) == len(asked):
        return given
    if given:
        lacking = next(name for name, box in asked if box is None)
        raise ValueError(
            f"There are {len(asked)} people and {len(given)} regions; give {lacking or 'everybody'} one as well, such "
            "as '@ right', or take all of them out."
        )
    if len(asked) not in STRIPS:
        raise ValueError(
            f"There are {len(asked)} people and no regions; up to three stand side by side by themselves, so give each "
            f"a region, such as {', '.join(WORDS[:4])} or a box '@ 0.1 0.2 0.5 0.9'."
        )
    return list(STRIPS[len(asked)])


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}..."
