"""Whole outputs against stored files, byte for byte: keys, their order, forms of numbers."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from factories import (
    NOON,
    make_attributes,
    make_box,
    make_known_street,
    make_plate,
    make_reading,
    make_recognition,
    make_street,
    make_vehicle,
)
from openplate.datatypes import Recognition
from openplate.formats import native, openalpr, platerecognizer, table
from openplate.formats.rekor_vehicle import rekor_vehicle
from openplate.formats.snapshot_request import SnapshotRequest, parse_snapshot_request
from openplate.formats.webhook import ImageKind, sent_part, webhook_body

GOLDEN = Path(__file__).parent / "golden"


def make_queue() -> Recognition:
    """A bus and a truck, one plate each, and a plate on no vehicle that could not be read."""
    return make_recognition(
        "queue.png",
        make_plate(
            reading=make_reading("29B12345", 0.9876, region=("vn", 0.99), matches_pattern=True),
            vehicle_index=0,
        ),
        make_plate("EL1234", box=make_box(100.25, 80.5, 140.75, 92.5), confidence=0.5, vehicle_index=1),
        make_plate(None, box=make_box(-3.5, 10, 20, 18), confidence=0.31),
        vehicles=(make_vehicle("bus"), make_vehicle("truck", make_box(60, 20, 1300, 700), 0.7)),
    )


def make_parked() -> Recognition:
    """A van without a plate, and a plate on a car."""
    return make_recognition(
        "parked.jpg",
        make_plate("EL1234", vehicle_index=1),
        vehicles=(make_vehicle("van", make_box(0, 40.5, 300, 400), 0.9), make_vehicle()),
    )


def _json(data: dict[str, object]) -> str:
    return json.dumps(data, indent=1) + "\n"


def _snapshot(recognition: Recognition, **options: bool) -> str:
    return _json(platerecognizer.snapshot_v1(recognition, filename=recognition.source, timestamp=NOON, **options))


APRIL = datetime(2026, 4, 5, tzinfo=UTC)


def _request(**fields: str) -> SnapshotRequest:
    return parse_snapshot_request({name: [value] for name, value in fields.items()})


def _answer(flavour: platerecognizer.Flavour, recognition: Recognition, **fields: str) -> str:
    name = platerecognizer.saved_filename(flavour, recognition.source, NOON, "QX2PL")
    return _json(
        platerecognizer.answer(
            recognition, _request(**fields), flavour=flavour, filename=name, received_at=NOON, usage=(1234, 50_000)
        )
    )


def _webhook(recognition: Recognition, image: ImageKind, **fields: str) -> str:
    request = _request(**fields)
    return _json(
        webhook_body(
            recognition,
            request,
            target_url="http://10.0.0.2:8081/",
            target_id=7,
            filename="1200_QX2PL_gate.jpg",
            received_at=NOON,
            sent=sent_part(recognition, request, image),
        )
    )


VEHICLES_TOO = '{"detection_mode": "vehicle"}'
CASES: dict[str, Callable[[], str]] = {
    "native_street.json": lambda: _json(native.to_dict(make_street())),
    "native_queue.json": lambda: _json(native.to_dict(make_queue())),
    "native_attributes.json": lambda: _json(native.to_dict(make_known_street())),
    "native_error.json": lambda: _json(native.error_dict("a.jpg", "not a picture in a known format")),
    "platerecognizer_street.json": lambda: _snapshot(make_street()),
    "platerecognizer_queue.json": lambda: _snapshot(make_queue()),
    "platerecognizer_queue_unread.json": lambda: _snapshot(make_queue(), include_unread=True),
    "platerecognizer_nothing.json": lambda: _snapshot(make_recognition()),
    "platerecognizer_error.json": lambda: _json(platerecognizer.error("a.jpg", "not a picture in a known format")),
    "snapshot_cloud.json": lambda: _answer("cloud", make_street(), camera_id="gate-north"),
    "snapshot_cloud_mmc.json": lambda: _answer("cloud", make_queue(), mmc="true", direction="true"),
    "snapshot_attributes.json": lambda: _answer("cloud", make_known_street(), mmc="true"),
    "snapshot_vehicles_attributes.json": lambda: _answer("cloud", make_known_street(), mmc="true", config=VEHICLES_TOO),
    "rekor_vehicle.json": lambda: _json(rekor_vehicle(make_attributes())),
    "snapshot_sdk.json": lambda: _answer("sdk", make_street()),
    "snapshot_sdk_nothing.json": lambda: _answer("sdk", make_recognition(), timestamp="2019-08-19T13:11:25"),
    "snapshot_vehicles.json": lambda: _answer("cloud", make_queue(), mmc="true", config=VEHICLES_TOO),
    "snapshot_vehicles_sdk.json": lambda: _answer("sdk", make_parked(), config=VEHICLES_TOO),
    "snapshot_throttled.json": lambda: platerecognizer.encode(platerecognizer.throttled(1)).decode() + "\n",
    "snapshot_statistics.json": lambda: _json(
        platerecognizer.statistics(calls=412, allowed=2500, year=2026, month=3, resets_on=APRIL)
    ),
    "snapshot_info.json": lambda: _json(
        platerecognizer.info(version="1.58.0", license_key="XXXXXXXXXX", calls=1234, allowed=50_000)
    ),
    "webhook_data.json": lambda: _webhook(make_street(), "original"),
    "webhook_vehicle.json": lambda: _webhook(make_street(), "vehicle", mmc="true", camera_id="gate-north"),
    "webhook_plate.json": lambda: _webhook(make_street(), "plate", timestamp="2019-08-19T13:11:25"),
    "webhook_vehicles_too.json": lambda: _webhook(make_parked(), "vehicle", config=VEHICLES_TOO),
    "openalpr_street.json": lambda: _json(openalpr.alpr_results(make_street(), at=NOON)),
    "openalpr_queue.json": lambda: _json(openalpr.alpr_results(make_queue(), at=NOON, top_n=5)),
    "openalpr_nothing.json": lambda: _json(openalpr.alpr_results(make_recognition(), at=NOON)),
    "table_attributes.csv": lambda: (
        table.header(attributes=True)
        + table.rows(make_known_street(), attributes=True)
        + table.rows(make_street("unasked.jpg"), attributes=True)
        + table.error_row("a, b.jpg", "not a picture in a known format", attributes=True)
    ),
    "table.csv": lambda: (
        table.header()
        + table.rows(make_street())
        + table.rows(make_recognition("nothing.jpg"))
        + table.rows(make_queue())
        + table.error_row("a, b.jpg", "not a picture in a known format")
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_output_is_the_stored_one(name: str) -> None:
    stored = (GOLDEN / name).read_bytes().decode()
    assert CASES[name]() == stored


def test_every_stored_file_is_a_case_with_a_source_and_a_date() -> None:
    stored = {path.name for path in GOLDEN.iterdir() if path.suffix in (".json", ".csv")}
    assert stored == set(CASES)
    for name in stored:
        side = tomllib.loads((GOLDEN / f"{name}.toml").read_text())
        assert side["source"]
        assert side["date"]
