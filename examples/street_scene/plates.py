"""Licence plates painted with strokes: white, a blue band on the left, invented texts."""

from __future__ import annotations

import cv2
import numpy as np

from street_scene.fields import Array

WIDTH_M, HEIGHT_M = 0.520, 0.114
PIXELS_PER_M = 3000

Point = tuple[float, float]
Stroke = list[Point]

GLYPH_WIDTH, GLYPH_HEIGHT, STROKE = 0.042, 0.076, 0.0105
ADVANCE, SPACE = 0.0545, 0.026


def _arc(center: Point, radii: Point, start: float, end: float) -> Stroke:
    """Part of an ellipse, degrees clockwise from the right (y points down)."""
    angles = np.radians(np.linspace(start, end, 25))
    return [(center[0] + radii[0] * float(np.cos(a)), center[1] + radii[1] * float(np.sin(a))) for a in angles]


# Strokes in a box of 1 by 1, y down.
GLYPHS: dict[str, list[Stroke]] = {
    "A": [[(0, 1), (0.42, 0), (0.58, 0), (1, 1)], [(0.15, 0.68), (0.85, 0.68)]],
    "E": [[(1, 0), (0.08, 0), (0.08, 1), (1, 1)], [(0.08, 0.48), (0.85, 0.48)]],
    "K": [[(0.05, 0), (0.05, 1)], [(0.95, 0), (0.08, 0.6)], [(0.36, 0.42), (1, 1)]],
    "N": [[(0, 1), (0, 0), (0.08, 0), (0.92, 1), (1, 1), (1, 0)]],
    "T": [[(0, 0), (1, 0)], [(0.5, 0), (0.5, 1)]],
    "W": [[(-0.06, 0), (0.22, 1), (0.5, 0.25), (0.78, 1), (1.06, 0)]],
    "1": [[(0.2, 0.24), (0.58, 0), (0.58, 1)]],
    "2": [[*_arc((0.5, 0.3), (0.46, 0.3), -170, 25), (0.02, 1), (1, 1)]],
    "3": [_arc((0.48, 0.25), (0.42, 0.25), -160, 90), _arc((0.48, 0.73), (0.48, 0.27), -90, 165)],
    "4": [[(0.72, 1), (0.72, 0.38)], [(0.5, 0), (0.02, 0.74), (1, 0.74)]],
    "5": [[(0.92, 0), (0.16, 0), (0.08, 0.45), *_arc((0.47, 0.67), (0.5, 0.33), -140, 150)]],
    "7": [[(0, 0), (0.98, 0), (0.36, 1)]],
    "8": [_arc((0.5, 0.24), (0.4, 0.24), 0, 360), _arc((0.5, 0.73), (0.49, 0.27), 0, 360)],
    "9": [_arc((0.5, 0.31), (0.47, 0.31), 0, 360), [(0.97, 0.31), (0.9, 0.6), (0.5, 1)]],
}


def _pixels(points: Stroke) -> Array:
    return (np.asarray(points, np.float32) * np.asarray(PIXELS_PER_M, np.float32)).round().astype(np.int32)


def _write(canvas: Array, text: str, left: float, color: tuple[float, float, float]) -> None:
    top = (HEIGHT_M - GLYPH_HEIGHT) / 2
    for character in text:
        if character == " ":
            left += SPACE
            continue
        for stroke in GLYPHS[character]:
            placed = [(left + x * GLYPH_WIDTH, top + y * GLYPH_HEIGHT) for x, y in stroke]
            cv2.polylines(canvas, [_pixels(placed)], False, color, round(STROKE * PIXELS_PER_M), cv2.LINE_AA)
        left += ADVANCE


def _band(canvas: Array) -> None:
    """The blue band with its ring of stars and the letters PL."""
    cv2.rectangle(canvas, (0, 0), (round(0.043 * PIXELS_PER_M), canvas.shape[0]), (0.02, 0.08, 0.42), -1)
    for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        star = [(0.023 + 0.012 * float(np.sin(angle)), 0.037 + 0.012 * float(np.cos(angle)))]
        cv2.circle(canvas, tuple(_pixels(star)[0].tolist()), 6, (0.9, 0.75, 0.05), -1, cv2.LINE_AA)
    letters = [
        [(0.012, 0.098), (0.012, 0.074), (0.018, 0.074), (0.020, 0.079), (0.018, 0.085), (0.012, 0.085)],
        [(0.027, 0.074), (0.027, 0.098), (0.036, 0.098)],
    ]
    cv2.polylines(canvas, [_pixels(stroke) for stroke in letters], False, (0.9, 0.9, 0.9), 12, cv2.LINE_AA)


def paint_plate(text: str) -> Array:
    """A plate's colours (h, w, 3), linear 0 to 1, seen from the front."""
    height, width = round(HEIGHT_M * PIXELS_PER_M), round(WIDTH_M * PIXELS_PER_M)
    canvas = np.full((height, width, 3), 0.80, np.float32)
    _band(canvas)
    used = sum(SPACE if character == " " else ADVANCE for character in text) - (ADVANCE - GLYPH_WIDTH)
    _write(canvas, text, 0.043 + (WIDTH_M - 0.043 - used) / 2, (0.012, 0.012, 0.014))
    frame = round(0.004 * PIXELS_PER_M)
    cv2.rectangle(canvas, (frame, frame), (width - frame, height - frame), (0.03, 0.03, 0.03), 7, cv2.LINE_AA)
    return canvas
