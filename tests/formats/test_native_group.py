"""Openplate's own object for a group: exactly the documented keys, times in UTC, directions in words."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from factories import NOON, make_attributes, make_plate, make_reading, make_vehicle
from openplate.datatypes import Group, Sighting, Speed
from openplate.formats.native_group import DIRECTIONS, direction_of, group_dict, timestamp

KEYS = [
    "group",
    "state",
    "camera",
    "first_seen",
    "last_seen",
    "first_frame",
    "last_frame",
    "text",
    "confidence",
    "region",
    "candidates",
    "characters",
    "readings",
    "heading",
    "direction",
    "speed_kmh",
    "speed_confidence",
    "is_parked",
    "dwell_s",
    "best",
]


def make_group() -> Group:
    reading = make_reading(region=("us-mo", 0.402), others=(("84K77Q", 0.744),))
    sightings = tuple(
        Sighting(NOON + timedelta(seconds=second), 5 * second, make_plate(reading=reading), make_vehicle(), 0)
        for second in range(3)
    )
    seen = (sightings[0].at, sightings[-1].at)
    return Group("ab12", "gate", "closed", *seen, 0, 10, reading, sightings[1], sightings, heading_degrees=268.04)


def test_keys_and_values() -> None:
    data = json.loads(json.dumps(group_dict(make_group(), 1.23456)))
    assert list(data) == KEYS
    assert (data["group"], data["state"], data["camera"]) == ("ab12", "closed", "gate")
    assert (data["first_seen"], data["last_seen"]) == ("2026-03-05T12:00:00.123Z", "2026-03-05T12:00:02.123Z")
    assert (data["text"], data["confidence"], data["readings"]) == ("B4K77Q", 0.913, 3)
    assert data["region"] == {"code": "us-mo", "confidence": 0.402}
    assert [each["text"] for each in data["candidates"]] == ["B4K77Q", "84K77Q"]
    assert (data["heading"], data["direction"], data["is_parked"], data["dwell_s"]) == (268.0, "left", False, 2.0)
    best = data["best"]
    assert (best["at"], best["frame"], best["position_s"]) == ("2026-03-05T12:00:01.123Z", 5, 1.235)
    assert best["plate"]["text"] == "B4K77Q"
    assert "vehicle" not in best["plate"]
    assert best["vehicle"]["label"] == "car"


def test_what_is_not_known() -> None:
    best = Sighting(NOON, 5, None, make_vehicle())
    data = group_dict(replace(make_group(), consensus=None, best=best, sightings=(best,), heading_degrees=None))
    assert (data["text"], data["confidence"], data["region"], data["readings"]) == (None, None, None, 0)
    assert (data["heading"], data["direction"]) == (None, None)
    assert isinstance(data["best"], dict)
    assert data["best"]["plate"] is data["best"]["position_s"] is None


def test_speeds_are_in_kilometres_an_hour() -> None:
    data = group_dict(replace(make_group(), speed=Speed(43.26, 0.98761)))
    assert (data["speed_kmh"], data["speed_confidence"]) == (43.3, 0.9876)
    unknown = group_dict(make_group())
    assert (unknown["speed_kmh"], unknown["speed_confidence"]) == (None, None)


def test_attributes_are_there_when_somebody_asked() -> None:
    data = group_dict(replace(make_group(), attributes=make_attributes()))
    assert list(data) == [*KEYS, "attributes"]


@pytest.mark.parametrize(
    ("degrees", "word"),
    [(0, "up"), (22, "up"), (23, "up right"), (90, "right"), (180, "down"), (225, "down left"), (359, "up")],
)
def test_directions(degrees: float, word: str) -> None:
    assert direction_of(replace(make_group(), heading_degrees=degrees)) == word


def test_times_are_told_in_utc() -> None:
    assert timestamp(NOON.astimezone(timezone(timedelta(hours=5)))) == "2026-03-05T12:00:00.123Z"


def test_every_key_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"## Groups\n.*?```json\n(.*?)```", text, re.DOTALL)
    written = json.loads(block)
    told = json.loads(json.dumps(group_dict(make_group(), 1.0)))
    assert list(written) == list(told)
    assert list(written["best"]) == list(told["best"])
    assert list(written["best"]["plate"]) == list(told["best"]["plate"])
    assert list(written["best"]["vehicle"]) == list(told["best"]["vehicle"])
    for word in DIRECTIONS:
        assert f"`{word}`" in text
