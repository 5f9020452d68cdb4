"""What Plate Recognizer's answers of both versions, and its webhooks, are put together from.

Habits followed: plates in lower case, scores 0 to 1 with three decimals, whole pixels, milliseconds,
``unknown`` with score 0 for no region, and all zeros where no vehicle was found.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from openplate.datatypes import Box, Plate, PlateReading, Recognition, Vehicle
from openplate.formats.platerecognizer_attributes import type_of

Flavour = Literal["sdk", "cloud"]
"""Which of the vendor's products is meant: what runs on one's own machine, or its service."""

UNKNOWN = "Unknown"

VEHICLE_TYPES = {"bus": "Bus", "motorcycle": "Motorcycle", "van": "Van", "car": UNKNOWN, "truck": UNKNOWN}
"""Our label to the vendor's type. The vendor knows no plain car or truck: its words are body types (Sedan,
SUV, Pickup Truck, Big Truck), which a detector cannot tell, so these stay ``Unknown`` rather than a guess, unless the
vehicle's attributes tell its type. The vehicle's box and score are given all the same."""


def cloud_time(at: datetime) -> str:
    """A time as the cloud service writes it: UTC with microseconds and ``Z``."""
    return _utc(at).isoformat(timespec="microseconds") + "Z"


def sdk_time(at: datetime) -> str:
    """A time as the product on one's own machine writes it: UTC, whole seconds, a space, no zone."""
    return _utc(at).isoformat(sep=" ", timespec="seconds")


def webhook_time(at: datetime) -> str:
    """A time as the webhook of the service writes it: UTC with milliseconds and ``Z``; receivers parse just that."""
    return _utc(at).isoformat(timespec="milliseconds") + "Z"


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a time needs its time zone")
    return at.astimezone(UTC).replace(tzinfo=None)


def listed_plates(recognition: Recognition, include_unread: bool) -> list[Plate]:
    """The plates that an answer lists, in the recognition's order."""
    return [plate for plate in recognition.plates if plate.reading or include_unread]


def score(confidence: float) -> float:
    return round(float(confidence), 3)


def whole_box(box: Box, recognition: Recognition) -> dict[str, int]:
    inside = box.clamp(recognition.width, recognition.height)
    names = ("xmin", "ymin", "xmax", "ymax")
    return {name: round(value) for name, value in zip(names, inside.as_tuple(), strict=True)}


def texts(reading: PlateReading | None) -> list[tuple[str, float]]:
    """Each text with its score, best first; for a plate that could not be read an empty one with 0."""
    if reading is None:
        return [("", 0.0)]
    pairs = [(candidate.text, candidate.confidence) for candidate in reading.candidates]
    pairs = pairs or [(reading.text, reading.confidence)]
    return [(text.lower(), score(confidence)) for text, confidence in pairs]


def region(reading: PlateReading | None) -> tuple[str, float]:
    """The likeliest region's code with its score."""
    if reading is None or not reading.regions:
        return "unknown", 0.0
    return reading.regions[0].value, score(reading.regions[0].confidence)


def vehicle_basics(vehicle: Vehicle, recognition: Recognition) -> dict[str, object]:
    return {
        "score": score(vehicle.detection.confidence),
        "type": type_of(vehicle, VEHICLE_TYPES.get(vehicle.detection.label, UNKNOWN)),
        "box": whole_box(vehicle.detection.box, recognition),
    }


def no_vehicle() -> dict[str, object]:
    return {"score": 0.0, "type": UNKNOWN, "box": dict.fromkeys(("xmin", "ymin", "xmax", "ymax"), 0)}


def no_direction() -> dict[str, object]:
    """One picture does not tell where a vehicle goes."""
    return {"direction": None, "direction_score": 0.0}
