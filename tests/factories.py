"""Values for tests, each with sensible defaults: say only what the test is about."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import cv2
import numpy as np
from numpy.typing import NDArray

from openplate.datatypes import (
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

NOON = datetime(2026, 3, 5, 12, 0, 0, 123456, tzinfo=UTC)


def make_box(x1: float = 812, y1: float = 640, x2: float = 951, y2: float = 688) -> Box:
    return Box(x1, y1, x2, y2)


def make_corners(box: Box | None = None, lean: float = 2.0) -> Corners:
    """The box's corners, its right side ``lean`` pixels lower than its left."""
    around = box or make_box()
    return Corners(
        (around.x1, around.y1),
        (around.x2, around.y1 + lean),
        (around.x2 - 1, around.y2),
        (around.x1, around.y2 - lean),
    )


def make_detection(
    label: str = "plate",
    box: Box | None = None,
    confidence: float = 0.861,
    corners: Corners | None = None,
) -> Detection:
    """A plate, or with one of the vehicle labels a vehicle."""
    return Detection(
        kind="plate" if label == "plate" else "vehicle",
        label=label,
        box=box or make_box(),
        confidence=confidence,
        corners=corners,
    )


def make_vehicle(label: str = "car", box: Box | None = None, confidence: float = 0.88) -> Vehicle:
    return Vehicle(make_detection(label, box or make_box(520, 301, 1240, 720), confidence))


def make_attributes(**changes: tuple[Guess, ...] | tuple[MakeModel, ...]) -> VehicleAttributes:
    """A grey SUV seen from its front left, a RAV4 as likely as not."""
    values = {
        "types": (Guess("suv", 0.93), Guess("van", 0.05), Guess("sedan", 0.02)),
        "makes": (Guess("Toyota", 0.81), Guess("Mercedes-Benz", 0.12)),
        "make_models": (
            MakeModel("Toyota", "RAV4", 0.62),
            MakeModel("Toyota", None, 0.19),
            MakeModel("Mercedes-Benz", "GLK", 0.12),
            MakeModel("Suzuki", "Vitara Brezza", 0.04),
        ),
        "body_types": (Guess("suv", 0.9), Guess("minivan", 0.06), Guess("wagon", 0.04)),
        "years": (Guess("2010-2014", 0.55), Guess("2015-2019", 0.35)),
        "colors": (Guess("grey", 0.6), Guess("silver", 0.3), Guess("gold-beige", 0.06), Guess("blue", 0.04)),
        "views": (Guess("front_left", 0.9), Guess("front", 0.08), Guess("left", 0.02)),
        "orientations": (Guess("front", 0.98), Guess("side", 0.02)),
    }
    return VehicleAttributes(**(values | changes))  # type: ignore[arg-type]


def make_reading(
    text: str = "B4K77Q",
    confidence: float = 0.913,
    *,
    others: tuple[tuple[str, float], ...] = (),
    matches_pattern: bool = False,
    region: tuple[str, float] | None = None,
) -> PlateReading:
    """A reading whose characters share its confidence; ``others`` are the candidates after the first."""
    share = confidence ** (1 / max(len(text), 1))
    return PlateReading(
        text=text,
        confidence=confidence,
        characters=tuple(Guess(character, share) for character in text),
        candidates=(
            PlateCandidate(text, confidence, matches_pattern),
            *(PlateCandidate(other, likely, matches_pattern) for other, likely in others),
        ),
        regions=(Guess(*region),) if region else (),
    )


def make_plate(
    text: str | None = "B4K77Q",
    *,
    box: Box | None = None,
    confidence: float = 0.861,
    reading: PlateReading | None = None,
    vehicle_index: int | None = None,
) -> Plate:
    """A plate with corners; with ``text=None`` and no reading, one that could not be read."""
    around = box or make_box()
    if reading is None and text is not None:
        reading = make_reading(text)
    return Plate(
        make_detection(box=around, confidence=confidence, corners=make_corners(around)),
        reading,
        vehicle_index,
    )


def make_recognition(
    source: str = "street.jpg",
    *plates: Plate,
    vehicles: tuple[Vehicle, ...] = (),
    width: int = 1280,
    height: int = 720,
) -> Recognition:
    return Recognition(
        source=source,
        width=width,
        height=height,
        plates=plates,
        vehicles=vehicles,
        timings=Timings(decode_ms=4.125, detect_ms=21.5, read_ms=3.25, total_ms=30.0),
        model_names=("test-detector", "test-reader"),
    )


def make_street(source: str = "street.jpg") -> Recognition:
    """One car with a plate that was read, its region known and its runner-up listed."""
    reading = make_reading(others=(("84K77Q", 0.744),), region=("us-mo", 0.402), matches_pattern=True)
    plate = make_plate(reading=reading, vehicle_index=0)
    return make_recognition(source, plate, vehicles=(make_vehicle(),))


def make_known_street(source: str = "street.jpg") -> Recognition:
    """The same with what can be told of the car by its look."""
    street = make_street(source)
    return replace(street, vehicles=(replace(street.vehicles[0], attributes=make_attributes()),))


def make_pixels(width: int = 64, height: int = 48, seed: int = 0) -> NDArray[np.uint8]:
    """A smooth RGB picture (height, width, 3), different for each seed, that survives JPEG well."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin((x * (seed + 2) + y * channel) / 20 + channel) for channel in range(3)]
    return (127 + 100 * np.stack(waves, axis=-1) / math.sqrt(2)).astype(np.uint8)


def make_picture(extension: str = ".jpg", width: int = 64, height: int = 48, seed: int = 0) -> bytes:
    """The same picture as an encoded file."""
    pixels = cv2.cvtColor(make_pixels(width, height, seed), cv2.COLOR_RGB2BGR)
    encoded, data = cv2.imencode(extension, pixels)
    assert encoded
    return data.tobytes()
