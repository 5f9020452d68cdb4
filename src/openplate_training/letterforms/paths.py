"""Pen paths written as text, and their points.

A character's skeleton is one string. Strokes stand apart by `|`; a stroke is a row of points `x,y` in the unit box of
the pen's centre line (0,0 top left, 1,1 bottom right; points may lie a little outside). `*` after a point rounds that
corner by the style's bowl, `*0.5` by half of it. `z` at the end closes the stroke, `-` at the start makes it a slit:
it takes ink away. `@6` stands for the skeleton of 6 turned by half a turn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_POINT = re.compile(r"(-?\d*\.?\d+),(-?\d*\.?\d+)(\*(\d*\.?\d*))?")
_STEPS = 14  # straight pieces of a rounded corner


@dataclass(frozen=True, eq=False)
class Stroke:
    """A stroke as it was written.

    Attributes:
        points: (n, 2) in the unit box.
        rounding: (n,) share of the bowl that rounds each point.
        is_closed: whether the last point is joined to the first.
        is_slit: whether it takes ink away.
    """

    points: Floats
    rounding: Floats
    is_closed: bool
    is_slit: bool


def parse_skeleton(character: str, skeletons: Mapping[str, str]) -> tuple[Stroke, ...]:
    """The strokes of a character.

    Raises:
        ValueError: the text is no skeleton.
        KeyError: it has none.
    """
    text = skeletons[character]
    if text.startswith("@"):
        return tuple(
            Stroke(1 - stroke.points, stroke.rounding, stroke.is_closed, stroke.is_slit)
            for stroke in parse_skeleton(text[1:], skeletons)
        )
    return tuple(_parse_stroke(part.strip()) for part in text.split("|"))


def _parse_stroke(text: str) -> Stroke:
    is_slit = text.startswith("- ")
    words = text.removeprefix("- ").split()
    is_closed = words[-1] == "z"
    found = [_POINT.fullmatch(word) for word in (words[:-1] if is_closed else words)]
    matches = [match for match in found if match is not None]
    if len(matches) < len(found) or len(matches) < 2:
        raise ValueError(f"not a stroke: {text!r}")
    points = np.array([(float(match[1]), float(match[2])) for match in matches])
    rounding = np.array([0.0 if match[3] is None else float(match[4] or 1) for match in matches])
    return Stroke(points, rounding, is_closed, is_slit)


def trace(stroke: Stroke, size: tuple[float, float], bowl: tuple[float, float], fullness: float) -> Floats:
    """The centre line as many points, (m, 2), in the units of ``size`` and ``bowl``.

    Args:
        stroke: what is traced; a closed one ends in front of its first point.
        size: width and height of the box that the unit box becomes.
        bowl: reach of a rounded corner along horizontal and along vertical lines, cut down where a line is short.
        fullness: weight of the corner in its curve: 0.71 gives ellipses, more gives squarer ones.
    """
    points = stroke.points * size
    count = len(points)
    ahead = np.roll(points, -1, 0) - points
    lengths = np.maximum(np.hypot(*ahead.T), 1e-9)
    directions = ahead / lengths[:, None]
    reach = np.abs(directions) @ np.array(bowl)
    starts, ends = stroke.rounding * reach, np.roll(stroke.rounding, -1) * reach
    if not stroke.is_closed:
        starts[0] = ends[-2] = 0
    shrink = np.minimum(1, lengths / np.maximum(starts + ends, 1e-9))
    starts, ends = starts * shrink, ends * shrink
    pieces = []
    for i, corner in enumerate(points):
        is_end = not stroke.is_closed and i in (0, count - 1)
        before, after = ends[i - 1], starts[i]
        if is_end or before + after < 1e-6:
            pieces.append(corner[None])
        else:
            first, last = corner - directions[i - 1] * before, corner + directions[i] * after
            pieces.append(_curve(first, corner, last, fullness))
    return np.concatenate(pieces)


def _curve(first: Floats, corner: Floats, last: Floats, fullness: float) -> Floats:
    """A conic from ``first`` to ``last``, drawn towards the corner."""
    t = np.linspace(0, 1, _STEPS)[:, None]
    a, b, c = (1 - t) ** 2, 2 * t * (1 - t) * fullness, t**2
    return np.asarray((a * first + b * corner + c * last) / (a + b + c))
