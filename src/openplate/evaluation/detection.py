"""Detection measured on labelled scenes: plates and vehicles, overall and per set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from openplate.datatypes import Detection
from openplate.evaluation.dataset import ScenePicture, by_set
from openplate.evaluation.mistakes import Mistake
from openplate.evaluation.plate_detection import (
    HEADLINE_HEIGHT_PX,
    OperatingPoint,
    PicturePlates,
    PlateScores,
    match_plates,
    score_plates,
    sweep_plates,
)
from openplate.evaluation.report import Report, Table, decimal, interval, percent, share_cells
from openplate.evaluation.vehicle_detection import (
    VehicleScores,
    match_vehicles,
    score_vehicles,
)

SWEEP = tuple(round(0.05 * step, 2) for step in range(1, 20))


@dataclass(frozen=True, slots=True)
class SetDetectionScores:
    set_name: str
    plates: PlateScores
    vehicles: VehicleScores


@dataclass(frozen=True, slots=True)
class DetectionReport(Report):
    """All scores at confidence thresholds ``plate_threshold`` and ``vehicle_threshold``; ``sweep`` tells
    what other plate thresholds would give.
    """

    plate_threshold: float
    vehicle_threshold: float
    plates: PlateScores
    vehicles: VehicleScores
    sets: tuple[SetDetectionScores, ...]
    sweep: tuple[OperatingPoint, ...]

    def tables(self) -> tuple[Table, ...]:
        return (
            _headline(self),
            _height_table(self.plates),
            _type_table(self.vehicles),
            _set_table(self.sets),
            _sweep_table(self.sweep),
        )


def evaluate_detection(
    pictures: Sequence[ScenePicture],
    detections: Sequence[Sequence[Detection]],
    *,
    plate_threshold: float = 0.0,
    vehicle_threshold: float = 0.0,
) -> DetectionReport:
    """Measure ``detections``, one list per picture, both kinds together, in any order.

    Detect with a low threshold, for the average precisions, and give here the thresholds of real use, for
    recall and false plates.
    """
    pairs = list(zip(pictures, detections, strict=True))
    plates = [match_plates(picture, found) for picture, found in pairs]
    vehicles = [match_vehicles(picture, found) for picture, found in pairs]

    def of_set(name: str, indices: Sequence[int]) -> SetDetectionScores:
        return SetDetectionScores(
            name,
            score_plates([plates[index] for index in indices], plate_threshold),
            score_vehicles([vehicles[index] for index in indices], vehicle_threshold),
        )

    return DetectionReport(
        plate_threshold,
        vehicle_threshold,
        score_plates(plates, plate_threshold),
        score_vehicles(vehicles, vehicle_threshold),
        tuple(of_set(name, indices) for name, indices in by_set(pictures)),
        sweep_plates(plates, SWEEP),
    )


def detection_mistakes(
    pictures: Sequence[ScenePicture],
    detections: Sequence[Sequence[Detection]],
    *,
    plate_threshold: float = 0.0,
) -> Iterator[Mistake]:
    """Pictures with a plate of the headline missed, a false plate or a duplicate, at that threshold."""
    for index, (picture, found) in enumerate(zip(pictures, detections, strict=True)):
        sure = [d for d in found if d.kind == "plate" and d.confidence >= plate_threshold]
        matched = match_plates(picture, sure)
        mistake = _mistake(index, picture, sure, matched)
        if mistake is not None:
            yield mistake


def _mistake(index: int, picture: ScenePicture, found: Sequence[Detection], matched: PicturePlates) -> Mistake | None:
    missed = matched.is_headline & (matched.found < 0)
    false = matched.is_false & picture.plates_exhaustive
    wrong = false | matched.is_duplicate
    if not missed.any() and not wrong.any():
        return None
    detections = [detection for detection, flag in zip(found, wrong, strict=True) if flag]
    plates = [plate for plate, flag in zip(picture.plates, missed, strict=True) if flag]
    counts = f"{int(false.sum())} false, {int(matched.is_duplicate.sum())} double"
    return Mistake(
        index=index,
        path=picture.path,
        set_name=picture.set_name,
        truth=f"{len(plates)} missed",
        answer=counts,
        detail=" ".join(f"{detection.confidence:.2f}" for detection in detections),
        truth_boxes=tuple(plate.box for plate in plates),
        answer_boxes=tuple(detection.box for detection in detections),
    )


def _headline(report: DetectionReport) -> Table:
    plates, vehicles, corners = report.plates, report.vehicles, report.plates.corners
    height = f"{HEADLINE_HEIGHT_PX:.0f} px"
    rows = (
        (f"plates found, human, from {height}", *share_cells(plates.found_human)),
        ("  at IoU 0.3", *share_cells(plates.found_human_loosely)),
        ("  of any height", *share_cells(plates.found_human_any_height)),
        ("  human and teacher, of any height", *share_cells(plates.found_any)),
        ("false plates per picture", str(plates.false_plates), _counted(plates.false_plates.of, plates)),
        ("  without allowance for loose labels", str(plates.false_by_iou), f"{plates.false_by_iou.count}"),
        ("double plates per picture", str(plates.duplicates), f"{plates.duplicates.count}"),
        ("plate AP50", decimal(plates.ap50), f"{plates.found_any.of} plates"),
        ("plate AP50:95", decimal(plates.ap50_95), f"{plates.found_any.of} plates"),
        (f"plate AP50, human, from {height}", decimal(plates.ap50_human), f"{plates.found_human.of} plates"),
        ("corner error, median", decimal(corners.median), f"{corners.plates} plates"),
        ("corner error, 90 % below", decimal(corners.p90), f"{corners.without_corners} without corners"),
        ("corner error, median, any first corner", decimal(corners.median_any_start), ""),
        ("vehicle AP50, one class", decimal(vehicles.ap50), f"{vehicles.found.of} vehicles"),
        ("vehicle AP50:95, one class", decimal(vehicles.ap50_95), f"{vehicles.found.of} vehicles"),
        (
            "vehicle AP50, all vehicles labelled",
            decimal(vehicles.ap50_exhaustive),
            f"{vehicles.exhaustive_pictures} pictures",
        ),
        ("vehicles found", *share_cells(vehicles.found)),
    )
    return Table("Detection", ("metric", "value", "of"), rows, _notes(report))


def _counted(pictures: int, plates: PlateScores) -> str:
    return f"{plates.false_plates.count} on {pictures} of {plates.pictures} pictures"


def _notes(report: DetectionReport) -> tuple[str, ...]:
    return (
        f"plates from confidence {report.plate_threshold:g}, vehicles from {report.vehicle_threshold:g}; "
        "average precision over all confidences",
        "false plates: pictures whose plates are all labelled, outside ignored areas",
        f"plates found, human: 95 % interval {interval(report.plates.found_human)} %",
        "corner error: worst corner / plate height, found plates with human corners",
    )


def _height_table(plates: PlateScores) -> Table:
    rows = []
    for bucket in plates.by_height:
        limits = f"{bucket.low_px:.0f}" + (f"-{bucket.high_px:.0f} px" if bucket.high_px else " px or more")
        rows.append((limits, *share_cells(bucket.found_human), *share_cells(bucket.found_any)))
    header = ("plate height", "found, human", "of", "found, all", "of")
    return Table("Plates by height", header, tuple(rows))


def _type_table(vehicles: VehicleScores) -> Table:
    rows = tuple((score.type, decimal(score.ap50), str(score.labels)) for score in vehicles.by_type)
    return Table("Vehicles by type", ("type", "AP50", "labels"), rows)


def _set_table(sets: Sequence[SetDetectionScores]) -> Table:
    header = (
        "set",
        "pictures",
        "found",
        "of",
        "false/picture",
        "of",
        "AP50",
        "corners",
        "vehicle AP50",
        "of",
    )
    rows = tuple(
        (
            each.set_name,
            str(each.plates.pictures),
            *share_cells(each.plates.found_human),
            str(each.plates.false_plates),
            str(each.plates.false_plates.of),
            decimal(each.plates.ap50),
            decimal(each.plates.corners.median),
            decimal(each.vehicles.ap50),
            str(each.vehicles.found.of),
        )
        for each in sets
    )
    notes = (f"found: human plates from {HEADLINE_HEIGHT_PX:.0f} px",)
    return Table("Detection by set", header, rows, notes)


def _sweep_table(sweep: Sequence[OperatingPoint]) -> Table:
    rows = tuple(
        (f"{point.threshold:.2f}", percent(point.found_human.value), str(point.false_plates)) for point in sweep
    )
    return Table("Plate confidence threshold", ("threshold", "found, human", "false/picture"), rows)
