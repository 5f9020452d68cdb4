"""Directions in both conventions, and what counts as the same place."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from timelines import START

from openplate.datatypes import Box, PathPoint
from openplate.grouping import to_unit_circle, travel_heading
from openplate.grouping.paths import MOST_POINTS, Path, is_same_place


def path(dx: float, dy: float, count: int = 20, shake: float = 0.0) -> list[PathPoint]:
    """So many pixels each tenth of a second."""
    noise = random.Random(1)
    points = []
    for i in range(count):
        box = Box(500, 300, 560, 340).shift(dx * i + noise.gauss(0, shake), dy * i + noise.gauss(0, shake))
        points.append(PathPoint(START + timedelta(seconds=i / 10), i, box))
    return points


@pytest.mark.parametrize(
    ("dx", "dy", "compass", "unit"),
    [
        (0, -5, 0, 90),
        (5, 0, 90, 0),
        (0, 5, 180, 270),
        (-5, 0, 270, 180),
        (5, -5, 45, 45),
        (5, 5, 135, 315),
        (-5, 5, 225, 225),
        (-5, -5, 315, 135),
    ],
)
def test_eight_directions_in_both_conventions(dx: float, dy: float, compass: float, unit: float) -> None:
    heading = travel_heading(path(dx, dy))
    assert heading is not None
    assert heading == pytest.approx(compass)
    assert to_unit_circle(heading) == pytest.approx(unit)


def test_shaking_boxes_hardly_turn_it() -> None:
    assert travel_heading(path(6, 0, shake=4)) == pytest.approx(90, abs=5)


def test_some_boxes_elsewhere_do_not_matter() -> None:
    points = path(5, 0, 30)
    wrong = [PathPoint(p.at, p.frame_index, p.box.shift(0, 400)) if i % 6 == 5 else p for i, p in enumerate(points)]
    assert travel_heading(wrong) == pytest.approx(90, abs=8)


@pytest.mark.parametrize("points", [[], path(5, 0, 1), path(0, 0), path(0.2, 0, 20), path(0, 0, 40, shake=2)])
def test_what_does_not_move_has_no_direction(points: list[PathPoint]) -> None:
    assert travel_heading(points) is None


def test_frames_of_one_time_are_told_apart_by_their_numbers() -> None:
    still_clock = [PathPoint(START, point.frame_index, point.box) for point in path(5, 0)]
    assert travel_heading(still_clock) == pytest.approx(90)


def test_a_long_path_is_thinned_and_keeps_its_ends() -> None:
    whole = Path()
    points = path(1, 0, 5000)
    for point in points:
        whole.add(point.at, point.frame_index, point.box)
    assert len(whole.points) <= MOST_POINTS
    assert (whole.points[0], whole.points[-1]) == (points[0], points[-1])
    assert travel_heading(whole.points) == pytest.approx(90)


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (Box(100, 100, 200, 180), True),
        (Box(110, 105, 212, 186), True),
        (Box(180, 100, 280, 180), False),
        (Box(50, 60, 250, 220), False),
        (None, False),
    ],
)
def test_the_same_place(other: Box | None, is_same: bool) -> None:
    assert is_same_place(Box(100, 100, 200, 180), other) is is_same
