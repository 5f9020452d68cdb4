"""The whole system measured on whole pictures: plates found and read.

An answer is right when its box has an IoU of at least 0.5 with a plate whose text a person labelled, and its
text is exactly that. Answers on other plates (without such a text), inside ``ignore`` areas, or off every
plate of a picture whose plates are not all labelled count neither way. The text-found rate is what public
benchmarks count: a plate whose text is among the picture's readings, wherever they lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from openplate.datatypes import Plate
from openplate.evaluation.average_precision import Flags, Floats, box_array, greedy_match
from openplate.evaluation.calibration import BINS, Calibration, calibration_table, measure_calibration
from openplate.evaluation.dataset import PlateLabel, ScenePicture, by_set
from openplate.evaluation.mistakes import Mistake
from openplate.evaluation.plate_detection import FOUND_IOU, lies_mostly_inside, lies_on
from openplate.evaluation.report import (
    Rate,
    Report,
    Share,
    Skipped,
    Table,
    count_skipped,
    decimal,
    interval,
    percent,
    share_cells,
)
from openplate.evaluation.truth import truth_of
from openplate.geometry import iou_matrix
from openplate.text import normalise

SWEEP = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)


@dataclass(frozen=True, slots=True)
class PlatesScores:
    """End-to-end scores at one threshold on the reading's confidence. ``plates`` with a human text stand in
    ``pictures``. ``found``: some answer's box fits, ``read``: of those, the text is exact.
    ``false_readings`` lie on no labelled plate, counted on all pictures whose plates are all labelled.
    """

    pictures: int
    plates: int
    precision: Share
    recall: Share
    f1: float | None
    text_found: Share
    found: Share
    read: Share
    false_readings: Rate


@dataclass(frozen=True, slots=True)
class NamedPlatesScores:
    name: str
    scores: PlatesScores


@dataclass(frozen=True, slots=True)
class PlatesPoint:
    """What a threshold on the reading's confidence gives."""

    threshold: float
    scores: PlatesScores


@dataclass(frozen=True, slots=True)
class PlatesReport(Report):
    """``calibration`` is that of all answers that count, whatever their confidence."""

    threshold: float
    scores: PlatesScores
    sets: tuple[NamedPlatesScores, ...]
    sweep: tuple[PlatesPoint, ...]
    calibration: Calibration
    skipped: tuple[Skipped, ...]

    def tables(self) -> tuple[Table, ...]:
        tables = (
            _headline(self),
            _set_table(self.sets),
            _sweep_table(self.sweep),
            calibration_table("Confidence of answers on human-text plates", self.calibration),
        )
        return tuple(table for table in tables if table.rows)


@dataclass(frozen=True, eq=False)
class _Matched:
    """One picture. Per answer with a text (n,): ``confidence``, ``is_right``, ``is_wrong`` (neither: does not
    count), ``is_false``. Per plate with a truth (m,): the confidence with which its box, its text, and both
    were found; -1: not.
    """

    exhaustive: bool
    confidence: Floats
    is_right: Flags
    is_wrong: Flags
    is_false: Flags
    found: Floats
    text_found: Floats
    read: Floats


def evaluate_plates(
    pictures: Sequence[ScenePicture], answers: Sequence[Sequence[Plate]], *, threshold: float = 0.0
) -> PlatesReport:
    """Measure the plates recognised in each picture; those without a reading, or with one less sure than
    ``threshold``, are no answers.
    """
    matched = [_match(picture, found) for picture, found in zip(pictures, answers, strict=True)]
    sets = tuple(
        NamedPlatesScores(name, _score([matched[index] for index in indices], threshold))
        for name, indices in by_set(pictures)
    )
    return PlatesReport(
        threshold=threshold,
        scores=_score(matched, threshold),
        sets=tuple(part for part in sets if part.scores.plates),
        sweep=tuple(PlatesPoint(each, _score(matched, each)) for each in SWEEP),
        calibration=_calibration(matched),
        skipped=_skipped(pictures),
    )


