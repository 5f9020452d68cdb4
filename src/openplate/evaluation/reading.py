"""Reading measured on labelled plate crops.

The headline counts texts that people labelled and that are not suspect; texts of another network (teacher)
are measured apart. Texts are compared in normal form: A-Z and 0-9, upper case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from openplate.datatypes import PlateReading
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
from openplate.evaluation.truth import Truth, truth_of
from openplate.text import edit_distance, normalise

GROUPS = {
    "us_nyc": ("us_nyc",),
    "vn": ("vn",),
    "europe": ("cz", "hr", "pl", "hu", "nl", "es", "se"),
    "in": ("in",),
    "id": ("id",),
    "br": ("br",),
    "ar": ("ar",),
    "cn": ("cn",),
}
"""Groups of sets; a crop belongs to one by its region's country or else by how the name of its set begins."""

_LOOK_ALIKES_MERGED = str.maketrans("OI", "01")
_FEW_DIFFERENCES = 2
_LINES: dict[int | None, str] = {1: "one line", 2: "two lines"}


@dataclass(frozen=True, slots=True)
class ReadingScores:
    """Reading over some crops. ``within_one_edit`` allows one character inserted, left out or replaced;
    ``merged`` takes O for 0 and I for 1; ``in_top_3`` and ``in_candidates``: the truth is among the
    candidates; ``cer``: edits needed over ``characters`` of truth.
    """

    texts: int
    exact: Share
    within_one_edit: Share
    merged: Share
    right_length: Share
    in_top_3: Share
    in_candidates: Share
    characters: int
    cer: float | None
    ece: float | None
    ece_raw: float | None


@dataclass(frozen=True, slots=True)
class NamedReadingScores:
    name: str
    scores: ReadingScores


@dataclass(frozen=True, slots=True)
class ReadingReport(Report):
    """``human`` is the headline; ``groups``, ``sets`` and ``lines`` divide the same crops.
    ``calibration_raw`` is that of the confidences before calibration, where they were given.
    """

    human: ReadingScores
    groups: tuple[NamedReadingScores, ...]
    sets: tuple[NamedReadingScores, ...]
    lines: tuple[NamedReadingScores, ...]
    teacher: ReadingScores
    teacher_sets: tuple[NamedReadingScores, ...]
    calibration: Calibration
    calibration_raw: Calibration | None
    confusions: tuple[Confusion, ...]
    skipped: tuple[Skipped, ...]

    def tables(self) -> tuple[Table, ...]:
        tables = [
            _headline(self),
            _scores_table("Reading by group, human texts", self.groups),
            _scores_table("Reading by set, human texts", self.sets),
            _scores_table("Reading by number of lines, human texts", self.lines),
            _scores_table("Reading by set, teacher texts (not in the headline)", self.teacher_sets),
            calibration_table("Confidence, human texts", self.calibration),
        ]
        if self.calibration_raw is not None:
            tables.append(calibration_table("Confidence before calibration", self.calibration_raw))
        tables.append(confusion_table("Characters confused", self.confusions))
        return tuple(table for table in tables if table.rows)


@dataclass(frozen=True, slots=True)
class _Answer:
    """One crop that counts: its truth and what was read."""

    crop: PlateCrop
    truth: str
    is_human: bool
    text: str
    candidates: tuple[str, ...]
    confidence: float
    raw_confidence: float | None
    edits: int

    @property
    def is_exact(self) -> bool:
        return self.text == self.truth


