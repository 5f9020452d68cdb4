"""Openplate's own JSON object: one per picture, written and read.

Coordinates are pixels of the full picture after EXIF rotation, rounded to hundredths; confidences are
0 to 1, rounded to ten-thousandths. ``text`` is null for a plate that was found but could not be read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from openplate.datatypes import (
    VEHICLE_LABELS,
    Box,
    Corners,
    Detection,
    Guess,
    MakeModel,
    Plate,
    PlateCandidate,
    PlateReading,
    Recognition,
    Timings,
    Vehicle,
    VehicleAttributes,
)

_Value = TypeVar("_Value")

_BEFORE_MODELS, _AFTER_MODELS = ("types", "makes"), ("body_types", "years", "colors", "views", "orientations")


def to_dict(recognition: Recognition) -> dict[str, object]:
    """The object for a picture that was read, its keys in the documented order."""
    return {
        "source": recognition.source,
        "width": int(recognition.width),
        "height": int(recognition.height),
        "plates": [plate_dict(plate) for plate in recognition.plates],
        "vehicles": [vehicle_dict(vehicle) for vehicle in recognition.vehicles],
        "timings_ms": _timings(recognition.timings),
    }


def error_dict(source: str, message: str) -> dict[str, object]:
    """The object for a picture that could not be read."""
    return {"source": source, "error": message}


def from_dict(data: object) -> Recognition:
    """The recognition that an object describes; what the format has no key for is left at its default.

    Unknown keys are ignored. Raises ValueError naming the key that is missing or has a wrong value;
    an object with ``error`` describes no recognition and is refused too.
    """
    picture = _mapping(data, "the object")
    if "error" in picture:
        raise ValueError(f"this picture could not be read: {picture['error']}")
    vehicles = tuple(_list(picture, "vehicles", _to_vehicle))
    plates = tuple(_list(picture, "plates", _to_plate))
    for plate in plates:
        if plate.vehicle_index is not None and plate.vehicle_index >= len(vehicles):
            raise ValueError(f"vehicle: {plate.vehicle_index} is not the index of one of {len(vehicles)} vehicles")
    return Recognition(
        source=_text(picture, "source"),
        width=_whole(picture, "width"),
        height=_whole(picture, "height"),
        plates=plates,
        vehicles=vehicles,
        timings=_to_timings(_mapping(_get(picture, "timings_ms"), "timings_ms")),
    )


def _pixels(value: float) -> float:
    return round(float(value), 2)


def rounded_confidence(value: float) -> float:
    return round(float(value), 4)


def _box(box: Box) -> list[float]:
    return [_pixels(value) for value in box.as_tuple()]


def plate_dict(plate: Plate) -> dict[str, object]:
    """One plate of ``to_dict``."""
    reading, corners = plate.reading, plate.detection.corners
    return {
        "text": reading.text if reading else None,
        "confidence": rounded_confidence(reading.confidence) if reading else None,
        "detection_confidence": rounded_confidence(plate.detection.confidence),
        "box": _box(plate.detection.box),
        "corners": [[_pixels(x), _pixels(y)] for x, y in corners.as_tuple()] if corners else None,
        "region": region_dict(reading),
        "candidates": [candidate_dict(candidate) for candidate in reading.candidates] if reading else [],
        "characters": [guess_dict(character) for character in reading.characters] if reading else [],
        "vehicle": plate.vehicle_index,
    }


def region_dict(reading: PlateReading | None) -> dict[str, object] | None:
    if reading is None or not reading.regions:
        return None
    best = reading.regions[0]
    return {"code": best.value, "confidence": rounded_confidence(best.confidence)}


def candidate_dict(candidate: PlateCandidate) -> dict[str, object]:
    return {
        "text": candidate.text,
        "confidence": rounded_confidence(candidate.confidence),
        "matches_pattern": bool(candidate.matches_pattern),
    }


def guess_dict(guess: Guess) -> dict[str, object]:
    return {"value": guess.value, "confidence": rounded_confidence(guess.confidence)}


def vehicle_dict(vehicle: Vehicle) -> dict[str, object]:
    """One vehicle of ``to_dict``."""
    detection, attributes = vehicle.detection, vehicle.attributes
    return {
        "label": detection.label,
        "confidence": rounded_confidence(detection.confidence),
        "box": _box(detection.box),
        **({} if attributes is None else {"attributes": attributes_dict(attributes)}),
    }


def attributes_dict(attributes: VehicleAttributes) -> dict[str, object]:
    def guesses(name: str) -> list[dict[str, object]]:
        return [guess_dict(guess) for guess in getattr(attributes, name)]

    return {
        **{name: guesses(name) for name in _BEFORE_MODELS},
        "make_models": [
            {"make": guess.make, "model": guess.model, "confidence": rounded_confidence(guess.confidence)}
            for guess in attributes.make_models
        ],
        **{name: guesses(name) for name in _AFTER_MODELS},
    }


def _timings(timings: Timings) -> dict[str, object]:
    return {
        "decode": round(float(timings.decode_ms), 2),
        "detect": round(float(timings.detect_ms), 2),
        "read": round(float(timings.read_ms), 2),
        "total": round(float(timings.total_ms), 2),
    }


def _get(data: Mapping[str, object], key: str) -> object:
    if key not in data:
        raise ValueError(f"{key}: missing")
    return data[key]


def _mapping(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name}: must be an object, not {value!r}")
    return value


def _text(data: Mapping[str, object], key: str) -> str:
    value = _get(data, key)
    if not isinstance(value, str):
        raise ValueError(f"{key}: must be a string, not {value!r}")
    return value


def _whole(data: Mapping[str, object], key: str) -> int:
    value = _get(data, key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{key}: must be a whole number from 0, not {value!r}")
    return value


def _number(value: object, name: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"{name}: must be a number, not {value!r}")
    return float(value)


def _fraction(data: Mapping[str, object], key: str) -> float:
    value = _number(_get(data, key), key)
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{key}: must lie between 0 and 1, not {value!r}")
    return value


def _flag(data: Mapping[str, object], key: str) -> bool:
    value = _get(data, key)
    if not isinstance(value, bool):
        raise ValueError(f"{key}: must be true or false, not {value!r}")
    return value


def _numbers(value: object, name: str, count: int) -> list[float]:
    if not isinstance(value, list) or len(value) != count:
        raise ValueError(f"{name}: must be a list of {count} numbers, not {value!r}")
    return [_number(item, name) for item in value]


def _list(data: Mapping[str, object], key: str, parse: Callable[[Mapping[str, object]], _Value]) -> list[_Value]:
    values = _get(data, key)
    if not isinstance(values, list):
        raise ValueError(f"{key}: must be a list, not {values!r}")
    return [parse(_mapping(value, key)) for value in values]


def _to_box(data: Mapping[str, object]) -> Box:
    x1, y1, x2, y2 = _numbers(_get(data, "box"), "box", 4)
    return Box(x1, y1, x2, y2)


def _to_corners(data: Mapping[str, object]) -> Corners | None:
    points = _get(data, "corners")
    if points is None:
        return None
    if not isinstance(points, list) or len(points) != 4:
        raise ValueError(f"corners: must be a list of 4 points, not {points!r}")
    return Corners.from_points([_numbers(point, "corners", 2) for point in points])


def _to_plate(data: Mapping[str, object]) -> Plate:
    return Plate(
        detection=Detection(
            kind="plate",
            label="plate",
            box=_to_box(data),
            confidence=_fraction(data, "detection_confidence"),
            corners=_to_corners(data),
        ),
        reading=None if _get(data, "text") is None else _to_reading(data),
        vehicle_index=None if _get(data, "vehicle") is None else _whole(data, "vehicle"),
    )


def _to_reading(data: Mapping[str, object]) -> PlateReading:
    region = _get(data, "region")
    return PlateReading(
        text=_text(data, "text"),
        confidence=_fraction(data, "confidence"),
        characters=tuple(_list(data, "characters", lambda item: _to_guess(item, "value"))),
        candidates=tuple(_list(data, "candidates", _to_candidate)),
        regions=() if region is None else (_to_guess(_mapping(region, "region"), "code"),),
    )


def _to_guess(data: Mapping[str, object], key: str) -> Guess:
    return Guess(_text(data, key), _fraction(data, "confidence"))


def _to_candidate(data: Mapping[str, object]) -> PlateCandidate:
    return PlateCandidate(_text(data, "text"), _fraction(data, "confidence"), _flag(data, "matches_pattern"))


def _to_vehicle(data: Mapping[str, object]) -> Vehicle:
    label = _text(data, "label")
    if label not in VEHICLE_LABELS:
        raise ValueError(f"label: must be one of {', '.join(VEHICLE_LABELS)}, not {label!r}")
    detection = Detection("vehicle", label, _to_box(data), _fraction(data, "confidence"))
    return Vehicle(detection, _to_attributes(data["attributes"]) if "attributes" in data else None)


def _to_attributes(value: object) -> VehicleAttributes:
    data = _mapping(value, "attributes")

    def guesses(name: str) -> tuple[Guess, ...]:
        return tuple(_list(data, name, lambda item: _to_guess(item, "value")))

    return VehicleAttributes(
        types=guesses("types"),
        makes=guesses("makes"),
        make_models=tuple(_list(data, "make_models", _to_make_model)),
        body_types=guesses("body_types"),
        years=guesses("years"),
        colors=guesses("colors"),
        views=guesses("views"),
        orientations=guesses("orientations"),
    )


def _to_make_model(data: Mapping[str, object]) -> MakeModel:
    model = None if _get(data, "model") is None else _text(data, "model")
    return MakeModel(_text(data, "make"), model, _fraction(data, "confidence"))


def _to_timings(data: Mapping[str, object]) -> Timings:
    decode, detect, read, total = (_number(_get(data, key), key) for key in ("decode", "detect", "read", "total"))
    return Timings(decode, detect, read, total)
