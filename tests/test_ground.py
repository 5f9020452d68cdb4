"""From points of a road to metres, and points that no road can have."""

from __future__ import annotations

import pytest

from openplate.datatypes import Box, GroundPoint
from openplate.ground import Ground
from roads import HEIGHT, LANE, POLE, WIDTH

MORE = POLE.known((-4, 12), (4, 12), (4, 40), (-4, 40), (0, 20), (2, 30))


def box_on(x: float, y: float) -> Box:
    """A box whose lower edge's middle is there."""
    px, py = POLE.see(x, y)
    return Box(px - 40, py - 60, px + 40, py)


@pytest.mark.parametrize("points", [LANE, MORE, LANE[::-1]])
@pytest.mark.parametrize(("x", "y"), [(0, 14), (1, 20), (-1.5, 31), (0.5, 40)])
def test_places_in_metres(points: tuple[GroundPoint, ...], x: float, y: float) -> None:
    place = Ground.from_points(points).place(box_on(x, y), WIDTH, HEIGHT)
    assert place is not None
    assert (place.x_m, place.y_m) == pytest.approx((x, y), abs=0.01)


def test_pictures_of_any_size() -> None:
    ground = Ground.from_points(LANE)
    box = box_on(1, 20)
    small = Box(box.x1 / 2, box.y1 / 2, box.x2 / 2, box.y2 / 2)
    place = ground.place(small, WIDTH // 2, HEIGHT // 2)
    assert place is not None
    assert (place.x_m, place.y_m) == pytest.approx((1, 20), abs=0.01)


def test_what_is_far_is_less_sure() -> None:
    ground = Ground.from_points(LANE)
    near, far = (ground.place(box_on(0, y), WIDTH, HEIGHT) for y in (15, 45))
    assert near is not None
    assert far is not None
    assert far.blur_m > 3 * near.blur_m


@pytest.mark.parametrize(
    "box",
    [
        Box(0, 300, 200, 500),
        Box(1100, 300, WIDTH, 500),
        Box(500, 500, 700, HEIGHT),
        Box(600, 10, 700, 40),  # in the sky
        Box(600, 300, 700, 300),
    ],
)
def test_what_cannot_be_placed(box: Box) -> None:
    assert Ground.from_points(LANE).place(box, WIDTH, HEIGHT) is None


def test_far_from_the_points_nothing_is_believed() -> None:
    ground = Ground.from_points(LANE)
    assert ground.place(box_on(0, 50), WIDTH, HEIGHT) is not None
    assert ground.place(box_on(0, 60), WIDTH, HEIGHT) is None
    assert ground.place(box_on(-7, 30), WIDTH, HEIGHT) is None


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        (LANE[:3], "4 points or more are needed, not 3"),
        (POLE.known((0, 14), (0, 18), (0, 22), (2, 30)), "in one line on the picture"),
        (POLE.known((0, 14), (0, 18), (0, 22), (0, 30)), "in one line on the picture"),
        ((*LANE[:3], LANE[2]), "in one line"),
        (((0.1, 0.9, 0, 0), (0.9, 0.9, 3, 0), (0.6, 0.3, 6, 0), (0.4, 0.3, 9, 0)), "in one line on the ground"),
        (((0.1, 0.9, 0, 0), (0.9, 0.9, 3, 20), (0.6, 0.3, 3, 0), (0.4, 0.3, 0, 20)), "two of them are mixed up"),
        ((*MORE[:5], (*MORE[5][:2], 2.0, 12.0)), "contradict each other: by the others, point"),
        (((0.5, 0.5, 1, 1),) * 4, "in one line"),
    ],
)
def test_points_that_no_road_has(points: tuple[GroundPoint, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Ground.from_points(points)