def evaluate_reading(
    crops: Sequence[PlateCrop],
    readings: Sequence[PlateReading | None],
    raw_confidences: Sequence[float] | None = None,
) -> ReadingReport:
    """Measure ``readings``, one per crop (None: could not be read).

    ``raw_confidences``, one per crop, are the overall confidences before calibration; with them the report
    compares before and after.
    """
    answers = [answer for _, answer in _answered(crops, readings, raw_confidences)]
    human = [answer for answer in answers if answer.is_human]
    teacher = [answer for answer in answers if not answer.is_human]
    return ReadingReport(
        human=_score(human),
        groups=_score_by(human, [group_of(answer.crop) for answer in human], GROUPS),
        sets=_score_by_set(human),
        lines=_score_by(human, [_LINES.get(answer.crop.lines) for answer in human], _LINES.values()),
        teacher=_score(teacher),
        teacher_sets=_score_by_set(teacher),
        calibration=measure_calibration(*_confidences(human)),
        calibration_raw=None if raw_confidences is None else measure_calibration(*_raw_confidences(human)),
        confusions=_confusions(human),
        skipped=_skipped(crops),
    )


def reading_mistakes(crops: Sequence[PlateCrop], readings: Sequence[PlateReading | None]) -> Iterator[Mistake]:
    """The crops of the headline that were not read exactly."""
    for index, answer in _answered(crops, readings, None):
        if answer.is_human and not answer.is_exact:
            yield Mistake(
                index=index,
                path=answer.crop.path,
                set_name=answer.crop.set_name,
                truth=answer.truth,
                answer=answer.text,
                detail=f"confidence {answer.confidence:.3f}",
            )


def group_of(crop: PlateCrop) -> str | None:
    """The group of GROUPS that a crop counts in, or None."""
    country = (crop.region or "").partition("-")[0]
    for group, names in GROUPS.items():
        if country in names:
            return group
    for group, names in GROUPS.items():
        if any(crop.set_name == name or crop.set_name.startswith(f"{name}_") for name in names):
            return group
    return None


def _truth(crop: PlateCrop) -> Truth:
    return truth_of(crop.text, crop.text_label, crop.suspect)


def _answered(
    crops: Sequence[PlateCrop],
    readings: Sequence[PlateReading | None],
    raw_confidences: Sequence[float] | None,
) -> Iterator[tuple[int, _Answer]]:
    """The crops that can be compared, each with its place in the sequence."""
    raw = [None] * len(crops) if raw_confidences is None else raw_confidences
    for index, (crop, reading, raw_confidence) in enumerate(zip(crops, readings, raw, strict=True)):
        truth = _truth(crop)
        if truth.text is not None:
            yield index, _answer(crop, truth, reading, raw_confidence)


def _answer(crop: PlateCrop, truth: Truth, reading: PlateReading | None, raw_confidence: float | None) -> _Answer:
    text = "" if reading is None else normalise(reading.text)
    candidates = () if reading is None else tuple(normalise(each.text) for each in reading.candidates)
    return _Answer(
        crop=crop,
        truth=truth.text or "",
        is_human=truth.source == "human",
        text=text,
        candidates=candidates if text in candidates[:1] else (text, *candidates),
        confidence=0.0 if reading is None else reading.confidence,
        raw_confidence=raw_confidence,
        edits=edit_distance(truth.text or "", text),
    )


def _score(answers: Sequence[_Answer]) -> ReadingScores:
    total = len(answers)

    def share(right: Iterable[bool]) -> Share:
        return Share(sum(right), total)

    characters = sum(len(answer.truth) for answer in answers)
    edits = sum(answer.edits for answer in answers)
    has_raw = any(answer.raw_confidence is not None for answer in answers)
    return ReadingScores(
        texts=total,
        exact=share(answer.is_exact for answer in answers),
        within_one_edit=share(answer.edits <= 1 for answer in answers),
        merged=share(_merged(answer.text) == _merged(answer.truth) for answer in answers),
        right_length=share(len(answer.text) == len(answer.truth) for answer in answers),
        in_top_3=share(answer.truth in answer.candidates[:3] for answer in answers),
        in_candidates=share(answer.truth in answer.candidates for answer in answers),
        characters=characters,
        cer=edits / characters if characters else None,
        ece=measure_calibration(*_confidences(answers)).ece,
        ece_raw=measure_calibration(*_raw_confidences(answers)).ece if has_raw else None,
    )


