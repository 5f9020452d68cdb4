"""The region classifier measured on plate crops whose region is labelled.

A label is taken as finely as the classifier can answer: "in-ka" counts as "in" for a classifier that knows no
Indian states. A guess is right when it is the label, or lies in the country that the label names. Codes are
compared as the region table writes them ("us-pr" is "pr"); one that it lacks counts as its country ("in-dn" as "in").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from statistics import fmean

from openplate.datatypes import Guess
from openplate.errors import RegionError
from openplate.evaluation.calibration import BINS, Calibration, calibration_table, measure_calibration
from openplate.evaluation.dataset import PlateCrop, by_set
from openplate.evaluation.mistakes import Mistake
from openplate.evaluation.report import (
    Confusion,
    Report,
    Share,
    Skipped,
    Table,
    confusion_table,
    confusions_of,
    count_skipped,
    decimal,
    interval,
    percent,
    share_cells,
)
from openplate.regions import get

STATES_SET = "us_states_crops"
US_TERRITORIES = frozenset(("as", "gu", "mp", "pr", "vi"))

_NO_REGION = "no region is labelled"
_NO_COUNTRY = "the label names no country"
_UNKNOWN = "not among the codes of the classifier"


@dataclass(frozen=True, slots=True)
class RegionScores:
    """Regions over some crops. ``us_state`` counts labels of the 50 states and DC, ``us_territory`` those of
    the territories; ``balanced``: the mean over regions of the share that was right.
    """

    crops: int
    top_1: Share
    top_3: Share
    country: Share
    us_state: Share
    us_territory: Share
    balanced: float | None
    regions: int
    ece: float | None


@dataclass(frozen=True, slots=True)
class NamedRegionScores:
    name: str
    scores: RegionScores


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How often crops of one region were answered right."""

    code: str
    right: Share


@dataclass(frozen=True, slots=True)
class RegionReport(Report):
    scores: RegionScores
    sets: tuple[NamedRegionScores, ...]
    classes: tuple[ClassScore, ...]
    calibration: Calibration
    confusions: tuple[Confusion, ...]
    skipped: tuple[Skipped, ...]

    def tables(self) -> tuple[Table, ...]:
        tables = (
            _headline(self),
            _set_table(self.sets),
            _class_table(self.classes),
            confusion_table("Regions confused", self.confusions),
            calibration_table("Confidence of the first guess", self.calibration),
        )
        return tuple(table for table in tables if table.rows)


@dataclass(frozen=True, slots=True)
class _Answer:
    crop: PlateCrop
    truth: str
    guesses: tuple[Guess, ...]

    @property
    def first(self) -> str:
        return self.guesses[0].value if self.guesses else ""

    @property
    def confidence(self) -> float:
        return self.guesses[0].confidence if self.guesses else 0.0

    def is_right(self, guesses: int = 1) -> bool:
        return any(_agrees(self.truth, guess.value) for guess in self.guesses[:guesses])


def evaluate_regions(
    crops: Sequence[PlateCrop], answers: Sequence[Sequence[Guess]], codes: Collection[str] = ()
) -> RegionReport:
    """Measure the guesses (best first), one sequence per crop.

    ``codes`` are those that the classifier can answer; empty means all. US states are never taken more
    coarsely: a state that the classifier does not know counts as wrong.
    """
    known = frozenset(map(_table_code, codes))
    counted = [answer for _, answer in _answered(crops, answers, known)]
    return RegionReport(
        scores=_score(counted),
        sets=_score_by_set(counted),
        classes=_class_scores(counted),
        calibration=_calibration(counted),
        confusions=_confusions(counted),
        skipped=_skipped(crops, known),
    )


def region_mistakes(
    crops: Sequence[PlateCrop], answers: Sequence[Sequence[Guess]], codes: Collection[str] = ()
) -> Iterator[Mistake]:
    """The crops whose first guess is wrong."""
    for index, answer in _answered(crops, answers, frozenset(map(_table_code, codes))):
        if not answer.is_right():
            yield Mistake(
                index=index,
                path=answer.crop.path,
                set_name=answer.crop.set_name,
                truth=answer.truth,
                answer=answer.first,
                detail=" ".join(f"{guess.value} {guess.confidence:.2f}" for guess in answer.guesses[:3]),
            )


@cache
def _table_code(code: str) -> str:
    """The code as the region table has it; else its country's, or itself where that is not there either."""
    for known in (code, code.partition("-")[0]):
        with suppress(RegionError):
            return get(known).code
    return code


def _country(code: str) -> str:
    return code.partition("-")[0]


def _agrees(truth: str, guess: str) -> bool:
    return guess == truth or ("-" not in truth and _country(guess) == truth)


