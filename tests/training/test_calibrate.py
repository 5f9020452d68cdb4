"""Calibration: a known slope and offset are found again; a card keeps them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from openplate.ocr import Calibration
from openplate_training.calibrate import fit, fit_temperature


def drawn(slope: float, offset: float, count: int = 20_000) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Probabilities, and answers that are right as often as the calibrated ones say."""
    random = np.random.default_rng(5)
    probabilities = 1 / (1 + np.exp(-random.normal(2, 2, count)))
    calibration = Calibration(slope, offset)
    return probabilities, random.random(count) < np.array([calibration(p) for p in probabilities])


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (0.6, 0.5), (1.8, -1.0), (0.3, -0.2)])
def test_a_known_slope_and_offset_are_found(slope: float, offset: float) -> None:
    found = fit(*drawn(slope, offset))
    assert found.slope == pytest.approx(slope, abs=0.08)
    assert found.offset == pytest.approx(offset, abs=0.12)


@pytest.mark.parametrize("is_right", [True, False])
def test_answers_that_are_all_alike_give_no_certainty(is_right: bool) -> None:
    """Forty crops that were all read rightly do not prove that every crop will be (Platt's smoothed targets)."""
    probabilities = np.linspace(0.6, 0.99, 40)
    found = fit(probabilities, np.full(40, is_right))
    confidences = [found(p) for p in probabilities]
    assert np.isfinite(confidences).all()
    assert np.mean(confidences) == pytest.approx(41 / 42 if is_right else 1 / 42, abs=0.01)


def test_certain_probabilities_are_no_trouble() -> None:
    found = fit(np.array([0.0, 1.0] * 20), np.array([False, True] * 20))
    assert np.isfinite((found.slope, found.offset)).all()
    assert found(1.0) > 0.9 > 0.1 > found(0.0)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_a_known_temperature_is_found(temperature: float) -> None:
    random = np.random.default_rng(3)
    logits = random.normal(0, 3, (6000, 8))
    scaled = np.exp(logits / temperature)
    shares = scaled / scaled.sum(1, keepdims=True)
    right = (shares.cumsum(1) < random.random((6000, 1))).sum(1)
    is_right = np.eye(8, dtype=np.bool_)[right.clip(0, 7)]
    assert fit_temperature(logits, is_right) == pytest.approx(temperature, rel=0.08)


def test_labels_that_are_right_together_count_together() -> None:
    """A "car" of unknown body is a sedan or an SUV: that they share the probability is no doubt."""
    logits = np.zeros((50, 3))
    logits[:, 2] = -3.0
    either = np.tile(np.array((True, True, False)), (50, 1))
    assert fit_temperature(logits, either) == 0.2  # as sure as can be
    assert fit_temperature(logits, ~either) == 5.0  # wrong each time: as unsure as can be
