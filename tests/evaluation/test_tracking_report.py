"""Reports of vehicles against the truth of sequences: once each, with the right text."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from factories import NOON, make_detection, make_plate, make_reading, make_recognition
from openplate.datatypes import Box, Group, Recognition, Sighting, Vehicle
from openplate.errors import DatasetError
from openplate.evaluation.tracking import (
    SequenceAnswer,
    SequenceTruth,
    TrackingReport,
    TrueFrame,
    TrueVehicle,
    evaluate_tracking,
    read_sequences,
)
from openplate.tracking import Track

CAR, PLATE = Box(100, 100, 400, 340), Box(210, 280, 290, 300)


def make_truth(*texts: str | None, frames: int = 4, name: str = "one") -> SequenceTruth:
    """Vehicles beside each other, 500 pixels apart, standing."""
    vehicles = tuple(
        TrueVehicle(
            number, text, CAR.shift(500.0 * number, 0), 1.0, PLATE.shift(500.0 * number, 0) if text else None, 1.0
        )
        for number, text in enumerate(texts, 1)
    )
    return SequenceTruth(name, tuple(TrueFrame(Path(f"{i}.jpg"), i / 5, vehicles) for i in range(frames)))


def make_group(number: int, text: str | None) -> Group:
    plate = make_plate(text, box=PLATE.shift(500.0 * number, 0)) if text else None
    sighting = Sighting(NOON, 1, plate, Vehicle(make_detection("car", CAR.shift(500.0 * number, 0))))
    later = NOON + timedelta(seconds=1)
    consensus = make_reading(text) if text else None
    return Group("0", "one", "closed", NOON, later, 0, 3, consensus, sighting, (sighting,))


def make_answer(truth: SequenceTruth, *groups: Group, ids: tuple[int, ...] | None = None) -> SequenceAnswer:
    """All boxes found exactly; ``ids`` of the tracks, as the truth's where they are not given."""
    frames: list[tuple[Recognition, tuple[Track, ...]]] = []
    for frame in truth.frames:
        vehicles = tuple(Vehicle(make_detection("car", v.box)) for v in frame.vehicles)
        plates = tuple(make_plate(v.text, box=v.plate_box) for v in frame.vehicles if v.plate_box)
        numbers = ids or tuple(v.id for v in frame.vehicles)
        tracks = tuple(
            Track(number, "confirmed", i, i if i < len(plates) else None, None, None, None, False, 0)
            for i, number in enumerate(numbers)
        )
        frames.append((make_recognition("one", *plates, vehicles=vehicles), tracks))
    return SequenceAnswer(tuple(frames), groups)


def measure(truth: SequenceTruth, *groups: Group) -> TrackingReport:
    return evaluate_tracking([truth], [make_answer(truth, *groups)])


def test_one_report_each_with_the_right_text() -> None:
    report = measure(make_truth("AB 123 CD", "ZK907PQ"), make_group(1, "AB123CD"), make_group(2, "ZK907PQ"))
    scores = report.reports
    assert (scores.reported.count, scores.right.count, scores.once.count, scores.once.of) == (2, 2, 2, 2)
    assert (scores.repeats, scores.false, report.mistakes) == (0, 0, ())
    assert (report.vehicles.hota, report.plates.idf1) == (pytest.approx(1), 1)


def test_what_can_go_wrong() -> None:
    truth = make_truth("AB123CD", "ZK907PQ", "HH456UV")
    report = measure(truth, make_group(1, "AB128CD"), make_group(2, "ZK907PQ"), make_group(2, "ZK907P0"))
    scores = report.reports
    assert (scores.reported.count, scores.right.count, scores.once.count) == (2, 1, 1)
    assert (scores.repeats, scores.false) == (1, 0)
    assert report.mistakes == (
        ("AB123CD", "AB128CD", "one"),
        ("ZK907PQ", "ZK907PQ ZK907P0", "one"),
        ("HH456UV", "", "one"),
    )


def test_a_report_of_nothing_is_false() -> None:
    report = measure(make_truth("AB123CD"), make_group(1, "AB123CD"), make_group(2, "POLICE"))
    assert report.reports.false == 1
    assert ("", "POLICE", "one") in report.mistakes


