"""Define who is in a video, where several people are: each with an identity, words and a region of its own."""

from dataclasses import dataclass

from vcd_ext.people.regions import BASE, BORDER
from vcd_ext.settings.setting import CHANGED, setting, span


@dataclass(frozen=True)
class PeopleSettings:
    """Set up several identities in one video; `VideoSettings` and `TiledSettings` have all of it."""

    people: str = setting(
        "",
        "People",
        "Who is in the video, one a line: an identity, words of its own, and the region that hears them, such as "
        "'marla woman, waving @ right'. Regions are left, right, top, bottom, centre, halves, thirds and corners, "
        "or left, top, right and bottom from 0 to 1: '@ 0.1 0.2 0.5 0.9'. '@ left -> right' moves a region over the "
        "video, '@ followed left' lets it go with the person. Without regions two or three stand side by side. '-' "
        "begins a line of somebody without an identity. The prompt says what is in all of the picture.",
        infotext=CHANGED,
    )
    people_base: float = setting(
        BASE,
        "People's share of the prompt",
        "How much of the prompt is heard in the regions as well. 0: each hears its own words alone.",
        **span(0.0, 0.9, 0.05),
        infotext=CHANGED,
    )
    people_border: float = setting(
        BORDER,
        "People's borders",
        "Over how much of the picture's side one region goes over into the next.",
        **span(0.0, 0.5, 0.05),
        infotext=CHANGED,
    )
