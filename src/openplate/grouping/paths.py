"""Where something went: its direction, and whether it stands where it stood. Bounded memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from statistics import median

import numpy as np

from openplate.datatypes import Box, PathPoint

MOST_POINTS = 240
_MOST_FITTED = 48
_MOVED = 0.35  # of its size: less is no journey
_NEAR, _ALIKE = 0.35, 1.6  # of the size; factor between sizes


def travel_heading(path: Sequence[PathPoint]) -> float | None:
    """Degrees clockwise from up, 0 to 360: where the path leads; None where it does not lead far enough.

    The medians of all slopes between two points (Theil 1950, Sen 1968), so single wrong boxes do not matter.
    """
    points = [path[i] for i in np.linspace(0, len(path) - 1, min(len(path), _MOST_FITTED)).astype(int)] if path else []
    if len(points) < 2:
        return None
    start = points[0].at
    times = [(point.at - start).total_seconds() for point in points]
    if times[-1] <= times[0]:
        times = [float(point.frame_index) for point in points]
    xs, ys = zip(*(point.box.center for point in points), strict=True)
    vx, vy = _slope(times, xs), _slope(times, ys)
    size = median(math.sqrt(point.box.area) for point in points)
    if math.hypot(vx, vy) * (max(times) - min(times)) < _MOVED * size:
        return None
    return math.degrees(math.atan2(vx, -vy)) % 360


def to_unit_circle(heading_degrees: float) -> float:
    """The same direction anticlockwise from the right, as on a unit circle with y up, 0 to 360."""
    return (90 - heading_degrees) % 360


def _slope(times: Sequence[float], values: Sequence[float]) -> float:
    t, v = np.array(times), np.array(values)
    first, second = np.triu_indices(len(t), 1)
    between = t[second] - t[first]
    usable = between > 0
    return float(np.median((v[second] - v[first])[usable] / between[usable])) if usable.any() else 0.0


def is_same_place(a: Box | None, b: Box | None) -> bool:
    """Whether two boxes are of one thing that has not moved."""
    if a is None or b is None:
        return False
    size = math.sqrt(max(a.area, b.area, 1e-9))
    (ax, ay), (bx, by) = a.center, b.center
    is_alike = max(a.area, b.area) <= _ALIKE**2 * max(min(a.area, b.area), 1e-9)
    return is_alike and math.hypot(ax - bx, ay - by) <= _NEAR * size


class Path:
    """Points of one path, the first and the last always among them."""

    def __init__(self) -> None:
        self.points: list[PathPoint] = []

    def add(self, at: datetime, frame_index: int, box: Box) -> None:
        self.points.append(PathPoint(at, frame_index, box))
        if len(self.points) > MOST_POINTS:
            self.points = [*self.points[:-1:2], self.points[-1]]

    @property
    def last(self) -> Box | None:
        return self.points[-1].box if self.points else None
