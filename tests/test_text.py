"""Plate text: normal form, edit distance, look-alikes, character error rate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openplate.text import (
    ALPHABET,
    LOOK_ALIKE_GROUPS,
    character_error_rate,
    edit_distance,
    is_look_alike,
    look_alikes,
    normalise,
    twin,
)

plate_texts = st.text(ALPHABET, max_size=10)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ABC123", "ABC123"),
        ("abc 12-3", "ABC123"),
        ("B·AB 12.3", "BAB123"),
        ("TÜ-XY 1", "TUXY1"),
        ("京A12345", "A12345"),
        ("ＡＢ１２", "AB12"),  # noqa: RUF001 - full-width on purpose
        ("12가3456", "123456"),
        ("١٢٣", ""),
        ("aß", "A"),
        ("\n\t", ""),
        ("", ""),
    ],
)
def test_normalise_keeps_letters_and_digits(text: str, expected: str) -> None:
    assert normalise(text) == expected


@given(st.text())
def test_normal_form_is_stable_and_in_the_alphabet(text: str) -> None:
    once = normalise(text)
    assert set(once) <= set(ALPHABET)
    assert normalise(once) == once


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("", "", 0),
        ("", "ABC", 3),
        ("ABC123", "ABC123", 0),
        ("ABC123", "ABC124", 1),
        ("ABC123", "ABC12", 1),
        ("ABC123", "BC123", 1),
        ("ABC123", "ACB123", 2),
        ("KITTEN", "SITTING", 3),
    ],
)
def test_edit_distance(a: str, b: str, expected: int) -> None:
    assert edit_distance(a, b) == expected


@given(plate_texts, plate_texts, plate_texts)
def test_edit_distance_is_a_metric(a: str, b: str, c: str) -> None:
    assert edit_distance(a, b) == edit_distance(b, a)
    assert (edit_distance(a, b) == 0) == (a == b)
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)
    assert abs(len(a) - len(b)) <= edit_distance(a, b) <= max(len(a), len(b))


@pytest.mark.parametrize("pair", ["0O", "0D", "0Q", "OD", "1I", "1L", "2Z", "5S", "6G", "8B", "4A", "7T"])
def test_pairs_that_look_alike(pair: str) -> None:
    first, second = pair
    assert second in look_alikes(first)
    assert first in look_alikes(second)


@pytest.mark.parametrize("pair", ["0X", "8S", "A7", "1Z"])
def test_pairs_that_do_not(pair: str) -> None:
    assert pair[1] not in look_alikes(pair[0])


def test_look_alike_is_symmetric_but_not_passed_on() -> None:
    for character in ALPHABET:
        assert character not in look_alikes(character)
        assert all(character in look_alikes(other) for other in look_alikes(character))
    assert is_look_alike("7", "1")
    assert is_look_alike("1", "I")
    assert not is_look_alike("7", "I")


def test_look_alike_groups_stay_in_the_alphabet() -> None:
    assert set("".join(LOOK_ALIKE_GROUPS)) <= set(ALPHABET)


def test_what_is_no_plate_character_looks_like_nothing() -> None:
    assert look_alikes("京") == frozenset()
    assert look_alikes("o") == frozenset()
    assert twin("é") is None


def test_twins_change_the_kind_of_a_character_and_lead_back() -> None:
    found = {character: twin(character) for character in ALPHABET if twin(character)}
    assert {"0", "1", "2", "5", "8", "O", "I", "Z", "S", "B"} <= set(found)
    for character, other in found.items():
        assert other is not None
        assert character.isdigit() != other.isdigit()
        assert twin(other) == character
        assert other in look_alikes(character)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("ABC123", "ABC123", True),
        ("ABC123", "A8CI23", True),
        ("ABC123", "ABC12", False),
        ("ABC123", "ABX123", False),
        ("", "", True),
    ],
)
def test_texts_that_look_alike(a: str, b: str, expected: bool) -> None:
    assert is_look_alike(a, b) is expected


def test_character_error_rate() -> None:
    assert character_error_rate([("ABC123", "ABC123")]) == 0
    assert character_error_rate([("ABC123", "ABC124"), ("AB12", "")]) == pytest.approx(0.5)
    assert character_error_rate([("A", "ABC")]) == 2


def test_character_error_rate_needs_truth() -> None:
    with pytest.raises(ValueError, match="at least one character"):
        character_error_rate([("", "ABC")])
    with pytest.raises(ValueError, match="at least one character"):
        character_error_rate([])
