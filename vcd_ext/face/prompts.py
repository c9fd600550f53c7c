"""Who is who: the text `1: rex; 2: -` gives the faces of the preview their words, and leaves some as they are.

Or by region, as several people in a video have them: `rex dog @ left; mara @ right`.
"""

import re
from collections.abc import Mapping, Sequence

from vcd_ext.face.by_region import people_of_tracks
from vcd_ext.face.track.track import Track
from vcd_ext.people import PlacedPerson, placed_people
from vcd_ext.progress import Note
from vcd_ext.prompt.names import mentions, with_name
from vcd_ext.prompt.travel import travels
from vcd_ext.settings import NO_MODULE, FaceSettings, SettingError

LEFT_ALONE = "-"
_EXAMPLE = "write it as in '1: rex; 2: -'"


def parse_people(text: str) -> dict[int, str | None]:
    """Read the words for each number, None for faces that stay as they are; SettingError for other texts."""
    named: dict[int, str | None] = {}
    for entry in re.split(r"[;\n]", text):
        if not entry.strip():
            continue
        number, colon, words = (part.strip() for part in entry.partition(":"))
        if not colon or not words or not number.isdecimal():
            raise SettingError("people", f"People has {entry.strip()!r}, in which no face gets its words; {_EXAMPLE}.")
        if int(number) in named:
            raise SettingError("people", f"People names face {int(number)} twice; name it once.")
        named[int(number)] = None if words == LEFT_ALONE else words
    return named


def people_by_region(text: str) -> list[PlacedPerson]:
    """Read the lines of People if they have regions; [] for others. SettingError for lines that cannot be."""
    if "@" not in text:
        return []
    try:
        return placed_people(text)
    except ValueError as error:
        raise SettingError("people", str(error)) from error


def face_prompts(
    tracks: Sequence[Track], settings: FaceSettings, size: tuple[int, int, int] = (1, 1, 1), note: Note = lambda _: None
) -> dict[int, str | None]:
    """Return the prompt of each track by its number; None for tracks that are left alone.

    It is the settings' prompt with the words that People has for the track, else with the identity. Where People has
    regions, which are shares of `size` (frames, height and width of the video), tracks that are nobody are left alone
    unless there is an identity for them. note: told of these in a sentence. SettingError if People names a number that
    no track has.
    """
    placed = people_by_region(settings.people)
    if placed:
        return _prompts_by_region(people_of_tracks(tracks, placed, size, note), tracks, settings)
    named = parse_people(settings.people)
    numbers = [track.number for track in tracks]
    unknown = sorted(named.keys() - set(numbers))
    if unknown:
        there = f"there are faces 1 to {max(numbers)}" if len(numbers) > 1 else "there is only face 1"
        raise SettingError("people", f"People names face {unknown[0]}, but {there}; correct the number.")
    identity = "" if settings.identity == NO_MODULE else settings.identity
    return {number: _prompt(settings.prompt, named, number, identity) for number in numbers}


def _prompts_by_region(
    people: Mapping[int, PlacedPerson], tracks: Sequence[Track], settings: FaceSettings
) -> dict[int, str | None]:
    prompts: dict[int, str | None] = {}
    for track in tracks:
        person = people.get(track.number)
        if person is not None:
            prompts[track.number] = _joined(settings.prompt, person.words)
        elif settings.identity != NO_MODULE:
            prompts[track.number] = with_name(settings.prompt, settings.identity)
        else:
            prompts[track.number] = None
    return prompts


def _joined(prompt: str, words: str) -> str:
    """Return a prompt with words behind it: 'close up photo of' goes on with them."""
    if prompt.rstrip().endswith(" of"):
        return f"{prompt.rstrip()} {words}"
    between = "\n" if travels(prompt) else ", "  # behind key frames: for all of them
    return between.join(filter(None, (prompt.strip(), words)))


def _prompt(prompt: str, named: Mapping[int, str | None], number: int, identity: str) -> str | None:
    words = named.get(number, identity)
    if words is None:
        return None
    if words == identity:
        return with_name(prompt, identity) if identity else prompt
    # Not only a name: "rex, smiling" and "(rex:1.2)" are in the syntax of prompts.
    return prompt if mentions(prompt, words) else _joined(prompt, words)
