"""The filter learns where boxes go, at any frame rate."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from openplate.datatypes import Box
from openplate.tracking.kalman import BoxFilter, measure


def moved(seconds: float, vx: float, growth: float = 0.0) -> Box:
    """A box of 100 x 80 at (200, 300) with a velocity, growing by a factor e to the ``growth`` each second."""
    half_width, half_height = 50 * np.exp(growth * seconds), 40 * np.exp(growth * seconds)
    x = 200 + vx * seconds
    return Box(x - half_width, 300 - half_height, x + half_width, 300 + half_height)


@pytest.mark.parametrize("fps", [2, 5, 10, 25])
@pytest.mark.parametrize("vx", [0, 90, -250])
def test_a_velocity_is_learnt_at_any_frame_rate(fps: float, vx: float) -> None:
    followed = BoxFilter(moved(0, vx))
    for index in range(1, int(3 * fps) + 1):
        followed.predict(1 / fps)
        followed.update(moved(index / fps, vx))
    followed.predict(0.5)
    assert followed.box.center[0] == pytest.approx(moved(int(3 * fps) / fps + 0.5, vx).center[0], abs=12)
    assert followed.speed == pytest.approx(abs(vx) / np.sqrt(8000), abs=0.1)


def test_irregular_frames_give_the_same_velocity() -> None:
    times = [0, 0.1, 0.15, 0.5, 0.55, 1.2, 1.3, 2.0, 2.1, 3.0]
    followed = BoxFilter(moved(0, 120))
    for before, at in pairwise(times):
        followed.predict(at - before)
        followed.update(moved(at, 120))
    assert followed.speed == pytest.approx(120 / np.sqrt(8000), abs=0.1)


def test_what_comes_nearer_goes_on_growing_but_not_for_ever() -> None:
    followed = BoxFilter(moved(0, 0, 0.5))
    for index in range(1, 31):
        followed.predict(0.1)
        followed.update(moved(index / 10, 0, 0.5))
    width = followed.box.width
    followed.predict(0.2)
    assert followed.box.width > 1.05 * width
    followed.predict(60)
    assert followed.box.width < 3 * width


def test_the_longer_unseen_the_less_certain() -> None:
    followed = BoxFilter(moved(0, 0))
    away = measure(moved(0, 0).shift(80, 0))[None]
    squares = []
    for _ in range(4):
        squares.append(float(followed.distances(away)[0][0]))
        followed.predict(0.2)
    assert squares == sorted(squares, reverse=True)


def test_a_certain_track_gets_what_two_might_take() -> None:
    certain, vague = BoxFilter(moved(0, 0)), BoxFilter(moved(0, 0))
    for _ in range(20):
        certain.predict(0.1)
        certain.update(moved(0, 0))
    vague.predict(1.5)
    here = measure(moved(0, 0))[None]
    assert certain.distances(here)[1][0] < vague.distances(here)[1][0]


def test_doubtful_boxes_move_it_less() -> None:
    sure, doubtful = BoxFilter(moved(0, 0)), BoxFilter(moved(0, 0))
    for followed, doubt in ((sure, 1.0), (doubtful, 4.0)):
        followed.predict(0.1)
        followed.update(moved(0, 0).shift(20, 0), doubt)
    assert 200 < doubtful.box.center[0] < sure.box.center[0] < 220


def test_an_empty_box_is_followed() -> None:
    followed = BoxFilter(Box(5, 5, 5, 5))
    followed.predict(1)
    followed.update(Box(6, 6, 6, 6))
    assert np.isfinite(followed.box.as_tuple()).all()
