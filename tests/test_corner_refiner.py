"""Corners found again from close up: where the network looks, and what becomes of its answers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from openplate import Recognizer
from openplate.corner_refiner import MARGIN_X, MARGIN_Y, CornerRefiner, plate_frame, view_of
from openplate.datatypes import Box, Corners
from stand_ins import Network, StandInSession, make_corner_refiner, make_model_card

TILTED = Corners.from_points([(60.0, 40.0), (160.0, 52.0), (156.0, 86.0), (56.0, 74.0)])


def refiner_of(network: Network) -> CornerRefiner:
    return CornerRefiner(StandInSession(make_model_card("corners", 112, 64, ("offsets",)), network))


def picture() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 255, (140, 220, 3), np.uint8)


def test_no_offsets_leave_the_corners() -> None:
    (found,) = make_corner_refiner().refine(picture(), [TILTED])
    np.testing.assert_allclose(found.as_tuple(), TILTED.as_tuple(), atol=1e-3)


def test_offsets_are_shares_of_the_plate_along_its_own_sides() -> None:
    (found,) = make_corner_refiner(0.25).refine(picture(), [TILTED])
    expected = np.array(TILTED.as_tuple()) + 0.25 * np.array((100.0, 12.0))
    np.testing.assert_allclose(found.as_tuple(), expected, atol=0.05)


def test_every_round_goes_on_from_the_last() -> None:
    (found,) = make_corner_refiner(0.1).refine(picture(), [TILTED], rounds=3)
    expected = np.array(TILTED.as_tuple()) + 0.3 * np.array((100.0, 12.0))
    np.testing.assert_allclose(found.as_tuple(), expected, atol=0.1)


def test_plates_are_looked_at_together_and_answered_in_order() -> None:
    plates = [Corners.from_box(Box(10 + 5 * i, 10, 60 + 5 * i, 30)) for i in range(20)]
    found = make_corner_refiner(0.1).refine(picture(), plates)
    for before, after in zip(plates, found, strict=True):
        np.testing.assert_allclose(after.top_left[0], before.top_left[0] + 5, atol=0.05)
    assert make_corner_refiner().refine(picture(), []) == []


@pytest.mark.parametrize("offset", [np.nan, np.inf, 40.0])
def test_answers_that_enclose_nothing_are_not_taken(offset: float) -> None:
    def network(views: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
        wrong = np.zeros((len(views), 8), np.float32)
        wrong[:, 0] = offset
        return (wrong,)

    assert refiner_of(network).refine(picture(), [TILTED]) == [TILTED]


def test_the_view_shows_the_plate_with_what_is_around_it() -> None:
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[40:60, 50:110] = 255
    view, to_picture = view_of(pixels, Corners.from_box(Box(50, 40, 110, 60)), 112, 64)
    start, size = plate_frame(112, 64)
    np.testing.assert_allclose(size, (112 / (1 + 2 * MARGIN_X), 64 / (1 + 2 * MARGIN_Y)))
    inside = view[int(start[0, 1]) + 2 : int(start[2, 1]) - 2, int(start[0, 0]) + 2 : int(start[2, 0]) - 2]
    assert inside.min() == 255
    assert view[:10].max() == 0
    mapped = cv2.perspectiveTransform(start[None], to_picture)[0]
    np.testing.assert_allclose(mapped, [(50, 40), (110, 40), (110, 60), (50, 60)], atol=1e-3)


def test_the_shipped_network_finds_corners_that_a_box_does_not_tell() -> None:
    """A drawn plate, turned: from the box around it to its corners."""
    plate = np.full((60, 260, 3), 235, np.uint8)
    cv2.putText(plate, "AB12 CDE", (14, 46), cv2.FONT_HERSHEY_DUPLEX, 1.5, (20, 20, 20), 3)
    truth = np.array([(70.0, 66.0), (190.0, 90.0), (187.0, 119.0), (67.0, 95.0)], np.float32)
    source = np.array([(0, 0), (260, 0), (260, 60), (0, 60)], np.float32)
    scene = np.full((200, 260, 3), (70, 60, 90), np.uint8)
    cv2.warpPerspective(
        plate, cv2.getPerspectiveTransform(source, truth), (260, 200), scene, borderMode=cv2.BORDER_TRANSPARENT
    )
    box = Corners.from_box(Box(67, 66, 190, 119))
    (found,) = Recognizer().stages.corner_refiner.refine(scene, [box])
    worst = np.linalg.norm(np.array(found.as_tuple()) - truth, axis=1).max()
    assert worst < 8.0 < np.linalg.norm(np.array(box.as_tuple()) - truth, axis=1).max()
