"""Where things stand on the ground before a camera, in metres: from points whose places on the road are known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openplate.datatypes import Box, GroundPoint

Matrix = NDArray[np.float64]

LEAST_POINTS = 4
_LINE = 0.01  # of the length of what counts as one: how wide it is
_CONTRADICTION = 0.1  # of the extent of the points
_EDGE_PX = 2.0
_BLUR = 0.03  # of a vehicle's height, about what the lower edge of a box shakes


@dataclass(frozen=True, slots=True)
class GroundPlace:
    """A place in metres, on the axes of the points that are known; ``blur_m`` is about how unsure it is."""

    x_m: float
    y_m: float
    blur_m: float


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """A flat road as one camera sees it.

    Attributes:
        matrix: (3, 3), takes shares of width and height to metres.
        area: (min x, min y, max x, max y) in metres that are believed: around the points, as far again as they reach.
    """

    matrix: Matrix
    area: tuple[float, float, float, float]

    @classmethod
    def from_points(cls, points: Sequence[GroundPoint]) -> Ground:
        """From four points or more.

        Raises:
            ValueError: no road can look like that; the sentence says which points are in the way.
        """
        if len(points) < LEAST_POINTS:
            raise ValueError(f"{LEAST_POINTS} points or more are needed, not {len(points)}")
        known = np.array(points, np.float64)
        seen, there = known[:, :2], known[:, 2:]
        for what, places in (("the picture", seen), ("the ground", there)):
            if _is_in_a_line(places):
                raise ValueError(
                    f"all of the points, or all but one, stand in one line on {what}; choose the corners of an area as "
                    "large as can be, as two marks on either side of the road"
                )
        matrix = _homography(seen, there)
        depth = _depth(matrix, seen)
        if depth.min() * depth.max() <= 0:
            raise ValueError(
                "the points stand in another order on the ground than in the picture; two of them are mixed up"
            )
        matrix = matrix * np.sign(depth[0])
        extent = np.ptp(there, axis=0)
        away = np.hypot(*(_move(matrix, seen) - there).T)
        if away.max() > _CONTRADICTION * math.hypot(*extent):
            raise ValueError(
                f"the points contradict each other: by the others, point {int(away.argmax()) + 1} is "
                f"{away.max():.1f} m from where it is said to be"
            )
        low, high = there.min(axis=0) - extent, there.max(axis=0) + extent
        return cls(matrix, (*low.tolist(), *high.tolist()))

    def place(self, box: Box, width: int, height: int) -> GroundPlace | None:
        """Where a vehicle stands: the middle of the lower edge of its box, in a picture of that size (pixels).

        None where nobody knows: the picture's edge hides where it touches the ground, or it is far from the points.
        """
        if box.x1 < _EDGE_PX or box.x2 > width - _EDGE_PX or box.y2 > height - _EDGE_PX or not box.height:
            return None
        x, bottom = box.center[0] / width, box.y2 / height
        above = (box.y2 - _BLUR * box.height) / height
        shares = np.array([(x, bottom), (x, above)])
        if _depth(self.matrix, shares).min() <= 0:  # at the horizon, or beyond
            return None
        (x_m, y_m), there = _move(self.matrix, shares)
        low_x, low_y, high_x, high_y = self.area
        if not (low_x <= x_m <= high_x and low_y <= y_m <= high_y):
            return None
        return GroundPlace(float(x_m), float(y_m), float(np.hypot(*(there - (x_m, y_m)))))


def _is_in_a_line(places: Matrix) -> bool:
    """Whether, of four points, three are in one line, or of more all but one."""
    count = len(places)
    for left_out in range(count):
        rest = np.delete(places, left_out, axis=0)
        spread = np.linalg.svd(rest - rest.mean(axis=0), compute_uv=False)
        if spread[1] <= _LINE * max(spread[0], 1e-12):
            return True
    return False


def _homography(seen: Matrix, there: Matrix) -> Matrix:
    """(3, 3): what takes ``seen`` to ``there`` with the least error (Hartley and Zisserman 2003, 4.1)."""
    before, after = _normalisation(seen), _normalisation(there)
    rows = []
    for (x, y), (u, v) in zip(_move(before, seen), _move(after, there), strict=True):
        rows.append((-x, -y, -1, 0, 0, 0, u * x, u * y, u))
        rows.append((0, 0, 0, -x, -y, -1, v * x, v * y, v))
    _, _, turned = np.linalg.svd(np.array(rows))
    matrix: Matrix = np.linalg.inv(after) @ turned[-1].reshape(3, 3) @ before
    return matrix


def _normalisation(places: Matrix) -> Matrix:
    middle = places.mean(axis=0)
    scale = math.sqrt(2) / np.hypot(*(places - middle).T).mean()
    return np.array([(scale, 0, -scale * middle[0]), (0, scale, -scale * middle[1]), (0, 0, 1)])


def _depth(matrix: Matrix, places: Matrix) -> Matrix:
    """Above 0 on one side of the horizon, below on the other: (n,)."""
    depth: Matrix = places @ matrix[2, :2] + matrix[2, 2]
    return depth


def _move(matrix: Matrix, places: Matrix) -> Matrix:
    """(n, 2) to (n, 2)."""
    moved: Matrix = (places @ matrix[:2, :2].T + matrix[:2, 2]) / _depth(matrix, places)[:, None]
    return moved
