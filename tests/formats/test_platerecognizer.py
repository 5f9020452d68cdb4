"""The Snapshot answer: what the documentation says and what real client programs demand of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given

from factories import (
    NOON,
    make_box,
    make_corners,
    make_detection,
    make_plate,
    make_reading,
    make_recognition,
    make_street,
    make_vehicle,
)
from openplate.datatypes import VEHICLE_LABELS, Plate, PlateReading, Recognition
from openplate.formats import platerecognizer
from strategies import recognitions

VENDOR_TYPES = {"Big Truck", "Bus", "Motorcycle", "Pickup Truck", "Sedan", "SUV", "Van", "Unknown"}

RESULT_KEYS = ["box", "plate", "score", "dscore", "region", "candidates", "vehicle"]


def snapshot(recognition: Recognition, **options: Any) -> dict[str, Any]:
    return platerecognizer.snapshot_v1(recognition, filename="gate.jpg", timestamp=NOON, **options)


def results(recognition: Recognition, **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = snapshot(recognition, **options)["results"]
    return found


def test_keys_are_those_of_an_answer_without_mmc() -> None:
    answer = snapshot(make_street())
    assert list(answer) == ["processing_time", "results", "filename", "version", "camera_id", "timestamp"]
    assert list(answer["results"][0]) == RESULT_KEYS


def test_arguments_are_echoed() -> None:
    answer = snapshot(make_street(), camera_id="gate-north")
    assert (answer["filename"], answer["camera_id"], answer["version"]) == ("gate.jpg", "gate-north", 1)


def test_camera_is_null_when_not_given() -> None:
    assert snapshot(make_street())["camera_id"] is None


@given(recognitions(exact=False))
def test_every_key_that_a_known_client_reads_is_there(recognition: Recognition) -> None:
    """Measured on public client programs by leaving keys out: each of these breaks one of them."""
    for result in results(recognition, include_unread=True):
        assert list(result) == RESULT_KEYS
        assert list(result["box"]) == list(result["vehicle"]["box"]) == ["xmin", "ymin", "xmax", "ymax"]
        assert list(result["region"]) == ["code", "score"]
        assert list(result["vehicle"]) == ["score", "type", "box"]
        assert all(list(candidate) == ["score", "plate"] for candidate in result["candidates"])


@given(recognitions(exact=False))
def test_numbers_are_in_the_vendors_units(recognition: Recognition) -> None:
    for result in results(recognition):
        box = result["box"]
        assert all(type(value) is int for value in box.values())
        assert 0 <= box["xmin"] <= box["xmax"] <= recognition.width
        assert 0 <= box["ymin"] <= box["ymax"] <= recognition.height
        scores = (result["score"], result["dscore"], result["region"]["score"], result["vehicle"]["score"])
        assert all(0 <= score <= 1 and round(score, 3) == score for score in scores)
        assert result["plate"] == result["plate"].lower()


def test_no_region_is_the_unknown_one() -> None:
    recognition = make_recognition("a.jpg", make_plate())
    assert results(recognition)[0]["region"] == {"code": "unknown", "score": 0.0}


def test_no_vehicle_is_all_zeros_with_every_member() -> None:
    vehicle = results(make_recognition("a.jpg", make_plate()))[0]["vehicle"]
    assert vehicle == {"score": 0.0, "type": "Unknown", "box": {"xmin": 0, "ymin": 0, "xmax": 0, "ymax": 0}}


@pytest.mark.parametrize(
    ("label", "expected"),
    [("bus", "Bus"), ("motorcycle", "Motorcycle"), ("van", "Van"), ("car", "Unknown"), ("truck", "Unknown")],
)
def test_vehicle_type_is_never_invented(label: str, expected: str) -> None:
    recognition = make_recognition("a.jpg", make_plate(vehicle_index=0), vehicles=(make_vehicle(label),))
    vehicle = results(recognition)[0]["vehicle"]
    assert vehicle["type"] == expected
    assert vehicle["score"] == 0.88
    assert vehicle["box"]["xmax"] == 1240


def test_every_label_has_a_type_of_the_vendors() -> None:
    assert set(platerecognizer.VEHICLE_TYPES) == set(VEHICLE_LABELS)
    assert set(platerecognizer.VEHICLE_TYPES.values()) <= VENDOR_TYPES


def test_the_plate_is_the_first_candidate_even_without_a_list() -> None:
    plate = Plate(make_detection(corners=make_corners()), PlateReading("AB12", 0.5))
    assert results(make_recognition("a.jpg", plate))[0]["candidates"] == [{"score": 0.5, "plate": "ab12"}]


def test_unread_plates_are_left_out_unless_asked_for() -> None:
    recognition = make_recognition("a.jpg", make_plate(None), make_plate("AB12", box=make_box(1, 2, 30, 9)))
    assert [result["plate"] for result in results(recognition)] == ["ab12"]
    both = results(recognition, include_unread=True)
    assert [(result["plate"], result["score"]) for result in both] == [("", 0.0), ("ab12", 0.913)]
    assert both[0]["box"] == {"xmin": 812, "ymin": 640, "xmax": 951, "ymax": 688}


def test_three_decimals() -> None:
    reading = make_reading(confidence=0.91349)
    assert results(make_recognition("a.jpg", make_plate(reading=reading)))[0]["score"] == 0.913


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2020, 10, 12, 16, 17, 27, 574008, tzinfo=UTC), "2020-10-12T16:17:27.574008Z"),
        (datetime(2020, 10, 12, 16, 17, 27, tzinfo=UTC), "2020-10-12T16:17:27.000000Z"),
        (datetime(2020, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2019-12-31T23:00:00.000000Z"),
    ],
)
def test_time_is_utc_with_microseconds(at: datetime, written: str) -> None:
    assert platerecognizer.cloud_time(at) == written


def test_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        platerecognizer.cloud_time(datetime(2020, 1, 1))


def test_failure_has_no_results() -> None:
    failure = platerecognizer.error("a.jpg", "not a picture")
    assert failure == {"detail": "not a picture", "status_code": 400, "filename": "a.jpg"}
