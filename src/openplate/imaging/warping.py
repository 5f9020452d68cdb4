"""Pictures brought to the size and shape that a network takes. Used by training and serving alike."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from openplate.datatypes import Box, Corners
from openplate.imaging.decoding import Pixels

PADDING = 114
MARGIN_X, MARGIN_Y = 0.05, 0.08
"""What ``rectify`` shows around a plate, as fractions of its width and height: corners are never exact."""
FURTHER_LOOKS = ((1.05, 1.06), (0.97, 0.94))
"""Zooms of ``rectify`` for who looks at a doubtful plate again: a little wider, a little narrower."""
_LONGEST_SIDE = 16_384
_NEXT = [1, 2, 3, 0]  # of four corners, going round
_MOST_SAMPLES = 8  # per target pixel and axis, when a plate is much larger than the target


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a picture lies on a canvas: canvas x = source x * scale + dx, likewise y."""

    scale: float
    dx: float
    dy: float

    def to_source_points(self, points: ArrayLike) -> NDArray[np.floating]:
        """Canvas points (..., 2) in pixels of the source picture."""
        return (np.asarray(points, dtype=np.float64) - (self.dx, self.dy)) / self.scale

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
) -> tuple[Pixels, NDArray[np.float64]]:
    """The same, with the homography (3, 3) that leads from points of the view to points of the picture."""
    target = target_corners(width, height, margin_x, margin_y)
    source = np.array(corners.as_tuple(), dtype=np.float64)
    to_source = _homography(target, source, width, height)
    if to_source is None:
        source = _box_points(source, pixels.shape[1], pixels.shape[0])
        to_source = _solve(target, source)
    return _sample(pixels, to_source, width, height), to_source


def rectify(
    pixels: Pixels, corners: Corners, width: int, height: int, zoom: tuple[float, float] = (1.0, 1.0)
) -> Pixels:
    """A plate as the reading networks take it: ``warp_plate`` with the margins that they were trained for.

    ``zoom`` shows so many times as much in x and y: another look at the same plate.
    """
    margins = [((1 + 2 * margin) * z - 1) / 2 for margin, z in zip((MARGIN_X, MARGIN_Y), zoom, strict=True)]
    return warp_plate(pixels, corners, width, height, *margins)


def target_corners(width: int, height: int, margin_x: float, margin_y: float) -> NDArray[np.float64]:
    """Where ``warp_plate`` puts the corners (4, 2), in pixels of its answer."""
    left, top = width * margin_x / (1 + 2 * margin_x), height * margin_y / (1 + 2 * margin_y)
    right, bottom = width - left, height - top
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def _homography(
    target: NDArray[np.float64], source: NDArray[np.float64], width: int, height: int
) -> NDArray[np.float64] | None:
    """The map from target to source, None where the corners do not define a sensible one."""
    if not np.isfinite(source).all() or np.abs(source).max() > 1e6:
        return None
    edges = source[_NEXT] - source
    after = edges[_NEXT]
    turns = edges[:, 0] * after[:, 1] - edges[:, 1] * after[:, 0]
    if turns.min() < 0.5:  # square pixels: not convex, not clockwise, or next to nothing
        return None
    matrix = _solve(target, source)
    if not np.isfinite(matrix).all():
        return None
    rim = np.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)], dtype=np.float64)
    depths = rim @ matrix[2]
    # Where it nears nought lies the horizon of the plate's plane: nothing to be seen there.
    return matrix if depths.min() > 0.1 * depths.max() else None


def _solve(target: NDArray[np.float64], source: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = cv2.getPerspectiveTransform(target.astype(np.float32), source.astype(np.float32))
    return np.asarray(matrix, dtype=np.float64)


def _box_points(source: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    points = np.nan_to_num(source, nan=0.0, posinf=width, neginf=0.0).clip(-width - height, 2 * (width + height))
    (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
    x2, y2 = max(x2, x1 + 1), max(y2, y1 + 1)
    return np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])


def _sample(pixels: Pixels, to_source: NDArray[np.float64], width: int, height: int) -> Pixels:
    """The target's pixels, each the mean of as many samples as it covers source pixels."""
    rim = np.array([[(0, 0), (width, 0), (width, height), (0, height)]], dtype=np.float64)
    outline = cv2.perspectiveTransform(rim, to_source)[0]
    region, left, top = _region(pixels, outline)
    to_region = np.array([(1, 0, -left), (0, 1, -top), (0, 0, 1)], dtype=np.float64) @ to_source
    sides = np.linalg.norm(outline[_NEXT] - outline, axis=1)
    step_x, step_y = max(sides[0], sides[2]) / width, max(sides[1], sides[3]) / height
    while min(step_x, step_y) > 2 and min(region.shape[:2]) >= 2:
        region = _halve(region)
        to_region = np.diag((0.5, 0.5, 1.0)) @ to_region
        step_x, step_y = step_x / 2, step_y / 2
    region, to_region = _fit_for_warping(region, to_region)
    samples_x = min(max(round(step_x), 1), _MOST_SAMPLES)
    samples_y = min(max(round(step_y), 1), _MOST_SAMPLES)
    matrix = _to_pixel_centres(to_region @ np.diag((1 / samples_x, 1 / samples_y, 1.0)))
    fine = cv2.warpPerspective(
        region,
        matrix,
        (width * samples_x, height * samples_y),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if samples_x == samples_y == 1:
        return fine  # type: ignore[return-value]
    return cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _region(pixels: Pixels, outline: NDArray[np.float64]) -> tuple[Pixels, int, int]:
    """The part of the picture that is looked at, with its left and top (at least one pixel)."""
    height, width = pixels.shape[:2]
    (x1, y1), (x2, y2) = outline.min(axis=0) - 2, outline.max(axis=0) + 2
    left, top = math.floor(min(max(x1, 0), width - 1)), math.floor(min(max(y1, 0), height - 1))
    right, bottom = math.ceil(min(max(x2, left + 1), width)), math.ceil(min(max(y2, top + 1), height))
    return pixels[top:bottom, left:right], left, top


def _fit_for_warping(region: Pixels, to_region: NDArray[np.float64]) -> tuple[Pixels, NDArray[np.float64]]:
    """Squeezed to what OpenCV 4 can warp: no side of 32,767 pixels or more."""
    height, width = region.shape[:2]
    size = min(width, _LONGEST_SIDE), min(height, _LONGEST_SIDE)
    if size == (width, height):
        return region, to_region
    squeezed = cv2.resize(region, size, interpolation=cv2.INTER_AREA)
    return squeezed, np.diag((size[0] / width, size[1] / height, 1.0)) @ to_region  # type: ignore[return-value]


def _to_pixel_centres(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same map between indices of pixels (whose centres lie half a pixel further)."""
    into = np.array([(1, 0, 0.5), (0, 1, 0.5), (0, 0, 1)], dtype=np.float64)
    out_of = np.array([(1, 0, -0.5), (0, 1, -0.5), (0, 0, 1)], dtype=np.float64)
    return out_of @ matrix @ into
