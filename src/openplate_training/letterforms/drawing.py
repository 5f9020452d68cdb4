"""Characters of a drawn font as masks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from openplate_training.letterforms.paths import Floats, Stroke, parse_skeleton, trace
from openplate_training.letterforms.pen import Line, Pen, ink
from openplate_training.letterforms.style import Die, Style, cut_die
from openplate_training.letterforms.styles import ALL_STYLES

Mask = npt.NDArray[np.uint8]

CAP_HEIGHT = 90
STYLES = {style.name: style for style in ALL_STYLES}
_DETAIL = 4  # pixels drawn per pixel of the mask
_MARGIN = 0.5  # at the sides, in cap heights; cut off afterwards


@dataclass(frozen=True)
class DrawnFont:
    """A style as one maker cuts it; ``variant`` 0 is the style itself, any other number one of its variations.

    Raises:
        ValueError: there is no such style, or the variant is negative.
    """

    style: str
    variant: int = 0

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ValueError(f"no style {self.style!r}; there are: {', '.join(STYLES)}")
        if self.variant < 0:
            raise ValueError(f"variant {self.variant} is negative")


@lru_cache(maxsize=512)
def _die(font: DrawnFont) -> Die:
    return cut_die(STYLES[font.style], font.variant)


def draw(font: DrawnFont, character: str) -> Mask:
    """A character cut to its ink: (height, width), 0 to 255, a capital about ``CAP_HEIGHT`` high.

    Raises:
        ValueError: it is not one of A to Z and 0 to 9.
    """
    die = _die(font)
    if character not in die.skeletons:
        raise ValueError(f"drawn fonts have A-Z and 0-9, not {character!r}")
    style, width = die.style, die.style.width_of(character)
    strokes = parse_skeleton(character, die.skeletons)
    scale = CAP_HEIGHT * _DETAIL
    lines = [_line(stroke, style, width - style.stroke, scale) for stroke in strokes]
    pen = Pen(style.stroke * scale, style.slit * scale, style.is_round)
    canvas = ink(lines, pen, int((width + 2 * _MARGIN) * scale), int(scale / style.contrast))
    size = int((width + 2 * _MARGIN) * CAP_HEIGHT), CAP_HEIGHT
    return _cut(_worn(canvas, style, size))


def _line(stroke: Stroke, style: Style, width: float, scale: float) -> Line:
    """A stroke in the canvas's pixels, whose rows are as far apart as makes the pen right for both directions."""
    thickness = style.stroke * style.contrast
    points = stroke.points.copy()
    points[:, 1] = np.interp(points[:, 1], (-1, 0, 0.5, 1, 2), (-1, 0, style.waist, 1, 2))
    size = width, 1 - thickness
    traced = trace(replace(stroke, points=points), size, style.bowl, style.fullness)
    if not (style.is_round or stroke.is_closed or stroke.is_slit):
        traced = _reach_out(traced, size, style.stroke, thickness)
    traced = traced + np.array((style.stroke / 2, thickness / 2))
    x = traced[:, 0] + (1 - traced[:, 1]) * style.slant + _MARGIN
    pixels = np.stack((x, traced[:, 1] / style.contrast), 1) * scale
    return Line(pixels, stroke.is_closed, stroke.is_slit)


def _reach_out(points: Floats, size: tuple[float, float], stroke: float, thickness: float) -> Floats:
    """Flat ends on the edge of the box are drawn out to the edge of the ink; the canvas cuts slanting ones level."""
    points = points.copy()
    for end, inner in ((0, 1), (-1, -2)):
        step = points[end] - points[inner]
        direction = step / max(float(np.hypot(*step)), 1e-9)
        x, y = points[end]
        if abs(direction[1]) > 0.5 and (y < 1e-3 or y > size[1] - 1e-3):
            points[end] += direction * (stroke * 0.5 + thickness * 0.5) / abs(direction[1])
        elif abs(direction[0]) > 0.97 and (x < 1e-3 or x > size[0] - 1e-3):
            points[end] += direction * stroke / 2
    return points


def _worn(canvas: Floats, style: Style, size: tuple[int, int]) -> Mask:
    """The canvas with corners worn round, reduced to ``size`` (width, height)."""
    sigma = style.softness * CAP_HEIGHT * _DETAIL
    edge = int(4 * sigma) + 1
    padded = cv2.copyMakeBorder(canvas, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=0)
    soft = cv2.GaussianBlur(padded, (0, 0), sigma)[edge:-edge, edge:-edge]
    sharp = np.clip((soft - 0.5) * 8 + 0.5, 0, 1)
    reduced = cv2.resize(sharp, size, interpolation=cv2.INTER_AREA)
    return np.asarray(np.round(reduced * 255), np.uint8)


def _cut(mask: Mask) -> Mask:
    rows, columns = np.flatnonzero(mask.max(1) > 16), np.flatnonzero(mask.max(0) > 16)
    return np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
