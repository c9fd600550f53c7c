"""Who stands where, on the page: people are put into the lines of *Several people*, and a map shows their regions.

The lines stay the one truth, which can be typed and pasted as well; the map lies over the last picture of the tab, and
a box can be drawn on it (javascript/vcd.js).
"""

import html
from collections.abc import Callable, Sequence

import gradio as gr

from vcd_ext.people import PlacedPerson, RegionBox, placed_people, with_regions
from vcd_ext.people.lines import FOLLOWED, NOBODY, TO, begins, split_lines
from vcd_ext.people.regions import WORDS
from vcd_ext.prompt.names import found, written

ANYBODY = "somebody without an identity"
COLOURS = ("#ff4081", "#2979ff", "#00c853", "#ffab00", "#aa00ff", "#00b8d4")
_GOING = (f"left {TO} right", f"right {TO} left", f"{FOLLOWED} left", f"{FOLLOWED} right")
_HINT = "Nobody is placed yet. Choose somebody above and a place, or draw a box here with the mouse; then Add."


class PeopleTable:
    """The controls that write the lines of people, and the map of their regions."""

    def __init__(self, tab: str, people: gr.Textbox, identities: Callable[[], Sequence[str]]):
        """Make them behind `people`, the field of the lines; identities: the names that can be chosen now."""
        with gr.Row(elem_classes="vcd-row"):
            self.who = gr.Dropdown(
                [ANYBODY, *identities()], value=ANYBODY, label="Person", elem_id=f"vcd_{tab}_person",
                tooltip="An identity, or a person, pet or thing that is described by words alone.",
            )  # fmt: skip
            self.words = gr.Textbox(
                label="Words", placeholder="woman, red jacket", elem_id=f"vcd_{tab}_person_words",
                tooltip="What only this person's region hears: the class word, clothes, what she does.",
            )  # fmt: skip
        with gr.Row(elem_classes="vcd-row"):
            self.place = gr.Dropdown(
                [*WORDS, *_GOING], value="left", label="Place", allow_custom_value=True,
                elem_id=f"vcd_{tab}_person_place",
                tooltip="Words, a box such as 0.1 0.2 0.5 0.9 (left, top, right, bottom), or one drawn on the map. -> "
                "moves the region over the video; followed lets it go with its person.",
            )  # fmt: skip
            self.add = gr.Button("Add or move", elem_id=f"vcd_{tab}_person_add")
            self.remove = gr.Button("Remove", elem_id=f"vcd_{tab}_person_remove")
        self.map = gr.HTML(people_map(""), elem_id=f"vcd_{tab}_people_map")
        # Written by the page's script where a box was drawn.
        drawn = gr.Textbox(elem_id=f"vcd_{tab}_people_drawn", elem_classes="vcd-hidden", label="Drawn")
        for kept in (self.who, self.words, self.place, drawn):
            kept.do_not_save_to_config = True  # what was chosen for one video is no default of the next
        given = [people, self.who, self.words, self.place]
        self.add.click(_added, given, [people, self.words], show_progress=False)
        self.remove.click(_removed, given, [people], show_progress=False)
        self.who.focus(lambda: gr.update(choices=[ANYBODY, *identities()]), None, [self.who], show_progress=False)
        drawn.input(lambda box: box, [drawn], [self.place], show_progress=False)
        people.change(people_map, [people], [self.map], show_progress=False)


def with_person(lines: str, who: str, words: str, place: str) -> str:
    """Return the lines with a person in a place: added, or moved where an identity is among them.

    Who stood side by side without a place is given it. Without words, a person who is moved keeps those of before.
    ValueError, in one sentence, for what cannot be.
    """
    words, kept = words.strip(), split_lines(lines)
    if any("@" not in line for line in kept):
        kept = split_lines(with_regions(lines))
    before = next((line for line in kept if who != ANYBODY and begins(line, who)), None)
    if before is not None and not words:
        words = before[found(before, who)[0][1] :].rpartition("@")[0].strip()
    if who == ANYBODY and not words:
        raise ValueError("A person without an identity needs words; say who it is, such as man, red jacket.")
    name = NOBODY if who == ANYBODY else written(who)
    line = f"{name} {words}".strip() + f" @ {place.strip() or 'left'}"
    text = "\n".join([line if other is before else other for other in kept] if before else [*kept, line])
    placed_people(text)
    return text


def without_person(lines: str, who: str, words: str) -> str:
    """Return the lines without an identity, or without the last person of none who has these words.

    ValueError if nobody is meant.
    """
    kept = split_lines(lines)
    meant = [line for line in kept if (line.startswith(NOBODY) if who == ANYBODY else begins(line, who))]
    if not meant:
        raise ValueError(f"There is no line of {who}; choose somebody who is in the lines.")
    named = [line for line in meant if words.strip() and words.strip() in line]
    kept.remove((named or meant)[-1])
    return "\n".join(kept)


def people_map(lines: str) -> str:
    """Return HTML of the picture with each person's region and words, or with what is wrong with the lines."""
    try:
        people = placed_people(lines)
    except ValueError as error:
        return f'<div class="vcd-notes vcd-error">{html.escape(str(error))}</div><div class="vcd-map"></div>'
    regions = "".join(_regions(person, COLOURS[i % len(COLOURS)]) for i, person in enumerate(people))
    return f'<div class="vcd-map">{regions or f"<p>{_HINT}</p>"}</div>'


def _regions(person: PlacedPerson, colour: str) -> str:
    """Return where somebody is in the first frame and, of a region that moves, goes to."""
    said = html.escape(person.words) + (f" <i>({FOLLOWED})</i>" if person.followed else "")
    goals = "".join(_region(box, html.escape(TO), colour, "vcd-goal") for box in person.beyond)
    return _region(person.box, said, colour) + goals


def _region(box: RegionBox, said: str, colour: str, more: str = "") -> str:
    left, top = (f"{100 * side:g}%" for side in box[:2])
    width, height = (f"{100 * side:g}%" for side in (box.right - box.left, box.bottom - box.top))
    style = f"left: {left}; top: {top}; width: {width}; height: {height}; --colour: {colour}"
    kind = f"vcd-region {more}".strip()
    return f'<div class="{kind}" style="{style}"><span>{said}</span></div>'


def _added(lines: str, who: str, words: str, place: str) -> tuple[str, str]:
    try:
        return with_person(lines, who, words, str(place or "")), ""
    except ValueError as error:
        raise gr.Error(str(error)) from error


def _removed(lines: str, who: str, words: str, _: str) -> str:
    try:
        return without_person(lines, who, words)
    except ValueError as error:
        raise gr.Error(str(error)) from error
