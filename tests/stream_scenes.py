"""Passes of vehicles for tests of what Stream tells of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from factories import make_attributes, make_detection, make_plate, make_reading
from openplate.datatypes import Box, Group, PathPoint, Sighting, Vehicle
from openplate.formats.stream import Event, StreamCameraContext

AT = datetime(2026, 3, 5, 14, 2, 11, 93412, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
GATE = StreamCameraContext("gate-1", "rtsp://10.0.0.7:554/main", BERLIN)
CAR = Box(155.2, 71.4, 590.1, 373.3)
PLATE = Box(337, 270, 412, 305)
FILE = "gate-1_screenshots/26-03-05/15-02-11.093412.jpg"


def make_group(text: str | None = "B4K77Q", **changes: object) -> Group:
    """A car that went to the lower left, with its plate unless ``text`` is None."""
    reading = make_reading(text, 0.913, region=("us-mo", 0.402)) if text else None
    vehicle = Vehicle(make_detection("car", CAR, 0.71))
    plate = make_plate(reading=reading, box=PLATE, vehicle_index=0) if text else None
    best = Sighting(AT, 12, plate, vehicle, 0 if text else None)
    start = AT - timedelta(seconds=1)
    path = tuple(
        PathPoint(start + timedelta(seconds=i), 10 + i, CAR.shift(-40.0 * i, 20.0 * i).clamp(640, 480))
        for i in range(3)
    )
    group = Group(
        id=f"{7:032x}",
        camera="gate-1",
        state="closed",
        first_seen=start,
        last_seen=start + timedelta(seconds=2),
        first_frame=10,
        last_frame=14,
        consensus=reading,
        best=best,
        sightings=(best,),
        vehicle_path=path,
        attributes=make_attributes(),
        heading_degrees=240.0,
    )
    return replace(group, **changes)  # type: ignore[arg-type]


def make_event(text: str | None = "B4K77Q", **changes: object) -> Event:
    return Event(make_group(text, **changes), 640, 480, FILE, 23.468)
