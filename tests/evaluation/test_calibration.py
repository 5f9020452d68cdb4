"""Calibration: bins worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openplate.evaluation.calibration import calibration_table, measure_calibration


def test_calibration_by_hand() -> None:
    # Bin 15 holds 0.95 and 0.99, both right: mean 0.97, gap 0.03. Bin 8 holds 0.5 and 0.52, one right:
    # mean 0.51, gap 0.01. Bin 1 holds 0, wrong: gap 0. ECE = (2 * 0.03 + 2 * 0.01 + 0) / 5.
    calibration = measure_calibration([0.95, 0.99, 0.5, 0.52, 0.0], [True, True, True, False, False])
    assert calibration.count == 5
    assert calibration.mean_confidence == pytest.approx(2.96 / 5)
    assert calibration.ece == pytest.approx(0.016)
    assert calibration.brier == pytest.approx((0.05**2 + 0.01**2 + 0.5**2 + 0.52**2) / 5)
    assert [each.count for each in calibration.bins] == [1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 2]
    assert calibration.bins[7].accuracy == 0.5
    assert calibration.bins[1].confidence is None
    assert calibration_table("Confidence", calibration).rows == (
        ("0.000-0.067", "1", "0.000", "0.000"),
        ("0.467-0.533", "2", "0.510", "0.500"),
        ("0.933-1.000", "2", "0.970", "1.000"),
    )


def test_a_bin_ends_with_its_upper_limit() -> None:
    assert [each.count for each in measure_calibration([0.2, 0.201], [True, True]).bins][:4] == [0, 0, 1, 1]


def test_nothing_answered_has_no_calibration() -> None:
    calibration = measure_calibration([], [])
    assert (calibration.count, calibration.ece, calibration.brier, calibration.bins) == (0, None, None, ())


def test_as_many_answers_as_confidences() -> None:
    with pytest.raises(ValueError, match="2 confidences but 1 answers"):
        measure_calibration([0.1, 0.2], [True])


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_every_answer_falls_into_one_bin_and_errors_stay_between_0_and_1(answers: list[tuple[float, bool]]) -> None:
    confidences, correct = [each[0] for each in answers], [each[1] for each in answers]
    calibration = measure_calibration(confidences, correct)
    assert sum(each.count for each in calibration.bins) == len(answers)
    assert calibration.ece is not None
    assert calibration.brier is not None
    assert abs(np.mean(confidences) - np.mean(correct)) <= calibration.ece + 1e-9 <= 1 + 1e-8
    assert 0 <= calibration.brier <= 1


@given(st.floats(0, 1), st.booleans())
def test_one_answer_is_off_by_its_own_distance(confidence: float, correct: bool) -> None:
    assert measure_calibration([confidence], [correct]).ece == pytest.approx(abs(confidence - correct))