def _truth(crop: PlateCrop, known: frozenset[str]) -> tuple[str | None, str]:
    """The label to compare with, or None and the reason why there is none."""
    if crop.region is None:
        return None, _NO_REGION
    if crop.region == "eu":
        return None, _NO_COUNTRY
    code = _table_code(crop.region)
    country = _country(code)
    if not known or code in known or country == "us" or code in US_TERRITORIES:
        return code, ""
    if country in known or any(_country(code) == country for code in known):
        return country, ""
    return None, _UNKNOWN


def _answered(
    crops: Sequence[PlateCrop], answers: Sequence[Sequence[Guess]], known: frozenset[str]
) -> Iterator[tuple[int, _Answer]]:
    for index, (crop, guesses) in enumerate(zip(crops, answers, strict=True)):
        truth, _ = _truth(crop, known)
        if truth is not None:
            named = tuple(replace(guess, value=_table_code(guess.value)) for guess in guesses)
            yield index, _Answer(crop, truth, named)


def _score(answers: Sequence[_Answer]) -> RegionScores:
    territories = [answer for answer in answers if answer.truth in US_TERRITORIES]
    states = [a for a in answers if a.truth.startswith("us-") and a.truth not in US_TERRITORIES]
    classes = _class_scores(answers)
    return RegionScores(
        crops=len(answers),
        top_1=_right(answers),
        top_3=_right(answers, guesses=3),
        country=Share(sum(_country(a.first) == _country(a.truth) for a in answers), len(answers)),
        us_state=_right(states),
        us_territory=_right(territories),
        balanced=fmean(each.right.value or 0.0 for each in classes) if classes else None,
        regions=len(classes),
        ece=_calibration(answers).ece,
    )


def _right(answers: Sequence[_Answer], guesses: int = 1) -> Share:
    return Share(sum(answer.is_right(guesses) for answer in answers), len(answers))


def _calibration(answers: Sequence[_Answer]) -> Calibration:
    return measure_calibration([a.confidence for a in answers], [a.is_right() for a in answers])


def _score_by_set(answers: Sequence[_Answer]) -> tuple[NamedRegionScores, ...]:
    return tuple(
        NamedRegionScores(name, _score([answers[index] for index in indices]))
        for name, indices in by_set(answer.crop for answer in answers)
    )


def _class_scores(answers: Sequence[_Answer]) -> tuple[ClassScore, ...]:
    total = Counter(answer.truth for answer in answers)
    right = Counter(answer.truth for answer in answers if answer.is_right())
    return tuple(ClassScore(code, Share(right[code], total[code])) for code in sorted(total))


def _confusions(answers: Sequence[_Answer]) -> tuple[Confusion, ...]:
    return confusions_of(Counter((a.truth, a.first) for a in answers if not a.is_right()))


def _skipped(crops: Sequence[PlateCrop], known: frozenset[str]) -> tuple[Skipped, ...]:
    return tuple(
        skipped
        for name, indices in by_set(crops)
        for skipped in count_skipped(name, [_truth(crops[index], known)[1] for index in indices])
    )


def _headline(report: RegionReport) -> Table:
    scores = report.scores
    states = next((part.scores for part in report.sets if part.name == STATES_SET), scores)
    where = STATES_SET if states is not scores else "all sets"
    rows = (
        ("region, top 1", *share_cells(scores.top_1)),
        ("region, top 3", *share_cells(scores.top_3)),
        ("country", *share_cells(scores.country)),
        (f"US state, {where}", *share_cells(states.us_state)),
        (f"US territory, {where}", *share_cells(states.us_territory)),
        ("balanced accuracy", percent(scores.balanced), f"{scores.regions} regions"),
        ("ECE", decimal(scores.ece), f"{scores.crops} crops"),
    )
    notes = (
        f"US state: the 50 states and DC, 95 % interval {interval(states.us_state)} %",
        f"ECE of the first guess over {BINS} bins of equal width",
        *(str(each) for each in report.skipped),
    )
    return Table("Region", ("metric", "value", "of"), rows, notes)


def _set_table(sets: Sequence[NamedRegionScores]) -> Table:
    header = ("set", "top 1", "of", "top 3", "country", "US state", "balanced", "regions", "ECE")
    rows = tuple(
        (
            part.name,
            *share_cells(part.scores.top_1),
            str(part.scores.top_3),
            str(part.scores.country),
            str(part.scores.us_state),
            percent(part.scores.balanced),
            str(part.scores.regions),
            decimal(part.scores.ece),
        )
        for part in sets
    )
    return Table("Region by set", header, rows)


def _class_table(classes: Sequence[ClassScore], limit: int = 20) -> Table:
    worst = sorted(classes, key=lambda each: (each.right.value or 0.0, each.code))[:limit]
    rows = tuple((each.code, *share_cells(each.right)) for each in worst if each.right.value != 1.0)
    return Table("Regions most often wrong", ("region", "right", "of"), rows)
