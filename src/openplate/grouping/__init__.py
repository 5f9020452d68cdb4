"""Readings over time become groups: one for each pass of a vehicle, with one text. One ``Grouper`` per camera."""

from openplate.grouping.grouper import Grouper
from openplate.grouping.options import SCOUT, STREAM, GroupOptions
from openplate.grouping.passing import TrackedSighting
from openplate.grouping.paths import to_unit_circle, travel_heading
from openplate.grouping.speeds import travel_speed
from openplate.grouping.voting import Ballot

__all__ = [
    "SCOUT",
    "STREAM",
    "Ballot",
    "GroupOptions",
    "Grouper",
    "TrackedSighting",
    "to_unit_circle",
    "travel_heading",
    "travel_speed",
]
