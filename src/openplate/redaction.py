"""Plates out of pictures: blurred, filled or covered with a logo. Values in, values out; nothing is loaded or saved.

A blur that only smooths can be undone, and a mosaic of fine tiles can be read by trying texts. So at every strength
a plate is first reduced to a few coarsely rounded colours, at most about one for each character, and only what is
left of it is drawn smoothly. "fill" and "logo" leave nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from openplate.datatypes import Box, Corners, Detection, Plate
from openplate.geometry import non_max_suppression
from openplate.imaging import Image, Pixels

Style = Literal["blur", "fill", "logo"]
Color = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""
Area = Corners | Box
"""Where a plate is, in pixels of the picture."""

STYLES: tuple[Style, ...] = ("blur", "fill", "logo")
WEAKEST, STRONGEST, DEFAULT_STRENGTH = 1, 10, 5
FILL: Color = (0, 0, 0)

_MARGIN, _FEATHER = 0.15, 0.25
"""Shares of a plate's height: what is covered around it, and how far from there on the covering fades out."""
_LEAST_MARGIN_PX, _LEAST_FEATHER_PX = 2.0, 2.0
_WEAKEST_CELL, _STRONGEST_CELL = 0.55, 2.5
"""Sides of the colours that a blur leaves, in heights of the plate; a character is some 0.5 of them wide."""
_LEAST_CELL_PX = 4.0
_COLOR_STEP = 16
_SUBPIXEL_BITS = 4
_FARTHEST_PX = 1e6
_LEAST_AGREEMENT = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Covering:
    """How plates are hidden.

    Attributes:
        style: "blur", "fill" with ``color``, or "logo".
        strength: of a blur, 1 (a hint of the plate's colours stays) to 10 (one colour); no strength is readable.
        color: of a filling.
        logo: the picture laid over plates, fitted into them; needed for "logo".

    Raises ValueError for an unknown style, a strength out of range or a missing logo.
    """

    style: Style = "blur"
    strength: int = DEFAULT_STRENGTH
    color: Color = FILL
    logo: Image | None = None

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ValueError(f"no style {self.style!r}; the styles are {', '.join(STYLES)}")
        if not WEAKEST <= self.strength <= STRONGEST:
            raise ValueError(f"a strength must lie between {WEAKEST} and {STRONGEST}, not {self.strength}")
        if self.style == "logo" and self.logo is None:
            raise ValueError("to cover plates with a logo, a logo is needed")


def redact(image: Image, plates: Sequence[Area], covering: Covering = Covering(), *, kept: Sequence[Box] = ()) -> Image:
    """The picture with those plates hidden; the given one stays as it is.

    Each plate's outline is covered with a margin of 15 % of its height and fades out over the next 25 %.
    Pixels inside the boxes ``kept`` stay as they are, whatever is there.
    """
    canvas = image.pixels.copy()
    for plate in plates:
        _hide(canvas, plate, covering)
    for box in kept:
        part = _touched(box, image.width, image.height)
        canvas[part] = image.pixels[part]
    return Image(canvas)


def areas_of(plates: Iterable[Plate]) -> list[Area]:
    """What to hide of recognized plates: their corners, and the box as well where the two disagree."""
    areas: list[Area] = []
    for plate in plates:
        corners, box = plate.detection.corners, plate.detection.box
        if corners is not None:
            areas.append(corners)
        if corners is None or corners.box.iou(box) < _LEAST_AGREEMENT:
            areas.append(box)
    return areas


# --- one plate ----------------------------------------------------------------------------------------


def _hide(canvas: Pixels, plate: Area, covering: Covering) -> None:
    height, width = canvas.shape[:2]
    outline = _outline(plate, width, height)
    tall = _height_of(outline)
    margin = max(_MARGIN * tall, _LEAST_MARGIN_PX)
    feather = max(_FEATHER * tall, _LEAST_FEATHER_PX)
    (x1, y1), (x2, y2) = outline.min(axis=0), outline.max(axis=0)
    around = Box(x1, y1, x2, y2)
    reach = margin + feather + 1
    part = _touched(Box(x1 - reach, y1 - reach, x2 + reach, y2 + reach), width, height)
    region = canvas[part]
    if region.size == 0:
        return
    local = outline - (part[1].start, part[0].start)
    cover = _cover(region, local, tall, around, covering)
    opacity = _opacity(region.shape[1], region.shape[0], local, margin, feather)
    mixed = region * (1 - opacity) + cover * opacity
    canvas[part] = np.rint(mixed).astype(np.uint8)