def plates_mistakes(
    pictures: Sequence[ScenePicture], answers: Sequence[Sequence[Plate]], *, threshold: float = 0.0
) -> Iterator[Mistake]:
    """Pictures with a human text not read exactly in its place, or with a wrong answer."""
    for index, (picture, found) in enumerate(zip(pictures, answers, strict=True)):
        sure = [plate for plate in found if _text(plate) and _confidence(plate) >= threshold]
        truths = [(plate, text) for plate in picture.plates if (text := _truth(plate)) is not None]
        matched = _match(picture, sure)
        missed = [pair for pair, sureness in zip(truths, matched.read, strict=True) if sureness < 0]
        wrong = [plate for plate, is_wrong in zip(sure, matched.is_wrong, strict=True) if is_wrong]
        if missed or wrong:
            yield Mistake(
                index=index,
                path=picture.path,
                set_name=picture.set_name,
                truth=" ".join(text for _, text in missed),
                answer=" ".join(_text(plate) for plate in wrong),
                detail=" ".join(f"{_confidence(plate):.2f}" for plate in wrong),
                truth_boxes=tuple(plate.box for plate, _ in missed),
                answer_boxes=tuple(plate.detection.box for plate in wrong),
            )


def _truth(plate: PlateLabel) -> str | None:
    truth = truth_of(plate.text, plate.text_label, plate.suspect)
    return truth.text if truth.source == "human" else None


def _text(plate: Plate) -> str:
    return "" if plate.reading is None else normalise(plate.reading.text)


def _confidence(plate: Plate) -> float:
    return 0.0 if plate.reading is None else plate.reading.confidence


def _match(picture: ScenePicture, plates: Sequence[Plate]) -> _Matched:
    """The surest reading takes its plate first, so that a threshold only removes answers."""
    answers = [plate for plate in plates if _text(plate)]
    texts, truths = [_text(plate) for plate in answers], [_truth(plate) for plate in picture.plates]
    boxes, labels = box_array(p.detection.box for p in answers), box_array(p.box for p in picture.plates)
    confidence = np.array([_confidence(plate) for plate in answers], dtype=np.float64)
    label = greedy_match(iou_matrix(boxes, labels), confidence, FOUND_IOU)
    has_truth = np.array([truth is not None for truth in truths], dtype=bool)
    same = np.array([[text == truth for truth in truths] for text in texts], dtype=bool)
    same = same.reshape(len(answers), len(truths))
    takes = label[:, None] == np.arange(len(truths))
    is_right = np.any(takes & same, axis=1)
    is_false = ~np.any(lies_on(boxes, labels), axis=1) & ~lies_mostly_inside(boxes, box_array(picture.ignore))
    on_truth = np.any(lies_on(boxes, labels[has_truth]), axis=1)
    astray = on_truth | (is_false & picture.plates_exhaustive & bool(has_truth.any()))
    takes_truth = np.any(takes[:, has_truth], axis=1)
    return _Matched(
        exhaustive=picture.plates_exhaustive,
        confidence=confidence,
        is_right=is_right,
        is_wrong=~is_right & np.where(label >= 0, takes_truth, astray),
        is_false=is_false,
        found=_surest(confidence, takes)[has_truth],
        text_found=_surest(confidence, same)[has_truth],
        read=_surest(confidence, takes & same)[has_truth],
    )


def _surest(confidence: Floats, flags: Flags) -> Floats:
    """The highest confidence (n,) where ``flags`` (n, m) are set, -1 for none: (m,)."""
    surest: Floats = np.max(np.where(flags, confidence[:, None], -1.0), axis=0, initial=-1.0)
    return surest


