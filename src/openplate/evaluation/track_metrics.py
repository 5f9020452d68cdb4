"""How well boxes keep their ids over time: HOTA with DetA and AssA, IDF1, MOTA, by the field's definitions.

HOTA: Luiten et al. 2021; IDF1: Ristani et al. 2016; MOTA: Bernardin and Stiefelhagen 2008. Where the papers leave
a choice, TrackEval's is taken, so that the numbers compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openplate.datatypes import Box
from openplate.evaluation.average_precision import box_array
from openplate.geometry import iou_matrix
from openplate.tracking import assign

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

ALPHAS = np.arange(1, 20) * 0.05
SAME_IOU = 0.5
_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class TrackBox:
    """A box in one frame and whose it is."""

    id: int
    box: Box


@dataclass(frozen=True, slots=True)
class TrackFrame:
    """What there was in one frame, and what a tracker said. Answers on ``ignored`` boxes count neither way."""

    truth: tuple[TrackBox, ...]
    answers: tuple[TrackBox, ...]
    ignored: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class TrackScores:
    """0 to 1, but ``mota``, which may be below 0; None where there is nothing to measure.

    Attributes:
        hota: the root of detection times association accuracy, averaged over 19 thresholds on the IoU.
        deta, assa: both alone.
        loca: mean IoU of what fits.
        idf1: of boxes that have the right id when each truth may have one.
        mota: 1 less misses, false boxes and changes of id, over the true boxes.
        switches: changes of id.
        missed, false: boxes, at an IoU of 0.5.
        boxes, tracks, answered_tracks: how many there are.
    """

    hota: float | None
    deta: float | None
    assa: float | None
    loca: float | None
    idf1: float | None
    mota: float | None
    switches: int
    missed: int
    false: int
    boxes: int
    tracks: int
    answered_tracks: int


def measure_tracks(sequences: Sequence[Sequence[TrackFrame]]) -> TrackScores:
    """Of all sequences together; ids mean something within one only."""
    prepared = _Prepared.of(sequences)
    boxes, answers = int(prepared.truth_counts.sum()), int(prepared.answer_counts.sum())
    deta, assa, loca, hota = _hota(prepared)
    idtp = _identity(prepared)
    found, switches = _clear(prepared)
    missed, false = boxes - found, answers - found
    is_empty = boxes + answers == 0
    return TrackScores(
        hota=None if is_empty else hota,
        deta=None if is_empty else deta,
        assa=None if is_empty else assa,
        loca=loca,
        idf1=None if is_empty else 2 * idtp / (boxes + answers),
        mota=(found - false - switches) / boxes if boxes else None,
        switches=switches,
        missed=missed,
        false=false,
        boxes=boxes,
        tracks=len(prepared.truth_counts),
        answered_tracks=len(prepared.answer_counts),
    )


@dataclass(frozen=True, slots=True)
class _Step:
    """One frame: the numbers of truths (n,) and answers (m,), counted through, and their IoU (n, m)."""

    truth: Indices
    answers: Indices
    iou: Floats
    sequence: int


@dataclass(frozen=True, slots=True)
class _Prepared:
    steps: tuple[_Step, ...]
    truth_counts: Floats
    answer_counts: Floats

    @classmethod
    def of(cls, sequences: Sequence[Sequence[TrackFrame]]) -> _Prepared:
        truth_numbers: dict[tuple[int, int], int] = {}
        answer_numbers: dict[tuple[int, int], int] = {}
        steps = []
        for sequence, frames in enumerate(sequences):
            for frame in frames:
                answers = _counted(frame)
                truth_ids = [truth_numbers.setdefault((sequence, t.id), len(truth_numbers)) for t in frame.truth]
                answer_ids = [answer_numbers.setdefault((sequence, a.id), len(answer_numbers)) for a in answers]
                iou = _iou([each.box for each in frame.truth], [each.box for each in answers])
                steps.append(_Step(np.array(truth_ids, np.intp), np.array(answer_ids, np.intp), iou, sequence))
        truth_counts, answer_counts = np.zeros(len(truth_numbers)), np.zeros(len(answer_numbers))
        for step in steps:
            np.add.at(truth_counts, step.truth, 1)
            np.add.at(answer_counts, step.answers, 1)
        return cls(tuple(steps), truth_counts, answer_counts)


def _iou(a: Sequence[Box], b: Sequence[Box]) -> Floats:
    if not a or not b:
        return np.zeros((len(a), len(b)))
    return iou_matrix(box_array(a), box_array(b)).astype(np.float64)


def _counted(frame: TrackFrame) -> list[TrackBox]:
    """The answers without those that fit an ignored box, and no truth as well."""
    answers = list(frame.answers)
    if not frame.ignored or not answers:
        return answers
    on_truth = _iou([a.box for a in answers], [t.box for t in frame.truth])
    on_ignored = _iou([a.box for a in answers], frame.ignored)
    best_truth = on_truth.max(axis=1) if frame.truth else np.zeros(len(answers))
    return [
        answer
        for answer, fits, ignored in zip(answers, best_truth, on_ignored.max(axis=1), strict=True)
        if fits >= SAME_IOU or ignored < SAME_IOU
    ]


def _hota(prepared: _Prepared) -> tuple[float, float, float | None, float]:
    """DetA, AssA, LocA and HOTA, each averaged over the thresholds."""
    shape = (len(prepared.truth_counts), len(prepared.answer_counts))
    alignment = _alignment(prepared, shape)
    matched, overlap = np.zeros(len(ALPHAS)), np.zeros(len(ALPHAS))
    together = np.zeros((len(ALPHAS), *shape))
    for step in prepared.steps:
        score = alignment[np.ix_(step.truth, step.answers)] * step.iou
        for row, column in assign(-score, 0.0):
            fits = step.iou[row, column] >= ALPHAS - _EPSILON
            matched += fits
            overlap += fits * step.iou[row, column]
            together[fits, step.truth[row], step.answers[column]] += 1
    total = prepared.truth_counts.sum() + prepared.answer_counts.sum()
    deta = matched / np.maximum(1, total - matched)
    union = prepared.truth_counts[:, None] + prepared.answer_counts[None, :] - together
    assa = (together * together / np.maximum(1, union)).sum(axis=(1, 2)) / np.maximum(1, matched)
    loca = float(np.mean(np.divide(overlap, matched, out=np.ones_like(overlap), where=matched > 0)))
    hota = float(np.mean(np.sqrt(deta * assa)))
    return float(np.mean(deta)), float(np.mean(assa)), loca if matched.any() else None, hota


def _alignment(prepared: _Prepared, shape: tuple[int, int]) -> Floats:
    """How much each truth and each answer go together over the whole time."""
    potential = np.zeros(shape)
    for step in prepared.steps:
        union = step.iou.sum(axis=0)[None, :] + step.iou.sum(axis=1)[:, None] - step.iou
        share = np.divide(step.iou, union, out=np.zeros_like(step.iou), where=union > _EPSILON)
        potential[np.ix_(step.truth, step.answers)] += share
    return potential / np.maximum(
        prepared.truth_counts[:, None] + prepared.answer_counts[None, :] - potential, _EPSILON
    )


def _identity(prepared: _Prepared) -> int:
    """Boxes with the right id in the best one-to-one assignment of ids."""
    together = np.zeros((len(prepared.truth_counts), len(prepared.answer_counts)))
    for step in prepared.steps:
        together[np.ix_(step.truth, step.answers)] += step.iou >= SAME_IOU
    return int(sum(together[pair] for pair in assign(-together, 0.0)))


def _clear(prepared: _Prepared) -> tuple[int, int]:
    """Boxes found and changes of id; who was matched in the frame before stays matched where that fits."""
    found, switches = 0, 0
    known: dict[int, int] = {}  # the last answer of each truth
    before: dict[int, int] = {}  # of the frame before
    sequence = -1
    for step in prepared.steps:
        if step.sequence != sequence:
            before, sequence = {}, step.sequence
        stays = np.array([[before.get(int(t)) == int(a) for a in step.answers] for t in step.truth])
        score = np.where(step.iou >= SAME_IOU - _EPSILON, step.iou + 1000 * stays.reshape(step.iou.shape), 0.0)
        before = {}
        for row, column in assign(-score, 0.0):
            truth, answer = int(step.truth[row]), int(step.answers[column])
            found += 1
            switches += known.get(truth, answer) != answer
            known[truth] = before[truth] = answer
    return found, switches
