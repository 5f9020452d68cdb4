"""A wrong answer as a picture: caption with truth over answer, the boxes drawn in, the spots enlarged.

The truth is green, the answer red. Characters stand on a fixed pitch, so that those that differ stand above
each other; they are marked. What the drawing font lacks (other scripts, control characters) is shown as "?".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import zip_longest

import cv2
import numpy as np

from openplate.datatypes import Box
from openplate.evaluation.mistakes import Mistake
from openplate.imaging import Image, Pixels, crop

Color = tuple[int, int, int]

TRUTH: Color = (0, 140, 0)
ANSWER: Color = (215, 0, 0)
INK: Color = (40, 40, 40)
PALE: Color = (110, 110, 110)
PAPER = 255

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_CROP_WIDTH_PX = 480
_SCENE_WIDTH_PX = 1000
_SPOTS = 4
_SPOT_HEIGHT_PX = 120
_MARGIN_PX = 6


def printable(text: str, limit: int = 60) -> str:
    """The text in ASCII: accents dropped, what has no ASCII form as "?", long texts cut."""
    plain = "".join(
        character if " " <= character <= "~" else "?"
        for character in unicodedata.normalize("NFKD", text)
        if not unicodedata.combining(character)
    )
    return plain if len(plain) <= limit else plain[: limit - 3] + "..."


def draw_mistake(image: Image, mistake: Mistake, width: int | None = None) -> Image:
    """The whole sheet, ``width`` px wide; without one, as wide as suits the picture."""
    if width is None:
        width = _SCENE_WIDTH_PX if image.width > _CROP_WIDTH_PX / 2 else _CROP_WIDTH_PX
    parts = [_caption(mistake, width), _picture(image, mistake, width)]
    boxes = (*mistake.truth_boxes, *mistake.answer_boxes)
    if boxes:
        parts.append(_spots(image, boxes, width))
    return Image(np.vstack(parts))


def _caption(mistake: Mistake, width: int) -> Pixels:
    truth, answer = printable(mistake.truth) or "(nothing)", printable(mistake.answer) or "(nothing)"
    pitch = min(width / 18.0, 22.0, (width - 2 * _MARGIN_PX) / max(len(truth), len(answer), 1))
    line = int(pitch * 1.7)
    small = max(14, int(width * 0.018))
    canvas = np.full((2 * line + small + 2 * _MARGIN_PX, width, 3), PAPER, dtype=np.uint8)
    for row, (text, color) in enumerate(((truth, TRUTH), (answer, ANSWER)), start=1):
        marks = [a != b for a, b in zip_longest(truth, answer)]
        _write_line(canvas, text, marks, (_MARGIN_PX, row * line), pitch, color)
    about = f"{mistake.set_name}/{mistake.path.name} {mistake.detail}"
    _write(canvas, printable(about, 200), (_MARGIN_PX, canvas.shape[0] - _MARGIN_PX), small, PALE)
    return canvas


def _write_line(
    canvas: Pixels, text: str, marks: Sequence[bool], at: tuple[int, int], pitch: float, color: Color
) -> None:
    """Each character in a cell ``pitch`` px wide; marked ones in colour on a tint, the others in ink."""
    x, y = at
    for index, character in enumerate(text):
        left, right = x + int(index * pitch), x + int((index + 1) * pitch) - 1
        if marks[index]:
            tint = tuple(255 - (255 - part) // 6 for part in color)
            cv2.rectangle(canvas, (left, y - int(1.3 * pitch)), (right, y + int(0.2 * pitch)), tint, -1)
        _write(canvas, character, (left + 1, y), int(1.3 * pitch), color if marks[index] else INK)


def _write(canvas: Pixels, text: str, at: tuple[int, int], height: int, color: Color) -> None:
    """``at`` is the left end of the base line, ``height`` that of a capital with some air (px)."""
    scale = height / 32.0
    thickness = 2 if height >= 24 else 1
    cv2.putText(canvas, text, at, _FONT, scale, color, thickness, cv2.LINE_AA)


def _resized(pixels: Pixels, width: int, height: int) -> Pixels:
    method = cv2.INTER_AREA if width < pixels.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (max(width, 1), max(height, 1)), interpolation=method), np.uint8)


def _picture(image: Image, mistake: Mistake, width: int) -> Pixels:
    """The picture with its boxes, fitted into ``width`` and three quarters of that in height."""
    scale = min(width / image.width, 0.75 * width / image.height)
    pixels = _resized(image.pixels, round(image.width * scale), round(image.height * scale))
    for boxes, color in ((mistake.truth_boxes, TRUTH), (mistake.answer_boxes, ANSWER)):
        for box in boxes:
            _draw_box(pixels, box, scale, color)
    return _padded(pixels, width)


def _draw_box(pixels: Pixels, box: Box, scale: float, color: Color) -> None:
    """A coloured line inside a white one, around the box and not over its contents."""
    start = int(box.x1 * scale) - 2, int(box.y1 * scale) - 2
    end = int(box.x2 * scale) + 2, int(box.y2 * scale) + 2
    cv2.rectangle(pixels, start, end, (PAPER, PAPER, PAPER), 4)
    cv2.rectangle(pixels, start, end, color, 2)


def _padded(pixels: Pixels, width: int) -> Pixels:
    missing = max(width - pixels.shape[1], 0)
    return np.pad(pixels, ((0, 0), (0, missing), (0, 0)), constant_values=PAPER)[:, :width]


def _spots(image: Image, boxes: Sequence[Box], width: int) -> Pixels:
    """The surroundings of the first few boxes, enlarged to one height, side by side."""
    canvas = np.full((_SPOT_HEIGHT_PX + 2 * _MARGIN_PX, width, 3), PAPER, dtype=np.uint8)
    left = _MARGIN_PX
    for box in boxes[:_SPOTS]:
        spot = crop(image, box.expand(0.3, 0.6))
        wide = round(spot.width * _SPOT_HEIGHT_PX / spot.height)
        room = min(wide, (width - _MARGIN_PX) // min(len(boxes), _SPOTS) - _MARGIN_PX)
        high = round(_SPOT_HEIGHT_PX * room / wide)
        canvas[_MARGIN_PX : _MARGIN_PX + high, left : left + room] = _resized(spot.pixels, room, high)
        left += room + _MARGIN_PX
    return canvas
