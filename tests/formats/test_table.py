"""The CSV table: read back with another reader it says the same, and no cell is a formula."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import make_detection, make_plate, make_reading, make_recognition, make_street
from openplate.datatypes import Plate, Recognition
from openplate.formats import table
from strategies import recognitions


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.header() + text, newline="")))


def test_header_is_one_line() -> None:
    assert table.header().startswith("source,width,height,plate_index,text,confidence,")
    assert table.header().endswith(",error\r\n")
    assert len(set(table.COLUMNS)) == len(table.COLUMNS)


@given(recognitions())
def test_one_row_per_plate_with_every_column(recognition: Recognition) -> None:
    rows = read(table.rows(recognition))
    assert len(rows) == len(recognition.plates)
    for index, (row, plate) in enumerate(zip(rows, recognition.plates, strict=True)):
        assert set(row) == set(table.COLUMNS)
        assert row["plate_index"] == str(index)
        assert row["text"] == (plate.reading.text if plate.reading else "")
        assert [float(row[name]) for name in ("x1", "y1", "x2", "y2")] == list(plate.detection.box.as_tuple())
        assert (row["vehicle"] == "") == (plate.vehicle_index is None)
        assert row["error"] == ""


def test_row_of_a_street() -> None:
    (row,) = read(table.rows(make_street()))
    assert (row["source"], row["text"], row["region"]) == ("street.jpg", "B4K77Q", "us-mo")
    assert (row["confidence"], row["detection_confidence"], row["region_confidence"]) == (
        "0.913",
        "0.861",
        "0.402",
    )
    assert (row["matches_pattern"], row["vehicle"], row["vehicle_x2"]) == ("true", "car", "1240.0")
    assert (row["top_left_x"], row["bottom_left_y"]) == ("812.0", "686.0")


def test_unread_plate_has_empty_cells_not_zeros() -> None:
    (row,) = read(table.rows(make_recognition("a.jpg", make_plate(None))))
    assert (row["text"], row["confidence"], row["region"], row["matches_pattern"]) == ("", "", "", "")
    assert row["detection_confidence"] == "0.861"


def test_missing_corners_are_empty() -> None:
    (row,) = read(table.rows(make_recognition("a.jpg", Plate(make_detection(), make_reading()))))
    assert (row["top_left_x"], row["bottom_left_y"], row["x1"]) == ("", "", "812.0")


def test_failure_is_a_row_that_says_so() -> None:
    (row,) = read(table.error_row("a.jpg", "not a picture"))
    assert (row["source"], row["error"], row["text"]) == ("a.jpg", "not a picture", "")


def test_no_plates_is_no_row() -> None:
    assert table.rows(make_recognition()) == ""


@pytest.mark.parametrize(
    ("source", "cell"),
    [
        ("=cmd|'/c calc'!A1.jpg", "./=cmd|'/c calc'!A1.jpg"),
        ("+1.jpg", "./+1.jpg"),
        ("-x.jpg", "./-x.jpg"),
        ("@home/1.jpg", "./@home/1.jpg"),
        ("\tx.jpg", "./\tx.jpg"),
        ("-", "-"),
        ("photos/=1.jpg", "photos/=1.jpg"),
        ("/data/1.jpg", "/data/1.jpg"),
    ],
)
def test_names_are_no_formulas_and_still_open_the_same_file(source: str, cell: str) -> None:
    (row,) = read(table.rows(make_recognition(source, make_plate())))
    assert row["source"] == cell


@given(st.text(min_size=2), st.text(min_size=2))
def test_no_failure_is_a_formula(source: str, message: str) -> None:
    (row,) = read(table.error_row(source, message))
    for cell in (row["source"], row["error"]):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert row["source"].removeprefix("./") == source.removeprefix("./")


@pytest.mark.parametrize("source", ['a"b.jpg', "a,b.jpg", "a\nb.jpg", "ü ß.jpg"])
def test_odd_names_are_quoted(source: str) -> None:
    (row,) = read(table.rows(make_recognition(source, make_plate())))
    assert row["source"] == source
