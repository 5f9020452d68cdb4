"""Detection measured on scenes whose numbers are worked out by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled import OTHER, PLATE, human_plate, make_scene, plate_at, vehicle_at

from openplate.datatypes import Box, Corners, Detection
from openplate.evaluation import (
    DetectionReport,
    PlateLabel,
    ScenePicture,
    VehicleLabel,
    detection_mistakes,
    evaluate_detection,
)
from openplate.evaluation.plate_detection import corner_error
from openplate.evaluation.report import Rate, Share

CAR, TRUCK, FAR = Box(0, 0, 200, 150), Box(220, 0, 420, 150), Box(430, 300, 500, 350)
SQUARE = Corners((100, 100), (160, 100), (160, 120), (100, 120))


def measure(scene: ScenePicture, *found: Detection, threshold: float = 0.0) -> DetectionReport:
    return evaluate_detection([scene], [found], plate_threshold=threshold, vehicle_threshold=threshold)


def test_two_pictures_by_hand() -> None:
    teacher = PlateLabel(Box(500, 100, 560, 120), "teacher", score=0.8)
    low = human_plate(Box(0, 0, 40, 11))
    pictures = [make_scene(human_plate(), teacher, low), make_scene(human_plate(OTHER), exhaustive=False)]
    found = [
        [plate_at(), plate_at(Box(400, 400, 440, 420), 0.8), plate_at(teacher.box, 0.3)],
        [plate_at(Box(10, 10, 50, 30), 0.9)],
    ]
    plates = evaluate_detection(pictures, found, plate_threshold=0.5).plates
    assert plates.pictures == 2
    assert plates.found_human == Share(1, 2)
    assert plates.found_human_any_height == Share(1, 3)
    assert plates.found_any == Share(1, 4)
    # Only the first picture has all its plates labelled.
    assert plates.false_plates == Rate(1, 1)
    # By confidence: right, wrong, wrong, right of 4: 0.9 and 0.9 tie in the order of the pictures.
    assert plates.ap50 == pytest.approx((26 * 1 + 25 * 0.5) / 101)
    # Only the two human plates from 12 px count; the teacher's plate is ignored: right, wrong, wrong of 2.
    assert plates.ap50_human == pytest.approx(51 / 101)
    by_height = {bucket.low_px: (bucket.found_human, bucket.found_any) for bucket in plates.by_height}
    assert by_height[8.0] == (Share(0, 1), Share(0, 1))
    assert by_height[16.0] == (Share(1, 2), Share(1, 3))


def test_twelve_pixels_count_and_less_does_not() -> None:
    assert measure(make_scene(human_plate(Box(0, 0, 40, 12)))).plates.found_human == Share(0, 1)
    assert measure(make_scene(human_plate(Box(0, 0, 40, 11.9)))).plates.found_human == Share(0, 0)


def test_a_plate_needs_half_the_union_and_is_found_once() -> None:
    scene = make_scene(human_plate())
    half, less = Box(100, 100, 130, 120), Box(100, 100, 129, 120)
    assert measure(scene, plate_at(half)).plates.found_human == Share(1, 1)
    found = measure(scene, plate_at(less)).plates
    assert (found.found_human, found.found_human_loosely) == (Share(0, 1), Share(1, 1))
    twice = measure(scene, plate_at(), plate_at(half, 0.8)).plates
    assert (twice.found_human, twice.duplicates, twice.false_plates) == (Share(1, 1), Rate(1, 1), Rate(0, 1))


def test_false_plates_leave_out_ignored_areas_and_loosely_drawn_labels() -> None:
    scene = make_scene(human_plate(), ignore=(Box(400, 400, 500, 450),))
    in_area, half_out = plate_at(Box(410, 410, 450, 430)), plate_at(Box(480, 410, 530, 430))
    in_label = plate_at(Box(110, 105, 135, 118))
    report = measure(scene, in_area, half_out, in_label).plates
    assert report.false_plates == Rate(1, 1)
    assert report.false_by_iou == Rate(2, 1)


def test_the_threshold_decides_what_is_found_and_the_sweep_tells_the_others() -> None:
    scene = make_scene(human_plate())
    report = measure(scene, plate_at(confidence=0.62), plate_at(OTHER, 0.31), threshold=0.7)
    assert (report.plates.found_human, report.plates.false_plates) == (Share(0, 1), Rate(0, 1))
    points = {point.threshold: (point.found_human.count, point.false_plates.count) for point in report.sweep}
    assert [points[each] for each in (0.3, 0.35, 0.6, 0.65)] == [(1, 1), (1, 0), (1, 0), (0, 0)]


def test_corner_errors_by_hand() -> None:
    moved = Corners((103, 104), (160, 100), (160, 120), (100, 122))
    assert corner_error(SQUARE, moved) == pytest.approx(5 / 20)
    turned = Corners.from_points([*SQUARE.as_tuple()[1:], SQUARE.top_left])
    labelled = human_plate(corners=SQUARE, corners_label="human")
    scene = make_scene(labelled)
    errors = measure(scene, plate_at(corners=moved)).plates.corners
    assert (errors.plates, errors.without_corners) == (1, 0)
    assert errors.median == errors.p90 == pytest.approx(0.25)
    errors = measure(scene, plate_at(corners=turned)).plates.corners
    assert (errors.median, errors.median_any_start) == (pytest.approx(3.0), 0.0)
    errors = measure(scene, plate_at()).plates.corners
    assert (errors.plates, errors.without_corners, errors.median) == (1, 1, None)


def test_corner_errors_count_found_plates_with_human_corners_only() -> None:
    by_teacher = human_plate(OTHER, corners=Corners.from_box(OTHER), corners_label="teacher")
    shifts = [0.0, 2.0, 4.0]
    boxes = [Box(100, 50 + 60 * row, 160, 70 + 60 * row) for row in range(3)]
    labels = [human_plate(box, corners=Corners.from_box(box), corners_label="human") for box in boxes]
    found = [
        plate_at(box, corners=Corners.from_box(box).shift(0, shift)) for box, shift in zip(boxes, shifts, strict=True)
    ]
    report = measure(make_scene(*labels, by_teacher), *found, plate_at(OTHER, corners=SQUARE))
    assert report.plates.corners.plates == 3
    assert report.plates.corners.median == pytest.approx(0.1)
    assert report.plates.corners.p90 == pytest.approx(0.18)


def test_a_label_without_height_is_infinitely_wrong() -> None:
    flat = Corners((0, 0), (10, 0), (10, 0), (0, 0))
    assert corner_error(flat, SQUARE) == math.inf


def test_vehicles_as_one_class_and_by_type() -> None:
    labels = (VehicleLabel(CAR, "human", "car"), VehicleLabel(TRUCK, "teacher", "truck"))
    scene = make_scene(vehicles=labels, vehicles_exhaustive=True)
    report = measure(scene, vehicle_at(CAR), vehicle_at(TRUCK, "car", 0.8)).vehicles
    assert report.found == Share(2, 2)
    assert report.ap50 == report.ap50_95 == report.ap50_exhaustive == 1.0
    by_type = {score.type: (score.labels, score.ap50) for score in report.by_type}
    assert by_type == {"car": (1, 1.0), "truck": (1, 0.0), "bus": (0, None), "motorcycle": (0, None), "van": (0, None)}


def test_ignored_vehicles_cost_nothing_and_others_do() -> None:
    labels = (VehicleLabel(CAR, "human"),)
    sure_and_false = vehicle_at(FAR, confidence=0.95)
    without = measure(make_scene(vehicles=labels), sure_and_false, vehicle_at(CAR, confidence=0.9)).vehicles
    with_area = make_scene(vehicles=labels, ignore_vehicles=(FAR.expand(0.2),))
    assert without.ap50 == pytest.approx(0.5)
    assert measure(with_area, sure_and_false, vehicle_at(CAR, confidence=0.9)).vehicles.ap50 == 1.0
    assert without.ap50_exhaustive is None


def test_a_vehicle_of_unknown_type_is_ignored_type_by_type() -> None:
    labels = (VehicleLabel(CAR, "human"), VehicleLabel(TRUCK, "human", "truck"))
    report = measure(make_scene(vehicles=labels), vehicle_at(CAR, "truck", 0.95), vehicle_at(TRUCK, "truck")).vehicles
    assert {score.type: score.ap50 for score in report.by_type}["truck"] == 1.0


def test_plates_and_vehicles_do_not_mix() -> None:
    scene = make_scene(human_plate(), vehicles=(VehicleLabel(CAR, "human", "car"),))
    report = measure(scene, vehicle_at(PLATE), plate_at(CAR))
    assert report.plates.found_human == Share(0, 1)
    assert report.vehicles.found == Share(0, 1)


def test_sets_are_measured_apart_and_tables_show_them() -> None:
    pictures = [make_scene(human_plate(), set_name="b"), make_scene(human_plate(), set_name="a")]
    report = evaluate_detection(pictures, [[plate_at()], []])
    found = {each.set_name: each.plates.found_human for each in report.sets}
    assert list(found.items()) == [("a", Share(0, 1)), ("b", Share(1, 1))]
    titles = [table.title for table in report.tables()]
    assert titles[0] == "Detection"
    assert report.rows()[0] == ("plates found, human, from 12 px", "50.0 %", "1/2")
    values = report.to_dict()["plates"]
    assert isinstance(values, dict)
    assert values["found_human"] == {
        "value": 0.5,
        "count": 1,
        "of": 2,
        "interval_95": pytest.approx([0.0945, 0.9055], abs=1e-3),
    }


def test_nothing_at_all_is_measured_without_a_number() -> None:
    report = evaluate_detection([], [])
    assert (report.plates.found_human.value, report.plates.ap50, report.vehicles.ap50) == (None, None, None)
    assert report.rows()[0][1] == "-"


def test_mistakes_show_what_was_missed_and_what_was_false() -> None:
    pictures = [make_scene(human_plate()), make_scene(human_plate()), make_scene(exhaustive=False)]
    found = [[plate_at()], [plate_at(OTHER, 0.8), plate_at(PLATE, 0.2)], [plate_at()]]
    (mistake,) = detection_mistakes(pictures, found, plate_threshold=0.5)
    assert (mistake.index, mistake.truth, mistake.answer) == (1, "1 missed", "1 false, 0 double")
    assert (mistake.truth_boxes, mistake.answer_boxes) == ((PLATE,), (OTHER,))


def test_one_answer_per_picture_is_asked_for() -> None:
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        evaluate_detection([make_scene()], [])


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-15, 15), st.floats(0, 1)), max_size=8),
    st.floats(0, 1),
)
def test_scores_do_not_depend_on_the_order_and_fall_with_the_threshold(
    answers: list[tuple[int, int, float]], threshold: float
) -> None:
    labels = [Box(100 * number, 50, 100 * number + 60, 70) for number in range(4)]
    scene = make_scene(*map(human_plate, labels))
    confidences = {confidence for _, _, confidence in answers}
    found = [plate_at(labels[number].shift(shift, 0), confidence) for number, shift, confidence in answers]
    report, lower = measure(scene, *found, threshold=threshold), measure(scene, *found)
    assert report.plates.found_human.count <= lower.plates.found_human.count <= len(found)
    assert report.plates.false_plates.count <= lower.plates.false_plates.count
    if len(confidences) == len(answers):
        assert measure(scene, *reversed(found), threshold=threshold).to_dict() == report.to_dict()
