"""Plate Recognizer's Snapshot answer, version 1, as its cloud service gives it when ``mmc`` is not asked for.

Habits followed: plates in lower case, scores 0 to 1 with three decimals, whole pixels, milliseconds,
``unknown`` with score 0 for no region, and all zeros where no vehicle was found.
"""

from __future__ import annotations

from datetime import UTC, datetime

from openplate.datatypes import Box, Plate, PlateReading, Recognition, Vehicle

UNKNOWN = "Unknown"

VEHICLE_TYPES = {"bus": "Bus", "motorcycle": "Motorcycle", "van": "Van", "car": UNKNOWN, "truck": UNKNOWN}
"""Our label to the vendor's type. The vendor knows no plain car or truck: its words are body types (Sedan,
SUV, Pickup Truck, Big Truck), which a detector cannot tell, so these stay ``Unknown`` rather than a guess.
The vehicle's box and score are given all the same."""


def snapshot_v1(
    recognition: Recognition,
    *,
    filename: str,
    timestamp: datetime,
    camera_id: str | None = None,
    include_unread: bool = False,
) -> dict[str, object]:
    """The answer for one picture. ``timestamp`` must know its time zone.

    A plate that was found but could not be read is left out, as the vendor does with readings below its
    threshold. With ``include_unread`` it is listed with an empty text and score 0: for covering plates.
    """
    plates = [plate for plate in recognition.plates if plate.reading or include_unread]
    return {
        "processing_time": round(float(recognition.timings.total_ms), 3),
        "results": [_result(plate, recognition) for plate in plates],
        "filename": filename,
        "version": 1,
        "camera_id": camera_id,
        "timestamp": cloud_time(timestamp),
    }


def error(filename: str, message: str) -> dict[str, object]:
    """The vendor's error object, for a picture that could not be read; it never has ``results``."""
    return {"detail": message, "status_code": 400, "filename": filename}


def cloud_time(at: datetime) -> str:
    """A time as the cloud service writes it: UTC with microseconds and ``Z``."""
    if at.tzinfo is None:
        raise ValueError("a time needs its time zone")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _score(confidence: float) -> float:
    return round(float(confidence), 3)


def _box(box: Box, recognition: Recognition) -> dict[str, int]:
    inside = box.clamp(recognition.width, recognition.height)
    names = ("xmin", "ymin", "xmax", "ymax")
    return {name: round(value) for name, value in zip(names, inside.as_tuple(), strict=True)}


def _result(plate: Plate, recognition: Recognition) -> dict[str, object]:
    reading = plate.reading
    return {
        "box": _box(plate.detection.box, recognition),
        "plate": reading.text.lower() if reading else "",
        "score": _score(reading.confidence) if reading else 0.0,
        "dscore": _score(plate.detection.confidence),
        "region": _region(reading),
        "candidates": _candidates(reading),
        "vehicle": _vehicle(plate, recognition),
    }


def _region(reading: PlateReading | None) -> dict[str, object]:
    if reading is None or not reading.regions:
        return {"code": "unknown", "score": 0.0}
    return {"code": reading.regions[0].value, "score": _score(reading.regions[0].confidence)}


def _candidates(reading: PlateReading | None) -> list[dict[str, object]]:
    """At least the text itself, because receivers take the first candidate without asking."""
    if reading is None:
        return []
    pairs = [(candidate.confidence, candidate.text) for candidate in reading.candidates]
    pairs = pairs or [(reading.confidence, reading.text)]
    return [{"score": _score(confidence), "plate": text.lower()} for confidence, text in pairs]


def _vehicle(plate: Plate, recognition: Recognition) -> dict[str, object]:
    if plate.vehicle_index is None:
        return {"score": 0.0, "type": UNKNOWN, "box": _box(Box(0, 0, 0, 0), recognition)}
    vehicle: Vehicle = recognition.vehicles[plate.vehicle_index]
    return {
        "score": _score(vehicle.detection.confidence),
        "type": VEHICLE_TYPES.get(vehicle.detection.label, UNKNOWN),
        "box": _box(vehicle.detection.box, recognition),
    }
