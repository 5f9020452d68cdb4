"""What an MQTT broker is told: keys of cameras, topics, discovery as Home Assistant wants it, states."""

from __future__ import annotations

import json
import re
import string
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import NOON, make_attributes, make_plate, make_reading, make_vehicle
from openplate.datatypes import UNKNOWN, Group, Guess, MakeModel, Sighting, Speed
from openplate.formats.home_assistant import Topics, camera_keys, discovery, encode, event, nobody, summary
from openplate.formats.native_group import group_dict

GATE = Topics("home/plates", "gate")


def make_group() -> Group:
    reading = make_reading(region=("us-mo", 0.402))
    best = Sighting(NOON, 5, make_plate(reading=reading), make_vehicle("truck"), 0)
    later = NOON + timedelta(seconds=2)
    return Group("ab12", "gate", "closed", NOON, later, 5, 15, reading, best, (best,), heading_degrees=91.0)


@pytest.mark.parametrize(
    ("cameras", "keys"),
    [
        ([("gate", 1)], ["gate"]),
        ([("Main Gate/2", 1)], ["main_gate_2"]),
        ([("Zürich +#", 1)], ["zurich"]),
        ([("Gate 1", 4), ("gate-1", 7)], ["gate_1", "gate_1_7"]),
        ([("車", 3), ("門", 5)], ["camera", "camera_5"]),
        ([("status", 2)], ["status_2"]),
        ([("a 1", 9), ("a", 1), ("A", 1)], ["a_1", "a", "a_1_1"]),
    ],
)
def test_each_camera_has_a_key_of_its_own(cameras: list[tuple[str, int]], keys: list[str]) -> None:
    assert camera_keys(cameras) == dict(zip((name for name, _ in cameras), keys, strict=True))


@given(st.lists(st.text(max_size=8), unique=True, max_size=8))
def test_keys_are_fit_for_topics(names: list[str]) -> None:
    keys = camera_keys((name, number) for number, name in enumerate(names, 1))
    assert list(keys) == names
    assert len(set(keys.values())) == len(names)
    assert all(key and set(key) <= {*string.ascii_lowercase, *string.digits, "_"} for key in keys.values())


def test_topics() -> None:
    assert (GATE.events, GATE.last, GATE.plate) == (
        "home/plates/gate/events",
        "home/plates/gate/last",
        "home/plates/gate/plate",
    )
    assert (GATE.vehicle, GATE.camera, GATE.status) == (
        "home/plates/gate/vehicle",
        "home/plates/gate/camera",
        "home/plates/status",
    )


def test_discovery_is_one_device_with_three_entities() -> None:
    told = discovery(GATE, "Main gate", prefix="homeassistant", version="1.2")
    assert list(told) == [
        "homeassistant/sensor/home_plates_gate/last_plate/config",
        "homeassistant/sensor/home_plates_gate/plate/config",
        "homeassistant/binary_sensor/home_plates_gate/vehicle/config",
    ]
    for message in told.values():
        assert message["availability"] == [{"topic": GATE.status}, {"topic": GATE.camera}]
        assert message["availability_mode"] == "all"
        device = message["device"]
        assert isinstance(device, dict)
        assert (device["identifiers"], device["name"], device["sw_version"]) == (
            ["home_plates_gate"],
            "Main gate",
            "1.2",
        )
    last, plate, vehicle = told.values()
    assert (last["state_topic"], last["json_attributes_topic"]) == (GATE.last, GATE.last)
    assert (plate["state_topic"], plate["value_template"]) == (GATE.plate, "{{ value_json.text }}")
    assert (vehicle["state_topic"], vehicle["payload_on"], vehicle["payload_off"]) == (GATE.vehicle, "ON", "OFF")
    assert len({message["unique_id"] for message in told.values()}) == 3


def test_summary() -> None:
    assert summary(make_group(), "http://gate.lan/img/a.jpg") == {
        "text": "B4K77Q",
        "confidence": 0.913,
        "region": "us-mo",
        "direction": "right",
        "speed_kmh": None,
        "vehicle": "truck",
        "time": "2026-03-05T12:00:00.123Z",
        "camera": "gate",
        "state": "closed",
        "is_preview": False,
        "is_parked": False,
        "dwell_s": 2.0,
        "group": "ab12",
        "image_url": "http://gate.lan/img/a.jpg",
    }


def test_a_speed_is_told_where_it_is_known() -> None:
    assert summary(replace(make_group(), speed=Speed(43.26, 0.9)))["speed_kmh"] == 43.3


def test_previews_are_marked() -> None:
    preview = replace(make_group(), state="preview")
    assert (summary(preview)["is_preview"], event(preview)["state"]) == (True, "preview")


def test_what_is_known_of_the_look_is_told_where_it_was_asked_for() -> None:
    group = replace(make_group(), attributes=make_attributes())
    told = summary(group)
    assert (told["make"], told["model"], told["color"]) == ("Toyota", "RAV4", "grey")
    unsure = make_attributes(make_models=(MakeModel(UNKNOWN, None, 0.9),), colors=(Guess(UNKNOWN, 0.8),))
    told = summary(replace(group, attributes=unsure))
    assert (told["make"], told["model"], told["color"]) == (None, None, None)


def test_a_vehicle_without_a_plate_has_an_empty_text() -> None:
    group = replace(make_group(), consensus=None)
    told = summary(group)
    assert (told["text"], told["confidence"], told["region"]) == ("", None, None)
    assert nobody("gate")["text"] == ""


def test_an_event_is_the_groups_own_object() -> None:
    group = make_group()
    assert event(group, 1.5) == group_dict(group, 1.5)
    assert event(group, None, "http://x/1.jpg") == {**group_dict(group), "image_url": "http://x/1.jpg"}


def test_it_is_sent_as_json() -> None:
    assert json.loads(encode({"text": "Ü1", "none": None})) == {"text": "Ü1", "none": None}


def test_the_documentation_shows_it_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "home-assistant.md").read_text(encoding="utf-8")
    shown, flow = (json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", page, re.DOTALL | re.MULTILINE))
    assert shown == summary(make_group())
    assert list(shown) == list(summary(make_group()))
    known = Topics("openplate", "KEY")
    for topic in (known.events, known.last, known.plate, known.vehicle, known.camera, known.status):
        assert f"| `{topic}` |" in page
    assert flow[2]["topic"] == Topics("openplate", "+").events