def _score(pictures: Sequence[_Matched], threshold: float) -> PlatesScores:
    def count(flags: Sequence[Flags]) -> int:
        return sum(int(each.sum()) for each in flags)

    plates = sum(len(picture.read) for picture in pictures)
    right = count([p.is_right & (p.confidence >= threshold) for p in pictures])
    wrong = count([p.is_wrong & (p.confidence >= threshold) for p in pictures])
    found = count([picture.found >= threshold for picture in pictures])
    text_found = count([picture.text_found >= threshold for picture in pictures])
    exhaustive = [picture for picture in pictures if picture.exhaustive]
    false = count([p.is_false & (p.confidence >= threshold) for p in exhaustive])
    asked = plates + right + wrong
    return PlatesScores(
        pictures=sum(len(picture.read) > 0 for picture in pictures),
        plates=plates,
        precision=Share(right, right + wrong),
        recall=Share(right, plates),
        f1=2 * right / asked if asked else None,
        text_found=Share(text_found, plates),
        found=Share(found, plates),
        read=Share(right, found),
        false_readings=Rate(false, len(exhaustive)),
    )


def _calibration(pictures: Sequence[_Matched]) -> Calibration:
    counted = [(picture, picture.is_right | picture.is_wrong) for picture in pictures]
    confidences = [float(each) for picture, flags in counted for each in picture.confidence[flags]]
    return measure_calibration(
        confidences, [bool(each) for picture, flags in counted for each in picture.is_right[flags]]
    )


def _skipped(pictures: Sequence[ScenePicture]) -> tuple[Skipped, ...]:
    """Human texts that cannot be compared, per set and reason."""
    return tuple(
        skipped
        for name, indices in by_set(pictures)
        for skipped in count_skipped(
            name,
            [
                truth_of(plate.text, plate.text_label, plate.suspect).reason
                for index in indices
                for plate in pictures[index].plates
                if plate.text_label == "human"
            ],
        )
    )


def _headline(report: PlatesReport) -> Table:
    scores = report.scores
    best = max(report.sweep, key=lambda point: point.scores.f1 or 0.0)
    rows = (
        ("plates read: precision", *share_cells(scores.precision)),
        ("plates read: recall", *share_cells(scores.recall)),
        ("plates read: F1", percent(scores.f1), f"{scores.plates} plates"),
        ("text found, as public benchmarks count", *share_cells(scores.text_found)),
        ("plates found", *share_cells(scores.found)),
        ("read exactly, of those found", *share_cells(scores.read)),
        (
            "false readings per picture",
            str(scores.false_readings),
            f"{scores.false_readings.count} on {scores.false_readings.of} pictures",
        ),
        ("ECE", decimal(report.calibration.ece), f"{report.calibration.count} answers"),
    )
    notes = (
        f"{scores.plates} plates with a human text in {scores.pictures} pictures; IoU from 0.5, text exact",
        f"readings from confidence {report.threshold:g}; the best F1 of the sweep is at {best.threshold:g}",
        f"recall: 95 % interval {interval(scores.recall)} %; ECE over {BINS} bins of equal width",
        *(str(each) for each in report.skipped),
    )
    return Table("Plates, end to end", ("metric", "value", "of"), rows, notes)


def _set_table(sets: Sequence[NamedPlatesScores]) -> Table:
    header = ("set", "pictures", "plates", "precision", "recall", "F1", "text found", "found", "read")
    rows = tuple(
        (part.name, str(part.scores.pictures), str(part.scores.plates), *_score_cells(part.scores)) for part in sets
    )
    return Table("Plates by set", header, rows)


def _sweep_table(sweep: Sequence[PlatesPoint]) -> Table:
    header = ("threshold", "precision", "recall", "F1", "text found", "found", "read", "false/picture")
    rows = tuple(
        (f"{point.threshold:.2f}", *_score_cells(point.scores), str(point.scores.false_readings)) for point in sweep
    )
    return Table("Reading confidence threshold", header, rows)


def _score_cells(scores: PlatesScores) -> tuple[str, ...]:
    return (
        str(scores.precision),
        str(scores.recall),
        percent(scores.f1),
        str(scores.text_found),
        str(scores.found),
        str(scores.read),
    )
