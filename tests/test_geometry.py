"""Arrays of boxes: agreement with Box, and what suppression keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from openplate.datatypes import Box
from openplate.geometry import distinct, iou_matrix, non_max_suppression, overlap_matrix

Boxes = NDArray[Any]


@st.composite
def box_arrays(draw: st.DrawFn, most: int = 12) -> Boxes:
    count = draw(st.integers(0, most))
    corner = draw(arrays(np.int64, (count, 2), elements=st.integers(-20, 20)))
    size = draw(arrays(np.int64, (count, 2), elements=st.integers(0, 15)))
    return np.concatenate([corner, corner + size], axis=1).astype(np.float64)


@pytest.mark.parametrize(
    ("a", "b", "iou", "overlap"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1.0, 1.0),
        ((0, 0, 2, 2), (1, 0, 3, 2), 1 / 3, 0.5),
        ((0, 0, 2, 2), (2, 0, 4, 2), 0.0, 0.0),  # half-open: touching is not overlapping
        ((0, 0, 4, 4), (1, 1, 3, 3), 0.25, 0.25),
        ((1, 1, 3, 3), (0, 0, 4, 4), 0.25, 1.0),
        ((0, 0, 0, 5), (0, 0, 5, 5), 0.0, 0.0),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0, 0.0),
        ((-5, -5, -1, -1), (1, 1, 5, 5), 0.0, 0.0),
    ],
)
def test_number_table(a: tuple[float, ...], b: tuple[float, ...], iou: float, overlap: float) -> None:
    assert_allclose(iou_matrix([a], [b]), [[iou]])
    assert_allclose(overlap_matrix([a], [b]), [[overlap]])


@given(box_arrays(), box_arrays())
def test_agrees_with_box(a: Boxes, b: Boxes) -> None:
    matrix, overlaps = iou_matrix(a, b), overlap_matrix(a, b)
    assert matrix.shape == overlaps.shape == (len(a), len(b))
    for i, first in enumerate(Box(*row) for row in a.tolist()):
        for j, second in enumerate(Box(*row) for row in b.tolist()):
            common = first.intersect(second)
            assert matrix[i, j] == pytest.approx(first.iou(second))
            assert overlaps[i, j] == pytest.approx(common.area / first.area if common else 0.0)


@given(box_arrays(), box_arrays())
def test_iou_is_symmetric_and_bounded(a: Boxes, b: Boxes) -> None:
    matrix = iou_matrix(a, b)
    assert_allclose(matrix, iou_matrix(b, a).T)
    assert ((matrix >= 0) & (matrix <= 1)).all()
    assert (matrix <= overlap_matrix(a, b) + 1e-12).all()


def test_empty_lists_give_empty_matrices() -> None:
    assert iou_matrix([], [(0, 0, 1, 1)]).shape == (0, 1)
    assert overlap_matrix([(0, 0, 1, 1)], []).shape == (1, 0)
    assert non_max_suppression([], [], 0.5).shape == (0,)


def test_float32_stays_float32() -> None:
    boxes = np.zeros((2, 4), np.float32)
    assert iou_matrix(boxes, boxes).dtype == np.float32


@pytest.mark.parametrize("shape", [(4,), (2, 3), (1, 4, 1)])
def test_other_shapes_are_errors(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        iou_matrix(np.zeros(shape), np.zeros((1, 4)))


def test_suppression_keeps_the_best_of_each_cluster_best_first() -> None:
    boxes = [(0, 0, 10, 10), (1, 0, 11, 10), (50, 50, 60, 60), (0, 1, 10, 11), (51, 50, 61, 60)]
    kept = non_max_suppression(boxes, [0.5, 0.9, 0.7, 0.8, 0.95], 0.5)
    assert kept.tolist() == [4, 1]


def test_suppressed_boxes_suppress_nothing() -> None:
    """A chain of three: the middle one falls to the first, so the last one stays."""
    boxes = [(0, 0, 10, 10), (4, 0, 14, 10), (8, 0, 18, 10)]
    assert non_max_suppression(boxes, [0.9, 0.8, 0.7], 0.3).tolist() == [0, 2]


def test_the_earlier_of_equals_wins() -> None:
    assert non_max_suppression([(0, 0, 2, 2)] * 3, [0.5] * 3, 0.5).tolist() == [0]


def test_different_numbers_of_boxes_and_scores_are_an_error() -> None:
    with pytest.raises(ValueError, match="2 boxes but 1 scores"):
        non_max_suppression(np.zeros((2, 4)), [0.5], 0.5)


@given(box_arrays(), st.floats(0.05, 0.95), st.data())
def test_suppression_equals_its_definition(boxes: Boxes, iou: float, data: st.DataObject) -> None:
    scores = data.draw(st.lists(st.sampled_from([0.1, 0.5, 0.9]), min_size=len(boxes), max_size=len(boxes)))
    before = boxes.copy()
    kept: list[int] = []
    for index in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if all(Box(*boxes[index].tolist()).iou(Box(*boxes[k].tolist())) <= iou for k in kept):
            kept.append(index)
    assert non_max_suppression(boxes, scores, iou).tolist() == kept
    assert (boxes == before).all()


@given(box_arrays(most=40), st.floats(0.05, 0.95))
def test_few_and_many_ranked_boxes_are_suppressed_alike(boxes: Boxes, iou: float) -> None:
    ranked = -np.arange(len(boxes))
    assert distinct(boxes.tolist(), iou) == non_max_suppression(boxes, ranked, iou).tolist()
