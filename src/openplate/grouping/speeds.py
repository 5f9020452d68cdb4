"""How fast a vehicle went, from where it stood on the ground over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openplate.datatypes import Speed
from openplate.ground import GroundPlace

MOST_PLACES = 240
_LEAST_PLACES = 4
_LEAST_S = 0.3
_MOST_FITTED = 64
_LEAST_BLUR_M = 0.02
_KMH = 3.6  # of one metre in a second
_TOLERANCE, _LEAST_TOLERANCE_KMH = 0.1, 2.0
_MOST_KMH = 400.0
_NORMAL = 1.4826  # from the median of distances to a standard deviation

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TimedPlace:
    """Where a vehicle stood; ``at_s`` is of a clock that only goes forward."""

    at_s: float
    place: GroundPlace


class GroundPath:
    """Places of one vehicle, the first and the last always among them. Bounded memory."""

    def __init__(self) -> None:
        self.places: list[TimedPlace] = []

    def add(self, at_s: float, place: GroundPlace) -> None:
        self.places.append(TimedPlace(at_s, place))
        if len(self.places) > MOST_PLACES:
            self.places = [*self.places[:-1:2], self.places[-1]]


def travel_speed(places: Sequence[TimedPlace]) -> Speed | None:
    """The speed at which it went for the most part; None where too little of it was seen.

    The weighted medians of all slopes between two places (Theil 1950, Sen 1968): a pair counts by the time between its
    places, and less where a pixel is many metres. So single wrong boxes do not matter, and unequal times do not.
    ``Speed.confidence`` is how likely the scatter of the places leaves it right within a tenth, or 2 km/h.
    """
    if len(places) < _LEAST_PLACES:
        return None
    chosen = [places[i] for i in np.linspace(0, len(places) - 1, min(len(places), _MOST_FITTED)).astype(int)]
    times = np.array([each.at_s for each in chosen])
    if times[-1] - times[0] < _LEAST_S:
        return None
    ground = np.array([(each.place.x_m, each.place.y_m) for each in chosen])
    blur = np.maximum([each.place.blur_m for each in chosen], _LEAST_BLUR_M)
    first, second = np.triu_indices(len(times), 1)
    between = times[second] - times[first]
    usable = between > 0
    first, second, between = first[usable], second[usable], between[usable]
    weights = between / np.hypot(blur[first], blur[second])
    velocity = np.array(
        [_weighted_median((ground[second, axis] - ground[first, axis]) / between, weights) for axis in (0, 1)]
    )
    kmh = _KMH * math.hypot(*velocity)
    if kmh > _MOST_KMH:
        return None
    return Speed(kmh, _confidence(kmh, times, ground, velocity, blur))


def _confidence(kmh: float, times: Floats, ground: Floats, velocity: Floats, blur: Floats) -> float:
    """By the standard error of a slope, of which the scatter around the way, beside the blur, is the measure."""
    weights = 1 / blur**2
    rest = ground - times[:, None] * velocity
    rest -= [_weighted_median(rest[:, axis], weights) for axis in (0, 1)]
    scatter = _NORMAL * float(np.median(np.hypot(*rest.T) / blur))
    spread = weights @ (times - np.average(times, weights=weights)) ** 2
    error_kmh = _KMH * scatter / math.sqrt(spread)
    tolerated = max(_TOLERANCE * kmh, _LEAST_TOLERANCE_KMH)
    return math.erf(tolerated / (math.sqrt(2) * max(error_kmh, 1e-9)))


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
