"""Does a confidence of 0.9 mean right nine times in ten? Expected calibration error, reliability, Brier.

The expected calibration error uses 15 bins of equal width, as is usual (Guo et al. 2017): bin k holds the
confidences above k/15 up to (k+1)/15, the first also 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openplate.evaluation.report import Table, decimal

BINS = 15


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The answers whose confidence is above ``low`` and at most ``high``; the means are None for none."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far confidences agree with how often they were right; ``ece`` and ``brier`` are 0 at best."""

    count: int
    mean_confidence: float | None
    ece: float | None
    brier: float | None
    bins: tuple[ReliabilityBin, ...]


def measure_calibration(confidences: Sequence[float], correct: Sequence[bool]) -> Calibration:
    """Compare confidences (n, each 0 to 1) with whether the answers were right (n)."""
    confidence = np.asarray(confidences, dtype=np.float64)
    right = np.asarray(correct, dtype=np.float64)
    if len(confidence) != len(right):
        raise ValueError(f"{len(confidence)} confidences but {len(right)} answers")
    if not len(confidence):
        return Calibration(0, None, None, None, ())
    bins = _bins(confidence, right)
    gaps = [
        each.count * abs(each.confidence - each.accuracy)
        for each in bins
        if each.confidence is not None and each.accuracy is not None
    ]
    return Calibration(
        count=len(confidence),
        mean_confidence=float(confidence.mean()),
        ece=sum(gaps) / len(confidence),
        brier=float(((confidence - right) ** 2).mean()),
        bins=bins,
    )


def _bins(confidence: NDArray[np.float64], right: NDArray[np.float64]) -> tuple[ReliabilityBin, ...]:
    index = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    result = []
    for number in range(BINS):
        inside = index == number
        count = int(inside.sum())
        result.append(
            ReliabilityBin(
                low=number / BINS,
                high=(number + 1) / BINS,
                count=count,
                confidence=float(confidence[inside].mean()) if count else None,
                accuracy=float(right[inside].mean()) if count else None,
            )
        )
    return tuple(result)


def calibration_table(title: str, calibration: Calibration) -> Table:
    """The bins that hold something."""
    rows = tuple(
        (
            f"{each.low:.3f}-{each.high:.3f}",
            str(each.count),
            decimal(each.confidence),
            decimal(each.accuracy),
        )
        for each in calibration.bins
        if each.count
    )
    note = f"ECE {decimal(calibration.ece)} over {BINS} bins of equal width, Brier {decimal(calibration.brier)}"
    return Table(title, ("confidence", "answers", "mean confidence", "right"), rows, (note,))
