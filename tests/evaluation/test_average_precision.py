"""Average precision: tables worked out by hand, and a second implementation written the slow, plain way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openplate.datatypes import Box
from openplate.evaluation.average_precision import (
    IOU_THRESHOLDS,
    MatchedPicture,
    average_precision,
    box_array,
    greedy_match,
    match_picture,
)


def ranked(hits: Sequence[bool], positives: int) -> MatchedPicture:
    """One picture whose detections, by falling confidence, are right or wrong at the only threshold."""
    scores = np.linspace(0.9, 0.1, len(hits))
    return MatchedPicture(scores, np.array([hits]), np.zeros((1, len(hits)), dtype=bool), positives)


@pytest.mark.parametrize(
    ("hits", "positives", "expected"),
    [
        # Precision 1 at recall 0 to 0.50 (51 of the 101 points), 2/3 beyond (50 points).
        ([True, False, True], 2, (51 + 50 * 2 / 3) / 101),
        ([True, True], 2, 1.0),
        ([False, False], 2, 0.0),
        ([], 3, 0.0),
        # A quarter of the plates: recall 0 to 0.25 at precision 1/2.
        ([False, True], 4, 26 * 0.5 / 101),
        # Wrong ones after the last right one cost nothing.
        ([True, True, False, False], 2, 1.0),
    ],
)
def test_average_precision_by_hand(hits: list[bool], positives: int, expected: float) -> None:
    assert average_precision([ranked(hits, positives)]) == pytest.approx((expected,))


def test_no_label_gives_no_average_precision() -> None:
    assert average_precision([]) is None
    assert average_precision([ranked([False], 0)]) is None


def test_ignored_detections_are_neither_right_nor_wrong() -> None:
    scores = np.array([0.9, 0.8, 0.7])
    hits, ignored = np.array([[False, True, True]]), np.array([[True, False, False]])
    assert average_precision([MatchedPicture(scores, hits, ignored, 2)]) == (1.0,)


def test_the_surest_detection_takes_the_label_it_overlaps_most() -> None:
    overlaps = np.array([[0.6, 0.7], [0.9, 0.8], [0.55, 0.2]])
    assert greedy_match(overlaps, np.array([0.5, 0.9, 0.4]), 0.5).tolist() == [1, 0, -1]
    assert greedy_match(overlaps, np.array([0.9, 0.5, 0.4]), 0.5).tolist() == [1, 0, -1]
    assert greedy_match(overlaps, np.array([0.5, 0.9, 0.4]), 0.85).tolist() == [-1, 0, -1]
    assert greedy_match(overlaps, np.array([0.5, 0.9, 0.4]), 0.5, np.array([True, False])).tolist() == [1, 0, 0]


def test_higher_thresholds_need_tighter_boxes() -> None:
    # The detection covers 80 of the label's 100 columns: an IoU of 0.8, right at 7 of the 10 thresholds.
    matched = match_picture(box_array([Box(0, 0, 80, 10)]), np.array([0.9]), box_array([Box(0, 0, 100, 10)]))
    assert matched.true_positive[:, 0].tolist() == [True] * 7 + [False] * 3
    assert average_precision([matched]) == pytest.approx((1.0,) * 7 + (0.0,) * 3)


def test_an_ignored_area_swallows_many_detections_an_ignored_label_only_one() -> None:
    detections, scores = box_array([Box(0, 0, 10, 10), Box(1, 0, 11, 10)]), np.array([0.9, 0.8])
    area = box_array([Box(0, 0, 20, 20)])
    none = box_array([])
    inside = match_picture(detections, scores, none, ignore_areas=area, thresholds=(0.5,))
    assert inside.ignored.tolist() == [[True, True]]
    on_label = match_picture(detections, scores, none, ignored_labels=detections[:1], thresholds=(0.5,))
    assert on_label.ignored.tolist() == [[True, False]]


@dataclass(frozen=True)
class Scene:
    labels: list[Box]
    areas: list[Box]
    detections: list[tuple[Box, float]]


COORDINATES = st.integers(0, 12)
BOXES = st.builds(
    lambda x, y, width, height: Box(x, y, x + width, y + height),
    *(COORDINATES, COORDINATES, st.integers(2, 9), st.integers(2, 9)),
)


@st.composite
def scene_lists(draw: st.DrawFn) -> list[Scene]:
    """A few pictures with crowded boxes; no two detections have the same confidence."""
    scenes = []
    confidences = draw(st.lists(st.integers(1, 999), unique=True, min_size=12, max_size=12))
    for _ in range(draw(st.integers(1, 3))):
        found = draw(st.lists(BOXES, max_size=4))
        detections = [(box, confidences.pop() / 1000) for box in found]
        scenes.append(Scene(draw(st.lists(BOXES, max_size=4)), draw(st.lists(BOXES, max_size=2)), detections))
    return scenes


def plain_average_precision(scenes: Sequence[Scene], threshold: float) -> float | None:
    """COCO's definition, one detection and one recall point at a time."""
    total = sum(len(scene.labels) for scene in scenes)
    if not total:
        return None
    free = [list(range(len(scene.labels))) for scene in scenes]
    order = sorted(
        ((confidence, number, box) for number, scene in enumerate(scenes) for box, confidence in scene.detections),
        key=lambda each: -each[0],
    )
    right, wrong, points = 0, 0, []
    for _, number, box in order:
        scene = scenes[number]
        overlap, best = max(((box.iou(scene.labels[label]), label) for label in free[number]), default=(0.0, -1))
        if overlap >= threshold:
            free[number].remove(best)
            right += 1
        elif not any((part := box.intersect(area)) and part.area / box.area >= threshold for area in scene.areas):
            wrong += 1
        else:
            continue
        points.append((right / total, right / (right + wrong)))
    best_at = [max((p for recall, p in points if recall >= step / 100), default=0.0) for step in range(101)]
    return sum(best_at) / 101


@given(scene_lists())
def test_average_precision_is_that_of_the_plain_implementation(scenes: list[Scene]) -> None:
    matched = [
        match_picture(
            box_array(box for box, _ in scene.detections),
            np.array([confidence for _, confidence in scene.detections]),
            box_array(scene.labels),
            ignore_areas=box_array(scene.areas),
        )
        for scene in scenes
    ]
    precisions = average_precision(matched)
    expected = [plain_average_precision(scenes, threshold) for threshold in IOU_THRESHOLDS]
    assert (precisions is None) == (expected[0] is None)
    if precisions is not None:
        assert precisions == pytest.approx(expected)
