"""Whole pictures measured end to end, numbers worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled import OTHER, PLATE, answer, human_plate, make_scene

from openplate.datatypes import Box, Plate
from openplate.evaluation import PlateLabel, PlatesReport, ScenePicture, evaluate_plates, plates_mistakes
from openplate.evaluation.report import Rate, Share

EMPTY_SPOT = Box(500, 400, 560, 420)


def measure(scene: ScenePicture, *found: Plate, threshold: float = 0.0) -> PlatesReport:
    return evaluate_plates([scene], [found], threshold=threshold)


def test_two_pictures_by_hand() -> None:
    pictures = [
        make_scene(human_plate(PLATE, "AB12"), human_plate(OTHER, "CD34")),
        make_scene(human_plate(PLATE, "EF56"), set_name="yards"),
    ]
    found = [
        # One right, one wrong, one on no plate at all.
        [answer("AB12"), answer("CD35", OTHER, 0.7), answer("XX1", EMPTY_SPOT, 0.4)],
        [answer(None)],
    ]
    report = evaluate_plates(pictures, found)
    scores = report.scores
    assert (scores.pictures, scores.plates) == (2, 3)
    assert (scores.precision, scores.recall) == (Share(1, 3), Share(1, 3))
    assert scores.f1 == pytest.approx(2 * 1 / (3 + 3))
    assert (scores.text_found, scores.found, scores.read) == (Share(1, 3), Share(2, 3), Share(1, 2))
    assert scores.false_readings == Rate(1, 2)
    assert [part.name for part in report.sets] == ["streets", "yards"]
    assert [part.scores.recall for part in report.sets] == [Share(1, 2), Share(0, 1)]
    # 0.9 right, 0.7 and 0.4 wrong.
    assert report.calibration.ece == pytest.approx((0.1 + 0.7 + 0.4) / 3)
    by_threshold = {point.threshold: point.scores for point in report.sweep}
    assert by_threshold[0.8].precision == Share(1, 1)
    assert by_threshold[0.95].f1 == 0.0
    assert report.rows()[1] == ("plates read: recall", "33.3 %", "1/3")


def test_the_threshold_takes_answers_away() -> None:
    scene = make_scene(human_plate(PLATE, "AB12"))
    assert measure(scene, answer("AB12", confidence=0.5), threshold=0.5).scores.recall == Share(1, 1)
    report = measure(scene, answer("AB12", confidence=0.5), threshold=0.51).scores
    assert (report.recall, report.precision, report.found) == (Share(0, 1), Share(0, 0), Share(0, 1))


def test_the_right_text_in_the_wrong_place_is_found_but_not_read() -> None:
    scores = measure(make_scene(human_plate(PLATE, "AB12")), answer("AB12", EMPTY_SPOT)).scores
    assert (scores.recall, scores.text_found, scores.precision) == (Share(0, 1), Share(1, 1), Share(0, 1))


def test_a_second_reading_of_the_same_plate_is_wrong() -> None:
    scores = measure(make_scene(human_plate(PLATE, "AB12")), answer("AB12"), answer("AB12", confidence=0.8)).scores
    assert (scores.precision, scores.recall) == (Share(1, 2), Share(1, 1))


def test_answers_on_plates_without_a_human_text_count_neither_way() -> None:
    by_teacher = PlateLabel(OTHER, "human", text="CD34", text_label="teacher")
    scene = make_scene(human_plate(PLATE, "AB12"), by_teacher)
    scores = measure(scene, answer("AB12"), answer("CD99", OTHER)).scores
    assert (scores.precision, scores.recall, scores.false_readings) == (Share(1, 1), Share(1, 1), Rate(0, 1))


def test_answers_off_every_plate_count_where_all_plates_are_labelled_and_nothing_is_ignored() -> None:
    plate = human_plate(PLATE, "AB12")
    astray = answer("XX1", EMPTY_SPOT)
    assert measure(make_scene(plate), astray).scores.precision == Share(0, 1)
    assert measure(make_scene(plate, exhaustive=False), astray).scores.precision == Share(0, 0)
    assert measure(make_scene(plate, ignore=(EMPTY_SPOT,)), astray).scores.precision == Share(0, 0)


def test_texts_that_cannot_be_compared_are_left_out_and_said_so() -> None:
    labels = (human_plate(PLATE, "١٢٣"), human_plate(OTHER, "CD34", suspect=True))
    report = measure(make_scene(*labels), answer("123"), answer("CD34", OTHER))
    assert report.scores.plates == 0
    assert [(each.count, each.reason) for each in report.skipped] == [
        (1, "letters outside A-Z"),
        (1, "the label is suspect"),
    ]
    assert measure(make_scene(human_plate(PLATE, "皖A12345")), answer("A12345")).scores.recall == Share(1, 1)


def test_mistakes_show_missed_texts_and_wrong_answers() -> None:
    pictures = [make_scene(human_plate(PLATE, "AB12")), make_scene(human_plate(PLATE, "CD34"))]
    (mistake,) = plates_mistakes(pictures, [[answer("AB12")], [answer("CD35", confidence=0.6)]])
    assert (mistake.index, mistake.truth, mistake.answer, mistake.detail) == (1, "CD34", "CD35", "0.60")
    assert mistake.truth_boxes == mistake.answer_boxes == (PLATE,)


def test_nothing_to_measure_gives_no_numbers() -> None:
    report = evaluate_plates([], [])
    assert (report.scores.f1, report.scores.recall.value, report.calibration.ece) == (None, None, None)
    assert report.to_dict()["threshold"] == 0.0


ANSWERS = st.lists(
    st.tuples(st.sampled_from(["AB12", "CD34", "EF56"]), st.sampled_from([PLATE, OTHER, EMPTY_SPOT]), st.floats(0, 1)),
    max_size=6,
)


@given(ANSWERS, st.booleans())
def test_the_sweep_agrees_with_measuring_at_each_threshold(
    answers: list[tuple[str, Box, float]], exhaustive: bool
) -> None:
    scene = make_scene(human_plate(PLATE, "AB12"), human_plate(OTHER, "CD34"), exhaustive=exhaustive)
    found = [answer(*each) for each in answers]
    report = measure(scene, *found)
    recalls = [point.scores.recall.count for point in report.sweep]
    assert recalls == sorted(recalls, reverse=True)
    for point in report.sweep:
        sure = [plate for plate in found if plate.reading and plate.reading.confidence >= point.threshold]
        assert measure(scene, *sure).scores == point.scores
