"""Where a box is and where it goes: a Kalman filter of constant velocity (Kalman 1960).

Centre and size are followed as four numbers, each with its velocity: x, y in pixels, and the logarithms of width and
height, as what comes nearer grows by the same factor in the same time. Their noises are independent, so the filter
is four small ones, computed at once. All noises are shares of the vehicle's size, so that near and far are alike.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from openplate.datatypes import Box

Floats = NDArray[np.float64]

MEASURED = np.array((0.06, 0.06, 0.1, 0.1))
"""How exact a box is (standard deviations: shares of the unit, and of the logarithms)."""
_ACCELERATION = np.array((2.5, 2.5, 1.0, 1.0))  # per second squared
_FIRST_VELOCITY = np.array((3.0, 3.0, 1.2, 1.2))  # per second
_GROWTH_LASTS_S = 1.0  # after that time a third of a growth is left: nothing grows for ever
_SMALLEST_PX = 1.0
_LONGEST_S = 5.0  # after that time nothing is known any better or worse


def measure(box: Box) -> Floats:
    """Centre x, y and the logarithms of width and height."""
    x, y = box.center
    return np.array((x, y, math.log(max(box.width, _SMALLEST_PX)), math.log(max(box.height, _SMALLEST_PX))))


class BoxFilter:
    """One box over time. ``unit_share`` makes of the box's size that of the vehicle, the unit of its noises."""

    def __init__(self, box: Box, unit_share: float = 1.0) -> None:
        self._unit_share = unit_share
        self._velocity = np.zeros(4)
        self.restart(box)

    def restart(self, box: Box) -> None:
        """It is found again after a while: its velocity may still be the old one, or any other."""
        self._mean = measure(box)
        scale = self._scale()
        self._variance = (MEASURED * scale) ** 2
        self._covariance = np.zeros(4)
        self._velocity_variance = (_FIRST_VELOCITY * scale) ** 2

    @property
    def unit_px(self) -> float:
        """The size of the vehicle, the root of its area."""
        return self._unit_share * math.exp((self._mean[2] + self._mean[3]) / 2)

    @property
    def speed(self) -> float:
        """Units per second."""
        return float(np.hypot(self._velocity[0], self._velocity[1])) / self.unit_px

    @property
    def box(self) -> Box:
        x, y = float(self._mean[0]), float(self._mean[1])
        width, height = math.exp(self._mean[2]), math.exp(self._mean[3])
        return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def _scale(self) -> Floats:
        return np.array((self.unit_px, self.unit_px, 1.0, 1.0))

    def predict(self, seconds: float) -> None:
        """Lets time pass (0 or more)."""
        seconds = min(seconds, _LONGEST_S)
        noise = (_ACCELERATION * self._scale()) ** 2
        kept = math.exp(-seconds / _GROWTH_LASTS_S)
        growing_s = _GROWTH_LASTS_S * (1 - kept)
        self._mean = self._mean + self._velocity * (seconds, seconds, growing_s, growing_s)
        self._velocity = self._velocity * (1.0, 1.0, kept, kept)
        self._variance = (
            self._variance
            + 2 * seconds * self._covariance
            + seconds**2 * self._velocity_variance
            + noise * seconds**4 / 4
        )
        self._covariance = self._covariance + seconds * self._velocity_variance + noise * seconds**3 / 2
        self._velocity_variance = self._velocity_variance + noise * seconds**2

    def update(self, box: Box, doubt: float = 1.0) -> None:
        """Takes a box in; ``doubt`` (1 or more) says how many times less exact than usual it is."""
        innovation = measure(box) - self._mean
        total = self._variance + (MEASURED * doubt * self._scale()) ** 2
        gain, velocity_gain = self._variance / total, self._covariance / total
        self._mean = self._mean + gain * innovation
        self._velocity = self._velocity + velocity_gain * innovation
        self._velocity_variance = self._velocity_variance - velocity_gain * self._covariance
        self._variance = (1 - gain) * self._variance
        self._covariance = (1 - gain) * self._covariance

    def rest(self) -> None:
        """It is known to stand still."""
        self._velocity = np.zeros(4)

    def distances(self, measured: Floats) -> tuple[Floats, Floats]:
        """How far boxes (m, 4), as ``measure`` gives them, are from where this one is expected.

        Returns:
            The squares of their Mahalanobis distances (m,), and what they cost: half of that, and the more the less
            certain the place is, so that a track that may be anywhere does not take the boxes of others (m,).
        """
        exact = (MEASURED * self._scale()) ** 2
        total = self._variance + exact
        squares = ((measured - self._mean) ** 2 / total).sum(axis=1)
        return squares, squares / 2 + 0.5 * float(np.log(total / exact).sum())
