"""Forms of texts in a safe part of regular expressions: what they take, what is refused, and how fast they are."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openplate.datatypes import Guess, PlateCandidate, PlateReading
from openplate.regions import certain, guide, guide_reading, parse_text_format, parse_text_formats
from openplate.regions.text_formats import LONGEST_FORMAT, MOST_FORMATS
from openplate.text import ALPHABET


@pytest.mark.parametrize(
    ("pattern", "taken", "refused"),
    [
        ("[0-9][0-9][0-9][a-z][a-z]", ["123AB", "000ZZ"], ["123A", "123ABC", "12AAB", ""]),
        ("abc123", ["ABC123"], ["ABC12", "ABC1234"]),
        ("ABC", ["ABC"], ["AB"]),
        ("^ab$", ["AB"], ["ABC"]),
        ("a{2}", ["AA"], ["A", "AAA"]),
        ("a{1,3}", ["A", "AAA"], ["", "AAAA"]),
        ("a{0,2}b", ["B", "AAB"], ["AAAB"]),
        ("a{2,}", ["AA", "AAAAAA"], ["A"]),
        ("a?b+c*", ["B", "ABB", "ABCC"], ["AC", ""]),
        ("(ab|c){2}", ["ABC", "CAB", "ABAB", "CC"], ["AB", "ABCC"]),
        ("(?:a|b)1", ["A1", "B1"], ["C1"]),
        ("(a|)b", ["AB", "B"], ["A"]),
        ("[^ioq0-9]x", ["AX"], ["IX", "1X"]),
        (r"\d\w\D", ["1AA", "11A"], ["A1A", "111"]),
        ("..", ["A1"], ["A", "A12"]),
        (r"[\da-c]", ["7", "B"], ["D"]),
        ("[0-9]{3}-[a-z]{2}", ["123AB"], ["12AB"]),
        ("[0-9]{2}[- ]?[a-z]", ["12A"], ["12"]),
        (r"a\s*\.?b\-c", ["ABC"], ["AC"]),
        ("[-a-c]", ["A", "C"], ["D", ""]),
        ("ü1", ["U1"], ["1"]),
        ("a{0}b", ["B"], ["AB"]),
    ],
)
def test_what_a_format_takes(pattern: str, taken: list[str], refused: list[str]) -> None:
    form = parse_text_format(pattern)
    assert [text for text in taken if not form.matches(text)] == []
    assert [text for text in refused if form.matches(text)] == []


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "a group is not closed"),
        ("a)", "closes no group"),
        ("[", "a '\\[' is not closed"),
        ("[a", "a '\\[' is not closed"),
        ("[]", "takes no character"),
        ("a**", "follows another repetition"),
        ("a+?", "follows another repetition"),
        ("*a", "may not stand there"),
        ("{2}", "may not stand there"),
        ("a{x}", "must be followed by a number or two"),
        ("a{2", "must be followed by a number or two"),
        ("a{,2}", "must be followed by a number or two"),
        ("a{9999}", "must be followed by a number or two"),
        ("a{3,2}", "greater number first"),
        ("(?=a)b", "only '\\(\\?:'"),
        ("(?P<x>a)", "only '\\(\\?:'"),
        ("a$b", "at the end only"),
        (r"(a)\1", "is not known"),
        (r"\bA", "is not known"),
        ("\\", "is not known"),
        ("[z-a]", "no range"),
        ("[0-z]", "no range"),
        ("京", "A-Z and 0-9 only"),
        ("a" * (LONGEST_FORMAT + 1), "is longer than"),
        ("(" * 30 + "a" + ")" * 30, "deep"),
        ("((a{99}){99}){99}", "repeats too much"),
        ("((-{999}){999}){999}", "repeats too much"),
    ],
)
def test_what_cannot_be_understood_is_told(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_text_format(pattern)


def test_formats_are_few_and_each_counts_once() -> None:
    assert [form.pattern for form in parse_text_formats(["a", "b", "a"])] == ["a", "b"]
    with pytest.raises(ValueError, match="too many"):
        parse_text_formats([f"a{number}" for number in range(MOST_FORMATS + 1)])


def _repeated(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    counts = st.sampled_from(["", "", "?", "*", "+", "{0}", "{2}", "{1,2}", "{0,1}", "{1,}"])
    return st.tuples(inner, counts).map("".join)


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pieces = st.lists(_repeated(inner), min_size=1, max_size=3).map("".join)
    return st.lists(pieces, min_size=1, max_size=2).map(lambda options: f"({'|'.join(options)})")


PATTERNS = st.recursive(st.sampled_from(["a", "b", "1", "[ab]", "[^a]", "[a-c1]", r"\d", "."]), _compound, max_leaves=6)


@given(PATTERNS, st.text("AB12", max_size=6))
def test_a_format_takes_what_the_same_regular_expression_takes(pattern: str, text: str) -> None:
    try:
        form = parse_text_format(pattern)
    except ValueError as error:
        assert "repeats too much" in str(error)  # noqa: PT017 - the only reason there may be
        return
    assert form.matches(text) == (re.fullmatch(pattern, text, re.IGNORECASE) is not None)


@given(st.text("ab1-[]{}()|?*+^$.\\,09 ", max_size=30))
def test_any_pattern_is_either_understood_or_refused(pattern: str) -> None:
    try:
        form = parse_text_format(pattern)
    except ValueError:
        return
    form.matches("AB1")


@pytest.mark.parametrize("pattern", ["(a|a)*b", "(a*)*b", "(a?){99}a{20}", "((a|b|.)*c?)*1"])
def test_no_pattern_makes_matching_slow(pattern: str) -> None:
    form = parse_text_format(pattern)
    start = time.perf_counter()
    for text in ("A" * 40, "AB" * 20, ALPHABET):
        for _ in range(50):
            form.matches(text)
    assert time.perf_counter() - start < 2


# --- guiding --------------------------------------------------------------------------------------


def listed(*pairs: tuple[str, float]) -> tuple[PlateCandidate, ...]:
    return tuple(PlateCandidate(text, confidence) for text, confidence in pairs)


def test_a_named_format_settles_a_doubt() -> None:
    formats = parse_text_formats(["[a-z]{3}[0-9]{4}"])
    before = listed(("ABC12O4", 0.5), ("ABC1204", 0.4))
    assert [c.text for c in guide(before, formats=formats)] == ["ABC1204", "ABC12O4"]
    assert [c.matches_pattern for c in guide(before, formats=formats)] == [True, False]
    assert guide(before) == before


def test_a_reading_far_from_every_format_stays() -> None:
    formats = parse_text_formats(["[0-9]{3}[a-z]{2}"])
    assert guide(listed(("HELLO77", 0.9)), formats=formats) == listed(("HELLO77", 0.9))


def test_strict_asks_for_a_format_or_a_region() -> None:
    formats = parse_text_formats(["[0-9]{3}[a-z]{2}"])
    reading = PlateReading("HELLO77", 0.9)
    assert guide_reading(reading, formats=formats, strict=True) is None
    assert guide_reading(reading, regions=certain(["br"]), formats=formats, strict=True) is None
    for text in ("123AB", "ABC1234"):  # of the format; of Brazil
        kept = guide_reading(PlateReading(text, 0.9), regions=certain(["br"]), formats=formats, strict=True)
        assert kept is not None
        assert kept.text == text


def test_a_format_adds_a_text_that_the_reader_held_possible() -> None:
    formats = parse_text_formats(["[a-z]{3}[0-9]{4}"])
    characters = [(Guess(c, 0.99),) for c in "ABC12O4"]
    characters[5] = (Guess("O", 0.6), Guess("0", 0.35))
    guided = guide(listed(("ABC12O4", 0.55)), characters, formats=formats)
    assert guided[0].text == "ABC1204"
    assert guided[0].confidence > 0.5
