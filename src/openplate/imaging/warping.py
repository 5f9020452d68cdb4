"""Pictures brought to the size and shape that a network takes. Used by training and serving alike."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from openplate.datatypes import Box, Corners, Point
from openplate.imaging.decoding import Pixels

Matrix = NDArray[np.float64]
"""A homography, (3, 3)."""
Points = NDArray[np.float64]

PADDING = 114
MARGIN_X, MARGIN_Y = 0.05, 0.08
"""What ``rectify`` shows around a plate, as fractions of its width and height: corners are never exact."""
FURTHER_LOOKS = ((1.05, 1.06), (0.97, 0.94))
"""Zooms of ``rectify`` for who looks at a doubtful plate again: a little wider, a little narrower."""
_LONGEST_SIDE = 16_384
_MOST_SAMPLES = 8  # per target pixel and axis, when a plate is much larger than the target


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a picture lies on a canvas: canvas x = source x * scale + dx, likewise y."""

    scale: float
    dx: float
    dy: float

    def to_source_point(self, x: float, y: float) -> Point:
        """A point of the canvas in pixels of the source picture."""
        return (x - self.dx) / self.scale, (y - self.dy) / self.scale

    def to_source_box(self, box: Box) -> Box:
        """A canvas box in pixels of the source picture; it may reach over the edge."""
        return Box(
            (box.x1 - self.dx) / self.scale,
            (box.y1 - self.dy) / self.scale,
            (box.x2 - self.dx) / self.scale,
            (box.y2 - self.dy) / self.scale,
        )


def letterbox(pixels: Pixels, width: int, height: int) -> tuple[Pixels, Letterbox]:
    """The whole picture, as large as it fits, in the middle of a canvas (height, width, 3) of grey 114.

    A picture reduced to less than half is halved by averaging until the rest is between a half and
    one, then interpolated linearly: nearly as smooth as area averaging at a fraction of its cost.
    """
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    source, rest = pixels, scale
    while rest <= 0.5 and min(source.shape[:2]) >= 2:
        source, rest = _halve(source), rest * 2
    content = _resize(source, rest)
    content_height, content_width = content.shape[:2]
    left, top = (width - content_width) // 2, (height - content_height) // 2
    canvas = np.full((height, width, 3), PADDING, dtype=np.uint8)
    canvas[top : top + content_height, left : left + content_width] = content
    return canvas, Letterbox(scale, float(left), float(top))


def _halve(pixels: Pixels) -> Pixels:
    """Averages of 2x2 pixels; an odd last row or column is left out, which keeps the scale exact."""
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
    even = pixels[: height * 2, : width * 2]
    return cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _resize(pixels: Pixels, scale: float) -> Pixels:
    """Resized by exactly ``scale``; only the size of the result is rounded.

    Given the size instead of the factors, OpenCV would stretch the picture to it: half a pixel of error
    at the far edge of the canvas.
    """
    if scale == 1.0:
        return pixels
    if min(round(pixels.shape[0] * scale), round(pixels.shape[1] * scale)) == 0:
        size = max(round(pixels.shape[1] * scale), 1), max(round(pixels.shape[0] * scale), 1)
        return cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)  # type: ignore


def warp_plate(pixels: Pixels, corners: Corners, width: int, height: int, margin_x: float, margin_y: float) -> Pixels:
    """A plate seen from straight ahead: (height, width, 3).

    ``margin_x`` and ``margin_y`` are the fractions of the plate's width and height that are shown on
    each side of it. What lies outside the picture repeats its edge. Corners that enclose nothing or
    are twisted are replaced by the box around them.
    """
    return plate_view(pixels, corners, width, height, margin_x, margin_y)[0]


def plate_view(
    pixels: Pixels, corners: Corners, width: int, height: int, margin_x: float, margin_y: float
) -> tuple[Pixels, Matrix]:
    """The same, with the homography (3, 3) that leads from points of the view to points of the picture."""
    target = target_corners(width, height, margin_x, margin_y)
    to_source = _homography(target, corners.as_tuple(), width, height)
    if to_source is None:
        to_source = _solve(target, _box_points(corners, pixels.shape[1], pixels.shape[0]))
    return _sample(pixels, to_source, width, height), to_source


