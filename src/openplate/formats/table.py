"""A table for spreadsheets: CSV as RFC 4180 has it, a header, one row per plate.

A picture without plates has no row. One that could not be read has a row with its name and ``error``,
so that a failure never looks like a picture without plates.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from openplate.datatypes import UNKNOWN, Box, Guess, Plate, Recognition, VehicleAttributes

_CORNER_NAMES = ("top_left", "top_right", "bottom_right", "bottom_left")
_BOX_NAMES = ("x1", "y1", "x2", "y2")

COLUMNS = (
    "source",
    "width",
    "height",
    "plate_index",
    "text",
    "confidence",
    "detection_confidence",
    "region",
    "region_confidence",
    "matches_pattern",
    *_BOX_NAMES,
    *(f"{corner}_{axis}" for corner in _CORNER_NAMES for axis in ("x", "y")),
    "vehicle",
    "vehicle_confidence",
    *(f"vehicle_{name}" for name in _BOX_NAMES),
    "error",
)

ATTRIBUTE_COLUMNS = tuple(
    name
    for what in ("type", "make", "make_model", "body_type", "years", "color", "view", "orientation")
    for name in (f"vehicle_{what}", f"vehicle_{what}_confidence")
)
"""After the others, where attributes of vehicles are asked for; empty where one is not known."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def header(attributes: bool = False) -> str:
    """The first line, with its line end; ``attributes``: those of vehicles too, as in the other functions."""
    return _line((*COLUMNS, *ATTRIBUTE_COLUMNS) if attributes else COLUMNS)


def rows(recognition: Recognition, attributes: bool = False) -> str:
    """The lines of one picture, one per plate, each with its line end; none where there are no plates."""
    return "".join(
        _line([*_cells(recognition, index), *(_attributes(recognition, index) if attributes else ())])
        for index in range(len(recognition.plates))
    )


def error_row(source: str, message: str, attributes: bool = False) -> str:
    """The line of a picture that could not be read."""
    after = [""] * (len(ATTRIBUTE_COLUMNS) if attributes else 0)
    return _line([_safe_source(source), *[""] * (len(COLUMNS) - 2), _safe_text(message), *after])


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


def _safe_source(source: str) -> str:
    """A name that no spreadsheet takes for a formula and that still opens the same file.

    Only relative names can begin like a formula, and ``./`` in front changes nothing about them. The
    lone ``-`` of standard input is no formula.
    """
    return f"./{source}" if source.startswith(_FORMULA_STARTS) and source != "-" else source


def _safe_text(text: str) -> str:
    """Words that no spreadsheet takes for a formula: an apostrophe in front marks text."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _number(value: float, digits: int) -> str:
    return repr(round(float(value), digits))


def _box(box: Box | None) -> list[str]:
    return [_number(value, 2) for value in box.as_tuple()] if box else [""] * 4


def _cells(recognition: Recognition, index: int) -> list[str]:
    plate = recognition.plates[index]
    return [
        _safe_source(recognition.source),
        str(int(recognition.width)),
        str(int(recognition.height)),
        str(index),
        *_reading(plate),
        *_box(plate.detection.box),
        *_corners(plate),
        *_vehicle(plate, recognition),
        "",
    ]


def _reading(plate: Plate) -> list[str]:
    """From text to matches_pattern; the detection's own confidence stands between."""
    detection_confidence = _number(plate.detection.confidence, 4)
    if plate.reading is None:
        return ["", "", detection_confidence, "", "", ""]
    reading = plate.reading
    region = reading.regions[0] if reading.regions else None
    matches = bool(reading.candidates) and reading.candidates[0].matches_pattern
    return [
        reading.text,
        _number(reading.confidence, 4),
        detection_confidence,
        region.value if region else "",
        _number(region.confidence, 4) if region else "",
        "true" if matches else "false",
    ]


def _corners(plate: Plate) -> list[str]:
    corners = plate.detection.corners
    if corners is None:
        return [""] * 8
    return [_number(value, 2) for point in corners.as_tuple() for value in point]


def _vehicle(plate: Plate, recognition: Recognition) -> list[str]:
    if plate.vehicle_index is None:
        return ["", "", *_box(None)]
    detection = recognition.vehicles[plate.vehicle_index].detection
    return [detection.label, _number(detection.confidence, 4), *_box(detection.box)]


def _attributes(recognition: Recognition, index: int) -> list[str]:
    place = recognition.plates[index].vehicle_index
    found = (None if place is None else recognition.vehicles[place].attributes) or VehicleAttributes()
    models = tuple(
        Guess(UNKNOWN if guess.model is None else f"{guess.make} {guess.model}", guess.confidence)
        for guess in found.make_models[:1]
    )
    lists = (found.types, found.makes, models, found.body_types, found.years, found.colors, found.views)
    return [cell for guesses in (*lists, found.orientations) for cell in _best(guesses)]


def _best(guesses: Sequence[Guess]) -> tuple[str, str]:
    """The best guess with its confidence; empty where it is not known."""
    if not guesses or guesses[0].value == UNKNOWN:
        return "", ""
    return _safe_text(guesses[0].value), _number(guesses[0].confidence, 4)
