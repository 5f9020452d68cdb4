"""Whole outputs against stored files, byte for byte: keys, their order, forms of numbers."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from factories import NOON, make_box, make_plate, make_reading, make_recognition, make_street, make_vehicle
from openplate.datatypes import Recognition
from openplate.formats import native, openalpr, platerecognizer, table

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


def _json(data: dict[str, object]) -> str:
    return json.dumps(data, indent=1) + "\n"


def _snapshot(recognition: Recognition, **options: bool) -> str:
    return _json(platerecognizer.snapshot_v1(recognition, filename=recognition.source, timestamp=NOON, **options))


CASES: dict[str, Callable[[], str]] = {
    "native_street.json": lambda: _json(native.to_dict(make_street())),
    "native_queue.json": lambda: _json(native.to_dict(make_queue())),
    "native_error.json": lambda: _json(native.error_dict("a.jpg", "not a picture in a known format")),
    "platerecognizer_street.json": lambda: _snapshot(make_street()),
    "platerecognizer_queue.json": lambda: _snapshot(make_queue()),
    "platerecognizer_queue_unread.json": lambda: _snapshot(make_queue(), include_unread=True),
    "platerecognizer_nothing.json": lambda: _snapshot(make_recognition()),
    "platerecognizer_error.json": lambda: _json(platerecognizer.error("a.jpg", "not a picture in a known format")),
    "openalpr_street.json": lambda: _json(openalpr.alpr_results(make_street(), at=NOON)),
    "openalpr_queue.json": lambda: _json(openalpr.alpr_results(make_queue(), at=NOON, top_n=5)),
    "openalpr_nothing.json": lambda: _json(openalpr.alpr_results(make_recognition(), at=NOON)),
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
