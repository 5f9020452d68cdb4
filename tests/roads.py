"""A road as a camera on a pole sees it: boxes of cars that drive on it at known speeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np

from openplate.datatypes import Box, GroundPoint

WIDTH, HEIGHT = 1280, 720


@dataclass(frozen=True)
class Pole:
    """Looks along y, down by ``tilt_degrees``, from ``height_m`` above (0, 0)."""

    height_m: float = 5.0
    tilt_degrees: float = 14.0
    focal_px: float = 1300.0

    def see(self, x: float, y: float, z: float = 0.0) -> tuple[float, float]:
        """Where a place (metres: to the right, ahead, up) is in the picture (pixels)."""
        tilt = math.radians(self.tilt_degrees)
        down = self.height_m - z
        depth = y * math.cos(tilt) + down * math.sin(tilt)
        below = down * math.cos(tilt) - y * math.sin(tilt)
        return WIDTH / 2 + self.focal_px * x / depth, HEIGHT / 2 + self.focal_px * below / depth

    def known(self, *places: tuple[float, float]) -> tuple[GroundPoint, ...]:
        """Points of a calibration, by their places."""
        return tuple((px / WIDTH, py / HEIGHT, x, y) for x, y in places for px, py in [self.see(x, y)])

    def car(self, x: float, y: float, *, along: bool = True) -> Box:
        """The box of a car whose middle is there; ``along``: it drives to or from the camera, else across."""
        half = (0.9, 2.2) if along else (2.2, 0.9)
        corners = [self.see(x + a * half[0], y + b * half[1], z) for a, b, z in product((-1, 1), (-1, 1), (0, 1.5))]
        xs, ys = zip(*corners, strict=True)
        return Box(min(xs), min(ys), max(xs), max(ys))


POLE = Pole()
LANE = POLE.known((-1.75, 14), (1.75, 14), (1.75, 34), (-1.75, 34))


def shaken(box: Box, noise: np.random.Generator, share: float) -> Box:
    """As a detector finds it: each side off by some of the height."""
    x1, y1, x2, y2 = np.array(box.as_tuple()) + noise.normal(0, share * box.height, 4)
    return Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
