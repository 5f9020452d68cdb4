"""Openplate's own JSON object for a group: one pass of one vehicle in front of one camera.

Times are UTC in ISO 8601 with milliseconds; the rest is as in ``openplate.formats.native``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from openplate.datatypes import Group, Sighting
from openplate.formats.native import (
    attributes_dict,
    candidate_dict,
    guess_dict,
    plate_dict,
    region_dict,
    rounded_confidence,
    vehicle_dict,
)

DIRECTIONS: Final = ("up", "up right", "right", "down right", "down", "down left", "left", "up left")
"""Where a vehicle goes on the picture, clockwise from up in eighths."""


def group_dict(group: Group, position_s: float | None = None) -> dict[str, object]:
    """The object, its keys in the documented order; ``position_s``: the time of its best frame in a file."""
    reading = group.consensus
    return {
        "group": group.id,
        "state": group.state,
        "camera": group.camera,
        "first_seen": timestamp(group.first_seen),
        "last_seen": timestamp(group.last_seen),
        "first_frame": int(group.first_frame),
        "last_frame": int(group.last_frame),
        "text": reading.text if reading else None,
        "confidence": rounded_confidence(reading.confidence) if reading else None,
        "region": region_dict(reading),
        "candidates": [candidate_dict(candidate) for candidate in reading.candidates] if reading else [],
        "characters": [guess_dict(character) for character in reading.characters] if reading else [],
        "readings": sum(1 for each in group.sightings if each.plate is not None and each.plate.reading is not None),
        "heading": None if group.heading_degrees is None else round(float(group.heading_degrees) % 360.0, 1) % 360.0,
        "direction": direction_of(group),
        "speed_kmh": speed_kmh(group),
        "speed_confidence": None if group.speed is None else rounded_confidence(group.speed.confidence),
        "is_parked": bool(group.is_parked),
        "dwell_s": round(float(group.dwell_s), 3),
        "best": _sighting(group.best, position_s),
        **({} if group.attributes is None else {"attributes": attributes_dict(group.attributes)}),
    }


def direction_of(group: Group) -> str | None:
    """Where it went on the picture, in words; None where it did not move enough."""
    if group.heading_degrees is None:
        return None
    return DIRECTIONS[round(group.heading_degrees / 45.0) % len(DIRECTIONS)]


def speed_kmh(group: Group) -> float | None:
    """With one digit; None where it is not known."""
    return None if group.speed is None else round(float(group.speed.kmh), 1)


def timestamp(at: datetime) -> str:
    """As in 2026-03-05T12:00:00.123Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sighting(best: Sighting, position_s: float | None) -> dict[str, object]:
    plate = None if best.plate is None else plate_dict(best.plate)
    if plate is not None:
        del plate["vehicle"]  # an index into the frame's vehicles, which are not here
    return {
        "at": timestamp(best.at),
        "frame": int(best.frame_index),
        "position_s": None if position_s is None else round(float(position_s), 3),
        "plate": plate,
        "vehicle": None if best.vehicle is None else vehicle_dict(best.vehicle),
    }