def rectify(
    pixels: Pixels, corners: Corners, width: int, height: int, zoom: tuple[float, float] = (1.0, 1.0)
) -> Pixels:
    """A plate as the reading networks take it: ``warp_plate`` with the margins that they were trained for.

    ``zoom`` shows so many times as much in x and y: another look at the same plate.
    """
    margins = [((1 + 2 * margin) * z - 1) / 2 for margin, z in zip((MARGIN_X, MARGIN_Y), zoom, strict=True)]
    return warp_plate(pixels, corners, width, height, *margins)


def batch(crops: Sequence[Pixels]) -> Pixels:
    """Crops of one size as (crops, height, width, 3), the input of a network; at least one."""
    return crops[0][None] if len(crops) == 1 else np.stack(crops)


def target_corners(width: int, height: int, margin_x: float, margin_y: float) -> Points:
    """Where ``warp_plate`` puts the corners (4, 2), in pixels of its answer."""
    left, top = width * margin_x / (1 + 2 * margin_x), height * margin_y / (1 + 2 * margin_y)
    right, bottom = width - left, height - top
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def least_turn(points: Sequence[Point]) -> float:
    """Above 0 where points go clockwise around something that is convex.

    For each edge: the area that it spans with the next one, negative where they turn left; the least counts.
    """
    following, after = [*points[1:], *points[:1]], [*points[2:], *points[:2]]
    return min(
        (x2 - x1) * (y3 - y2) - (y2 - y1) * (x3 - x2)
        for (x1, y1), (x2, y2), (x3, y3) in zip(points, following, after, strict=True)
    )


def _homography(target: Points, source: Sequence[Point], width: int, height: int) -> Matrix | None:
    """The map from target to source, None where the corners do not define a sensible one."""
    if not all(abs(x) <= 1e6 and abs(y) <= 1e6 for x, y in source):  # nor is what is no number
        return None
    if least_turn(source) < 0.5:  # square pixels: not convex, not clockwise, or next to nothing
        return None
    matrix = _solve(target, source)
    x, y, one = matrix[2].tolist()
    depths = [x * column + y * row + one for column, row in _rim(width, height)]
    # Where it nears nought lies the horizon of the plate's plane: nothing to be seen there.
    return matrix if min(depths) > 0.1 * max(depths) else None


def _rim(width: int, height: int) -> tuple[Point, ...]:
    return (0, 0), (width, 0), (width, height), (0, height)


def _solve(target: Points, source: Sequence[Point]) -> Matrix:
    """The map from a rectangle's corners (4, 2) to four points (Heckbert 1989)."""
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = source
    (left, top), (right, bottom) = target[0].tolist(), target[2].tolist()
    twist_x, twist_y = x1 - x2 + x3 - x4, y1 - y2 + y3 - y4
    turn = (x2 - x3) * (y4 - y3) - (x4 - x3) * (y2 - y3)
    g = (twist_x * (y4 - y3) - (x4 - x3) * twist_y) / turn
    h = ((x2 - x3) * twist_y - twist_x * (y2 - y3)) / turn
    from_square = ((x2 - x1 + g * x2, x4 - x1 + h * x4, x1), (y2 - y1 + g * y2, y4 - y1 + h * y4, y1), (g, h, 1.0))
    width, height = right - left, bottom - top
    return np.array([(a / width, b / height, c - a * left / width - b * top / height) for a, b, c in from_square])


def _box_points(corners: Corners, width: int, height: int) -> tuple[Point, ...]:
    points = np.nan_to_num(np.array(corners.as_tuple()), nan=0.0, posinf=width, neginf=0.0)
    points = points.clip(-width - height, 2 * (width + height))
    (x1, y1), (x2, y2) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    x2, y2 = max(x2, x1 + 1), max(y2, y1 + 1)
    return (x1, y1), (x2, y1), (x2, y2), (x1, y2)


