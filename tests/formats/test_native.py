"""Openplate's own JSON object: exactly the documented one, and back again without loss."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import make_plate, make_reading, make_recognition, make_street, make_vehicle
from openplate.datatypes import Recognition
from openplate.formats import native
from strategies import recognitions

TOP = ["source", "width", "height", "plates", "vehicles", "timings_ms"]
PLATE = [
    "text",
    "confidence",
    "detection_confidence",
    "box",
    "corners",
    "region",
    "candidates",
    "characters",
    "vehicle",
]


def street() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(native.to_dict(make_street())))
    return data


def test_keys_and_their_order_are_the_documented_ones() -> None:
    data = street()
    plate, vehicle = data["plates"][0], data["vehicles"][0]
    assert list(data) == TOP
    assert list(plate) == PLATE
    assert list(plate["region"]) == ["code", "confidence"]
    assert list(plate["candidates"][0]) == ["text", "confidence", "matches_pattern"]
    assert list(plate["characters"][0]) == ["value", "confidence"]
    assert list(vehicle) == ["label", "confidence", "box"]
    assert list(data["timings_ms"]) == ["decode", "detect", "read", "total"]


def test_boxes_and_corners_are_lists_of_pixels() -> None:
    plate = street()["plates"][0]
    assert plate["box"] == [812.0, 640.0, 951.0, 688.0]
    assert plate["corners"] == [[812.0, 640.0], [951.0, 642.0], [950.0, 688.0], [812.0, 686.0]]


def test_plate_points_at_its_vehicle() -> None:
    assert street()["plates"][0]["vehicle"] == 0
    lonely = native.to_dict(make_recognition("a.jpg", make_plate()))
    assert json.loads(json.dumps(lonely))["plates"][0]["vehicle"] is None


def test_unread_plate_has_null_text_and_no_guesses() -> None:
    data: Any = native.to_dict(make_recognition("a.jpg", make_plate(None)))
    plate = data["plates"][0]
    assert (plate["text"], plate["confidence"], plate["region"]) == (None, None, None)
    assert (plate["candidates"], plate["characters"]) == ([], [])
    assert plate["detection_confidence"] == 0.861


def test_only_the_best_region_is_told() -> None:
    reading = dataclasses.replace(
        make_reading(),
        regions=make_reading(region=("us-mo", 0.4)).regions + make_reading(region=("us", 0.3)).regions,
    )
    data: Any = native.to_dict(make_recognition("a.jpg", make_plate(reading=reading)))
    assert data["plates"][0]["region"] == {"code": "us-mo", "confidence": 0.4}


def test_failure_is_two_keys_and_never_an_empty_list() -> None:
    assert native.error_dict("a.jpg", "not a picture") == {"source": "a.jpg", "error": "not a picture"}


@given(recognitions())
def test_round_trip_keeps_every_value_that_has_a_key(recognition: Recognition) -> None:
    line = json.dumps(native.to_dict(recognition), allow_nan=False)
    assert native.from_dict(json.loads(line)) == recognition


@given(recognitions(exact=False))
def test_rounding_happens_once(recognition: Recognition) -> None:
    """What was written, read and written again is the same line."""
    written = native.to_dict(recognition)
    assert native.to_dict(native.from_dict(json.loads(json.dumps(written)))) == written


def test_reading_ignores_keys_of_later_versions() -> None:
    data = street() | {"weather": "rain"}
    assert native.from_dict(data).plates[0].reading == native.from_dict(street()).plates[0].reading


@pytest.mark.parametrize("key", TOP)
def test_reading_names_the_missing_key(key: str) -> None:
    data = street()
    del data[key]
    with pytest.raises(ValueError, match=f"^{key}: missing"):
        native.from_dict(data)


@pytest.mark.parametrize("key", PLATE)
def test_reading_names_the_missing_key_of_a_plate(key: str) -> None:
    data = street()
    del data["plates"][0][key]
    with pytest.raises(ValueError, match=f"^{key}: missing"):
        native.from_dict(data)


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("source", 5, "source: must be a string"),
        ("width", "wide", "width: must be a whole number"),
        ("width", True, "width: must be a whole number"),
        ("height", -1, "height: must be a whole number"),
        ("plates", {}, "plates: must be a list"),
        ("plates", [1], "plates: must be an object"),
        ("vehicles", [], "vehicle: 0 is not the index of one of 0 vehicles"),
        ("timings_ms", [], "timings_ms: must be an object"),
    ],
)
def test_reading_names_the_wrong_value(key: str, value: object, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        native.from_dict(street() | {key: value})


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("text", 7, "text: must be a string"),
        ("confidence", 1.5, "confidence: must lie between 0 and 1"),
        ("confidence", None, "confidence: must be a number"),
        ("detection_confidence", float("nan"), "detection_confidence: must be a number"),
        ("box", [1, 2, 3], "box: must be a list of 4 numbers"),
        ("box", [9, 0, 1, 1], "x1 <= x2"),
        ("corners", [[0, 0]], "corners: must be a list of 4 points"),
        ("corners", [[0, 0], [1, 0], [1], [0, 1]], "corners: must be a list of 2 numbers"),
        ("region", "us", "region: must be an object"),
        ("region", {"code": "us"}, "confidence: missing"),
        ("candidates", [{"text": "A", "confidence": 0.5}], "matches_pattern: missing"),
        (
            "candidates",
            [{"text": "A", "confidence": 1, "matches_pattern": 1}],
            "matches_pattern: must be true",
        ),
        ("vehicle", -1, "vehicle: must be a whole number"),
    ],
)
def test_reading_names_the_wrong_value_of_a_plate(key: str, value: object, named: str) -> None:
    data = street()
    data["plates"][0][key] = value
    with pytest.raises(ValueError, match=named):
        native.from_dict(data)


def test_reading_refuses_an_unknown_vehicle() -> None:
    data = street()
    data["vehicles"][0]["label"] = "horse"
    with pytest.raises(ValueError, match="label: must be one of car"):
        native.from_dict(data)


def test_reading_refuses_a_failure() -> None:
    with pytest.raises(ValueError, match="could not be read: not a picture"):
        native.from_dict(native.error_dict("a.jpg", "not a picture"))


def test_numbers_of_the_runtime_become_plain_ones() -> None:
    """A numpy number in a result once made the JSON line fail."""
    numpy = pytest.importorskip("numpy")
    vehicle = make_vehicle(confidence=numpy.float32(0.25))
    plate = make_plate(confidence=numpy.float32(0.5))
    line = json.dumps(native.to_dict(make_recognition("a.jpg", plate, vehicles=(vehicle,))))
    assert json.loads(line)["vehicles"][0]["confidence"] == 0.25


@given(st.text())
def test_any_name_survives(source: str) -> None:
    line = json.dumps(native.to_dict(make_recognition(source)))
    assert line.isascii()
    assert native.from_dict(json.loads(line)).source == source
