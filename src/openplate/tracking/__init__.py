"""Boxes over time become tracks: one vehicle with its plate each. A stage of its own, one ``Tracker`` per camera."""

from openplate.tracking.assignment import assign
from openplate.tracking.texts import are_similar, is_akin, is_end, is_part, is_similar
from openplate.tracking.tracker import Track, Tracker, TrackerOptions

__all__ = ["Track", "Tracker", "TrackerOptions", "are_similar", "assign", "is_akin", "is_end", "is_part", "is_similar"]
