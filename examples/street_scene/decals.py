"""What is painted on a car's body: lamps, grille, seams, seen straight from the front, the back and the side."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from street_scene.fields import Array, Color, sample, vector

PIXELS_PER_M = 500
Outline = Sequence[tuple[float, float]]

BLACK: Color = (0.012, 0.012, 0.013)
CHROME: Color = (0.55, 0.56, 0.58)


@dataclass(frozen=True)
class Paint:
    """A decal's values at points: colour (n, 3), how far it covers the body's paint (n,), gloss and glow (n,)."""

    color: Array
    cover: Array
    gloss: Array
    glow: Array


class Decal:
    """A painting in metres, u to the right and v up; ``mirror`` paints each shape on both sides of u = 0."""

    def __init__(self, left: float, bottom: float, right: float, top: float, mirror: bool) -> None:
        self.left, self.top, self.mirror = left, top, mirror
        self.size = (round((top - bottom) * PIXELS_PER_M), round((right - left) * PIXELS_PER_M))
        self.layers = np.zeros((*self.size, 6), np.float32)

    def _mask(self, outline: Outline, soft: float) -> Array:
        mask = np.zeros(self.size, np.uint8)
        sides = (1, -1) if self.mirror else (1,)
        for side in sides:
            points = np.asarray([(side * u - self.left, self.top - v) for u, v in outline])
            cv2.fillPoly(mask, [(points * PIXELS_PER_M * 16).round().astype(np.int32)], 255, cv2.LINE_AA, 4)
        blurred = cv2.GaussianBlur(mask, (0, 0), max(soft * PIXELS_PER_M, 0.6))
        return blurred.astype(np.float32) / 255

    def fill(
        self,
        outline: Outline,
        color: Color,
        *,
        gloss: float = 0.0,
        glow: float = 0.0,
        soft: float = 0.0,
        cover: float = 1.0,
    ) -> None:
        weight = (self._mask(outline, soft) * cover)[..., None]
        target = vector(*color, 1.0, gloss, glow)
        self.layers[...] = self.layers * (1 - weight) + target * weight

    def line(self, path: Outline, width: float, color: Color, *, gloss: float = 0.0, cover: float = 1.0) -> None:
        """A stroke of some width in metres along a path."""
        for (u1, v1), (u2, v2) in itertools.pairwise(path):
            length = max(float(np.hypot(u2 - u1, v2 - v1)), 1e-6)
            du, dv = (v1 - v2) / length * width / 2, (u2 - u1) / length * width / 2
            box = [(u1 + du, v1 + dv), (u2 + du, v2 + dv), (u2 - du, v2 - dv), (u1 - du, v1 - dv)]
            self.fill(box, color, gloss=gloss, cover=cover)

    def disc(
        self,
        center: tuple[float, float],
        radius: float,
        color: Color,
        *,
        gloss: float = 0.0,
        glow: float = 0.0,
        soft: float = 0.0,
    ) -> None:
        angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
        ring = [(center[0] + radius * float(np.cos(a)), center[1] + radius * float(np.sin(a))) for a in angles]
        self.fill(ring, color, gloss=gloss, glow=glow, soft=soft)

    def at(self, u: Array, v: Array) -> Paint:
        found = sample(self.layers, (u - self.left) * PIXELS_PER_M, (self.top - v) * PIXELS_PER_M)
        color = found[:, :3] / np.maximum(found[:, 3:4], 1e-3)
        return Paint(color, found[:, 3], found[:, 4], found[:, 5])


def _headlamps(decal: Decal) -> None:
    lamp = [(0.44, 0.665), (0.50, 0.735), (0.70, 0.775), (0.90, 0.80), (0.90, 0.72), (0.80, 0.655), (0.60, 0.635)]
    decal.fill([(u + 0.004, v - 0.004) for u, v in lamp], BLACK)
    decal.fill(lamp, (0.10, 0.105, 0.11), gloss=0.9, soft=0.003)
    for center, radius in (((0.585, 0.695), 0.048), ((0.715, 0.715), 0.052)):
        decal.disc(center, radius, (0.42, 0.43, 0.45), gloss=1.0)
        decal.disc(center, radius * 0.8, (0.08, 0.08, 0.09), gloss=1.0)
        decal.disc(
            (center[0] - 0.006, center[1] + 0.008), radius * 0.45, (0.75, 0.78, 0.8), gloss=1.0, glow=0.25, soft=0.006
        )
    decal.line([(0.47, 0.672), (0.60, 0.648), (0.80, 0.668), (0.885, 0.725)], 0.014, (0.9, 0.92, 0.95), gloss=0.8)
    decal.fill([(0.80, 0.70), (0.88, 0.735), (0.88, 0.775), (0.80, 0.765)], (0.75, 0.28, 0.03), gloss=0.8, soft=0.006)


def _grille(decal: Decal) -> None:
    outline = [(0.0, 0.755), (0.36, 0.735), (0.40, 0.68), (0.34, 0.575), (0.0, 0.565)]
    decal.fill([(u * 1.05, 0.66 + (v - 0.66) * 1.16) for u, v in outline], CHROME, gloss=1.0)
    decal.fill(outline, BLACK)
    for v in (0.605, 0.645, 0.685, 0.722):
        decal.line([(0.0, v), (0.37, v)], 0.011, (0.10, 0.10, 0.105), gloss=0.7)
    decal.disc((0.0, 0.672), 0.062, CHROME, gloss=1.0)
    decal.disc((0.0, 0.672), 0.05, (0.03, 0.05, 0.10), gloss=0.8)
    decal.line([(-0.03, 0.655), (0.0, 0.70), (0.03, 0.655)], 0.012, CHROME, gloss=1.0)


def _lower_front(decal: Decal) -> None:
    intake = [(0.0, 0.37), (0.50, 0.37), (0.60, 0.29), (0.50, 0.235), (0.0, 0.235)]
    decal.fill(intake, BLACK, soft=0.004)
    for v in (0.26, 0.29, 0.32, 0.35):
        decal.line([(0.0, v), (0.50, v)], 0.008, (0.035, 0.035, 0.037))
    decal.fill([(0.62, 0.42), (0.86, 0.47), (0.86, 0.35), (0.70, 0.30)], (0.02, 0.02, 0.021), soft=0.004)
    decal.disc((0.735, 0.385), 0.044, CHROME, gloss=1.0)
    decal.disc((0.735, 0.385), 0.035, (0.35, 0.36, 0.37), gloss=1.0, soft=0.006)
    decal.fill([(0, 0.225), (0.95, 0.235), (0.95, 0.15), (0, 0.15)], (0.018, 0.018, 0.019), soft=0.006)


def paint_front() -> Decal:
    decal = Decal(-1.0, 0.15, 1.0, 1.15, mirror=True)
    decal.line([(0.0, 0.79), (0.40, 0.78), (0.50, 0.75)], 0.007, BLACK, cover=0.9)
    decal.line([(0.62, 0.88), (0.58, 0.80), (0.52, 0.745)], 0.006, BLACK, cover=0.8)
    decal.line([(0.44, 0.655), (0.47, 0.52), (0.88, 0.56)], 0.004, BLACK, cover=0.5)
    _grille(decal)
    _lower_front(decal)
    _headlamps(decal)
    decal.fill([(0.0, 0.553), (0.275, 0.553), (0.275, 0.405), (0.0, 0.405)], (0.015, 0.015, 0.016), gloss=0.1)
    return decal


def _tail_lamps(decal: Decal) -> None:
    lamp = [(0.47, 0.905), (0.90, 0.94), (0.90, 0.74), (0.74, 0.735), (0.66, 0.79), (0.47, 0.80)]
    decal.fill([(u, v - 0.003) for u, v in lamp], BLACK, soft=0.004)
    decal.fill(lamp, (0.32, 0.008, 0.01), gloss=0.9, soft=0.003)
    decal.fill(
        [(0.50, 0.885), (0.86, 0.915), (0.86, 0.875), (0.50, 0.855)],
        (0.62, 0.02, 0.02),
        gloss=0.9,
        glow=0.12,
        soft=0.006,
    )
    decal.fill([(0.72, 0.86), (0.87, 0.865), (0.87, 0.765), (0.76, 0.765)], (0.48, 0.012, 0.014), gloss=0.9, soft=0.008)
    decal.fill([(0.50, 0.845), (0.68, 0.852), (0.66, 0.812), (0.50, 0.815)], (0.62, 0.60, 0.58), gloss=1.0, soft=0.004)
    decal.line([(0.70, 0.92), (0.695, 0.76)], 0.006, (0.10, 0.004, 0.005), gloss=0.6)


def _lower_rear(decal: Decal) -> None:
    decal.fill(
        [(0, 0.40), (0.55, 0.40), (0.72, 0.36), (0.95, 0.36), (0.95, 0.15), (0, 0.15)],
        (0.022, 0.022, 0.023),
        soft=0.003,
    )
    decal.fill([(0.62, 0.435), (0.86, 0.45), (0.86, 0.415), (0.62, 0.405)], (0.42, 0.01, 0.012), gloss=0.7, soft=0.002)
    decal.line([(0.0, 0.585), (0.60, 0.585), (0.92, 0.62)], 0.006, BLACK, cover=0.85)
    decal.fill([(0.46, 0.265), (0.60, 0.265), (0.60, 0.215), (0.46, 0.215)], CHROME, gloss=1.0)
    decal.fill([(0.472, 0.255), (0.588, 0.255), (0.588, 0.225), (0.472, 0.225)], BLACK)


def paint_rear() -> Decal:
    decal = Decal(-1.0, 0.15, 1.0, 1.15, mirror=True)
    recess = [(0.0, 0.79), (0.315, 0.79), (0.36, 0.75), (0.34, 0.60), (0.0, 0.60)]
    decal.fill(recess, BLACK, soft=0.012, cover=0.55)
    decal.line([(0.0, 0.775), (0.30, 0.775)], 0.028, CHROME, gloss=1.0)
    decal.line([(0.0, 0.761), (0.30, 0.761)], 0.008, BLACK)
    _lower_rear(decal)
    decal.line([(0.66, 0.99), (0.68, 0.72), (0.60, 0.60)], 0.007, BLACK, cover=0.85)
    _tail_lamps(decal)
    decal.disc((0.0, 0.865), 0.058, CHROME, gloss=1.0)
    decal.disc((0.0, 0.865), 0.046, (0.03, 0.05, 0.10), gloss=0.8)
    decal.line([(-0.028, 0.85), (0.0, 0.892), (0.028, 0.85)], 0.011, CHROME, gloss=1.0)
    decal.mirror = False
    for u in (0.50, 0.535, 0.57, 0.605):
        decal.line([(u, 0.685), (u, 0.715), (u + 0.018, 0.715), (u + 0.018, 0.685)], 0.006, CHROME, gloss=1.0)
    return decal


def paint_side() -> Decal:
    """u runs from the tail (negative) to the nose of the car."""
    decal = Decal(-2.3, 0.15, 2.3, 1.15, mirror=False)
    for path in (
        [(0.86, 0.98), (0.88, 0.55), (0.78, 0.30), (-0.18, 0.27), (-0.22, 0.98)],
        [(-0.22, 0.28), (-0.80, 0.32), (-1.02, 0.62), (-1.20, 0.72), (-1.25, 0.98)],
    ):
        decal.line(path, 0.006, BLACK, cover=0.85)
    for u in (0.05, -1.0):
        decal.fill(
            [(u, 0.845), (u + 0.19, 0.85), (u + 0.19, 0.825), (u, 0.815)], (0.03, 0.03, 0.03), gloss=0.6, soft=0.004
        )
    decal.fill([(-1.0, 0.245), (1.0, 0.245), (1.0, 0.15), (-1.0, 0.15)], (0.02, 0.02, 0.02), soft=0.006)
    return decal
