"""One text of many readings: misread characters, missing ends, forms of the region; and what it costs to keep."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import make_reading
from openplate.datatypes import PlateReading
from openplate.grouping import Ballot
from openplate.grouping.alignment import align, order
from openplate.text import ALPHABET


def vote(*readings: PlateReading | tuple[str, float]) -> PlateReading:
    ballot = Ballot()
    for each in readings:
        ballot.add(each if isinstance(each, PlateReading) else make_reading(*each))
    consensus = ballot.consensus()
    assert consensus is not None
    return consensus


@pytest.mark.parametrize(
    ("readings", "text"),
    [
        ([("AB123CD", 0.9)], "AB123CD"),
        ([("AB123CD", 0.9), ("AB123CD", 0.8), ("A8123CD", 0.7)], "AB123CD"),
        # one sure reading against two doubtful ones
        ([("AB123CD", 0.95), ("AB128CD", 0.4), ("AB128CD", 0.4)], "AB123CD"),
        # no reading is right, each character has its majority
        ([("XB123CD", 0.6), ("AX123CD", 0.6), ("ABX23CD", 0.6), ("AB1X3CD", 0.6), ("AB12XCD", 0.6)], "AB123CD"),
        # the first and the last character are cut off now and then
        ([("B123CD", 0.8), ("B123CD", 0.8), ("AB123CD", 0.8), ("AB123CD", 0.8)], "AB123CD"),
        ([("AB123C", 0.8), ("AB123CD", 0.8), ("AB123CD", 0.7), ("AB123C", 0.8)], "AB123CD"),
        # something beside the plate was once taken for a character
        ([("AB123CDI", 0.5), ("AB123CD", 0.8), ("AB123CD", 0.8)], "AB123CD"),
        # a character in the middle missed once
        ([("AB13CD", 0.6), ("AB123CD", 0.7), ("AB123CD", 0.7)], "AB123CD"),
        ([("7", 0.3)], "7"),
    ],
)
def test_the_text_that_all_vote_for(readings: list[tuple[str, float]], text: str) -> None:
    assert vote(*readings).text == text


def test_the_candidates_of_all_readings_count() -> None:
    """Each reading was wrong elsewhere, and each had the right text second."""
    wrong = [make_reading(text, 0.5, others=(("AB123CD", 0.45),)) for text in ("A8123CD", "AB123C0", "AB1Z3CD")]
    assert vote(*wrong).text == "AB123CD"


def test_a_form_of_the_region_decides_a_close_vote() -> None:
    fits = make_reading("AB123CD", 0.48, matches_pattern=True, region=("it", 0.9))
    other = make_reading("AB1Z3CD", 0.5, region=("it", 0.9))
    assert vote(fits, other).text == "AB123CD"
    assert vote(make_reading("AB123CD", 0.48), make_reading("AB1Z3CD", 0.5)).text == "AB1Z3CD"


def test_a_sure_reading_outlives_any_form() -> None:
    fits = make_reading("AB123CD", 0.3, matches_pattern=True, region=("it", 0.9))
    sure = make_reading("ABIZ3CD", 0.95, region=("it", 0.9))
    assert vote(sure, sure, fits).text == "ABIZ3CD"


def test_a_composed_text_is_held_against_the_region_too() -> None:
    """No reading has it, but of the two that the places allow alike, one is Italian."""
    readings = [make_reading(text, 0.6, region=("it", 0.95)) for text in ("AB12ICD", "AX123CD", "AB1Z3CD", "AB123C0")]
    assert vote(*readings).text == "AB123CD"
    assert vote(*readings).candidates[0].matches_pattern


def test_more_agreement_is_more_confidence() -> None:
    confidences = [vote(*[("AB123CD", 0.8)] * count).confidence for count in (1, 2, 5, 20)]
    assert confidences == sorted(confidences)
    assert confidences[0] == pytest.approx(0.8, abs=0.1)
    assert confidences[-1] < 1


def test_disagreement_is_less_confidence() -> None:
    assert vote(("AB123CD", 0.8), ("AB128CD", 0.8)).confidence < vote(("AB123CD", 0.8)).confidence


def test_regions_are_averaged() -> None:
    readings = [make_reading(region=("it", 0.8)), make_reading(region=("it", 0.6)), make_reading(region=("fr", 0.7))]
    regions = vote(*readings).regions
    assert [guess.value for guess in regions] == ["it", "fr"]
    assert regions[0].confidence == pytest.approx(1.4 / 3, abs=0.01)


def test_an_empty_ballot_says_nothing() -> None:
    assert Ballot().consensus() is None


def test_a_ballot_does_not_grow() -> None:
    ballot = Ballot()
    for number in range(3000):
        ballot.add(make_reading(f"AB{number:05d}", 0.3, others=((f"XX{number:05d}", 0.1),)))
        ballot.add(make_reading("AB123CD", 0.9))
    assert len(ballot._texts) <= 100
    consensus = ballot.consensus()
    assert consensus is not None
    assert consensus.text == "AB123CD"


plates = st.text(ALPHABET, min_size=1, max_size=9)


@given(st.lists(st.tuples(plates, st.floats(0.05, 1)), min_size=1, max_size=6))
def test_every_consensus_is_a_sound_reading(readings: list[tuple[str, float]]) -> None:
    consensus = vote(*readings)
    assert consensus.text
    assert consensus.candidates[0].text == consensus.text
    assert consensus.candidates[0].confidence == consensus.confidence
    assert "".join(guess.value for guess in consensus.characters) == consensus.text
    confidences = [candidate.confidence for candidate in consensus.candidates]
    assert confidences == sorted(confidences, reverse=True)
    assert len({candidate.text for candidate in consensus.candidates}) == len(confidences)


@given(plates)
def test_all_saying_the_same_is_that(text: str) -> None:
    assert vote((text, 0.7), (text, 0.6), (text, 0.9)).text == text


@given(plates, plates)
def test_an_alignment_keeps_the_text(text: str, pivot: str) -> None:
    placed = align(text, pivot)
    assert "".join(placed[slot] for slot in sorted(placed, key=order)) == text
    assert all(0 <= index <= len(pivot) for index, _ in placed)


@pytest.mark.parametrize(
    ("text", "pivot", "missing", "added"),
    [
        ("AB123CD", "AB123CD", set(), set()),
        ("B123CD", "AB123CD", {0}, set()),
        ("AB123C", "AB123CD", {6}, set()),
        ("IAB123CD", "AB123CD", set(), {(0, 1)}),
        ("AB123CDI", "AB123CD", set(), {(7, 1)}),
        ("A8I23CD", "AB123CD", set(), set()),
        ("AB23CD", "AB123CD", {2}, set()),
    ],
)
def test_alignments(text: str, pivot: str, missing: set[int], added: set[tuple[int, int]]) -> None:
    placed = align(text, pivot)
    assert {i for i in range(len(pivot)) if (i, 0) not in placed} == missing
    assert {slot for slot in placed if slot[1]} == added
