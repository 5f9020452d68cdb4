"""Measured rows: reports become rows, rows become tables, decoding is timed beside everything else."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from benchmarks import results, speed
from scripts import measured, record_results, update_tables

from openplate.evaluation.report import Rate, Share, plain

REPORT = {
    "threshold": 0.35,
    "plates": {
        "found": plain(Share(9, 10)),
        "false": plain(Rate(1, 20)),
        "ap50": None,
        "by_height": [{"low_px": 12, "high_px": 16, "found": plain(Share(1, 2))}],
    },
    "sets": [{"name": "some", "scores": {"exact": plain(Share(3, 4)), "texts": 4}}],
    "sweep": [{"threshold": 0.5, "found": plain(Share(1, 2))}],
}


def test_a_report_becomes_one_row_for_each_number() -> None:
    assert list(record_results.numbers(REPORT)) == [
        ("threshold", "all", 0.35, None),
        ("plates.found", "all", 0.9, 10),
        ("plates.false", "all", 0.05, 20),
        ("plates.found", "by_height/12-16 px", 0.5, 2),
        ("exact", "sets/some", 0.75, 4),
        ("texts", "sets/some", 4, None),
    ]


def test_recorded_rows_are_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "RESULTS", tmp_path)
    file, rows = tmp_path / "report.json", tmp_path / "reading.csv"
    for correct, data in ((1, "plate_crops val"), (3, "plate_crops val"), (2, "plate_crops val fast")):
        group = {"name": "europe", "scores": {"exact": plain(Share(correct, 4))}}
        file.write_text(json.dumps({"groups": [group]}))
        record_results.main(["reading", str(file), "--data", data, "--output", str(rows)])
    found = measured.find("reading", "plate_crops", "exact", "groups/europe")
    assert found is not None
    assert (found["value"], found["count"]) == ("0.75", "4")
    assert found["weights"].startswith("reader ")
    assert len(results.read_rows(rows)) == 3
    assert "| exact text, Europe (cz, hr, pl, hu, nl, es, se) | 75.0 % | 98 % | 4 |" in measured.headline()
    assert "| plate_crops val | groups/europe | 4 | 75.0 % |" in measured.reading()


def test_attributes_have_a_line_for_each_question_and_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "RESULTS", tmp_path)
    monkeypatch.setattr(record_results, "weights_name", lambda _: "attributes 1")
    scores = {"top_1": plain(Share(3, 4)), "balanced": 0.5, "ece": 0.0125}
    question = {"name": "color", "scores": scores, "sets": [{"name": "lot", "scores": scores, "counts": {"pairs": []}}]}
    (tmp_path / "r.json").write_text(json.dumps({"vehicles": 4, "questions": [question]}))
    rows = tmp_path / "attributes.csv"
    record_results.main(["attributes", str(tmp_path / "r.json"), "--data", "vehicle_crops val", "--output", str(rows)])
    assert "| vehicle_crops val | color | 4 | 75.0 % | - | 50.0 % | - | - | 0.013 |" in measured.attributes()
    assert "| vehicle_crops val | color/sets/lot | 4 | 75.0 % |" in measured.attributes()
    assert "| vehicle's colour | 75.0 % | - | 4 |" in measured.headline()


def test_without_rows_the_tables_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "RESULTS", tmp_path)
    assert measured.speed() == "Nothing has been measured yet."
    assert "| India | - | 49 % | - |" in measured.headline().replace("exact text, ", "")


def test_generated_parts_are_replaced_and_the_rest_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update_tables, "GENERATED", {"speed": lambda: "new"})
    page = "before\n<!-- generated: speed -->\nold\n<!-- end -->\nafter\n"
    written = update_tables.update(page)
    assert written == "before\n<!-- generated: speed -->\n\nnew\n\n<!-- end -->\nafter\n"
    assert update_tables.update(written) == written


def test_every_work_is_timed_in_every_round() -> None:
    called: list[int] = []

    def spend() -> None:
        called.append(1)
        end = time.process_time() + 0.002
        while time.process_time() < end:
            pass

    idle, busy = speed.measure_times([lambda: None, spend], rounds=4)
    assert len(called) >= 4
    assert busy.minimum >= 2
    assert idle.median < busy.median


def test_memory_is_told_in_megabytes() -> None:
    assert 10 < speed.resident_megabytes() < 10_000


def test_where_a_row_comes_from_is_told() -> None:
    origin = results.origin()
    assert set(origin) == {"date", "commit", "machine"}
    assert all(origin.values())
