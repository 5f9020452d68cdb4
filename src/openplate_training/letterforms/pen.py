"""The pen: strokes to a mask, with round ends or with ends cut flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from openplate_training.letterforms.paths import Floats

_SHIFT = 6  # cv2's fixed-point coordinates: 1/64 pixel
_SMOOTH_TURN = np.deg2rad(25)  # smaller turns between pieces are part of a curve
_LONGEST_MITER = 3.0  # in half pen widths


@dataclass(frozen=True, eq=False)
class Line:
    """A centre line of (n, 2) points in pixels; ``is_slit`` takes ink away."""

    points: Floats
    is_closed: bool
    is_slit: bool


@dataclass(frozen=True)
class Pen:
    """Widths in pixels; ``is_round`` for round ends and corners, otherwise ends are cut and corners are sharp."""

    width: float
    slit: float
    is_round: bool


def ink(lines: Sequence[Line], pen: Pen, width: int, height: int) -> Floats:
    """What the pen leaves on a canvas: (height, width), 0 to 1, not smoothed."""
    canvas = np.zeros((height, width), np.uint8)
    for line in sorted(lines, key=lambda line: line.is_slit):
        is_round = pen.is_round and not line.is_slit
        _draw(canvas, line, pen.slit if line.is_slit else pen.width, is_round, 0 if line.is_slit else 1)
    return canvas.astype(np.float64)


def _draw(canvas: np.ndarray, line: Line, width: float, is_round: bool, color: int) -> None:
    half = max(width - 1, 1) / 2  # cv2 fills the pixels on an outline, too
    points = np.concatenate((line.points, line.points[:1])) if line.is_closed else line.points
    steps = np.diff(points, axis=0)
    lengths = np.hypot(*steps.T)
    kept = lengths > 1e-6
    starts, steps = points[:-1][kept], steps[kept] / lengths[kept, None]
    ends = points[1:][kept]
    normals = np.stack((-steps[:, 1], steps[:, 0]), 1) * half
    for start, end, normal in zip(starts, ends, normals, strict=True):
        _fill(canvas, np.stack((start + normal, end + normal, end - normal, start - normal)), color)
    joints = range(0 if line.is_closed else 1, len(starts))
    for i in joints:
        _join(canvas, starts[i], steps[i - 1], steps[i], half, is_round, color)
    if is_round and not line.is_closed:
        for point in (points[0], points[-1]):
            _disc(canvas, point, half, color)


def _join(
    canvas: np.ndarray, corner: Floats, before: Floats, after: Floats, half: float, is_round: bool, color: int
) -> None:
    turn = float(np.arctan2(before[0] * after[1] - before[1] * after[0], before @ after))
    if is_round or abs(turn) < _SMOOTH_TURN:
        _disc(canvas, corner, half, color)
        return
    side = -np.sign(turn) * half
    first, second = (np.array((-d[1], d[0])) * side for d in (before, after))
    outwards = (first + second) / max(float(np.hypot(*(first + second))), 1e-9)
    reach = min(half / max(abs(np.cos(turn / 2)), 1e-3), half * _LONGEST_MITER)
    _fill(canvas, np.stack((corner, corner + first, corner + outwards * reach, corner + second)), color)


def _fill(canvas: np.ndarray, outline: Floats, color: int) -> None:
    cv2.fillConvexPoly(canvas, np.round(outline * 2**_SHIFT).astype(np.int32), color, cv2.LINE_8, _SHIFT)


def _disc(canvas: np.ndarray, center: Floats, radius: float, color: int) -> None:
    x, y, r = (round(float(v) * 2**_SHIFT) for v in (*center, radius))
    cv2.circle(canvas, (x, y), r, color, -1, cv2.LINE_8, _SHIFT)
