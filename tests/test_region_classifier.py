"""The region classifier: logits to codes with probabilities, in the order of the crops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from openplate.datatypes import Box, Corners
from openplate.region_classifier import RegionClassifier
from stand_ins import StandInSession, make_model_card

LABELS = ("cz", "de", "pl", "us-ny")


def make_classifier(temperature: float, *rows: list[float]) -> tuple[RegionClassifier, StandInSession]:
    """A classifier that answers a crop of brightness n with the n-th row of logits."""

    def network(crops: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]:
        return (np.array([rows[int(crop[0, 0, 0])] for crop in crops], np.float32),)

    card = make_model_card("region", 40, 24, ("logits",), labels=LABELS, parameters={"temperature": temperature})
    session = StandInSession(card, network)
    return RegionClassifier(session), session


def make_crop(number: int) -> NDArray[np.uint8]:
    return np.full((24, 40, 3), number, np.uint8)


def guesses_of(logits: list[float], temperature: float = 1.0) -> list[tuple[str, float]]:
    (guesses,) = make_classifier(temperature, logits)[0].classify([make_crop(0)])
    return [(guess.value, guess.confidence) for guess in guesses]


def close(value: float) -> Any:
    return pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize(
    ("logits", "temperature", "expected"),
    [
        ([0, 0, 0, 0], 1, [("cz", 0.25), ("de", 0.25), ("pl", 0.25), ("us-ny", 0.25)]),
        ([0, math.log(3), -50, -50], 1, [("de", 0.75), ("cz", 0.25)]),
        ([0, math.log(9), -50, -50], 2, [("de", 0.75), ("cz", 0.25)]),  # the odds' square root
        ([0, math.log(9), -200, -200], 0.5, [("de", 81 / 82), ("cz", 1 / 82)]),
        ([0, 0, 20, 0], 1, [("pl", 1.0)]),  # the others have less than a hundredth
        ([5000, 0, 0, -5000], 1, [("cz", 1.0)]),
        ([-5000, -5000, -5000, -4999], 1, [("us-ny", 0.475366), ("cz", 0.174878), ("de", 0.174878), ("pl", 0.174878)]),
    ],
)
def test_table_of_guesses(logits: list[float], temperature: float, expected: list[tuple[str, float]]) -> None:
    assert guesses_of(logits, temperature) == [(code, close(confidence)) for code, confidence in expected]


@given(st.lists(st.floats(-40, 40, width=32), min_size=4, max_size=4), st.floats(0.3, 5))
def test_guesses_are_probabilities_best_first(logits: list[float], temperature: float) -> None:
    found = guesses_of(logits, temperature)
    confidences = [confidence for _, confidence in found]
    assert confidences == sorted(confidences, reverse=True)
    assert 1 - 4 * 0.01 <= sum(confidences) <= 1 + 1e-5
    assert found[0][1] == close(max(confidences))
    assert logits[LABELS.index(found[0][0])] == pytest.approx(max(logits), abs=1e-4)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 40])
def test_any_number_of_crops_is_classified_in_order(count: int) -> None:
    rows = [[20.0 * (label == number % 4) for label in range(4)] for number in range(40)]
    classifier, session = make_classifier(1.0, *rows)
    found = classifier.classify([make_crop(number) for number in range(count)])
    assert [[guess.value for guess in guesses] for guesses in found] == [[LABELS[n % 4]] for n in range(count)]
    assert all(guess.confidence == pytest.approx(1) for guesses in found for guess in guesses)
    assert sum(session.batches) == count
    assert all(0 < size <= 16 for size in session.batches)


def test_a_crop_is_rectified_to_the_size_of_the_card() -> None:
    classifier, _ = make_classifier(1.0, [0.0] * 4, [9.0, 0, 0, 0])
    assert (classifier.name, classifier.labels) == ("stand-in 1", LABELS)
    crop = classifier.rectify(np.ones((100, 200, 3), np.uint8), Corners((50, 40), (110, 44), (110, 70), (50, 66)))
    assert (crop.shape, crop.dtype) == ((24, 40, 3), np.uint8)
    assert classifier.classify([crop])[0][0].value == "cz"


def test_only_doubtful_plates_are_looked_at_again() -> None:
    """The bright plate is sure at once; of the dark one the further looks say otherwise, and overrule."""
    seen: list[int] = []

    def network(crops: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]:
        doubt = [0.5, 0.0, -9, -9] if not seen else [0.0, 2.0, -9, -9]
        seen.append(len(crops))
        return (np.array([[-9, -9, 9, -9] if crop.mean() > 120 else doubt for crop in crops], np.float32),)

    card = make_classifier(1.0, [0.0] * 4)[1].card
    classifier = RegionClassifier(StandInSession(card, network))
    pixels = np.full((100, 300, 3), 200, np.uint8)
    pixels[30:60, 160:260] = 60
    places = [Corners.from_box(Box(20, 30, 120, 60)), Corners.from_box(Box(160, 30, 260, 60))]
    sure, doubtful = classifier.classify_plates(pixels, places)
    assert (sure[0].value, doubtful[0].value) == ("pl", "de")
    assert sum(guess.confidence for guess in doubtful) == pytest.approx(1, abs=1e-3)
    assert seen == [2, 2]
    assert classifier.classify_plates(pixels, []) == []