def _sample(pixels: Pixels, to_source: Matrix, width: int, height: int) -> Pixels:
    """The target's pixels, each the mean of as many samples as it covers source pixels."""
    outline = project(to_source, _rim(width, height))
    region, left, top = _region(pixels, outline)
    upper, right, lower, side = (math.dist(outline[i], outline[i - 3]) for i in range(4))
    step_x, step_y = max(upper, lower) / width, max(right, side) / height
    scale = 1.0
    while min(step_x, step_y) > 2 and min(region.shape[:2]) >= 2:
        region = _halve(region)
        step_x, step_y, scale = step_x / 2, step_y / 2, scale / 2
    region, squeeze_x, squeeze_y = _fit_for_warping(region)
    samples_x = min(max(round(step_x), 1), _MOST_SAMPLES)
    samples_y = min(max(round(step_y), 1), _MOST_SAMPLES)
    fine = cv2.warpPerspective(
        # OpenCV 5 samples four channels in half the time of three.
        cv2.cvtColor(region, cv2.COLOR_RGB2RGBA),
        _between_pixels(to_source, (samples_x, samples_y), (left, top), (scale * squeeze_x, scale * squeeze_y)),
        (width * samples_x, height * samples_y),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if samples_x > 1 or samples_y > 1:
        # Of two samples the linear interpolation is the mean as well, at a fifth of the cost.
        mean = cv2.INTER_LINEAR if samples_x <= 2 and samples_y <= 2 else cv2.INTER_AREA
        fine = cv2.resize(fine, (width, height), interpolation=mean)
    return cv2.cvtColor(fine, cv2.COLOR_RGBA2RGB)  # type: ignore[return-value]


def project(matrix: Matrix, points: Iterable[Point]) -> list[Point]:
    """Where a homography (3, 3) leads points; one on its horizon to nought.

    In plain numbers, which for a few points are faster than arrays.
    """
    (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
    deep = [(x, y, g * x + h * y + i or math.inf) for x, y in points]
    return [((a * x + b * y + c) / depth, (d * x + e * y + f) / depth) for x, y, depth in deep]


def _region(pixels: Pixels, outline: Sequence[Point]) -> tuple[Pixels, int, int]:
    """The part of the picture that is looked at, with its left and top (at least one pixel)."""
    height, width = pixels.shape[:2]
    xs, ys = [x for x, _ in outline], [y for _, y in outline]
    left, top = math.floor(min(max(min(xs) - 2, 0), width - 1)), math.floor(min(max(min(ys) - 2, 0), height - 1))
    right, bottom = math.ceil(min(max(max(xs) + 2, left + 1), width)), math.ceil(min(max(max(ys) + 2, top + 1), height))
    return pixels[top:bottom, left:right], left, top


def _fit_for_warping(region: Pixels) -> tuple[Pixels, float, float]:
    """Squeezed to what OpenCV 4 can warp, no side of 32,767 pixels or more; with the factors in x and y."""
    height, width = region.shape[:2]
    size = min(width, _LONGEST_SIDE), min(height, _LONGEST_SIDE)
    if size == (width, height):
        return region, 1.0, 1.0
    squeezed = cv2.resize(region, size, interpolation=cv2.INTER_AREA)
    return squeezed, size[0] / width, size[1] / height  # type: ignore[return-value]


def _between_pixels(
    to_source: Matrix, samples: tuple[int, int], origin: tuple[int, int], scale: tuple[float, float]
) -> Matrix:
    """The map from indices of samples to indices of a region's pixels.

    Args:
        to_source: the map from target to source; there as here centres lie half a pixel behind the index.
        samples: in each pixel of the target.
        origin: where the region begins in the source.
        scale: of the region.
    """
    columns = [(x / samples[0], y / samples[1], one) for x, y, one in to_source.tolist()]
    across, down, depth = [(x, y, one + x / 2 + y / 2) for x, y, one in columns]
    return np.array(
        [
            [(value - origin[0] * far) * scale[0] - far / 2 for value, far in zip(across, depth, strict=True)],
            [(value - origin[1] * far) * scale[1] - far / 2 for value, far in zip(down, depth, strict=True)],
            depth,
        ]
    )
