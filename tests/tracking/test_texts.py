"""When two readings may be of one plate, and how much a reading speaks for a track."""

from __future__ import annotations

import pytest

from factories import make_reading
from openplate.tracking import are_similar, is_akin, is_end, is_part, is_similar
from openplate.tracking.texts import TextBelief


@pytest.mark.parametrize(
    ("a", "b", "similar", "part", "akin"),
    [
        ("AB123CD", "AB123CD", True, True, True),
        ("AB123CD", "A8123CD", True, False, True),
        ("AB123CD", "A8I23CD", True, False, True),
        ("AB123CD", "A8IZ3CD", False, False, True),
        ("AB123CD", "123CD", True, True, True),
        ("AB123CD", "3CD", False, True, True),
        ("AB123CD", "CD", False, False, False),
        ("AB123CD", "3GD", False, False, True),
        ("AB12", "AB13", True, False, True),
        ("AB12", "AC13", False, False, True),
        ("AB123CD", "ZK907PQ", False, False, False),
    ],
)
def test_pairs(a: str, b: str, similar: bool, part: bool, akin: bool) -> None:
    assert (is_similar(a, b), is_part(a, b), is_akin(a, b)) == (similar, part, akin)
    assert (is_similar(b, a), is_part(b, a), is_akin(b, a)) == (similar, part, akin)


@pytest.mark.parametrize(
    ("part", "expected"),
    [("CD", True), ("AB", True), ("3CD", True), ("D", False), ("", False), ("12", False), ("AB123CD", False)],
)
def test_an_end_has_two_characters_and_is_not_all(part: str, expected: bool) -> None:
    assert is_end(part, "AB123CD") is expected
    assert not is_end("AB123CD", part)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (["AB123CD"], ["ZK907PQ", "AB123CD"], True),
        (["AB123CD"], ["ZK907PQ"], False),
        ([], ["AB123CD"], False),
    ],
)
def test_lists_of_candidates(a: list[str], b: list[str], expected: bool) -> None:
    assert are_similar(a, b) is expected


def test_evidence_goes_from_for_to_against() -> None:
    belief = TextBelief()
    assert belief.evidence(make_reading("AB123CD")) == 0
    for _ in range(3):
        belief.add(make_reading("AB123CD", 0.9))
    texts = ("AB123CD", "AB123C0", "A8123C0", "123", "ZK907PQ")
    values = [belief.evidence(make_reading(text, 0.9)) for text in texts]
    assert values == sorted(values, reverse=True)
    assert values[0] > 3
    assert values[3] == 0
    assert values[4] < -4
    assert abs(belief.evidence(make_reading("ZK907PQ", 0.2))) < abs(values[4]) / 2


def test_many_texts_are_not_all_kept() -> None:
    belief = TextBelief()
    for number in range(100):
        belief.add(make_reading(f"XX{number:03d}", 0.2))
        belief.add(make_reading("AB123CD", 0.9))
    assert belief.text == "AB123CD"
    assert len(belief._weights) <= 6
