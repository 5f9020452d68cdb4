"""Arithmetic on arrays of boxes: rows of x1, y1, x2, y2 in pixels, half-open, x1 <= x2 and y1 <= y2. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating[Any]]

_FEW = 32


def _boxes(values: ArrayLike) -> Floats:
    array = np.asarray(values)
    if not np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float64)
    if array.size == 0:
        return array.reshape(0, 4)
    if array.ndim != 2 or array.shape[1] != 4:
        raise ValueError(f"boxes must be an array of shape (n, 4), not {array.shape}")
    return array


def _areas(boxes: Floats) -> Floats:
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    return np.asarray(np.maximum(width, 0) * np.maximum(height, 0))


def _intersections(a: Floats, b: Floats) -> Floats:
    """Common areas, (n, m)."""
    width = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    height = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    return np.asarray(np.maximum(width, 0) * np.maximum(height, 0))


def _ratio(part: Floats, whole: Floats) -> Floats:
    """part / whole, 0 where the whole is empty."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def iou_matrix(a: ArrayLike, b: ArrayLike) -> Floats:
    """Intersection over union of each box of ``a`` (n, 4) with each of ``b`` (m, 4): (n, m), 0 to 1."""
    a, b = _boxes(a), _boxes(b)
    common = _intersections(a, b)
    return _ratio(common, _areas(a)[:, None] + _areas(b)[None, :] - common)


def overlap_matrix(a: ArrayLike, b: ArrayLike) -> Floats:
    """How much of each box of ``a`` (n, 4) each box of ``b`` (m, 4) covers: (n, m), 0 to 1."""
    a, b = _boxes(a), _boxes(b)
    common = _intersections(a, b)
    return _ratio(common, np.broadcast_to(_areas(a)[:, None], common.shape))


def non_max_suppression(boxes: ArrayLike, scores: ArrayLike, iou: float) -> NDArray[np.intp]:
    """Indices of the boxes to keep, best score first: of boxes that overlap more than ``iou`` the best one.

    ``boxes`` (n, 4), ``scores`` (n,). Among equal scores the earlier box wins.
    """
    boxes, scores = _boxes(boxes), np.asarray(scores).reshape(-1)
    if len(boxes) != len(scores):
        raise ValueError(f"{len(boxes)} boxes but {len(scores)} scores")
    order = np.argsort(-scores, kind="stable")
    overlaps = iou_matrix(boxes[order], boxes[order]) > iou
    suppressed = np.zeros(len(order), dtype=bool)
    kept = []
    for index in range(len(order)):
        if not suppressed[index]:
            kept.append(order[index])
            suppressed |= overlaps[index]
    return np.array(kept, dtype=np.intp)


def distinct(boxes: Sequence[Sequence[float]], iou: float) -> list[int]:
    """Indices of the boxes to keep, as ``non_max_suppression`` has it, of boxes that are best first.

    In plain numbers where the boxes are few: they mostly are, and arrays would take several times as long.
    """
    if len(boxes) > _FEW:
        return [int(index) for index in non_max_suppression(boxes, -np.arange(len(boxes)), iou)]
    kept: list[int] = []
    for index, box in enumerate(boxes):
        if all(_iou(box, boxes[better]) <= iou for better in kept):
            kept.append(index)
    return kept


def _iou(a: Sequence[float], b: Sequence[float]) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def is_inside(points: ArrayLike, polygon: ArrayLike) -> NDArray[np.bool_]:
    """Which of ``points`` (n, 2) lie in a ``polygon`` (m, 2) with three corners or more: (n,), by the even-odd rule.

    What lies exactly on an edge belongs to one of the two sides, so polygons that share an edge share no point.
    """
    xy = np.asarray(points, np.float64).reshape(-1, 2)
    start = np.asarray(polygon, np.float64).reshape(-1, 2)
    if len(start) < 3:
        raise ValueError(f"a polygon needs three corners or more, not {len(start)}")
    end = np.roll(start, -1, axis=0)
    x, y = xy[:, :1], xy[:, 1:]
    is_level = (start[:, 1] <= y) != (end[:, 1] <= y)
    rise = np.where(end[:, 1] == start[:, 1], 1.0, end[:, 1] - start[:, 1])
    crossing = start[:, 0] + (y - start[:, 1]) / rise * (end[:, 0] - start[:, 0])
    inside: NDArray[np.bool_] = np.logical_and(is_level, x < crossing).sum(axis=1) % 2 == 1
    return inside
