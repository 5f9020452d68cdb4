"""The object of ``alpr -j``: key order, units, and what it says when there is nothing to say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from factories import (
    NOON,
    make_box,
    make_detection,
    make_plate,
    make_reading,
    make_recognition,
    make_street,
)
from openplate.datatypes import Plate, Recognition
from openplate.formats import openalpr
from strategies import recognitions

TOP = [
    "version",
    "data_type",
    "epoch_time",
    "img_width",
    "img_height",
    "processing_time_ms",
    "regions_of_interest",
    "results",
]
RESULT = [
    "plate",
    "confidence",
    "matches_template",
    "plate_index",
    "region",
    "region_confidence",
    "processing_time_ms",
    "requested_topn",
    "coordinates",
    "candidates",
]


def alpr(recognition: Recognition, top_n: int = 10) -> dict[str, Any]:
    line = json.dumps(openalpr.alpr_results(recognition, at=NOON, top_n=top_n), allow_nan=False)
    data: dict[str, Any] = json.loads(line)
    return data


@given(recognitions(exact=False))
def test_keys_come_in_the_order_of_alpr(recognition: Recognition) -> None:
    data = alpr(recognition)
    assert list(data) == TOP
    for result in data["results"]:
        assert list(result) == RESULT
        assert all(list(candidate) == ["plate", "confidence", "matches_template"] for candidate in result["candidates"])
        assert [list(point) for point in result["coordinates"]] == [["x", "y"]] * 4


@given(recognitions(exact=False))
def test_numbers_are_in_alprs_units(recognition: Recognition) -> None:
    for index, result in enumerate(alpr(recognition)["results"]):
        assert result["plate_index"] == index
        assert 0 <= result["confidence"] <= 100
        assert type(result["region_confidence"]) is int
        assert result["matches_template"] in (0, 1)
        assert type(result["matches_template"]) is int
        assert all(type(value) is int for point in result["coordinates"] for value in point.values())


def test_nothing_found_is_an_empty_list_over_the_whole_picture() -> None:
    data = alpr(make_recognition("a.jpg", make_plate(None)))
    assert data["results"] == []
    assert data["regions_of_interest"] == [{"x": 0, "y": 0, "width": 1280, "height": 720}]


def test_no_region_is_empty_with_zero() -> None:
    result = alpr(make_recognition("a.jpg", make_plate()))["results"][0]
    assert (result["region"], result["region_confidence"], result["matches_template"]) == ("", 0, 0)


def test_region_and_match() -> None:
    result = alpr(make_street())["results"][0]
    assert (result["region"], result["region_confidence"], result["matches_template"]) == ("us-mo", 40, 1)


def test_corners_fall_back_to_the_box() -> None:
    plate = Plate(make_detection(box=make_box(1.4, 2.6, 30, 9)), make_reading())
    coordinates = alpr(make_recognition("a.jpg", plate))["results"][0]["coordinates"]
    assert coordinates == [{"x": 1, "y": 3}, {"x": 30, "y": 3}, {"x": 30, "y": 9}, {"x": 1, "y": 9}]


def test_top_n_limits_the_candidates_and_is_told() -> None:
    reading = make_reading(others=(("84K77Q", 0.7), ("B4K770", 0.1)))
    result = alpr(make_recognition("a.jpg", make_plate(reading=reading)), top_n=2)["results"][0]
    assert [candidate["plate"] for candidate in result["candidates"]] == ["B4K77Q", "84K77Q"]
    assert result["requested_topn"] == 2


def test_time_of_a_plate_is_its_share_of_the_reading() -> None:
    data = alpr(make_recognition("a.jpg", make_plate(), make_plate(), make_plate(None)))
    assert [result["processing_time_ms"] for result in data["results"]] == [1.625, 1.625]
    assert data["processing_time_ms"] == 30.0


@pytest.mark.parametrize(
    ("at", "milliseconds"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(2026, 3, 5, 12, 0, 0, 123999, tzinfo=UTC), 1772712000123),
    ],
)
def test_time_is_whole_milliseconds(at: datetime, milliseconds: int) -> None:
    assert openalpr.epoch_ms(at) == milliseconds


def test_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        openalpr.epoch_ms(datetime(2020, 1, 1))
