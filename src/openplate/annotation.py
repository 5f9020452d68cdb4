"""Recognitions drawn into their pictures: vehicles' boxes, plates' corners, texts on filled labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from openplate.datatypes import UNKNOWN, Box, Corners, Plate, Point, Recognition, Vehicle, VehicleAttributes
from openplate.imaging import Image, Pixels

Color = tuple[int, int, int]
"""Red, green, blue, like the pixels it is drawn on."""

PLATE_COLOR: Color = (255, 214, 10)
UNREAD_COLOR: Color = (255, 112, 67)
VEHICLE_COLOR: Color = (0, 122, 204)
_DARK: Color = (16, 16, 16)
_LIGHT: Color = (255, 255, 255)

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SMALLEST_WIDTH_PX = 320
_MOST_ENLARGED_PIXELS = 4_000_000
_SMALLEST_TEXT_PX = 12
_TEXTS_PER_SIDE = 45  # letters stand this many times in the shorter side
_SUBPIXEL_BITS = 4


def annotate(image: Image, recognition: Recognition) -> Image:
    """The picture with all that was recognized in it drawn in; the given one stays as it is.

    A picture too narrow to write into (below 320 pixels) comes back enlarged by a whole factor.
    """
    factor = _enlargement(image.width, image.height)
    canvas = np.repeat(np.repeat(image.pixels, factor, axis=0), factor, axis=1)
    page = _Page(canvas, factor)
    for vehicle in recognition.vehicles:
        page.outline(Corners.from_box(vehicle.detection.box), VEHICLE_COLOR)
    for plate in recognition.plates:
        page.outline(_outline(plate), _color(plate), marked=True)
    for plate in recognition.plates:
        page.label(_plate_text(plate), _outline(plate).box, _color(plate))
    for vehicle in recognition.vehicles:
        page.label(_vehicle_text(vehicle), vehicle.detection.box, VEHICLE_COLOR)
    for vehicle in recognition.vehicles:
        if look := look_of(vehicle.attributes):
            page.label(look, vehicle.detection.box, VEHICLE_COLOR)
    return Image(canvas)


def look_of(attributes: VehicleAttributes | None) -> str:
    """Colour, make and model as far as they are known, as in "black SEAT Leon"; empty where none is."""
    if attributes is None:
        return ""
    color = attributes.colors[0].value if attributes.colors else UNKNOWN
    words = [color, *_make_and_model(attributes)]
    return " ".join(word for word in words if word != UNKNOWN)


def _make_and_model(attributes: VehicleAttributes) -> tuple[str, ...]:
    best = attributes.make_models[0] if attributes.make_models else None
    if best is not None and best.make != UNKNOWN:
        return (best.make,) if best.model is None else (best.make, best.model)
    return (attributes.makes[0].value,) if attributes.makes else ()


def _enlargement(width: int, height: int) -> int:
    wanted = math.ceil(_SMALLEST_WIDTH_PX / width)
    possible = math.isqrt(_MOST_ENLARGED_PIXELS // (width * height)) if wanted > 1 else 1
    return max(1, min(wanted, possible))


def _outline(plate: Plate) -> Corners:
    return plate.detection.corners or Corners.from_box(plate.detection.box)


def _color(plate: Plate) -> Color:
    return PLATE_COLOR if plate.reading else UNREAD_COLOR


def _percent(confidence: float) -> str:
    return f"{100 * confidence:.0f}%"


def _vehicle_text(vehicle: Vehicle) -> str:
    return f"{vehicle.detection.label} {_percent(vehicle.detection.confidence)}"


def _plate_text(plate: Plate) -> str:
    reading = plate.reading
    if reading is None:
        return f"unread {_percent(plate.detection.confidence)}"
    region = f" {reading.regions[0].value}" if reading.regions else ""
    return f"{reading.text} {_percent(reading.confidence)}{region}"


@dataclass(frozen=True, slots=True)
class _Lettering:
    """A text in its size, with room around it."""

    text: str
    scale: float
    thickness: int
    width: int
    ascent: int
    descent: int
    padding: int

    @property
    def label_width(self) -> int:
        return self.width + 2 * self.padding

    @property
    def label_height(self) -> int:
        return self.ascent + self.descent + 2 * self.padding

    @classmethod
    def fit(cls, text: str, height_px: int, most_width_px: int) -> _Lettering:
        """Letters of that height, or smaller where the label would be wider than the picture."""
        thickness = max(1, round(height_px / 12))
        scale = cv2.getFontScaleFromHeight(_FONT, height_px, thickness)
        lettering = cls._measure(text, scale, thickness, padding=max(2, height_px // 4))
        if lettering.label_width <= most_width_px:
            return lettering
        smaller = scale * most_width_px / lettering.label_width * 0.95
        return cls._measure(text, smaller, 1, padding=1)

    @classmethod
    def _measure(cls, text: str, scale: float, thickness: int, padding: int) -> _Lettering:
        (width, ascent), descent = cv2.getTextSize(text, _FONT, scale, thickness)
        return cls(text, scale, thickness, width, ascent, descent, padding)


class _Page:
    """A canvas (height, width, 3) that is drawn on in the source picture's coordinates times ``factor``;
    it remembers where labels stand, to keep them apart.
    """

    def __init__(self, canvas: Pixels, factor: int) -> None:
        self._canvas = canvas
        self._factor = factor
        self._height, self._width = canvas.shape[:2]
        wanted = max(_SMALLEST_TEXT_PX, round(min(canvas.shape[:2]) / _TEXTS_PER_SIDE))
        self._text_px = max(1, min(wanted, self._height // 2))
        self._line_px = max(1, round(self._text_px / 7))
        self._taken: list[Box] = []

    def outline(self, corners: Corners, color: Color, *, marked: bool = False) -> None:
        """A closed line over a dark one, to be seen on any ground, thin where the object is small;
        ``marked``: with dots on its corners where these leave it visible, and kept free of labels.
        """
        points = self._fixed_point(corners.as_tuple())
        around = self._enlarged(corners.box)
        line_px = max(1, min(self._line_px, round(min(around.width, around.height) / 12)))
        self._lines(points, _DARK, line_px + 2)
        self._lines(points, color, line_px)
        if marked:
            self._taken.append(around)
            if line_px > 1:
                self._dots(points, color, line_px + 1)

    def label(self, text: str, box: Box, color: Color) -> None:
        """The text on a filled ground beside the box, inside the picture, where it covers least."""
        lettering = _Lettering.fit(text, self._text_px, self._width)
        place = self._place(self._enlarged(box), lettering.label_width, lettering.label_height)
        self._taken.append(place)
        left, top = round(place.x1), round(place.y1)
        right, bottom = left + lettering.label_width - 1, top + lettering.label_height - 1
        cv2.rectangle(self._canvas, (left, top), (right, bottom), color, cv2.FILLED)
        origin = (left + lettering.padding, top + lettering.padding + lettering.ascent)
        cv2.putText(
            self._canvas,
            lettering.text,
            origin,
            _FONT,
            lettering.scale,
            _ink(color),
            lettering.thickness,
            cv2.LINE_AA,
        )

    def _place(self, box: Box, width: float, height: float) -> Box:
        """Above the box, below it, inside its top or beside it: the first place that covers nothing drawn."""
        gap = self._line_px + 1
        spots = (
            (box.x1, box.y1 - gap - height),
            (box.x1, box.y2 + gap),
            (box.x1 + gap, box.y1 + gap),
            (box.x2 + gap, box.y1),
            (box.x1 - gap - width, box.y1),
            (box.x1, box.y1 - 2 * (gap + height)),
            (box.x1, box.y2 + 2 * gap + height),
        )
        places = [self._inside(x, y, width, height) for x, y in spots]
        return min(places, key=self._covered)

    def _inside(self, x: float, y: float, width: float, height: float) -> Box:
        left = round(max(0.0, min(x, self._width - width)))
        top = round(max(0.0, min(y, self._height - height)))
        return Box(left, top, left + width, top + height)

    def _covered(self, place: Box) -> float:
        """Square pixels of what is drawn already that a label there would hide."""
        hidden = (place.intersect(taken) for taken in self._taken)
        return sum(common.area for common in hidden if common)

    def _enlarged(self, box: Box) -> Box:
        return Box(*(value * self._factor for value in box.as_tuple())).clamp(self._width, self._height)

    def _fixed_point(self, points: Sequence[Point]) -> NDArray[np.int32]:
        """(n, 2) in sixteenths of a pixel, from centre to centre of pixels; points outside the picture move
        to its edge, where a line can still be seen.
        """
        most = np.array([self._width, self._height]) - 1
        enlarged = np.clip(np.nan_to_num(np.array(points) * self._factor - 0.5), 0, most)
        fixed: NDArray[np.int32] = np.rint(enlarged * 2**_SUBPIXEL_BITS).astype(np.int32)
        return fixed

    def _dots(self, points: NDArray[np.int32], color: Color, radius_px: int) -> None:
        radius = radius_px << _SUBPIXEL_BITS
        for x, y in points.tolist():
            cv2.circle(self._canvas, (x, y), radius, color, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS)

    def _lines(self, points: NDArray[np.int32], color: Color, thickness: int) -> None:
        cv2.polylines(self._canvas, [points], True, color, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def _ink(ground: Color) -> Color:
    """Dark letters on a light ground, light ones on a dark one."""
    red, green, blue = ground
    return _DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else _LIGHT