def test_a_vehicle_without_a_plate_is_not_asked_for() -> None:
    report = measure(make_truth("AB123CD", None), make_group(1, "AB123CD"), make_group(2, None))
    assert (report.reports.reported.of, report.reports.false) == (1, 0)


@pytest.mark.parametrize("change", [{"plate_seen": 0.5}, {"plate_box": Box(210, 280, 240, 288)}])
def test_an_illegible_plate_is_not_asked_for(change: dict[str, object]) -> None:
    truth = make_truth("AB123CD")
    vehicle = replace(truth.frames[0].vehicles[0], **change)  # type: ignore[arg-type]
    unclear = replace(truth, frames=tuple(replace(frame, vehicles=(vehicle,)) for frame in truth.frames))
    assert measure(unclear).reports.reported.of == 0


def test_what_is_hidden_need_not_be_followed() -> None:
    truth = make_truth("AB123CD", "ZK907PQ")
    hidden = tuple(
        replace(frame, vehicles=(frame.vehicles[0], replace(frame.vehicles[1], seen=0.2, plate_seen=0.0)))
        for frame in truth.frames
    )
    report = evaluate_tracking([replace(truth, frames=hidden)], [make_answer(truth)])
    assert (report.vehicles.boxes, report.vehicles.missed, report.vehicles.false) == (4, 0, 0)
    assert report.plates.false == 0


def test_wrong_ids_show_in_the_tracks() -> None:
    truth = make_truth("AB123CD")
    first, second = make_answer(truth, ids=(1,)), make_answer(truth, ids=(2,))
    changed = SequenceAnswer((*first.frames[:2], *second.frames[2:]), ())
    report = evaluate_tracking([truth], [changed])
    assert (report.vehicles.idf1, report.vehicles.switches) == (0.5, 1)


def test_tables_and_json() -> None:
    report = measure(make_truth("AB123CD"), make_group(1, "AB128CD"))
    tables = report.tables()
    assert [table.title for table in tables] == ["Reports", "Tracks of vehicles", "Tracks of plates", "Wrong"]
    assert report.rows()[0] == ("vehicles reported", "100.0 %", "1/1")
    assert json.dumps(report.to_dict())


LINE = {
    "frame": "0.jpg",
    "at_s": 0.0,
    "width": 640,
    "height": 480,
    "vehicles": [{"id": 1, "text": "AB123CD", "box": [100, 100, 400, 340], "plate_box": [210, 280, 290, 300]}],
}


def write(folder: Path, *lines: dict[str, object]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for line in lines:
        (folder / str(line["frame"])).touch()
    (folder / "truth.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_sequences_are_read(tmp_path: Path) -> None:
    lines = [{**LINE, "frame": f"{i}.jpg", "at_s": i / 5} for i in range(5)]
    write(tmp_path / "b", *lines)
    write(tmp_path / "a", LINE)
    first, second = read_sequences(tmp_path)
    assert (first.name, len(second.frames), second.frames[4].at_s) == ("a", 5, 0.8)
    assert second.frames[0].vehicles == (TrueVehicle(1, "AB123CD", CAR, 1.0, PLATE, 1.0),)
    assert [frame.at_s for frame in read_sequences(tmp_path, every=2)[1].frames] == [0.0, 0.4, 0.8]
    assert [sequence.name for sequence in read_sequences(tmp_path / "b")] == ["b"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"at_s": -1}, "at_s"),
        ({"at_s": "soon"}, "at_s"),
        ({"color": "red"}, "unknown field"),
        ({"width": 0}, "width"),
        ({"vehicles": [{"id": 1, "box": [0, 0, 9000, 10]}]}, "box"),
        ({"vehicles": [{"id": "car", "box": [0, 0, 10, 10]}]}, "id"),
    ],
)
def test_wrong_lists_are_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    write(tmp_path, {**LINE, **change})
    with pytest.raises(DatasetError, match=message):
        read_sequences(tmp_path)


def test_other_faults_of_folders(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no sequence"):
        read_sequences(tmp_path)
    write(tmp_path / "times", LINE, LINE)
    with pytest.raises(DatasetError, match="times must rise"):
        read_sequences(tmp_path)
    (write(tmp_path / "times", LINE) / "0.jpg").unlink()
    with pytest.raises(DatasetError, match="no picture"):
        read_sequences(tmp_path)
