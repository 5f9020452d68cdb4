"""Whole answers to requests: both flavours, both versions, with and without what is asked for beside the plates."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import NOON, make_box, make_plate, make_recognition, make_street, make_vehicle
from openplate.datatypes import Recognition
from openplate.formats import platerecognizer
from openplate.formats.snapshot_config import SnapshotConfig
from openplate.formats.snapshot_request import SnapshotRequest
from strategies import recognitions

PLAIN = SnapshotRequest()
VEHICLES_TOO = SnapshotRequest(config=SnapshotConfig(vehicles_too=True))


def answer(
    recognition: Recognition, request: SnapshotRequest = PLAIN, flavour: Any = "cloud", **options: Any
) -> dict[str, Any]:
    return platerecognizer.answer(
        recognition, request, flavour=flavour, filename="gate.jpg", received_at=NOON, **options
    )


def make_crossing() -> Recognition:
    """Two cars, one of them with a plate, and a plate on no vehicle."""
    return make_recognition(
        "crossing.jpg",
        make_plate("AB12", vehicle_index=1),
        make_plate("CD34", box=make_box(10, 20, 60, 40)),
        vehicles=(make_vehicle("bus", make_box(0, 0, 300, 300)), make_vehicle()),
    )


# --- flavours -----------------------------------------------------------------------------------------


def test_the_flavours_differ_in_time_camera_and_usage() -> None:
    cloud, sdk = answer(make_street(), usage=(7, 100)), answer(make_street(), flavour="sdk", usage=(7, 100))
    assert (cloud["timestamp"], sdk["timestamp"]) == ("2026-03-05T12:00:00.123456Z", "2026-03-05 12:00:00")
    assert (cloud["camera_id"], sdk["camera_id"]) == (None, "null")
    assert "usage" not in cloud
    assert sdk["usage"] == {"max_calls": 100, "calls": 7}
    assert list(sdk) == [*cloud, "usage"]
    for different in ("timestamp", "camera_id"):
        cloud.pop(different)
        sdk.pop(different)
    sdk.pop("usage")
    assert cloud == sdk


@pytest.mark.parametrize("flavour", ["cloud", "sdk"])
@pytest.mark.parametrize("version", [SnapshotConfig(), SnapshotConfig(vehicles_too=True)])
def test_what_was_sent_is_echoed_as_it_was(flavour: str, version: SnapshotConfig) -> None:
    sent = datetime(2019, 8, 19, 13, 11, 25, tzinfo=UTC)
    request = SnapshotRequest(
        camera_id="gate-north", timestamp=sent, timestamp_text="2019-08-19T13:11:25", config=version
    )
    given = answer(make_street(), request, flavour)
    assert (given["camera_id"], given["timestamp"]) == ("gate-north", "2019-08-19T13:11:25")
    assert given["filename"] == "gate.jpg"


def test_without_a_limit_there_is_still_a_number_to_compute_with() -> None:
    usage = answer(make_street(), flavour="sdk", usage=(3, None))["usage"]
    assert usage["max_calls"] - usage["calls"] > 10**8


def test_a_time_without_its_zone_is_refused() -> None:
    for write in (platerecognizer.sdk_time, platerecognizer.cloud_time, platerecognizer.webhook_time):
        with pytest.raises(ValueError, match="time zone"):
            write(datetime(2020, 1, 1))


def test_times_are_written_in_utc() -> None:
    at = datetime(2020, 1, 16, 19, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert platerecognizer.sdk_time(at) == "2020-01-16 17:00:00"
    assert platerecognizer.webhook_time(at) == "2020-01-16T17:00:00.999Z"
    assert datetime.strptime(platerecognizer.webhook_time(at), "%Y-%m-%dT%H:%M:%S.%fZ")


# --- make, model, colour and orientation -----------------------------------------------------------------

MMC_KEYS = ["model_make", "color", "orientation"]
DIRECTION_KEYS = ["direction", "direction_score"]
PLAIN_KEYS = ["box", "plate", "score", "dscore", "region", "candidates", "vehicle"]


@pytest.mark.parametrize(
    ("mmc", "direction", "more"),
    [
        (False, False, []),
        (False, True, []),
        (True, False, MMC_KEYS),
        (True, True, [*MMC_KEYS, *DIRECTION_KEYS]),
    ],
)
def test_every_result_has_exactly_the_keys_that_were_asked_for(mmc: bool, direction: bool, more: list[str]) -> None:
    results = answer(make_crossing(), SnapshotRequest(mmc=mmc, direction=direction))["results"]
    assert [list(result) for result in results] == [PLAIN_KEYS + more] * 2


def test_what_is_not_known_is_said_and_never_invented() -> None:
    (result,) = answer(make_street(), SnapshotRequest(mmc=True, direction=True))["results"]
    assert {key: result[key] for key in (*MMC_KEYS, *DIRECTION_KEYS)} == {
        "model_make": [{"make": "unknown", "model": "unknown", "score": 0.0}],
        "color": [{"color": "unknown", "score": 0.0}],
        "orientation": [{"orientation": "Unknown", "score": 0.0}],
        "direction": None,
        "direction_score": 0.0,
    }


# --- redaction --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vehicles_too", [False, True])
def test_only_redaction_lists_plates_without_a_text(vehicles_too: bool) -> None:
    recognition = make_recognition("a.jpg", make_plate(None))
    counts = {
        mode: len(
            answer(recognition, SnapshotRequest(config=SnapshotConfig(mode=mode, vehicles_too=vehicles_too)))["results"]
        )
        for mode in ("normal", "fast", "redaction")
    }
    assert counts == {"normal": 0, "fast": 0, "redaction": 1}


def test_the_plate_is_the_first_candidate_of_unread_ones_too() -> None:
    request = SnapshotRequest(config=SnapshotConfig(mode="redaction"))
    (result,) = answer(make_recognition("a.jpg", make_plate(None)), request)["results"]
    assert (result["plate"], result["score"]) == ("", 0.0)
    assert result["candidates"] == [{"score": 0.0, "plate": ""}]


# --- version 2 -----------------------------------------------------------------------------------------------


def test_vehicles_without_plates_are_listed_after_the_plates() -> None:
    found = answer(make_crossing(), VEHICLES_TOO)
    assert list(found) == ["filename", "timestamp", "camera_id", "processing_time", "results"]
    pairs = [
        (r["plate"] and r["plate"]["props"]["plate"][0]["value"], r["vehicle"] and r["vehicle"]["type"])
        for r in found["results"]
    ]
    assert pairs == [("ab12", "Unknown"), ("cd34", None), (None, "Bus")]


def test_a_vehicle_whose_plate_could_not_be_read_counts_as_one_without() -> None:
    recognition = make_recognition("a.jpg", make_plate(None, vehicle_index=0), vehicles=(make_vehicle(),))
    (result,) = answer(recognition, VEHICLES_TOO)["results"]
    assert result["plate"] is None
    assert result["vehicle"]["box"]["xmax"] == 1240


def test_keys_of_version_2() -> None:
    request = replace(VEHICLES_TOO, mmc=True, direction=True)
    result = answer(make_street(), request)["results"][0]
    assert list(result) == ["plate", "vehicle", "direction", "direction_score"]
    assert result["plate"] == {
        "type": "Plate",
        "score": 0.861,
        "box": {"xmin": 812, "ymin": 640, "xmax": 951, "ymax": 688},
        "props": {
            "plate": [{"value": "b4k77q", "score": 0.913}, {"value": "84k77q", "score": 0.744}],
            "region": [{"value": "us-mo", "score": 0.402}],
        },
    }
    assert result["vehicle"]["props"] == {
        "make_model": [{"make": "unknown", "model": "unknown", "score": 0.0}],
        "orientation": [{"value": "Unknown", "score": 0.0}],
        "color": [{"value": "unknown", "score": 0.0}],
    }


def test_without_mmc_the_lists_of_properties_are_empty() -> None:
    props = answer(make_street(), VEHICLES_TOO)["results"][0]["vehicle"]["props"]
    assert props == {"make_model": [], "orientation": [], "color": []}


def as_version_1(result: dict[str, Any]) -> dict[str, Any]:
    """A result of version 2 as the vendor's own tool turns it into one of version 1; None for what has no plate."""
    plate, vehicle = result["plate"], result["vehicle"]
    candidates = plate["props"]["plate"]
    region = plate["props"]["region"][0]
    row = {
        "box": plate["box"],
        "plate": candidates[0]["value"],
        "score": candidates[0]["score"],
        "dscore": plate["score"],
        "region": {"code": region["value"], "score": region["score"]},
        "candidates": [{"score": each["score"], "plate": each["value"]} for each in candidates],
        "vehicle": {key: vehicle[key] for key in ("score", "type", "box")},
        "model_make": vehicle["props"]["make_model"],
        "color": [{"color": each["value"], "score": each["score"]} for each in vehicle["props"]["color"]],
    }
    row["orientation"] = [{"orientation": e["value"], "score": e["score"]} for e in vehicle["props"]["orientation"]]
    return row