def _outline(plate: Area, width: int, height: int) -> NDArray[np.float64]:
    """Four corners (4, 2), clockwise round a convex area; twisted ones give way to the box around them."""
    corners = Corners.from_box(plate) if isinstance(plate, Box) else plate
    points = np.array(corners.as_tuple(), dtype=np.float64)
    points = np.nan_to_num(points, nan=0.0, posinf=_FARTHEST_PX, neginf=-_FARTHEST_PX)
    points = points.clip((-width, -height), (2 * width, 2 * height))
    edges = np.roll(points, -1, axis=0) - points
    following = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    if turns.min() > 0:
        return points
    (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
    return np.array(Corners.from_box(Box(x1, y1, x2, y2)).as_tuple())


def _height_of(outline: NDArray[np.float64]) -> float:
    """The mean length of a plate's left and right side, and at least a pixel."""
    sides = np.linalg.norm(outline[[3, 2]] - outline[[0, 1]], axis=1)
    return max(float(sides.mean()), 1.0)


def _touched(box: Box, width: int, height: int) -> tuple[slice, slice]:
    """Rows and columns of the pixels that a box touches."""
    inside = box.clamp(width, height)
    rows = slice(int(np.floor(inside.y1)), int(np.ceil(inside.y2)))
    return rows, slice(int(np.floor(inside.x1)), int(np.ceil(inside.x2)))


def _opacity(
    width: int, height: int, outline: NDArray[np.float64], margin: float, feather: float
) -> NDArray[np.float32]:
    """(height, width, 1): 1 over the plate and its margin, fading to 0 at the feather's end."""
    inside = np.full((height, width), 255, np.uint8)
    points = np.rint((outline - 0.5) * 2**_SUBPIXEL_BITS).astype(np.int32)
    cv2.fillConvexPoly(inside, points, (0,), cv2.LINE_8, _SUBPIXEL_BITS)
    if inside.all():  # an outline thinner than a pixel, or outside
        return np.zeros((height, width, 1), np.float32)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    fading = np.clip(1 - (distance - margin) / feather, 0, 1).astype(np.float32)
    return np.asarray(fading * fading * (3 - 2 * fading), np.float32)[:, :, None]


# --- what is laid over it -----------------------------------------------------------------------------


def _cover(
    region: Pixels, outline: NDArray[np.float64], tall: float, around: Box, covering: Covering
) -> NDArray[np.float32]:
    """The covering (h, w, 3) of a region, of which only the plate's part is used."""
    if covering.style == "blur":
        share = (covering.strength - WEAKEST) / (STRONGEST - WEAKEST)
        cell = _WEAKEST_CELL * (_STRONGEST_CELL / _WEAKEST_CELL) ** share
        whole = max(around.width, around.height) if covering.strength == STRONGEST else 0.0
        return _few_colors(region, max(cell * tall, whole, _LEAST_CELL_PX))
    if covering.style == "logo" and covering.logo is not None:
        return _laid_over(region, outline, covering.logo)
    return np.full(region.shape, covering.color, np.float32)


def _few_colors(region: Pixels, cell_px: float) -> NDArray[np.float32]:
    """The mean colours of cells, rounded to multiples of 16, drawn smoothly over the region again."""
    height, width = region.shape[:2]
    columns, rows = (max(int(size / cell_px), 1) for size in (width, height))
    means = cv2.resize(region, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    rounded = np.minimum(np.rint(means / _COLOR_STEP) * _COLOR_STEP, 255)
    smooth = cv2.resize(rounded, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(smooth, np.float32)


def _laid_over(region: Pixels, outline: NDArray[np.float64], logo: Image) -> NDArray[np.float32]:
    """The logo in the plate's perspective, as large as it fits, on the colour of its own rim."""
    sides = np.linalg.norm(np.roll(outline, -1, axis=0) - outline, axis=1)
    plate_width, plate_height = max(sides[0], sides[2], 1.0), max(sides[1], sides[3], 1.0)
    scale = min(plate_width / logo.width, plate_height / logo.height)
    share_x, share_y = logo.width * scale / plate_width / 2, logo.height * scale / plate_height / 2
    fitted = np.array([(0.5 - share_x, 0.5 - share_y), (0.5 + share_x, 0.5 - share_y)], np.float64)
    fitted = np.concatenate([fitted, 1 - fitted])
    unit = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    to_plate = cv2.getPerspectiveTransform(unit, outline.astype(np.float32))
    target = cv2.perspectiveTransform(fitted[None], to_plate)[0]
    reduced = _reduced(logo.pixels, scale)
    source = unit * (reduced.shape[1], reduced.shape[0])
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    rim = np.concatenate([reduced[0], reduced[-1], reduced[:, 0], reduced[:, -1]])
    color = [float(value) for value in np.median(rim, axis=0)]
    size = (region.shape[1], region.shape[0])
    laid = cv2.warpPerspective(
        reduced, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=color
    )
    return np.asarray(laid, np.float32)


def _reduced(pixels: Pixels, scale: float) -> Pixels:
    """Brought near the size that it will have, so that a large logo does not flicker."""
    if scale >= 1:
        return pixels
    size = max(round(pixels.shape[1] * scale), 1), max(round(pixels.shape[0] * scale), 1)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


# --- wide pictures, piece by piece --------------------------------------------------------------------


def pieces(width: int, height: int, count: int, overlap: float) -> list[Box]:
    """A picture cut into that many pieces side by side, each sharing ``overlap`` (0 to below 1) of its width."""
    if count < 1 or not 0 <= overlap < 1:
        raise ValueError(f"no {count} pieces that overlap by {overlap}")
    side = width / (count - (count - 1) * overlap)
    starts = [number * side * (1 - overlap) for number in range(count)]
    return [Box(np.floor(x), 0, min(np.ceil(x + side), width), height) for x in starts]


def join_pieces(found: Sequence[tuple[Box, Sequence[Plate]]], most_overlap: float = 0.4) -> tuple[Plate, ...]:
    """The plates of pieces as plates of the whole, one for each, most confident first.

    A plate's ``vehicle_index`` is not kept: vehicles are cut by the pieces.
    """
    plates = [replace(_shifted(plate, piece), vehicle_index=None) for piece, each in found for plate in each]
    if not plates:
        return ()
    boxes = np.array([plate.detection.box.as_tuple() for plate in plates])
    scores = np.array([plate.detection.confidence for plate in plates])
    return tuple(plates[index] for index in non_max_suppression(boxes, scores, most_overlap))


def _shifted(plate: Plate, piece: Box) -> Plate:
    detection: Detection = plate.detection
    corners = detection.corners
    moved = replace(
        detection,
        box=detection.box.shift(piece.x1, piece.y1),
        corners=None if corners is None else corners.shift(piece.x1, piece.y1),
    )
    return replace(plate, detection=moved)
