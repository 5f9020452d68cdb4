"""Average precision as COCO defines it: greedy matching by confidence, 101 recall points, ignored labels.

There is no limit on the number of detections per picture and no size range; in all else the numbers are
those of the COCO reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openplate.datatypes import Box
from openplate.geometry import iou_matrix, overlap_matrix

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]

IOU_THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
_RECALL_POINTS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, eq=False)
class MatchedPicture:
    """The detections of one picture after matching; T is the number of IoU thresholds.

    ``scores`` (n,), ``true_positive`` and ``ignored`` (T, n), ``positives`` the number of labels that count.
    """

    scores: Floats
    true_positive: Flags
    ignored: Flags
    positives: int


def box_array(boxes: Iterable[Box]) -> Floats:
    """Shape (n, 4), also for no boxes."""
    return np.array([box.as_tuple() for box in boxes], dtype=np.float64).reshape(-1, 4)


def greedy_match(overlaps: Floats, scores: Floats, threshold: float, reusable: Flags | None = None) -> Indices:
    """The label that each detection gets, or -1: (n,).

    By descending score, each detection takes the free label that it overlaps most, if by at least
    ``threshold``. ``overlaps`` is (n, m); labels marked ``reusable`` (m,) can be taken again and again.
    """
    matches = np.full(len(scores), -1, dtype=np.intp)
    if overlaps.size == 0:
        return matches
    available = np.array(overlaps, copy=True)
    possible = overlaps.max(axis=1) >= threshold
    order = np.argsort(-scores, kind="stable")
    for index in order[possible[order]]:
        row = available[index]
        label = len(row) - 1 - int(np.argmax(row[::-1]))
        if row[label] >= threshold:
            matches[index] = label
            if reusable is None or not reusable[label]:
                available[:, label] = -1.0
    return matches


def match_picture(
    detections: Floats,
    scores: Floats,
    labels: Floats,
    *,
    ignored_labels: Floats | None = None,
    ignore_areas: Floats | None = None,
    thresholds: Sequence[float] = IOU_THRESHOLDS,
) -> MatchedPicture:
    """Match the detections (n, 4) with the labels (m, 4) of one picture at each IoU threshold.

    A detection that matches no label but one of ``ignored_labels`` (by IoU, each once), or that lies in
    one of ``ignore_areas`` (by the share of the detection inside it), counts neither for nor against.
    """
    empty = np.zeros((0, 4))
    single = empty if ignored_labels is None else ignored_labels
    areas = empty if ignore_areas is None else ignore_areas
    overlaps = iou_matrix(detections, labels)
    ignorable = np.hstack([iou_matrix(detections, single), overlap_matrix(detections, areas)])
    reusable = np.arange(len(single) + len(areas)) >= len(single)
    true_positive = np.zeros((len(thresholds), len(scores)), dtype=bool)
    ignored = np.zeros_like(true_positive)
    for row, threshold in enumerate(thresholds):
        true_positive[row] = greedy_match(overlaps, scores, threshold) >= 0
        rest = np.flatnonzero(~true_positive[row])
        ignored[row, rest] = greedy_match(ignorable[rest], scores[rest], threshold, reusable) >= 0
    return MatchedPicture(scores, true_positive, ignored, len(labels))


def average_precision(pictures: Sequence[MatchedPicture]) -> tuple[float, ...] | None:
    """One average precision (0 to 1) per IoU threshold; None where no picture has a label that counts."""
    positives = sum(picture.positives for picture in pictures)
    if positives == 0:
        return None
    scores = np.concatenate([picture.scores for picture in pictures])
    order = np.argsort(-scores, kind="stable")
    true_positive = np.hstack([picture.true_positive for picture in pictures])[:, order]
    counted = ~np.hstack([picture.ignored for picture in pictures])[:, order]
    return tuple(_interpolated(hits[kept], positives) for hits, kept in zip(true_positive, counted, strict=True))


def _interpolated(hits: Flags, positives: int) -> float:
    """The mean over 101 recall points of the best precision at that recall or beyond."""
    if not len(hits):
        return 0.0
    found = np.cumsum(hits)
    precision = found / np.arange(1, len(hits) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(found / positives, _RECALL_POINTS, side="left")
    reached = at < len(hits)
    return float(np.where(reached, best_from_here[np.minimum(at, len(hits) - 1)], 0.0).mean())