@given(recognitions(exact=False))
def test_both_versions_say_the_same(recognition: Recognition) -> None:
    consistent = replace(
        recognition,
        plates=tuple(
            replace(plate, reading=replace(plate.reading, candidates=()))
            for plate in recognition.plates
            if plate.reading and plate.vehicle_index is not None
        ),
    )
    first = answer(consistent, SnapshotRequest(mmc=True))["results"]
    second = answer(consistent, replace(VEHICLES_TOO, mmc=True))["results"]
    assert [as_version_1(result) for result in second if result["plate"]] == first
    bare = [result for result in second if result["plate"] is None]
    assert len(bare) == len(consistent.vehicles) - len({plate.vehicle_index for plate in consistent.plates})


@given(recognitions(exact=False), st.booleans(), st.booleans(), st.booleans(), st.sampled_from(["sdk", "cloud"]))
def test_answers_are_json_with_the_same_keys_in_every_result(
    recognition: Recognition, vehicles_too: bool, mmc: bool, direction: bool, flavour: str
) -> None:
    config = SnapshotConfig(vehicles_too=vehicles_too, mode="redaction")
    given = answer(recognition, SnapshotRequest(mmc=mmc, direction=direction, config=config), flavour, usage=(1, 2))
    assert json.loads(platerecognizer.encode(given)) == given
    assert len({tuple(result) for result in given["results"]}) <= 1
    assert len(given["results"]) >= len(recognition.plates)


