"""Rekor Scout's messages: every key with its type, what belongs together, and the whole against stored files."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import NOON, make_box, make_plate, make_reading, make_recognition, make_street, make_vehicle
from openplate.datatypes import (
    Group,
    Guess,
    MakeModel,
    PathPoint,
    PlateCandidate,
    Recognition,
    Sighting,
    VehicleAttributes,
)
from openplate.formats import rekor
from openplate.formats.openalpr import epoch_ms
from strategies import recognitions

GOLDEN = Path(__file__).parent / "golden" / "rekor"
LOOKS = VehicleAttributes(
    types=(Guess("sedan", 0.7), Guess("suv", 0.2)),
    makes=(Guess("Ford", 0.805), Guess("BMW", 0.1125)),
    make_models=(MakeModel("Ford", "Focus", 0.7), MakeModel("Mini", "Cooper S", 0.1)),
    body_types=(Guess("hatchback", 0.6), Guess("sedan", 0.3)),
    years=(Guess("2010-2014", 0.5), Guess("2015-2019", 0.3)),
    colors=(Guess("grey", 0.9), Guess("black", 0.05)),
    views=(Guess("front", 0.8), Guess("front_left", 0.15)),
    orientations=(Guess("front", 0.95), Guess("rear", 0.05)),
)
AGENT = rekor.Agent("4QHB7Z1F9KD2M5N8P0R3S6T9V2W5X8Y1A4C7E0G3", "f1bb9e2c-0000-4000-8000-2a4d5c6b7e8f", "4.1.1")
CAMERA = rekor.CameraContext(AGENT, 1206884742, name="Gate")
PICTURE = rekor.BestPicture(1280, 720, "cGxhdGU=", "dmVoaWNsZQ==", "b3ZlcnZpZXc=", 12.5)

# The types, key by key. A list has the type of its elements; | stands for keys that only version 3 has.
NUMBER_BOX = {"x": int, "y": int, "width": int, "height": int}
CANDIDATE = {"plate": str, "confidence": float, "matches_template": int}
PLATE = {
    "plate": str,
    "confidence": float,
    "matches_template": int,
    "plate_index": int,
    "region": str,
    "region_confidence": int,
    "processing_time_ms": float,
    "requested_topn": int,
    "coordinates": [{"x": int, "y": int}],
    "candidates": [CANDIDATE],
    "plate_crop_jpeg": str,
    "vehicle_region": NUMBER_BOX,
}
PLATE_3 = PLATE | {"vehicle_detected": bool}
RESULTS = {
    "data_type": str,
    "version": int,
    "uuid": str,
    "epoch_time": int,
    "camera_id": int,
    "agent_uid": str,
    "agent_type": str,
    "agent_version": str,
    "company_id": str,
    "img_width": int,
    "img_height": int,
    "processing_time_ms": float,
    "error": bool,
    "regions_of_interest": [NUMBER_BOX],
    "results": [PLATE],
}
RESULTS_3 = RESULTS | {"results": [PLATE_3], "vehicles": [{"region": NUMBER_BOX, "details": dict}]}
NAMED = [{"name": str, "confidence": float}]
LOOK = dict.fromkeys(("color", "make", "make_model", "body_type", "year", "orientation"), NAMED)
LOOK_3 = LOOK | {"missing_plate": NAMED, "is_vehicle": NAMED}
HEAD = {
    "data_type": str,
    "version": int,
    "epoch_start": int,
    "epoch_end": int,
    "frame_start": int,
    "frame_end": int,
    "company_id": str,
    "agent_uid": str,
    "agent_version": str,
    "agent_type": str,
    "camera_id": int,
    "gps_latitude": float,
    "gps_longitude": float,
    "country": str,
    "best_uuid": str,
    "best_image_width": int,
    "best_image_height": int,
    "travel_direction": float,
    "is_parked": bool,
    "vehicle_crop_jpeg": str,
    "vehicle": LOOK,
}
GROUP = HEAD | {
    "uuids": [str],
    "plate_indexes": [int],
    "candidates": [CANDIDATE],
    "best_plate": PLATE,
    "best_plate_number": str,
    "best_confidence": float,
    "best_region": str,
    "best_region_confidence": float,
    "matches_template": bool,
}
PATH = [{"x": int, "y": int, "w": int, "h": int, "t": int, "f": int}]
NEWER = {
    "vehicle": LOOK_3,
    "best_uuid_epoch_ms": int,
    "is_preview": bool,
    "overview_jpeg": str,
    "vehicle_signature": str,
    "vehicle_detected": bool,
    "vehicle_path": PATH,
    "direction_of_travel_id": int,
    "web_server_config": {"camera_label": str, "agent_label": str},
}
GROUP_3 = GROUP | NEWER | {"best_plate": PLATE_3, "plate_path": PATH}
STREAM = {
    "camera_id": int,
    "camera_name": str,
    "url": str,
    "fps": float,
    "is_streaming": bool,
    "last_update": int,
    "gps_latitude": float,
    "gps_longitude": float,
}
HEARTBEAT = {
    "data_type": str,
    "agent_uid": str,
    "agent_type": str,
    "agent_version": str,
    "agent_hostname": str,
    "company_id": str,
    "openalpr_version": str,
    "os": str,
    "timestamp": int,
    "license_key": str,
    "license_systemid": str,
    "license_valid": bool,
    "system_uptime_seconds": int,
    "daemon_uptime_seconds": int,
    "cpu_cores": int,
    "cpu_usage_percent": float,
    "cpu_last_update": int,
    "memory_total_bytes": int,
    "memory_consumed_bytes": int,
    "memory_swaptotal_bytes": int,
    "memory_swapused_bytes": int,
    "memory_last_update": int,
    "disk_quota_total_bytes": int,
    "disk_quota_consumed_bytes": int,
    "disk_quota_earliest_result": int,
    "disk_drive_total_bytes": int,
    "disk_drive_free_bytes": int,
    "beanstalk_queue_size": int,
    "recording_enabled": bool,
    "processing_threads_active": int,
    "processing_threads_configured": int,
    "video_streams": [STREAM],
}
HEARTBEAT_3 = HEARTBEAT | {
    "alprd_active": bool,
    "disk_drive_is_writable": bool,
    "video_streams": [STREAM | {"last_plate_read": int, "total_plate_reads": int}],
}


def check(value: Any, form: Any, where: str = "") -> None:
    """Exactly the keys and types of the table, all the way down."""
    if isinstance(form, dict):
        assert value.keys() == form.keys(), where
        for key, inner in form.items():
            check(value[key], inner, f"{where}.{key}")
    elif isinstance(form, list):
        assert type(value) is list, where
        for element in value:
            check(element, form[0], f"{where}[]")
    else:
        assert type(value) is form, where


def seen(second: float, text: str = "B4K77Q", confidence: float = 0.9, plate_index: int = 0) -> Sighting:
    return Sighting(
        NOON + timedelta(seconds=second),
        round(second * 10),
        make_plate(reading=make_reading(text, confidence, region=("us-mo", 0.402), matches_pattern=True)),
        make_vehicle(),
        plate_index,
    )


def make_group(**changes: Any) -> Group:
    sightings = (seen(0, "84K77Q", 0.5), seen(0.25, confidence=0.95, plate_index=1), seen(1.5))
    boxes = tuple(PathPoint(each.at, each.frame_index, make_box()) for each in sightings)
    group = Group(
        id="0" * 32,
        camera="gate",
        state="closed",
        first_seen=sightings[0].at,
        last_seen=sightings[-1].at,
        first_frame=0,
        last_frame=15,
        consensus=make_reading(
            confidence=0.97, others=(("84K77Q", 0.2),), region=("us-mo", 0.402), matches_pattern=True
        ),
        best=sightings[1],
        sightings=sightings,
        plate_path=boxes,
        vehicle_path=(PathPoint(NOON - timedelta(milliseconds=48), -1, make_box(1, 2, 30, 40)), *boxes),
        heading_degrees=296.56,
        attributes=LOOKS,
    )
    return replace(group, **changes)


def make_vehicle_only() -> Group:
    sighting = Sighting(NOON, 7, None, make_vehicle())
    return make_group(consensus=None, best=sighting, sightings=(sighting,), plate_path=())


def dated(recognition: Recognition) -> Recognition:
    return replace(recognition, captured_at=NOON)


def test_the_site_is_told_in_results_where_it_is_set() -> None:
    """As the open-source daemon does."""
    site = replace(CAMERA, agent=replace(AGENT, site_id="north"))
    told = rekor.alpr_results(dated(make_street()), site)
    assert told == {**rekor.alpr_results(dated(make_street()), CAMERA), "site_id": "north"}


def make_heartbeat(version: rekor.Version = 2) -> dict[str, object]:
    machine = rekor.MachineState(NOON, 4, 12.345, 86400, 8 << 30, 2 << 30, 0, 0, 64 << 30, 32 << 30)
    state = rekor.AgentState(3600, 8 << 30, 1 << 30, NOON - timedelta(days=1), 3, 2, 2, keeps_pictures=True)
    streams = (
        rekor.StreamState(CAMERA, "rtsp://10.0.0.8/live", 24.98, True, NOON, NOON - timedelta(seconds=9), 12),
        rekor.StreamState(replace(CAMERA, camera_id=2, name="Back", latitude=39.1, longitude=-94.6), "", 0, False),
    )
    return rekor.heartbeat(replace(AGENT, hostname="gatehouse"), state, machine, streams, at=NOON, version=version)


CASES = {
    "alpr_results_2.json": lambda: rekor.alpr_results(dated(make_street()), CAMERA, plate_crops={0: "cGxhdGU="}),
    "alpr_results_3.json": lambda: rekor.alpr_results(
        dated(make_street()), replace(CAMERA, agent=replace(AGENT, user_data="north")), version=3
    ),
    "alpr_group_2.json": lambda: rekor.alpr_group(make_group(), CAMERA, PICTURE),
    "alpr_group_3.json": lambda: rekor.alpr_group(make_group(), CAMERA, PICTURE, version=3),
    "vehicle_3.json": lambda: rekor.vehicle_group(make_vehicle_only(), CAMERA, PICTURE),
    "heartbeat_2.json": lambda: make_heartbeat(2),
    "heartbeat_3.json": lambda: make_heartbeat(3),
}
FORMS: dict[str, Any] = {
    "alpr_results_2.json": RESULTS,
    "alpr_results_3.json": RESULTS_3 | {"user_data": str},
    "alpr_group_2.json": GROUP,
    "alpr_group_3.json": GROUP_3,
    "vehicle_3.json": HEAD | NEWER,
    "heartbeat_2.json": HEARTBEAT,
    "heartbeat_3.json": HEARTBEAT_3,
}


@pytest.mark.parametrize("name", CASES)
def test_output_is_the_stored_one(name: str) -> None:
    assert json.dumps(CASES[name](), indent=1) + "\n" == (GOLDEN / name).read_text(encoding="utf-8")
    side = tomllib.loads((GOLDEN / f"{name}.toml").read_text(encoding="utf-8"))
    assert side["source"]
    assert side["date"]


@pytest.mark.parametrize("name", CASES)
def test_every_key_has_its_type(name: str) -> None:
    check(CASES[name](), FORMS[name])


@given(recognitions(exact=False), st.sampled_from((2, 3)))
def test_results_keep_their_form_whatever_was_found(recognition: Recognition, version: rekor.Version) -> None:
    recognition = dated(recognition)
    made: Any = json.loads(json.dumps(rekor.alpr_results(recognition, CAMERA, version=version), allow_nan=False))
    check(made, RESULTS if version == 2 else RESULTS_3)
    for result in made["results"]:
        assert recognition.plates[result["plate_index"]].reading is not None
        assert 0 <= result["confidence"] <= 100
        assert 0 <= result["region_confidence"] <= 100
        assert len(result["coordinates"]) == 4
        assert result["plate"] in [candidate["plate"] for candidate in result["candidates"]]
        order = [candidate["confidence"] for candidate in result["candidates"]]
        assert order == sorted(order, reverse=True)
        assert len(order) <= result["requested_topn"]
        around = result["vehicle_region"]
        assert min(around["width"], around["height"]) >= 1


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 5)), min_size=1, max_size=20), st.data())
def test_groups_belong_together(moments: list[tuple[int, int]], data: st.DataObject) -> None:
    sightings = tuple(seen(ms / 1000, plate_index=index) for ms, index in sorted(moments))
    best = data.draw(st.sampled_from(sightings))
    group = make_group(sightings=sightings, best=best, first_seen=sightings[0].at, last_seen=sightings[-1].at)
    made: Any = rekor.alpr_group(group, CAMERA, PICTURE, version=3)
    check(made, GROUP_3)
    assert len(made["uuids"]) == len(made["plate_indexes"]) == len(sightings)
    assert made["best_uuid"] in made["uuids"]
    assert int(made["best_uuid"].rpartition("-")[2]) == made["best_uuid_epoch_ms"] == epoch_ms(best.at)
    assert made["epoch_start"] <= made["best_uuid_epoch_ms"] <= made["epoch_end"]
    assert made["best_plate"]["plate_index"] in made["plate_indexes"]
    assert made["best_plate"]["plate"] == made["best_plate_number"] == made["candidates"][0]["plate"]


@given(st.none() | st.floats(0, 360))
def test_direction_is_a_number_below_360(heading: float | None) -> None:
    made: Any = rekor.alpr_group(make_group(heading_degrees=heading), CAMERA, PICTURE)
    assert 0 <= made["travel_direction"] < 360
    assert heading is None or made["travel_direction"] == pytest.approx(heading, abs=1e-3) or heading > 359.99


def test_uuid_of_a_frame_is_that_of_the_group() -> None:
    group: Any = rekor.alpr_group(make_group(), CAMERA, PICTURE)
    results: Any = rekor.alpr_results(replace(make_street(), captured_at=make_group().best.at), CAMERA)
    assert results["uuid"] == group["best_uuid"] == f"{AGENT.uid}-1206884742-1772712000373"


def test_a_best_sighting_outside_the_kept_ones_is_listed_still() -> None:
    made: Any = rekor.alpr_group(make_group(best=seen(1.25)), CAMERA, PICTURE)
    assert made["uuids"][-1] == made["best_uuid"]
    assert len(made["plate_indexes"]) == 4


@pytest.mark.parametrize(("prefers", "text"), [(False, "B4K77O"), (True, "B4K770")])
def test_the_first_candidate_with_a_form_of_the_region_wins_where_a_region_is_set(prefers: bool, text: str) -> None:
    """conflict of sources 33: candidates keep their order, only ``plate`` changes."""
    reading = replace(
        make_reading("B4K77O", 0.6),
        candidates=(PlateCandidate("B4K77O", 0.6), PlateCandidate("B4K770", 0.3, True), PlateCandidate("B4", 0.1)),
    )
    camera = replace(CAMERA, prefers_matching=prefers)
    recognition = dated(make_recognition("a.jpg", make_plate(reading=reading)))
    result: Any = rekor.alpr_results(recognition, camera)["results"]
    assert result[0]["plate"] == text
    assert [each["plate"] for each in result[0]["candidates"]] == ["B4K77O", "B4K770", "B4"]
    group: Any = rekor.alpr_group(make_group(consensus=reading), camera, PICTURE)
    assert group["best_plate_number"] == text
    assert group["matches_template"] is prefers
    assert group["best_confidence"] == (30.0 if prefers else 60.0)


def test_the_best_text_is_listed_however_few_are_asked_for() -> None:
    reading = replace(
        make_reading("B4K77O", 0.6), candidates=(PlateCandidate("B4K77O", 0.6), PlateCandidate("B4K770", 0.3, True))
    )
    camera = replace(CAMERA, top_n=1, prefers_matching=True)
    made: Any = rekor.alpr_group(make_group(consensus=reading), camera, PICTURE)
    assert [each["plate"] for each in made["candidates"]] == ["B4K770"]


def test_a_preview_says_so_to_everybody() -> None:
    made = rekor.alpr_group(make_group(state="preview"), CAMERA, PICTURE)
    assert made["is_preview"] is True
    assert "is_preview" not in rekor.alpr_group(make_group(), CAMERA, PICTURE)


def test_without_attributes_there_is_no_vehicle_or_all_of_it_unknown() -> None:
    """Receivers take the first make and model of a vehicle that is there."""
    group = make_group(attributes=None)
    assert "vehicle" not in rekor.alpr_group(group, CAMERA, PICTURE)
    newer: Any = rekor.alpr_group(group, CAMERA, PICTURE, version=3)
    check(newer["vehicle"], LOOK_3)
    assert newer["vehicle"]["make_model"] == [{"name": "unknown", "confidence": 0.0}]


def test_vehicles_of_a_frame_tell_their_look() -> None:
    street = make_street()
    street = replace(dated(street), vehicles=(replace(street.vehicles[0], attributes=LOOKS),))
    made: Any = rekor.alpr_results(street, CAMERA, version=3)
    check(made["vehicles"], [{"region": NUMBER_BOX, "details": LOOK}])
    assert made["vehicles"][0]["details"]["make"][0]["name"] == "ford"


def test_a_plate_on_no_vehicle_has_a_square_around_it_cut_at_the_frame() -> None:
    recognition = dated(make_recognition("a.jpg", make_plate(box=make_box(100, 20, 200, 50))))
    results: Any = rekor.alpr_results(recognition, CAMERA)["results"]
    assert results[0]["vehicle_region"] == {"x": 0, "y": 0, "width": 350, "height": 235}


def test_searched_parts_are_told() -> None:
    made = rekor.alpr_results(dated(make_street()), CAMERA, searched=(make_box(-5, 10, 60, 900),))
    assert made["regions_of_interest"] == [{"x": 0, "y": 10, "width": 60, "height": 710}]


def test_a_vehicle_without_a_plate_misses_it() -> None:
    made: Any = rekor.vehicle_group(make_vehicle_only(), CAMERA, PICTURE)
    assert made["vehicle"]["missing_plate"][0] == {"name": "yes", "confidence": 100.0}
    assert made["vehicle"]["is_vehicle"][0] == {"name": "yes", "confidence": 88.0}


def test_a_group_without_a_text_is_no_plate_group() -> None:
    with pytest.raises(ValueError, match="vehicle group"):
        rekor.alpr_group(make_vehicle_only(), CAMERA, PICTURE)


def test_a_frame_needs_its_time() -> None:
    with pytest.raises(ValueError, match="time"):
        rekor.alpr_results(make_street(), CAMERA)


@pytest.mark.parametrize("uid", ["", "a b", "../x", "ä", "a" * 101])
def test_uids_are_plain(uid: str) -> None:
    with pytest.raises(ValueError, match="uid"):
        rekor.Agent(uid, "c", "1")
