"""What Stream tells: each key, what receivers parse, and the whole against stored files."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import make_reading
from openplate.datatypes import Box, Group, Sighting, Speed
from openplate.formats import stream, stream_table
from openplate.formats.stream import Event, StreamCameraContext
from openplate.grouping import to_unit_circle
from strategies import recognitions
from stream_scenes import AT, CAR, FILE, GATE, PLATE, make_event, make_group

GOLDEN = Path(__file__).parent / "golden" / "stream"
MMC = replace(GATE, mmc=True, user_data="48.1, 11.5")
VEHICLES = replace(MMC, vehicles_too=True)
TARGET = "http://10.0.0.2:8001/"
V1_HEADER = (
    "timestamp,plate,score,dscore,file,box,model_make,color,vehicle,region,orientation,candidates,"
    "source_url,position_sec,direction"
)
V2_HEADER = "timestamp,file,source_url,position_sec,direction,plate,vehicle"


def _json(data: object) -> str:
    return json.dumps(data, indent=1) + "\n"


def _hook(event: Event, camera: StreamCameraContext, image: stream.ImageKind | None) -> str:
    sent = None if image is None else stream.image_part(event, image)
    return _json(stream.hook_body(stream.event_data(event, camera, sent), camera, TARGET, event.filename))


CASES: dict[str, Callable[[], str]] = {
    "webhook_v1.json": lambda: _hook(make_event(), GATE, None),
    "webhook_v1_vehicle.json": lambda: _hook(make_event(), MMC, "vehicle"),
    "webhook_v2_vehicle.json": lambda: _hook(make_event(), VEHICLES, "vehicle"),
    "webhook_v2_no_plate.json": lambda: _hook(make_event(None), VEHICLES, "original"),
    "dwell_time.json": lambda: _json(
        stream.hook_body(stream.dwell_data(make_event(), GATE, trajectory=True), GATE, TARGET, FILE, stream.DWELL_TIME)
    ),
    "lines_v1.jsonl": lambda: stream.json_line(stream.event_data(make_event(), MMC)),
    "lines_v2.jsonl": lambda: "".join(
        stream.json_line(stream.event_data(make_event(text), VEHICLES)) for text in ("B4K77Q", None)
    ),
    "table_v1.csv": lambda: (
        stream_table.header()
        + stream_table.row(make_event(), MMC)
        + stream_table.row(make_event(heading_degrees=None, consensus=make_reading("EL1234")), GATE)
    ),
    "table_v2.csv": lambda: (
        stream_table.header(True) + "".join(stream_table.row(make_event(text), VEHICLES) for text in ("B4K77Q", None))
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_output_is_the_stored_one(name: str) -> None:
    assert CASES[name]() == (GOLDEN / name).read_bytes().decode()


def test_every_stored_file_is_a_case_with_a_source_and_a_date() -> None:
    assert {path.name for path in GOLDEN.iterdir() if path.suffix != ".toml"} == set(CASES)
    for name in CASES:
        side = tomllib.loads((GOLDEN / f"{name}.toml").read_text())
        assert side["source"]
        assert side["date"]


def result(event: Event, camera: StreamCameraContext = GATE, sent: Box | None = None) -> dict[str, Any]:
    (only,) = stream.event_data(event, camera, sent)["results"]  # type: ignore[misc, var-annotated]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize(
    ("compass", "unit"),
    [(0, 90), (90, 0), (180, 270), (270, 180), (45, 45), (225, 225), (359.6, 90), (90.4, 0), (89.6, 0), (105, 345)],
)
def test_direction_on_the_unit_circle(compass: float, unit: int) -> None:
    assert stream.direction(compass) == unit


@given(st.floats(0, 360))
def test_the_same_circle_as_that_of_grouping(compass: float) -> None:
    unit = stream.direction(compass)
    assert unit is not None
    assert abs((unit - to_unit_circle(compass) + 180) % 360 - 180) <= 0.5 + 1e-9


def test_no_direction_is_null_in_json_and_empty_in_a_table() -> None:
    still = make_event(heading_degrees=None)
    assert result(still)["direction"] is None
    assert cells(still)["direction"] == ""


@given(st.floats(0, 360))
def test_a_direction_is_a_whole_number_below_360(compass: float) -> None:
    unit = stream.direction(compass)
    assert isinstance(unit, int)
    assert 0 <= unit < 360


def test_times_are_in_the_forms_that_receivers_parse() -> None:
    for at in (AT, AT.replace(microsecond=0)):
        data = stream.event_data(make_event(best=replace(make_group().best, at=at)), GATE)
        utc, local = data["timestamp"], data["timestamp_local"]
        assert isinstance(utc, str)
        assert isinstance(local, str)
        assert datetime.strptime(utc, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC) == at
        assert datetime.strptime(local, "%Y-%m-%d %H:%M:%S.%f%z") == at
        assert local.endswith("+01:00")


def test_a_time_needs_its_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        stream.local_time(AT.replace(tzinfo=None), UTC)


def test_keys_in_their_order() -> None:
    data = stream.event_data(make_event(), GATE)
    assert list(data) == ["camera_id", "filename", "timestamp", "timestamp_local", "timestamp_camera", "results"]
    first = ["box", "plate", "region", "score", "candidates", "dscore", "vehicle"]
    last = ["direction", "speed", "speed_score", "source_url", "position_sec", "user_data"]
    assert list(result(make_event())) == [*first, *last]
    assert list(result(make_event(), MMC)) == [*first, "model_make", "color", "orientation", *last]
    assert list(result(make_event(), VEHICLES)) == ["plate", "vehicle", *last]
    hook = stream.hook_body(data, GATE, TARGET, FILE)["hook"]
    assert hook == {"target": TARGET, "id": "gate-1", "event": "recognition", "filename": FILE}


def test_boxes_count_from_the_picture_that_is_sent() -> None:
    event = make_event()
    part = stream.image_part(event, "vehicle")
    assert part == Box(155, 71, 591, 374)
    sent = result(event, sent=part)
    assert sent["vehicle"]["box"] == {"xmin": 0, "ymin": 0, "xmax": 435, "ymax": 302}
    assert sent["box"] == {"xmin": 182, "ymin": 199, "xmax": 257, "ymax": 234}
    assert result(event)["box"] == {"xmin": 337, "ymin": 270, "xmax": 412, "ymax": 305}
    assert stream.image_part(event, "plate") == PLATE
    assert stream.image_part(event, "original") == Box(0, 0, 640, 480)


def test_without_a_vehicle_the_whole_picture_is_sent() -> None:
    best = make_group().best
    event = make_event(best=replace(best, vehicle=None))
    assert stream.image_part(event, "vehicle") == Box(0, 0, 640, 480)
    assert result(event)["vehicle"]["box"] == {"xmin": 0, "ymin": 0, "xmax": 0, "ymax": 0}
    assert result(event, VEHICLES)["vehicle"] is None


def test_the_text_is_what_all_readings_vote_for() -> None:
    event = make_event(consensus=make_reading("B4K770", others=(("B4K77Q", 0.3),)))
    assert (result(event)["plate"], result(event)["candidates"][1]) == ("b4k770", {"score": 0.3, "plate": "b4k77q"})
    assert result(event, VEHICLES)["plate"]["props"]["plate"][0]["value"] == "b4k770"


def test_a_vehicle_without_a_plate_is_told_in_version_2_only() -> None:
    event = make_event(None)
    assert stream.event_data(event, GATE)["results"] == []
    assert stream_table.row(event, GATE) == ""
    found = result(event, VEHICLES)
    assert (found["plate"], found["vehicle"]["type"]) == (None, "SUV")


def test_dwell_time_tells_how_long() -> None:
    data = stream.dwell_data(make_event(), GATE)
    assert list(data) == ["camera_id", "timestamp_first", "timestamp_last", "dwell_sec", "results"]
    assert (data["timestamp_first"], data["dwell_sec"]) == ("2026-03-05T14:02:10.093412Z", 2.0)
    path = stream.dwell_data(make_event(), GATE, trajectory=True)["trajectory"]
    x, y = CAR.center
    assert path == [[round(x), round(y), 0.0], [round(x - 40), round(y + 20), 1.0], [round(x - 80), round(y + 40), 2.0]]


def cells(event: Event, camera: StreamCameraContext = GATE) -> dict[str, str]:
    text = stream_table.header(camera.vehicles_too) + stream_table.row(event, camera)
    (row,) = csv.DictReader(io.StringIO(text))
    return row


def test_headers_are_exactly_the_vendors() -> None:
    assert stream_table.header() == V1_HEADER + "\r\n"
    assert stream_table.header(True) == V2_HEADER + "\r\n"


def test_a_row_as_importers_read_it() -> None:
    row = cells(make_event(), MMC)
    assert (row["timestamp"], row["plate"], row["score"]) == ("2026-03-05 15:02:11.093412+01:00", "b4k77q", "0.913")
    assert (row["file"], row["position_sec"], row["direction"]) == (f"/{FILE}", "23.47", "210")
    assert row["box"] == "{'xmin': 337, 'ymin': 270, 'xmax': 412, 'ymax': 305}"
    assert ast.literal_eval(row["candidates"]) == [{"score": 0.913, "plate": "b4k77q"}]
    assert row["region"] == "{'code': 'us-mo', 'score': 0.402}"


def test_a_row_without_region_attributes_and_picture() -> None:
    row = cells(replace(make_event(consensus=make_reading("EL1234")), filename="", position_s=None))
    assert (row["region"], row["color"], row["model_make"]) == ("{'code': '', 'score': 0}", "[]", "[]")
    assert (row["file"], row["position_sec"]) == ("", "")


def test_a_row_of_version_2_without_a_plate() -> None:
    row = cells(make_event(None), VEHICLES)
    assert ast.literal_eval(row["plate"]) is None
    assert ast.literal_eval(row["vehicle"])["props"]["color"][0]["value"] == "silver"


def groups() -> st.SearchStrategy[Event]:
    """Passes of whatever may be found in a picture."""

    def built(recognition: Any, heading: float | None) -> Event:
        plate = next(iter(recognition.plates), None)
        vehicle = next(iter(recognition.vehicles), None)
        group: Group = replace(
            make_group(),
            consensus=None if plate is None else plate.reading,
            best=Sighting(AT, 1, plate, vehicle),
            attributes=vehicle.attributes if vehicle else None,
            heading_degrees=heading,
        )
        return Event(group, recognition.width, recognition.height, FILE, 1.5)

    return st.builds(built, recognitions(exact=False), st.none() | st.floats(0, 360, exclude_max=True))


@given(groups(), st.booleans(), st.booleans(), st.sampled_from(["vehicle", "plate", "original"]))
def test_whatever_passes_tables_and_json_say_the_same(
    event: Event, mmc: bool, vehicles_too: bool, image: stream.ImageKind
) -> None:
    camera = replace(GATE, mmc=mmc, vehicles_too=vehicles_too)
    line = json.loads(stream.json_line(stream.event_data(event, camera)))
    text = stream_table.row(event, camera)
    if not line["results"]:
        assert text == ""
        return
    (told,), row = line["results"], cells(event, camera)
    structured = ["plate", "vehicle"] if vehicles_too else ["box", "vehicle", "candidates"]
    structured += ["model_make", "color", "orientation"] if mmc and not vehicles_too else []
    for name in structured:
        assert ast.literal_eval(row[name]) == told[name]
    assert row["direction"] == ("" if told["direction"] is None else str(told["direction"]))
    part = stream.image_part(event, image)
    json.dumps(stream.event_data(event, camera, part), allow_nan=False)


def test_a_line_is_one_line() -> None:
    line = stream.json_line(stream.event_data(make_event(), replace(GATE, user_data="a\nb\u2028")))
    assert len(re.findall("\n", line)) == 1


@pytest.mark.parametrize("camera", [GATE, VEHICLES])
def test_speeds_are_told_where_they_are_known(camera: StreamCameraContext) -> None:
    (told,) = stream.event_data(make_event(speed=Speed(43.26, 0.98765)), camera)["results"]  # type: ignore[misc]
    assert (told["speed"], told["speed_score"]) == (43.3, 0.988)  # type: ignore[has-type]
    (unknown,) = stream.event_data(make_event(), camera)["results"]  # type: ignore[misc]
    assert (unknown["speed"], unknown["speed_score"]) == (None, None)  # type: ignore[has-type]
