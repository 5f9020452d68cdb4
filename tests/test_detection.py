"""Detection: pictures to canvases, raw answers of hand-filled cells to boxes and corners in source pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from factories import make_detection, make_pixels
from openplate.datatypes import VEHICLE_LABELS, Box, Corners, Detection
from openplate.detection import Detector, Thresholds, canvas_size, from_output, to_input, without_repeats
from openplate.imaging import Image
from stand_ins import RawAnswers, StandInSession, logit, make_model_card

HALF = Thresholds(plate=0.5, vehicle=0.5)
WIDTH, HEIGHT = 64, 96


# --- to the network -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("picture", "reach", "expected"),
    [
        ((1280, 720), 640, (640, 384)),
        ((720, 1280), 640, (384, 640)),
        ((1280, 704), 640, (640, 352)),
        ((640, 640), 640, (640, 640)),
        ((4000, 3000), 640, (640, 480)),
        ((1280, 720), 384, (384, 224)),
        ((320, 240), 640, (640, 480)),  # small pictures are enlarged
        ((100, 50), 640, (416, 224)),  # but not more than four times
        ((1, 1), 640, (32, 32)),
        ((10_000, 10), 640, (640, 32)),
        ((10, 10_000), 640, (32, 640)),
    ],
)
def test_canvas_size_table(picture: tuple[int, int], reach: int, expected: tuple[int, int]) -> None:
    assert canvas_size(*picture, reach) == expected


@given(st.integers(1, 30_000), st.integers(1, 30_000), st.sampled_from([320, 384, 640]))
def test_a_canvas_is_no_larger_than_needed(width: int, height: int, reach: int) -> None:
    canvas = canvas_size(width, height, reach)
    scale = min(reach / max(width, height), 4)
    for side, size in zip(canvas, (width, height), strict=True):
        assert side % 32 == 0
        assert 32 <= side <= reach
        assert side == 32 or side - 32 < size * scale + 0.5


def test_the_input_is_the_picture_in_the_middle_of_the_canvas() -> None:
    image = Image.from_array(make_pixels(640, 360))
    array, placed = to_input(image, 640)
    assert (array.shape, array.dtype) == ((1, 384, 640, 3), np.uint8)
    assert (placed.scale, placed.dx, placed.dy) == (1.0, 0.0, 12.0)
    np.testing.assert_array_equal(array[0, 12:372], image.pixels)
    assert (array[0, :12] == 114).all()
    assert (array[0, 372:] == 114).all()


# --- from the network -----------------------------------------------------------------------------------------

CELLS = [
    (0, (4, 4), 8),
    (7, (60, 4), 8),
    (8, (4, 12), 8),
    (95, (60, 92), 8),
    (96, (8, 8), 16),
    (99, (56, 8), 16),
    (100, (8, 24), 16),
    (119, (56, 88), 16),
    (120, (16, 16), 32),
    (121, (48, 16), 32),
    (122, (16, 48), 32),
    (125, (48, 80), 32),
]


@pytest.mark.parametrize(("index", "center", "stride"), CELLS)
def test_a_plate_is_decoded_from_each_cell(index: int, center: tuple[float, float], stride: int) -> None:
    raw = RawAnswers(WIDTH, HEIGHT)
    offsets = [-2.0, -1.0, 2.0, -0.5, 2.0, 1.0, -2.0, 0.5]
    raw.plates[:, index] = [logit(0.8), 0.5, -0.25, math.log(4), math.log(2), *offsets]
    plates, vehicles = from_output(raw.plates, raw.vehicles, WIDTH, HEIGHT, HALF)
    (plate,) = plates
    x, y = center
    assert vehicles == []
    assert (plate.kind, plate.label) == ("plate", "plate")
    assert plate.confidence == pytest.approx(0.8)
    middle_x, middle_y = x + 0.5 * stride, y - 0.25 * stride
    around = (middle_x - 2 * stride, middle_y - stride, middle_x + 2 * stride, middle_y + stride)
    assert plate.box.as_tuple() == pytest.approx(around, rel=1e-5, abs=1e-5)
    assert plate.corners is not None
    points = [(x + stride * dx, y + stride * dy) for dx, dy in zip(offsets[::2], offsets[1::2], strict=True)]
    assert plate.corners.as_tuple() == tuple(points)


@pytest.mark.parametrize(("index", "center", "stride"), CELLS)
def test_a_vehicle_is_decoded_from_each_cell(index: int, center: tuple[float, float], stride: int) -> None:
    raw = RawAnswers(WIDTH, HEIGHT)
    label = VEHICLE_LABELS[index % 5]
    raw.vehicles[5:, index] = [0.0, 1.0, math.log(3), 0.0]
    raw.vehicles[VEHICLE_LABELS.index(label), index] = logit(0.7)
    plates, (vehicle,) = from_output(raw.plates, raw.vehicles, WIDTH, HEIGHT, HALF)
    x, y = center
    assert plates == []
    assert (vehicle.kind, vehicle.label, vehicle.corners) == ("vehicle", label, None)
    assert vehicle.confidence == pytest.approx(0.7)
    around = (x - 1.5 * stride, y + 0.5 * stride, x + 1.5 * stride, y + 1.5 * stride)
    assert vehicle.box.as_tuple() == pytest.approx(around, rel=1e-5, abs=1e-5)


def test_a_vehicle_has_the_label_of_its_best_score() -> None:
    raw = RawAnswers(WIDTH, HEIGHT)
    raw.add_vehicle(Box(10, 10, 30, 30), 0.6, "car")
    raw.add_vehicle(Box(10, 10, 30, 30), 0.9, "van")
    _, (vehicle,) = from_output(raw.plates, raw.vehicles, WIDTH, HEIGHT, HALF)
    assert (vehicle.label, vehicle.confidence) == ("van", pytest.approx(0.9))


def test_detections_are_above_their_threshold_and_best_first() -> None:
    raw = RawAnswers(WIDTH, HEIGHT)
    confidences = [0.2, 0.9, 0.49, 0.51, 0.7]
    for index, confidence in enumerate(confidences):
        raw.plates[0, 3 * index] = raw.vehicles[index, 100 + index] = logit(confidence)
    plates, vehicles = from_output(raw.plates, raw.vehicles, WIDTH, HEIGHT, Thresholds(0.5, 0.3))
    assert [d.confidence for d in plates] == pytest.approx([0.9, 0.7, 0.51])
    assert [d.confidence for d in vehicles] == pytest.approx([0.9, 0.7, 0.51, 0.49])


@pytest.mark.parametrize(("threshold", "expected"), [(0.0, 126), (1e-4, 0), (1.0, 0)])
def test_any_threshold_can_be_asked_for(threshold: float, expected: int) -> None:
    raw = RawAnswers(WIDTH, HEIGHT)
    raw.plates[0] = -12
    raw.vehicles[:5] = -12
    found = from_output(raw.plates, raw.vehicles, WIDTH, HEIGHT, Thresholds(threshold, threshold))
    assert [len(detections) for detections in found] == [expected, expected]


def test_wild_answers_still_make_boxes() -> None:
    raw = RawAnswers(WIDTH, HEIGHT)
    raw.plates[:] = 500
    raw.vehicles[:] = 500
    for detections in from_output(raw.plates, raw.vehicles, WIDTH, HEIGHT, HALF):
        assert len(detections) == 126
        assert all(0.999999 < d.confidence <= 1 for d in detections)
        assert all(0 < d.box.area < math.inf for d in detections)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_training_and_serving_decode_alike(columns: int, rows: int, seed: int) -> None:
    torch = pytest.importorskip("torch")
    network = pytest.importorskip("openplate_training.detector_model")
    width, height = 32 * columns, 32 * rows
    centers, strides = network.cell_centers(height, width)
    plates = np.random.default_rng(seed).normal(0, 1, (13, len(strides))).astype(np.float32)
    vehicles = np.full((9, len(strides)), -9, np.float32)
    found, _ = from_output(plates, vehicles, width, height, HALF)
    answers = torch.from_numpy(plates.T)
    order = np.argsort(-plates[0], kind="stable")[: len(found)]
    boxes = network.decode_boxes(answers[:, 1:5], centers, strides).numpy()[order]
    corners = network.decode_corners(answers[:, 5:], centers, strides).numpy()[order]
    assert len(found) == (plates[0] >= 0).sum()
    np.testing.assert_allclose([d.box.as_tuple() for d in found], boxes.reshape(-1, 4), rtol=1e-4, atol=1e-3)
    points = [d.corners.as_tuple() for d in found if d.corners]
    np.testing.assert_allclose(np.array(points).reshape(-1, 4, 2), corners, rtol=1e-4, atol=1e-3)


# --- repeats --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("boxes", "overlap", "kept"),
    [
        ([], 0.5, []),
        ([(0, 0, 10, 10)], 0.5, [0]),
        ([(0, 0, 10, 10), (0, 0, 10, 10)], 0.5, [0]),
        ([(0, 0, 10, 10), (10, 0, 20, 10)], 0.0, [0, 1]),
        ([(0, 0, 10, 10), (5, 0, 15, 10)], 0.34, [0, 1]),  # the IoU is a third
        ([(0, 0, 10, 10), (5, 0, 15, 10)], 0.33, [0]),
        ([(0, 0, 10, 10), (5, 0, 15, 10), (10, 0, 20, 10)], 0.3, [0, 2]),  # the middle one suppresses nobody
    ],
)
def test_table_of_repeats(boxes: list[tuple[float, ...]], overlap: float, kept: list[int]) -> None:
    detections = [make_detection(box=Box(*box), confidence=0.9 - 0.1 * i) for i, box in enumerate(boxes)]
    assert without_repeats(detections, overlap) == [detections[i] for i in kept]


def test_the_more_confident_repeat_stays_whatever_the_order() -> None:
    weak, strong = (make_detection(confidence=confidence) for confidence in (0.4, 0.8))
    assert without_repeats([weak, strong], 0.5) == without_repeats([strong, weak], 0.5) == [strong]


# --- the detector ---------------------------------------------------------------------------------------------

PARAMETERS = {"threshold_plate": 0.4, "threshold_vehicle": 0.3, "plate_overlap": 0.4, "vehicle_overlap": 0.6}


def make_detector(fill: Callable[[RawAnswers], object]) -> tuple[Detector, StandInSession]:
    """A detector whose network sees in every canvas what ``fill`` puts into its answers."""

    def network(pictures: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]:
        raw = RawAnswers(pictures.shape[2], pictures.shape[1])
        fill(raw)
        return raw.as_outputs()

    labels = ("plate", *VEHICLE_LABELS)
    card = make_model_card("detection", 640, 640, ("plates", "vehicles"), labels=labels, parameters=PARAMETERS)
    session = StandInSession(card, network)
    return Detector(session), session


def make_image(width: int, height: int) -> Image:
    return Image(np.zeros((height, width, 3), np.uint8))


def check_box(box: Box, expected: tuple[float, ...]) -> None:
    assert box.as_tuple() == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("size", "box", "corners"),
    [
        # Half size, twelve rows of grey above.
        ((1280, 720), (200, 200, 280, 240), ((200, 204), (280, 200), (276, 240), (204, 236))),
        # Twice the size.
        ((320, 180), (50, 50, 70, 60), ((50, 51), (70, 50), (69, 60), (51, 59))),
        # The same size, twelve columns of grey to the left.
        ((360, 640), (88, 112, 128, 132), ((88, 114), (128, 112), (126, 132), (90, 130))),
    ],
)
def test_detections_are_in_pixels_of_the_picture(size: tuple[int, int], box: Any, corners: Any) -> None:
    seen = Corners((100, 114), (140, 112), (138, 132), (102, 130))
    detector, _ = make_detector(lambda raw: raw.add_plate(seen, 0.9))
    ((plate,),) = detector.detect([make_image(*size)])
    check_box(plate.box, box)
    np.testing.assert_allclose(plate.corners.as_tuple(), corners, atol=1e-3)


def test_what_lies_wholly_in_the_grey_is_not_found() -> None:
    detector, _ = make_detector(lambda raw: raw.add_plate(Corners.from_box(Box(100, 2, 130, 11)), 0.9))
    assert detector.detect([make_image(640, 360)]) == [[]]


def test_boxes_end_at_the_edge_of_the_picture_but_corners_may_lie_beyond() -> None:
    beyond = Corners((-6, 150), (30, 150), (30, 162), (-6, 162))

    def fill(raw: RawAnswers) -> None:
        raw.add_plate(beyond, 0.9)
        raw.add_vehicle(Box(560, 300, 700, 420), 0.8, "bus", stride=32)

    detector, _ = make_detector(fill)
    ((plate, vehicle),) = detector.detect([make_image(640, 360)])
    check_box(plate.box, (0, 138, 30, 150))
    np.testing.assert_allclose(plate.corners.as_tuple(), beyond.shift(0, -12).as_tuple(), atol=1e-3)
    check_box(vehicle.box, (560, 288, 640, 360))
    assert vehicle.label == "bus"


def fill_confidences(raw: RawAnswers) -> None:
    for column, confidence in enumerate([0.2, 0.35, 0.45, 0.95]):
        left = 20 + 100 * column
        raw.add_plate(Corners.from_box(Box(left, 50, left + 40, 62)), confidence)
        raw.add_vehicle(Box(left, 100, left + 80, 160), confidence)


def by_kind(found: list[Detection]) -> tuple[list[float], list[float]]:
    """The confidences of plates and of vehicles; plates come first."""
    assert [d.kind for d in found] == sorted(d.kind for d in found)
    plates = [round(d.confidence, 3) for d in found if d.kind == "plate"]
    return plates, [round(d.confidence, 3) for d in found if d.kind == "vehicle"]


def test_thresholds_are_those_of_the_card_unless_told() -> None:
    detector, _ = make_detector(fill_confidences)
    (usual,) = detector.detect([make_image(640, 360)])
    assert by_kind(usual) == ([0.95, 0.45], [0.95, 0.45, 0.35])
    (told,) = detector.detect([make_image(640, 360)], Thresholds(0.1, 0.5))
    assert by_kind(told) == ([0.95, 0.45, 0.35, 0.2], [0.95])


def test_repeats_are_dropped_for_each_kind_on_its_own() -> None:
    box = Box(100, 100, 160, 130)

    def fill(raw: RawAnswers) -> None:
        for stride, confidence in ((8, 0.6), (16, 0.9), (32, 0.7)):
            raw.add_plate(Corners.from_box(box), confidence, stride)
            raw.add_vehicle(box, confidence, stride=stride)

    detector, _ = make_detector(fill)
    (found,) = detector.detect([make_image(640, 640)])
    assert by_kind(found) == ([0.9], [0.9])


def test_each_picture_has_its_own_answer_in_order() -> None:
    detector, session = make_detector(fill_confidences)
    sizes = [(640, 360), (1280, 720), (64, 64)]
    found = detector.detect([make_image(*size) for size in sizes])
    assert [array.shape for array in session.inputs] == [(1, 384, 640, 3), (1, 384, 640, 3), (1, 256, 256, 3)]
    assert found[1][0].box.x1 == pytest.approx(2 * found[0][0].box.x1)
    assert detector.detect([]) == []


def test_reach_is_the_length_of_the_longest_side() -> None:
    detector, session = make_detector(lambda raw: raw.add_vehicle(Box(0, 0, 96, 48), 0.9, stride=32))
    (found,) = detector.detect([make_image(640, 360)], reach=384)
    assert session.inputs[0].shape == (1, 224, 384, 3)
    check_box(found[0].box, (0, 0, 96 / 0.6, (48 - 4) / 0.6))


def test_a_detector_says_what_its_card_says() -> None:
    detector, _ = make_detector(fill_confidences)
    assert (detector.name, detector.reach) == ("stand-in 1", 640)
    assert (detector.threshold_plate, detector.threshold_vehicle) == (0.4, 0.3)
    assert (detector.plate_overlap, detector.vehicle_overlap) == (0.4, 0.6)
