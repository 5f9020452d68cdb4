"""Attributes of vehicles in the words of two vendors: tables, sums, what is not known, and odd input."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import make_attributes, make_known_street, make_street, make_vehicle
from openplate.datatypes import UNKNOWN, Guess, MakeModel, VehicleAttributes
from openplate.formats import native, platerecognizer, table
from openplate.formats.attribute_words import hyphenated, renamed
from openplate.formats.platerecognizer_attributes import colors, make_models, orientations, type_of
from openplate.formats.rekor_vehicle import rekor_vehicle
from strategies import attributes

ANY = attributes(st.floats(0, 1))
REKOR_NAMES = {
    "color": "black blue brown gold-beige green orange pink purple red silver-gray white yellow unknown",
    "body_type": "sedan-standard sedan-compact sedan-sports sedan-convertible sedan-wagon suv-standard truck-standard "
    "van-full van-mini motorcycle tractor-trailer unknown",
    "orientation": "0 45 90 135 180 225 270 315 unknown",
}


def guesses(*pairs: tuple[str, float]) -> tuple[Guess, ...]:
    return tuple(Guess(value, confidence) for value, confidence in pairs)


def close(*pairs: tuple[str, float]) -> list[Any]:
    return [(name, pytest.approx(chance)) for name, chance in pairs]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([("silver", 0.7), ("red", 0.3)], [("silver", 0.7), ("red", 0.3)]),
        ([("red", 0.5), ("silver", 0.3), ("grey", 0.2)], [("red", 0.5), ("silver", 0.5)]),
        ([("unknown", 0.6), ("silver", 0.4), ("grey", 0.35)], [("silver", 0.75)]),  # surely one of them
        ([("unknown", 0.6), ("silver", 0.4), ("grey", 0.1)], [("unknown", 0.5), ("silver", 0.5)]),
        ([("unknown", 0.3), ("red", 0.7), ("grey", 0.1)], [("unknown", 0.3), ("red", 0.7), ("silver", 0.1)]),
        ([("orange", 0.6), ("pink", 0.3), ("red", 0.1)], [("unknown", 0.9), ("red", 0.1)]),
        ([("unknown", 0.6), ("orange", 0.4), ("pink", 0.4), ("red", 0.1)], [("unknown", 0.9), ("red", 0.1)]),
        ([("turquoise", 1.0)], [("unknown", 1.0)]),
        ([], [("unknown", 0.0)]),
    ],
)
def test_table_of_colors(told: list[tuple[str, float]], expected: list[tuple[str, float]]) -> None:
    assert colors(VehicleAttributes(colors=guesses(*told))) == close(*expected)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([("front", 0.9), ("rear", 0.08), ("side", 0.02)], [("Front", 0.9), ("Rear", 0.08), ("Unknown", 0.02)]),
        ([("side", 0.9), ("rear", 0.1)], [("Unknown", 0.9), ("Rear", 0.1)]),
        ([("unknown", 0.5), ("rear", 0.5), ("front", 0.4)], [("Unknown", 0.5), ("Rear", 0.5), ("Front", 0.4)]),
    ],
)
def test_table_of_orientations(told: list[tuple[str, float]], expected: list[tuple[str, float]]) -> None:
    assert orientations(VehicleAttributes(orientations=guesses(*told))) == close(*expected)


def test_a_make_is_told_where_no_model_is() -> None:
    unsure = (MakeModel(UNKNOWN, None, 0.7), MakeModel("SEAT", "Leon", 0.3), MakeModel("SEAT", "Arona", 0.3))
    both = VehicleAttributes(makes=guesses(("SEAT", 0.8)), make_models=unsure)
    assert make_models(both) == [("SEAT", "unknown", 0.8), ("SEAT", "Leon", 0.3), ("SEAT", "Arona", 0.3)]
    neither = replace(both, makes=guesses((UNKNOWN, 0.6), ("SEAT", 0.4)))
    assert make_models(neither)[:2] == [("unknown", "unknown", 0.7), ("SEAT", "Leon", 0.3)]
    assert make_models(VehicleAttributes()) == make_models(None) == [("unknown", "unknown", 0.0)]


@pytest.mark.parametrize(
    ("label", "told", "expected"),
    [
        ("car", [("sedan", 0.9)], "Sedan"),
        ("car", [("pickup truck", 0.9)], "Pickup Truck"),
        ("truck", [("big truck", 0.9)], "Big Truck"),
        ("car", [("unknown", 0.6), ("suv", 0.4)], "Unknown"),
        ("bus", [("unknown", 0.6), ("suv", 0.4)], "Bus"),
        ("van", [], "Van"),
        ("van", [("hovercraft", 1.0)], "Van"),
    ],
)
def test_table_of_types(label: str, told: list[tuple[str, float]], expected: str) -> None:
    vehicle = replace(make_vehicle(label), attributes=VehicleAttributes(types=guesses(*told)))
    usual = platerecognizer.VEHICLE_TYPES[label]
    assert type_of(vehicle, usual) == expected
    assert type_of(make_vehicle(label), usual) == usual


@pytest.mark.parametrize(
    ("types", "bodies", "expected"),
    [
        ([("sedan", 1.0)], [("coupe", 0.9), ("sedan", 0.1)], [("sedan-sports", 0.9), ("sedan-standard", 0.1)]),
        ([("motorcycle", 0.9), ("suv", 0.1)], [("suv", 1.0)], [("motorcycle", 0.9), ("suv-standard", 0.1)]),
        ([("motorcycle", 1.0)], [("unknown", 0.8), ("suv", 0.2)], [("motorcycle", 1.0), ("suv-standard", 0)]),
        ([("big truck", 0.8), ("bus", 0.2)], [("van", 1.0)], [("tractor-trailer", 0.8), ("unknown", 0.2)]),
        ([("bus", 0.9), ("van", 0.1)], [("van", 1.0)], [("unknown", 0.9), ("van-full", 0.1)]),
        ([("sedan", 1.0)], [("unknown", 0.7), ("wagon", 0.3)], [("unknown", 0.7), ("sedan-wagon", 0.3)]),
        ([("unknown", 0.45), ("bus", 0.55)], [("van", 1.0)], [("unknown", 0.55), ("van-full", 0.45)]),
        ([], [], [("unknown", 0.0)]),
    ],
)
def test_table_of_body_types(types: Any, bodies: Any, expected: list[tuple[str, float]]) -> None:
    found = rekor_vehicle(VehicleAttributes(types=guesses(*types), body_types=guesses(*bodies)))["body_type"]
    names = [(entry["name"], entry["confidence"]) for entry in found][: len(expected)]
    assert names == close(*[(name, 100 * chance) for name, chance in expected])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Mercedes-Benz", "mercedes-benz"),
        ("Land Rover", "land-rover"),
        ("Citroën", "citroen"),
        ("up!", "up"),
        ("3 Series", "3-series"),
        ("ID.3", "id-3"),
        ("日産", ""),
    ],
)
def test_names_in_hyphens(ours: str, theirs: str) -> None:
    assert hyphenated(ours) == theirs


def test_every_view_has_an_angle_of_its_own() -> None:
    views = ("rear", "rear_right", "right", "front_right", "front", "front_left", "left", "rear_left")
    found = [rekor_vehicle(make_attributes(views=guesses((view, 1.0))))["orientation"][0]["name"] for view in views]
    assert found == [str(45 * step) for step in range(8)]


@given(ANY)
def test_rekor_lists_are_never_empty_and_of_its_names(known: VehicleAttributes) -> None:
    vehicle = rekor_vehicle(known)
    assert list(vehicle) == ["color", "make", "make_model", "body_type", "year", "orientation"]
    for key, entries in vehicle.items():
        assert 1 <= len(entries) <= 5
        assert all(0 <= entry["confidence"] <= 100 for entry in entries)  # type: ignore[operator]
        if key in REKOR_NAMES:
            assert {entry["name"] for entry in entries} <= set(REKOR_NAMES[key].split())
    json.dumps(vehicle, allow_nan=False)


@given(ANY)
def test_snapshot_lists_are_never_empty_and_of_its_names(known: VehicleAttributes) -> None:
    street = make_street()
    street = replace(street, vehicles=(replace(street.vehicles[0], attributes=known),))
    answer: Any = platerecognizer.snapshot_v1(street, filename="a.jpg", timestamp="", mmc=True)
    (result,) = answer["results"]
    for key in ("model_make", "color", "orientation"):
        assert 1 <= len(result[key]) <= 3
        assert all(0 <= entry["score"] <= 1 for entry in result[key])
    assert {entry["orientation"] for entry in result["orientation"]} <= {"Front", "Rear", "Unknown"}
    assert result["vehicle"]["type"] in {"SUV", "Bus", "Unknown"}
    newer: Any = platerecognizer.snapshot_v2(street, filename="a.jpg", timestamp="", mmc=True)
    props = newer["results"][0]["vehicle"]["props"]
    assert [entry["value"] for entry in props["color"]] == [entry["color"] for entry in result["color"]]
    assert props["make_model"] == result["model_make"]


def test_attributes_are_told_only_with_mmc() -> None:
    known: Any = platerecognizer.snapshot_v1(make_known_street(), filename="a.jpg", timestamp="")
    assert "color" not in known["results"][0]
    unknown: Any = platerecognizer.snapshot_v1(make_street(), filename="a.jpg", timestamp="", mmc=True)
    assert unknown["results"][0]["color"] == [{"color": "unknown", "score": 0.0}]


@given(ANY)
def test_renaming_to_one_name_says_that_name_or_nothing(known: VehicleAttributes) -> None:
    for name, chance in renamed(known.colors, dict.fromkeys(["grey", "silver"], "silver"), "?"):
        assert name in ("silver", "?")
        assert 0 <= chance <= 1


def test_the_table_leaves_open_what_is_not_known() -> None:
    unsure = {field.name: (Guess(UNKNOWN, 0.8), Guess("x", 0.2)) for field in fields(VehicleAttributes)}
    unsure["make_models"] = (MakeModel(UNKNOWN, None, 0.8),)  # type: ignore[assignment]
    street = make_street()
    street = replace(street, vehicles=(replace(street.vehicles[0], attributes=make_attributes(**unsure)),))
    assert table.rows(street, attributes=True) == table.rows(make_street(), attributes=True)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"colors": "red"}, "colors: must be a list"),
        ({"colors": [{"value": "red", "confidence": 1.5}]}, "confidence: must lie between 0 and 1"),
        ({"colors": [{"value": 3, "confidence": 0.5}]}, "value: must be a string"),
        ({"make_models": [{"make": "SEAT", "confidence": 0.5}]}, "model: missing"),
        ({"make_models": [{"make": "SEAT", "model": 5, "confidence": 0.5}]}, "model: must be a string"),
        ({"views": None}, "views: must be a list"),
    ],
)
def test_wrong_attributes_are_named_when_read(change: dict[str, Any], expected: str) -> None:
    data: Any = native.to_dict(make_known_street())
    data["vehicles"][0]["attributes"] |= change
    with pytest.raises(ValueError, match=expected):
        native.from_dict(data)
    data["vehicles"][0]["attributes"] = []
    with pytest.raises(ValueError, match="attributes: must be an object"):
        native.from_dict(data)
