"""Attributes of vehicles measured: each question over all vehicles that have its label, and by set.

Counted are the best guesses, also where the network says first that it is not sure; how often it does, and how often
it is right where it does not, stands beside. What a label leaves open is right either way (``attribute_truth``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from openplate.datatypes import UNKNOWN, Guess, VehicleAttributes
from openplate.evaluation.attribute_truth import QUESTIONS, Truth, guesses_of, truth_of
from openplate.evaluation.calibration import BINS, Calibration, calibration_table, measure_calibration
from openplate.evaluation.dataset import by_set
from openplate.evaluation.mistakes import Mistake
from openplate.evaluation.report import (
    Confusion,
    Report,
    Share,
    Table,
    confusion_table,
    confusions_of,
    decimal,
    percent,
    share_cells,
)
from openplate.evaluation.vehicle_crops import VehicleCrop


@dataclass(frozen=True, slots=True)
class AnswerScores:
    """Answers to one question over some vehicles.

    Attributes:
        top_1, top_3: the best guess, or one of the best three, is right.
        balanced: the mean over the labels of the share that was right, and of how many labels.
        told: not begun with "unknown"; ``right_where_told``: right among these.
        ece: of the best guess.
        unnamed: vehicles of models that the network has no name for; they count as wrong.
    """

    top_1: Share
    top_3: Share
    balanced: float | None
    labels: int
    told: Share
    right_where_told: Share
    ece: float | None
    unnamed: int


@dataclass(frozen=True, slots=True)
class AnswerCounts:
    """How sure the answers were, how often each was given for each label, and the same of wrong ones."""

    calibration: Calibration
    pairs: tuple[Confusion, ...]
    wrong: tuple[Confusion, ...]


@dataclass(frozen=True, slots=True)
class SetScores:
    name: str
    scores: AnswerScores
    counts: AnswerCounts


@dataclass(frozen=True, slots=True)
class QuestionReport:
    """One question over everything and by set."""

    name: str
    scores: AnswerScores
    counts: AnswerCounts
    sets: tuple[SetScores, ...]


@dataclass(frozen=True, slots=True)
class AttributesReport(Report):
    vehicles: int
    questions: tuple[QuestionReport, ...]

    def tables(self) -> tuple[Table, ...]:
        tables = [_headline(self)]
        for question in self.questions:
            title = question.name.replace("_", " ")
            tables += [
                _set_table(title, question),
                confusion_table(f"Confused: {title}", question.counts.wrong, limit=12),
                calibration_table(f"Confidence of the first guess: {title}", question.counts.calibration),
            ]
        return tuple(table for table in tables if table.rows)


@dataclass(frozen=True, slots=True)
class _Answer:
    """``guesses`` without a leading "unknown"; ``is_told``: there was none."""

    crop: VehicleCrop
    truth: Truth
    guesses: tuple[Guess, ...]
    is_told: bool

    @property
    def first(self) -> str:
        return self.guesses[0].value if self.guesses else ""

    @property
    def confidence(self) -> float:
        return self.guesses[0].confidence if self.guesses else 0.0

    @property
    def is_true(self) -> bool:
        return self.is_right() or self.first in self.truth.also_true

    def is_right(self, guesses: int = 1) -> bool:
        return any(guess.value in self.truth.right for guess in self.guesses[:guesses])


def evaluate_attributes(
    crops: Sequence[VehicleCrop], answers: Sequence[VehicleAttributes], models: Collection[str] = ()
) -> AttributesReport:
    """Measure answers, one per vehicle. ``models``: "Make Model" of all that the network has a name for."""
    reports = []
    for question in QUESTIONS:
        counted = [answer for _, answer in _answered(crops, answers, question, models)]
        if counted:
            reports.append(_report(question, counted))
    return AttributesReport(len(crops), tuple(reports))


def attribute_mistakes(
    crops: Sequence[VehicleCrop], answers: Sequence[VehicleAttributes], models: Collection[str] = ()
) -> Iterator[Mistake]:
    """The vehicles whose best guess is wrong, question by question; each question's sets have names of their own."""
    for question in QUESTIONS[:-1]:  # the last one asks nothing new
        for index, answer in _answered(crops, answers, question, models):
            if not answer.is_true:
                yield Mistake(
                    index=index,
                    path=answer.crop.path,
                    set_name=f"{question} {answer.crop.set_name}",
                    truth=answer.truth.label,
                    answer=answer.first,
                    detail=("" if answer.is_told else "not sure: ") + _listed(answer.guesses),
                    truth_boxes=() if answer.crop.box is None else (answer.crop.box,),
                )


