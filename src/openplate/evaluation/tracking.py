"""Following and reporting vehicles, measured on sequences of pictures with known truth.

A folder of sequences, each a folder with pictures and a list ``truth.jsonl`` of one line per picture. Boxes are
measured as the field does (HOTA, IDF1, MOTA); and what counts in the end is the report: one for each vehicle,
with the right text.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from openplate.datatypes import Box, Group, Recognition
from openplate.errors import DatasetError
from openplate.evaluation.fields import Fields, json_lines
from openplate.evaluation.report import Report, Share, Table, percent, share_cells
from openplate.evaluation.track_metrics import TrackBox, TrackFrame, TrackScores, measure_tracks
from openplate.text import normalise
from openplate.tracking import Track

LIST_NAME = "truth.jsonl"
LEAST_SEEN = 0.5  # share of a vehicle or plate in sight, below which finding it counts neither way
LEGIBLE_PX = 50.0  # width of a plate that can be asked for
LEGIBLE_FRAMES = 3
_ON_PLATE = 0.3


@dataclass(frozen=True, slots=True)
class TrueVehicle:
    """A vehicle in one frame; the shares in sight are 0 to 1."""

    id: int
    text: str | None
    box: Box
    seen: float
    plate_box: Box | None
    plate_seen: float

    @property
    def is_legible(self) -> bool:
        return self.plate_box is not None and self.plate_seen >= 0.95 and self.plate_box.width >= LEGIBLE_PX


@dataclass(frozen=True, slots=True)
class TrueFrame:
    """One picture of a sequence; ``at_s`` counts from the sequence's begin."""

    path: Path
    at_s: float
    vehicles: tuple[TrueVehicle, ...]


@dataclass(frozen=True, slots=True)
class SequenceTruth:
    """The pictures of one camera in their order."""

    name: str
    frames: tuple[TrueFrame, ...]


@dataclass(frozen=True, slots=True)
class SequenceAnswer:
    """What was said of a sequence: for each of its frames what was recognized and followed, and all reports.

    The ``frame_index`` of a report's best sighting is a place in ``SequenceTruth.frames``.
    """

    frames: tuple[tuple[Recognition, tuple[Track, ...]], ...]
    groups: tuple[Group, ...]


def read_sequences(folder: Path, *, every: int = 1) -> list[SequenceTruth]:
    """The sequences in a folder, or the folder itself as one; only each ``every``-th picture of them.

    Raises:
        DatasetError: there is none, or a list is not as it should be.
    """
    lists = [folder / LIST_NAME] if (folder / LIST_NAME).is_file() else sorted(folder.glob(f"*/{LIST_NAME}"))
    if not lists:
        raise DatasetError(f"{folder}: no sequence, which is a folder with pictures and a list {LIST_NAME}")
    return [_read_sequence(path, every) for path in lists]


def _read_sequence(path: Path, every: int) -> SequenceTruth:
    frames = [_frame(fields, path.parent) for _, fields in json_lines(path)]
    for before, after in pairwise(frames):
        if after.at_s <= before.at_s:
            raise DatasetError(f"{path}: the times must rise, but {after.at_s} follows {before.at_s}")
    return SequenceTruth(path.parent.name, tuple(frames[::every]))


def _frame(fields: Fields, folder: Path) -> TrueFrame:
    fields.allow("frame", "at_s", "width", "height", "vehicles")
    size = fields.positive_integer("width"), fields.positive_integer("height")
    at_s = fields.required("at_s")
    if isinstance(at_s, bool) or not isinstance(at_s, int | float) or not math.isfinite(at_s) or at_s < 0:
        raise fields.wrong("at_s", "a number of seconds, 0 or more")
    path = folder / fields.string("frame")
    if not path.is_file():
        raise fields.error(f"there is no picture {path}")
    return TrueFrame(path, float(at_s), tuple(_vehicle(each, size) for each in fields.objects("vehicles")))


def _vehicle(fields: Fields, size: tuple[int, int]) -> TrueVehicle:
    fields.allow("id", "text", "box", "seen", "plate_box", "plate_seen")
    has_plate = fields.given("plate_box")
    return TrueVehicle(
        fields.positive_integer("id"),
        fields.optional_string("text"),
        fields.box("box", *size),
        _share(fields, "seen"),
        fields.box("plate_box", *size) if has_plate else None,
        _share(fields, "plate_seen") if has_plate else 0.0,
    )


def _share(fields: Fields, name: str) -> float:
    value = fields.probability(name)
    return 1.0 if value is None else value


@dataclass(frozen=True, slots=True)
class ReportScores:
    """Of vehicles whose plate was legible in a few frames at least.

    Attributes:
        reported: at least once.
        right: the first report has exactly the right text.
        once: exactly one report.
        repeats: reports after the first, of any vehicle.
        false: reports of no vehicle's plate.
    """

    reported: Share
    right: Share
    once: Share
    repeats: int
    false: int


