"""Several people in one video: who stands where, and how each region of the picture hears a text of its own."""

from vcd_ext.people.lines import PlacedPerson, check_identities, placed_people, with_regions
from vcd_ext.people.regions import RegionBox, Regions
from vcd_ext.people.texts import RegionalTexts

__all__ = ["RegionBox", "RegionalTexts", "PlacedPerson", "Regions", "check_identities", "placed_people", "with_regions"]