# --- file names ------------------------------------------------------------------------------------------------

AT = datetime(2020, 10, 12, 18, 17, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("original", "kept"),
    [
        ("car.jpg", "car.jpg"),
        ("upload", "upload"),
        (None, "upload.jpg"),
        ("", "upload.jpg"),
        ("..", "upload.jpg"),
        (" . ", "upload.jpg"),
        ("/var/www/html/car.jpg", "car.jpg"),
        ("C:\\fakepath\\car.jpg", "car.jpg"),
        ("../../etc/passwd", "passwd"),
        ("dir/", "upload.jpg"),
        ("auto süd 京.png", "auto süd 京.png"),
        ('a"; filename="b.jpg', "a_; filename=_b.jpg"),
        ("a\r\nX-Evil: 1.jpg", "aX-Evil_ 1.jpg"),
        ("\u202egpj.exe", "gpj.exe"),
        ("a\x00b\ud800.jpg", "ab.jpg"),
        ("x" * 300 + ".jpeg", "x" * 145 + ".jpeg"),
        ("x" * 300, "x" * 150),
        ("x." + "y" * 300, "x." + "y" * 148),
    ],
)
def test_the_sdk_keeps_names_and_the_service_adds_to_them(original: str | None, kept: str) -> None:
    assert platerecognizer.saved_filename("sdk", original, AT, "7M83K") == kept
    assert platerecognizer.saved_filename("cloud", original, AT, "7M83K") == f"1617_7M83K_{kept}"


@given(st.text(max_size=400))
def test_no_name_does_harm(original: str) -> None:
    name = platerecognizer.saved_filename("sdk", original, NOON, "7M83K")
    assert 0 < len(name) <= 150
    assert not set('/\\"<>:|?*\r\n\0') & set(name)
    assert name not in (".", "..")
    name.encode()


# --- the small answers ----------------------------------------------------------------------------------------


def test_throttled_is_the_vendors_body_byte_for_byte() -> None:
    expected = b'{"detail":"Request was throttled. Expected available in 1 second.","status_code":429}'
    for wait in (0.0, 0.2, 1.0):
        assert platerecognizer.encode(platerecognizer.throttled(wait)) == expected
    assert platerecognizer.throttled(1.2)["detail"] == "Request was throttled. Expected available in 2 seconds."


def test_other_failures() -> None:
    assert platerecognizer.failure(403, "Invalid token.") == {"detail": "Invalid token.", "status_code": 403}
    assert platerecognizer.not_found() == {"detail": "Not found."}
    assert platerecognizer.method_not_allowed("GET") == {"detail": 'Method "GET" not allowed.'}


def test_statistics() -> None:
    resets = datetime(2026, 4, 5, 2, tzinfo=timezone(timedelta(hours=2)))
    found = platerecognizer.statistics(calls=412, allowed=2500, year=2026, month=3, resets_on=resets)
    assert platerecognizer.encode(found) == (
        b'{"usage":{"year":2026,"month":3,"calls":412,"resets_on":"2026-04-05T00:00:00Z"},"total_calls":2500}'
    )
    with pytest.raises(ValueError, match="time zone"):
        platerecognizer.statistics(calls=0, allowed=1, year=2026, month=3, resets_on=datetime(2026, 4, 1))


def test_info() -> None:
    found = platerecognizer.info(
        version="0.1.0", license_key="XXXXXXXXXX", calls=1234, allowed=None, webhooks=["http://10.0.0.2:8081/"]
    )
    assert found == {
        "version": "0.1.0",
        "license_key": "XXXXXXXXXX",
        "total_calls": platerecognizer.UNLIMITED_CALLS,
        "usage": {"calls": 1234},
        "webhooks": ["http://10.0.0.2:8081/"],
    }


def test_encoded_answers_are_compact_and_never_hold_what_json_lacks() -> None:
    assert platerecognizer.encode({"a": [1, "ü"]}) == '{"a":[1,"ü"]}'.encode()
    with pytest.raises(ValueError, match="JSON"):
        platerecognizer.encode({"a": float("nan")})