@dataclass(frozen=True, slots=True)
class TrackingReport(Report):
    """All sequences together, and the texts that went wrong: truth, report ("" for none), sequence."""

    sequences: int
    frames: int
    reports: ReportScores
    vehicles: TrackScores
    plates: TrackScores
    mistakes: tuple[tuple[str, str, str], ...]

    def tables(self) -> tuple[Table, ...]:
        reports = self.reports
        rows = (
            ("vehicles reported", *share_cells(reports.reported)),
            ("first report right", *share_cells(reports.right)),
            ("exactly one report", *share_cells(reports.once)),
            ("repeats", str(reports.repeats), ""),
            ("false reports", str(reports.false), ""),
        )
        note = f"{self.sequences} sequences, {self.frames} frames"
        tables = [
            Table("Reports", ("metric", "value", "of"), rows, (note,)),
            _score_table("Tracks of vehicles", self.vehicles),
            _score_table("Tracks of plates", self.plates),
        ]
        if self.mistakes:
            tables.append(Table("Wrong", ("truth", "report", "sequence"), self.mistakes))
        return tuple(tables)


def _score_table(title: str, scores: TrackScores) -> Table:
    rows = [(name.upper(), percent(getattr(scores, name))) for name in ("hota", "deta", "assa", "loca", "idf1", "mota")]
    rows += [(name, str(getattr(scores, name))) for name in ("switches", "missed", "false", "boxes", "tracks")]
    rows.append(("answered tracks", str(scores.answered_tracks)))
    return Table(title, ("metric", "value"), tuple(rows))


def evaluate_tracking(truths: Sequence[SequenceTruth], answers: Sequence[SequenceAnswer]) -> TrackingReport:
    """Compares the answers with the truth, sequence by sequence."""
    vehicles, plates = [], []
    for truth, answer in zip(truths, answers, strict=True):
        pairs = list(zip(truth.frames, answer.frames, strict=True))
        vehicles.append([_vehicle_frame(frame, *said) for frame, said in pairs])
        plates.append([_plate_frame(frame, *said) for frame, said in pairs])
    reports, mistakes = _measure_reports(truths, answers)
    return TrackingReport(
        sequences=len(truths),
        frames=sum(len(truth.frames) for truth in truths),
        reports=reports,
        vehicles=measure_tracks(vehicles),
        plates=measure_tracks(plates),
        mistakes=mistakes,
    )


def _vehicle_frame(frame: TrueFrame, recognition: Recognition, tracks: Sequence[Track]) -> TrackFrame:
    answers = tuple(
        TrackBox(track.id, recognition.vehicles[track.vehicle_index].detection.box)
        for track in tracks
        if track.state == "confirmed" and track.vehicle_index is not None
    )
    truth = tuple(TrackBox(v.id, v.box) for v in frame.vehicles if v.seen >= LEAST_SEEN)
    return TrackFrame(truth, answers, tuple(v.box for v in frame.vehicles if v.seen < LEAST_SEEN))


def _plate_frame(frame: TrueFrame, recognition: Recognition, tracks: Sequence[Track]) -> TrackFrame:
    answers = tuple(
        TrackBox(track.id, recognition.plates[track.plate_index].detection.box)
        for track in tracks
        if track.state == "confirmed" and track.plate_index is not None
    )
    shown = [(v.id, v.plate_box, v.plate_seen) for v in frame.vehicles if v.plate_box is not None]
    truth = tuple(TrackBox(number, box) for number, box, seen in shown if seen >= LEAST_SEEN)
    return TrackFrame(truth, answers, tuple(box for _, box, seen in shown if seen < LEAST_SEEN))


def _measure_reports(
    truths: Sequence[SequenceTruth], answers: Sequence[SequenceAnswer]
) -> tuple[ReportScores, tuple[tuple[str, str, str], ...]]:
    vehicles = reported = right = once = repeats = false = 0
    mistakes: list[tuple[str, str, str]] = []
    for truth, answer in zip(truths, answers, strict=True):
        said: dict[int, list[str]] = {}
        for group in answer.groups:
            number = _vehicle_of(truth, group)
            text = group.consensus.text if group.consensus else ""
            if number is None:
                false += 1
                mistakes.append(("", text, truth.name))
            else:
                said.setdefault(number, []).append(text)
        repeats += sum(len(texts) - 1 for texts in said.values())
        for number, expected in _legible(truth).items():
            texts = said.get(number, [])
            vehicles += 1
            reported += bool(texts)
            once += len(texts) == 1
            right += texts[:1] == [expected]
            if texts != [expected]:
                mistakes.append((expected, " ".join(texts), truth.name))
    scores = ReportScores(Share(reported, vehicles), Share(right, vehicles), Share(once, vehicles), repeats, false)
    return scores, tuple(mistakes)


def _legible(truth: SequenceTruth) -> dict[int, str]:
    """The texts that can be asked for, by vehicle."""
    counts: Counter[int] = Counter()
    texts: dict[int, str] = {}
    for frame in truth.frames:
        for vehicle in frame.vehicles:
            if vehicle.is_legible and vehicle.text is not None:
                counts[vehicle.id] += 1
                texts[vehicle.id] = normalise(vehicle.text)
    return {number: text for number, text in texts.items() if counts[number] >= LEGIBLE_FRAMES}


def _vehicle_of(truth: SequenceTruth, group: Group) -> int | None:
    """Whose plate, or which vehicle, the report's best sighting shows."""
    best = group.best
    vehicles = truth.frames[best.frame_index].vehicles
    found = best.plate.detection if best.plate else best.vehicle.detection if best.vehicle else None
    if found is None:
        return None
    shown = [(v.id, v.plate_box if best.plate else v.box) for v in vehicles]
    fits = [(box.iou(found.box), number) for number, box in shown if box is not None]
    overlap, number = max(fits, default=(0.0, 0))
    return number if overlap >= _ON_PLATE else None
