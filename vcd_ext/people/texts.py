"""The words of the people with their regions, as a host denoises with them."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from vcd_ext.people.lines import PlacedPerson, placed_people
from vcd_ext.people.regions import Regions


class WithPeople(Protocol):
    """Settings that say who is in a video, as `settings.PeopleSettings`."""

    @property
    def people(self) -> str:
        """The lines of `placed_people`."""

    @property
    def people_base(self) -> float:
        """See `Regions`."""

    @property
    def people_border(self) -> float:
        """See `Regions`."""


class RegionalTexts(NamedTuple):
    """Hold what each region hears."""

    people: Sequence[PlacedPerson]
    regions: Regions

    @property
    def words(self) -> list[str]:
        """The text of each region."""
        return [person.words for person in self.people]

    def still_notes(self, where: str) -> list[str]:
        """Return a sentence for each person who is to be followed and is not, such as `where frames are given`."""
        return [
            f"{person.name or person.words} is not followed {where}; the region stays where it begins."
            for person in self.people
            if person.followed
        ]

    @classmethod
    def of(cls, settings: WithPeople) -> "RegionalTexts | None":
        """Read the settings; None for those without people. ValueError as `placed_people`."""
        people = placed_people(settings.people)
        if not people:
            return None
        paths = [person.path for person in people]
        return cls(people, Regions(paths, border=settings.people_border, base=settings.people_base))