def _merged(text: str) -> str:
    return text.translate(_LOOK_ALIKES_MERGED)


def _confidences(answers: Sequence[_Answer]) -> tuple[list[float], list[bool]]:
    return [answer.confidence for answer in answers], [answer.is_exact for answer in answers]


def _raw_confidences(answers: Sequence[_Answer]) -> tuple[list[float], list[bool]]:
    given = [answer for answer in answers if answer.raw_confidence is not None]
    return [answer.raw_confidence or 0.0 for answer in given], [answer.is_exact for answer in given]


def _score_by(
    answers: Sequence[_Answer], keys: Sequence[str | None], order: Iterable[str]
) -> tuple[NamedReadingScores, ...]:
    """Scores per key, in that order of keys; what has no key or is empty is left out."""
    parts: dict[str, list[_Answer]] = {name: [] for name in order}
    for answer, key in zip(answers, keys, strict=True):
        if key is not None:
            parts[key].append(answer)
    return tuple(NamedReadingScores(name, _score(part)) for name, part in parts.items() if part)


def _score_by_set(answers: Sequence[_Answer]) -> tuple[NamedReadingScores, ...]:
    names = [answer.crop.set_name for answer in answers]
    return _score_by(answers, names, sorted(set(names)))


def _confusions(answers: Sequence[_Answer]) -> tuple[Confusion, ...]:
    """The characters that differ in readings of the right length with at most two wrong characters."""
    pairs: Counter[tuple[str, str]] = Counter()
    for answer in answers:
        if len(answer.text) == len(answer.truth):
            different = [pair for pair in zip(answer.truth, answer.text, strict=True) if pair[0] != pair[1]]
            if len(different) <= _FEW_DIFFERENCES:
                pairs.update(different)
    return confusions_of(pairs)


def _skipped(crops: Sequence[PlateCrop]) -> tuple[Skipped, ...]:
    """What was left out, per set and reason."""
    return tuple(
        skipped
        for name, indices in by_set(crops)
        for skipped in count_skipped(name, [_truth(crops[index]).reason for index in indices])
    )


def _headline(report: ReadingReport) -> Table:
    scores = report.human
    raw = report.calibration_raw
    rows = [
        ("exact text", *share_cells(scores.exact)),
        ("within one edit", *share_cells(scores.within_one_edit)),
        ("O = 0, I = 1", *share_cells(scores.merged)),
        ("right length", *share_cells(scores.right_length)),
        ("truth in top 3", *share_cells(scores.in_top_3)),
        ("truth among candidates", *share_cells(scores.in_candidates)),
        ("CER", percent(scores.cer), f"{scores.characters} characters"),
        ("ECE", decimal(scores.ece), f"{scores.texts} readings"),
        ("ECE before calibration", decimal(None if raw is None else raw.ece), "" if raw else "not given"),
        ("exact text, teacher", *share_cells(report.teacher.exact)),
    ]
    notes = (
        "human texts that are not suspect; normal form A-Z, 0-9; Chinese characters dropped",
        f"exact text: 95 % interval {interval(scores.exact)} %",
        f"ECE over {BINS} bins of equal width",
        *(str(each) for each in report.skipped),
    )
    return Table("Reading", ("metric", "value", "of"), tuple(rows), notes)


def _scores_table(title: str, parts: Sequence[NamedReadingScores]) -> Table:
    header = ("name", "exact", "of", "95 %", "one edit", "O=0 I=1", "top 3", "CER", "ECE")
    rows = tuple(
        (
            part.name,
            *share_cells(part.scores.exact),
            interval(part.scores.exact),
            str(part.scores.within_one_edit),
            str(part.scores.merged),
            str(part.scores.in_top_3),
            percent(part.scores.cer),
            decimal(part.scores.ece),
        )
        for part in parts
    )
    return Table(title, header, rows)