def _listed(guesses: Sequence[Guess]) -> str:
    return ", ".join(f"{guess.value} {guess.confidence:.2f}" for guess in guesses[:3])


def _answered(
    crops: Sequence[VehicleCrop], answers: Sequence[VehicleAttributes], question: str, models: Collection[str]
) -> Iterator[tuple[int, _Answer]]:
    for index, (crop, attributes) in enumerate(zip(crops, answers, strict=True)):
        truth = truth_of(crop, question, models)
        if truth is not None:
            listed = guesses_of(attributes, question)
            guesses = tuple(guess for guess in listed if guess.value != UNKNOWN)
            yield index, _Answer(crop, truth, guesses, bool(listed) and len(guesses) == len(listed))


def _report(question: str, answers: Sequence[_Answer]) -> QuestionReport:
    return QuestionReport(
        name=question,
        scores=_score(answers),
        counts=_count(answers),
        sets=tuple(_score_set(name, [answers[i] for i in places]) for name, places in by_set(a.crop for a in answers)),
    )


def _score_set(name: str, answers: Sequence[_Answer]) -> SetScores:
    return SetScores(name, _score(answers), _count(answers))


def _score(answers: Sequence[_Answer]) -> AnswerScores:
    total = Counter(answer.truth.label for answer in answers)
    right = Counter(answer.truth.label for answer in answers if answer.is_right())
    told = [answer for answer in answers if answer.is_told]
    return AnswerScores(
        top_1=_right(answers),
        top_3=_right(answers, guesses=3),
        balanced=fmean(right[label] / count for label, count in total.items()) if total else None,
        labels=len(total),
        told=Share(len(told), len(answers)),
        right_where_told=_right(told),
        ece=_calibration(answers).ece,
        unnamed=sum(bool(answer.truth.also_true) for answer in answers),
    )


def _count(answers: Sequence[_Answer]) -> AnswerCounts:
    return AnswerCounts(
        calibration=_calibration(answers),
        pairs=confusions_of(Counter((a.truth.label, a.first) for a in answers)),
        wrong=confusions_of(Counter((a.truth.label, a.first) for a in answers if not a.is_right())),
    )


def _right(answers: Sequence[_Answer], guesses: int = 1) -> Share:
    return Share(sum(answer.is_right(guesses) for answer in answers), len(answers))


def _calibration(answers: Sequence[_Answer]) -> Calibration:
    return measure_calibration([a.confidence for a in answers], [a.is_true for a in answers])


_HEADER = ("top 1", "of", "top 3", "balanced", "labels", "told", "right where told", "ECE")


def _cells(scores: AnswerScores) -> tuple[str, ...]:
    return (
        *share_cells(scores.top_1),
        str(scores.top_3),
        percent(scores.balanced),
        str(scores.labels),
        str(scores.told),
        str(scores.right_where_told),
        decimal(scores.ece),
    )


def _headline(report: AttributesReport) -> Table:
    rows = tuple((question.name.replace("_", " "), *_cells(question.scores)) for question in report.questions)
    unnamed = sum(question.scores.unnamed for question in report.questions)
    notes = (
        "balanced: the mean over the labels, so that rare ones count as much as frequent ones",
        "told: the answer does not begin with unknown; top 1 counts the best guess also where it does",
        f"ECE of the best guess over {BINS} bins of equal width",
        *((f"{unnamed} vehicles are of models without a name in the network: counted as wrong",) if unnamed else ()),
    )
    return Table(f"Attributes of {report.vehicles} vehicles", ("question", *_HEADER), rows, notes)


def _set_table(title: str, question: QuestionReport) -> Table:
    rows = tuple((part.name, *_cells(part.scores)) for part in question.sets)
    return Table(f"By set: {title}", ("set", *_HEADER), rows)
