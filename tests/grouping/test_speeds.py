"""Speeds of cars on a drawn road: known ones, with shaking boxes, uneven times, and boxes that mean something else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from openplate.datatypes import Box, Speed
from openplate.ground import Ground
from openplate.grouping.speeds import MOST_PLACES, GroundPath, TimedPlace, travel_speed
from roads import HEIGHT, LANE, POLE, WIDTH, shaken

GROUND = Ground.from_points(LANE)


def drive(
    box_at: Callable[[float], Box], times: np.ndarray, noise_share: float = 0.0, seed: int = 1
) -> list[TimedPlace]:
    """Where the car is seen to be at these times (seconds)."""
    noise = np.random.default_rng(seed)
    places = []
    for at_s in times:
        place = GROUND.place(shaken(box_at(float(at_s)), noise, noise_share), WIDTH, HEIGHT)
        if place is not None:
            places.append(TimedPlace(float(at_s), place))
    return places


def coming(kmh: float) -> Callable[[float], Box]:
    return lambda at_s: POLE.car(0.3, 42 - kmh / 3.6 * at_s)


def going(kmh: float) -> Callable[[float], Box]:
    return lambda at_s: POLE.car(0.3, 14 + kmh / 3.6 * at_s)


def crossing(kmh: float) -> Callable[[float], Box]:
    return lambda at_s: POLE.car(-8 + kmh / 3.6 * at_s, 25, along=False)


def even(seconds: float, fps: float = 5) -> np.ndarray:
    return np.arange(0, seconds, 1 / fps)


def known(speed: Speed | None) -> Speed:
    assert speed is not None
    return speed


@pytest.mark.parametrize("way", [coming, going])
@pytest.mark.parametrize("kmh", [8, 30, 50, 90])
def test_cars_that_come_and_go(way: Callable[[float], Callable[[float], Box]], kmh: float) -> None:
    speed = known(travel_speed(drive(way(kmh), even(24 / (kmh / 3.6)))))
    assert speed.kmh == pytest.approx(kmh, rel=0.03)
    assert speed.confidence > 0.95


def test_a_car_that_crosses() -> None:
    lane = Ground.from_points(POLE.known((-6, 18), (6, 18), (6, 36), (-6, 36)))
    places = [
        TimedPlace(at, place)
        for at in even(2.2, 10)
        if (place := lane.place(crossing(25)(float(at)), WIDTH, HEIGHT)) is not None
    ]
    assert known(travel_speed(places)).kmh == pytest.approx(25, rel=0.05)


@pytest.mark.parametrize("seed", range(8))
def test_shaking_boxes_at_uneven_times(seed: int) -> None:
    """Frames of a camera that come in bursts, a third of them lost."""
    random = np.random.default_rng(100 + seed)
    times = even(2.0, 12) + random.uniform(-0.02, 0.02, 24)
    times = np.sort(times[random.uniform(size=24) > 0.33])
    speed = known(travel_speed(drive(coming(45), times, 0.02, seed)))
    assert speed.kmh == pytest.approx(45, rel=0.1)


def test_single_boxes_elsewhere_do_not_matter() -> None:
    places = drive(coming(40), even(2.2, 10), 0.01)
    far = [
        TimedPlace(each.at_s, GROUND.place(POLE.car(-1, 18), WIDTH, HEIGHT) or each.place) if i % 6 == 3 else each
        for i, each in enumerate(places)
    ]
    assert known(travel_speed(far)).kmh == pytest.approx(40, rel=0.08)


def test_who_stands_has_a_speed_of_nearly_nothing() -> None:
    assert known(travel_speed(drive(lambda _: POLE.car(0, 22), even(6), 0.01))).kmh < 1


def test_scatter_makes_it_less_sure() -> None:
    sure, unsure = (
        [known(travel_speed(drive(coming(45), even(1.2), share, seed))).confidence for seed in range(20)]
        for share in (0.003, 0.3)
    )
    assert min(sure) > 0.99
    assert np.median(unsure) < 0.9


@pytest.mark.parametrize("times", [even(0.5, 5), even(0.2, 50), np.full(9, 1.0), np.array([])])
def test_too_little_says_nothing(times: np.ndarray) -> None:
    """Too few places, too short a time, a clock that stands."""
    assert travel_speed(drive(coming(45), times)) is None


def test_what_no_vehicle_does_is_not_told() -> None:
    near, far = drive(lambda _: POLE.car(0, 18), even(1.0, 10)), drive(lambda _: POLE.car(0, 38), even(1.0, 10))
    jumping = [(near if i % 2 else far)[i] for i in range(10)]
    assert known(travel_speed(jumping)).confidence < 0.5
    assert travel_speed(drive(lambda at_s: POLE.car(0, 54 - 115 * at_s), even(0.34, 50))) is None


def test_a_long_stay_is_bounded_and_keeps_its_ends() -> None:
    path = GroundPath()
    places = drive(lambda at_s: POLE.car(0, 38 - 0.004 * at_s), np.arange(0, 5000, 1.0))
    for each in places:
        path.add(each.at_s, each.place)
    assert len(path.places) <= MOST_PLACES
    assert (path.places[0], path.places[-1]) == (places[0], places[-1])
    assert known(travel_speed(path.places)).kmh == pytest.approx(0.0144, rel=0.05)
