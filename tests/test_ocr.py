"""Reading: column probabilities to texts, held against sums over every single path; crops to readings."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from openplate.datatypes import Box, Corners
from openplate.ocr import Calibration, Reader, Spelling, align, search_texts, spell
from stand_ins import StandInSession, make_model_card

Probabilities = NDArray[np.float32]
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NOTHING = "-"


# --- probabilities --------------------------------------------------------------------------------------------


def columns(*wanted: str | dict[str, float], alphabet: str = "AB") -> Probabilities:
    """One column for each character that is certain ("-": nothing), or for each {character: probability}."""
    symbols = alphabet + NOTHING
    rows = np.zeros((len(wanted), len(symbols)), np.float32)
    for row, values in zip(rows, wanted, strict=True):
        for symbol, probability in (values if isinstance(values, dict) else {values: 1.0}).items():
            row[symbols.index(symbol)] = probability
    return rows


def path_sums(probabilities: Probabilities, alphabet: str) -> dict[str, float]:
    """Every text with its exact probability: the sum over all paths that spell it."""
    sums: dict[str, float] = defaultdict(float)
    for path in itertools.product(range(len(alphabet) + 1), repeat=len(probabilities)):
        merged = [symbol for symbol, _ in itertools.groupby(path)]
        text = "".join(alphabet[symbol] for symbol in merged if symbol < len(alphabet))
        sums[text] += math.prod(float(row[symbol]) for row, symbol in zip(probabilities, path, strict=True))
    return dict(sums)


@st.composite
def any_columns(draw: st.DrawFn, least: float, can_be_sure: bool) -> tuple[Probabilities, str]:
    """Up to six columns over one to three characters; ``least`` is for the weight of each of these."""
    alphabet = "AB1"[: draw(st.integers(1, 3))]
    weights = st.lists(st.floats(least, 1), min_size=len(alphabet), max_size=len(alphabet))
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        if can_be_sure and draw(st.booleans()):
            rows.append([1e-4 / len(alphabet)] * len(alphabet) + [0.9999])
        else:
            row = np.array([*draw(weights), draw(st.floats(0.01, 1))])
            rows.append((row / row.sum()).tolist())
    return np.array(rows, np.float32), alphabet


@given(any_columns(least=0.02, can_be_sure=False))
def test_a_wide_beam_gives_the_exact_sums(drawn: tuple[Probabilities, str]) -> None:
    probabilities, alphabet = drawn
    expected = path_sums(probabilities, alphabet)
    found = search_texts(probabilities, alphabet, beam=10_000)
    assert {**dict.fromkeys(expected, 0.0), **dict(found)} == pytest.approx(expected, abs=1e-6)
    assert [p for _, p in found] == sorted((p for _, p in found), reverse=True)


@given(any_columns(least=0, can_be_sure=True))
def test_skipping_what_is_sure_or_impossible_changes_next_to_nothing(drawn: tuple[Probabilities, str]) -> None:
    probabilities, alphabet = drawn
    expected = path_sums(probabilities, alphabet)
    found = dict(search_texts(probabilities, alphabet, beam=10_000))
    # Each column may be off by what it says of "nothing" when it is sure, or of symbols that are left out.
    allowed = len(probabilities) * 1e-3 * len(alphabet)
    for text in {*expected, *found}:
        assert found.get(text, 0.0) == pytest.approx(expected.get(text, 0.0), abs=allowed)


@given(any_columns(least=0, can_be_sure=True), st.integers(1, 8))
def test_a_narrow_beam_never_promises_more_than_there_is(drawn: tuple[Probabilities, str], beam: int) -> None:
    found = search_texts(*drawn, beam=beam)
    assert 1 <= len(found) <= beam
    assert len({text for text, _ in found}) == len(found)
    assert sum(p for _, p in found) <= 1 + 1e-5


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("---", ""),
        ("A", "A"),
        ("AAA", "A"),
        ("A-A", "AA"),
        ("A--A", "AA"),
        ("-A---A-", "AA"),
        ("AB", "AB"),
        ("ABA", "ABA"),
        ("AA-AB-B", "AABB"),
        ("A-----------A-----------", "AA"),
        ("-----------AA", "A"),
    ],
)
def test_columns_that_are_certain_have_one_text(wanted: str, text: str) -> None:
    assert search_texts(columns(*wanted), "AB", beam=5) == [(text, pytest.approx(1.0))]


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        ({"-": 1.0}, {"AA": 0.25, "A": 0.5, "": 0.25}),  # skipped
        ({"-": 0.9996, "A": 0.0004}, {"AA": 0.25, "A": 0.5, "": 0.25}),  # skipped, though not quite certain
        ({"-": 0.99, "A": 0.01}, {"AA": 0.2475, "A": 0.505, "": 0.2475}),  # looked at
        ({"-": 0.5, "A": 0.5}, {"AA": 0.125, "A": 0.75, "": 0.125}),
        ({"A": 1.0}, {"A": 1.0}),
    ],
)
def test_a_repeated_character_needs_a_gap(gap: dict[str, float], expected: dict[str, float]) -> None:
    half = {"A": 0.5, "-": 0.5}
    found = dict(search_texts(columns(half, gap, half), "AB", beam=10))
    assert {t: p for t, p in found.items() if p > 1e-6} == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("after", range(4))
def test_sure_columns_around_the_text_change_nothing(before: int, after: int) -> None:
    half = {"A": 0.6, "B": 0.1, "-": 0.3}
    bare = search_texts(columns(half, half), "AB", beam=10)
    padded = search_texts(columns(*"-" * before, half, half, *"-" * after), "AB", beam=10)
    assert dict(padded) == pytest.approx(dict(bare))


# --- alignment ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "text", "expected"),
    [
        ("AB", "AB", [0, 1]),
        ("-A-B-", "AB", [1, 3]),
        ("A-A", "AA", [0, 2]),
        ("--A----A--", "AA", [2, 7]),
        ("---", "", []),
        ("A", "A", [0]),
    ],
)
def test_each_character_is_found_in_its_column(wanted: str, text: str, expected: list[int]) -> None:
    assert align(columns(*wanted), text, "AB") == expected


def test_a_character_over_several_columns_stands_in_its_surest() -> None:
    probabilities = columns({"A": 0.6, "-": 0.4}, {"A": 0.9, "-": 0.1}, {"A": 0.7, "B": 0.3}, {"B": 0.8, "A": 0.2})
    assert align(probabilities, "AB", "AB") == [1, 3]


def test_columns_of_another_plate_part_do_not_attract_a_character() -> None:
    probabilities = columns("B", "-", {"A": 0.55, "B": 0.45}, "-", "B")
    assert align(probabilities, "BAB", "AB") == [0, 2, 4]


def path_text(path: tuple[int, ...], alphabet: str) -> str:
    return "".join(alphabet[symbol] for symbol, _ in itertools.groupby(path) if symbol < len(alphabet))


@given(any_columns(least=0.02, can_be_sure=False))
def test_characters_stand_in_order_on_the_likeliest_path(drawn: tuple[Probabilities, str]) -> None:
    probabilities, alphabet = drawn
    for text, _ in search_texts(probabilities, alphabet, beam=10)[:3]:
        places = align(probabilities, text, alphabet)
        assert places == sorted(set(places))
        assert len(places) == len(text)
        paths = itertools.product(range(len(alphabet) + 1), repeat=len(probabilities))
        values = {
            path: math.prod(float(row[symbol]) for row, symbol in zip(probabilities, path, strict=True))
            for path in paths
            if path_text(path, alphabet) == text
        }
        greatest = max(values.values())
        likeliest = [path for path, value in values.items() if value >= greatest * (1 - 1e-5)]
        held = [alphabet.index(character) for character in text]
        assert any([path[place] for place in places] == held for path in likeliest)


# --- calibration ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slope", "offset", "probability", "expected"),
    [
        (1, 0, 0.5, 0.5),
        (1, 0, 0.9, 0.9),
        (1, 0, 0.001, 0.001),
        (0.5, 0, 0.9, 0.75),  # the odds 9 become 3
        (2, 0, 0.9, 81 / 82),
        (1, math.log(3), 0.5, 0.75),
        (1, -math.log(3), 0.9, 0.75),
        (0, 0, 0.99, 0.5),
        (1, 0, 0.0, 1e-7),
        (1, 0, 1.0, 1 - 1e-7),
        (1, 0, 1.00001, 1 - 1e-7),  # rounding in float32
    ],
)
def test_calibration_table(slope: float, offset: float, probability: float, expected: float) -> None:
    assert Calibration(slope, offset)(probability) == pytest.approx(expected, rel=1e-6)


@given(st.floats(0.1, 3), st.floats(-5, 5), st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_calibration_keeps_the_order(slope: float, offset: float, pair: list[float]) -> None:
    low, high = (Calibration(slope, offset)(p) for p in sorted(pair))
    assert 0 <= low <= high <= 1


# --- spelling -------------------------------------------------------------------------------------------------


def logs(probabilities: Probabilities) -> Probabilities:
    return np.log(np.maximum(probabilities, 1e-30))


@given(any_columns(least=0, can_be_sure=True), st.integers(1, 12), st.floats(0.2, 3), st.floats(-4, 4))
def test_a_spelling_is_sound(drawn: tuple[Probabilities, str], top_n: int, slope: float, offset: float) -> None:
    probabilities, alphabet = drawn
    calibration = Calibration(slope, offset)
    spelling = spell([logs(probabilities)], alphabet, top_n, calibration)
    check_spelling(spelling, top_n)
    assert spelling.reading.confidence == calibration(spelling.probability)
    exact = path_sums(probabilities, alphabet)
    assert exact[spelling.reading.text] == pytest.approx(spelling.probability, abs=0.02)


def check_spelling(spelling: Spelling, top_n: int) -> None:
    reading = spelling.reading
    confidences = [c.confidence for c in reading.candidates]
    assert 1 <= len(confidences) <= top_n
    assert confidences == sorted(confidences, reverse=True)
    assert sum(confidences) <= 1 + 1e-6
    assert (reading.candidates[0].text, confidences[0]) == (reading.text, reading.confidence)
    assert len({c.text for c in reading.candidates}) == len(confidences)
    assert "" not in [c.text for c in reading.candidates[1:]]
    assert "".join(guess.value for guess in reading.characters) == reading.text
    assert len(spelling.alternatives) == len(reading.text)
    for guess, listed in zip(reading.characters, spelling.alternatives, strict=True):
        assert guess in listed
        assert list(listed) == sorted(listed, key=lambda other: -other.confidence)
        assert len({other.value for other in listed}) == len(listed)


def test_what_else_a_character_may_be_is_told_with_its_probability() -> None:
    first, last = {"0": 0.7, "O": 0.25, "-": 0.05}, {"B": 0.6, "8": 0.396, "A": 0.004}
    probabilities = columns(first, "-", last, alphabet=ALPHABET)
    spelling = spell([logs(probabilities)], ALPHABET)
    assert spelling.reading.text == "0B"
    listed = [[(guess.value, round(guess.confidence, 3)) for guess in guesses] for guesses in spelling.alternatives]
    assert listed == [[("0", 0.7), ("O", 0.25), ("", 0.05)], [("B", 0.6), ("8", 0.396)]]
    assert [guess.confidence for guess in spelling.reading.characters] == pytest.approx([0.7, 0.6])


def test_candidates_are_texts_with_their_probabilities() -> None:
    probabilities = columns({"0": 0.7, "O": 0.3}, "-", {"B": 0.6, "8": 0.4}, alphabet=ALPHABET)
    candidates = {c.text: c.confidence for c in spell([logs(probabilities)], ALPHABET).reading.candidates}
    assert candidates == pytest.approx({"0B": 0.42, "08": 0.28, "OB": 0.18, "O8": 0.12}, abs=1e-5)


def test_calibration_takes_from_the_best_and_gives_to_the_others() -> None:
    probabilities = columns({"0": 0.9, "O": 0.08, "-": 0.02}, alphabet=ALPHABET)
    reading = spell([logs(probabilities)], ALPHABET, calibration=Calibration(0.5)).reading
    assert reading.confidence == pytest.approx(0.75, abs=1e-5)
    assert [c.confidence for c in reading.candidates] == pytest.approx([0.75, 0.2], abs=1e-4)


def test_no_candidate_overtakes_the_best_one() -> None:
    probabilities = columns({"0": 0.52, "O": 0.48}, alphabet=ALPHABET)
    reading = spell([logs(probabilities)], ALPHABET, calibration=Calibration(1, -3)).reading
    assert reading.text == "0"
    assert [c.confidence for c in reading.candidates] == pytest.approx([reading.confidence] * 2)


def test_sums_beyond_one_by_rounding_do_not_lift_the_others() -> None:
    """An unlikely candidate got the confidence of the best one, whose probability had been rounded up to 1."""
    probabilities = columns({"0": 1.0, "O": 0.0011}, {"0": 1.0}, alphabet=ALPHABET)
    reading = spell([logs(probabilities)], ALPHABET, calibration=Calibration(0.5)).reading
    assert reading.text == "0"
    assert sum(c.confidence for c in reading.candidates) <= 1 + 1e-6
    assert reading.candidates[1].confidence < 0.01


def test_a_plate_without_characters_has_an_empty_text() -> None:
    spelling = spell([logs(columns(*"-" * 80, alphabet=ALPHABET))], ALPHABET)
    assert (spelling.reading.text, spelling.reading.characters, spelling.alternatives) == ("", (), ())
    assert spelling.probability == pytest.approx(1)


@pytest.mark.parametrize("top_n", [1, 2, 30])
def test_there_are_at_most_as_many_candidates_as_asked_for(top_n: int) -> None:
    unsure = {"0": 0.4, "O": 0.3, "D": 0.2, "Q": 0.1}
    probabilities = columns(unsure, "-", unsure, "-", unsure, "-", unsure, alphabet=ALPHABET)
    assert len(spell([logs(probabilities)], ALPHABET, top_n).reading.candidates) == top_n


def doubtful(first: dict[str, float], second: dict[str, float]) -> NDArray[np.float32]:
    return logs(columns("-", first, "-", second, "-", alphabet=ALPHABET))


def test_several_looks_settle_a_text_together() -> None:
    """Each look alone reads another text; the one that none of them rules out wins."""
    looks = [
        doubtful({"A": 0.9}, {"0": 0.5, "8": 0.45}),
        doubtful({"A": 0.9}, {"6": 0.5, "8": 0.45}),
        doubtful({"4": 0.5, "A": 0.4}, {"8": 0.9}),
    ]
    assert [spell([look], ALPHABET).reading.text for look in looks] == ["A0", "A6", "48"]
    spelling = spell(looks, ALPHABET)
    assert spelling.reading.text == "A8"
    assert spelling.probability == pytest.approx((0.9 * 0.45 * 0.9 * 0.45 * 0.4 * 0.9) ** (1 / 3), rel=1e-3)
    assert spelling.reading.confidence == pytest.approx(spelling.probability, rel=1e-3)
    assert [guess.value for guess in spelling.reading.characters] == ["A", "8"]
    assert {candidate.text for candidate in spelling.reading.candidates} >= {"A8", "A0", "A6", "48"}
    assert sum(candidate.confidence for candidate in spelling.reading.candidates) <= 1


def test_looks_that_agree_are_as_sure_as_one() -> None:
    look = doubtful({"A": 0.9, "4": 0.1}, {"8": 1.0})
    alone, together = spell([look], ALPHABET), spell([look] * 3, ALPHABET)
    assert together.reading.text == alone.reading.text
    assert together.probability == pytest.approx(alone.probability)


# --- the reader -----------------------------------------------------------------------------------------------

WIDTH, HEIGHT = 32, 16


def write_plate(number: int) -> NDArray[np.uint8]:
    """A crop whose brightness is its number."""
    return np.full((HEIGHT, WIDTH, 3), number, np.uint8)


def read_brightness(crops: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]:
    """A network that spells the brightness of each crop in three digits."""
    answers = [columns(*"-".join(f"{round(float(crop.mean())):03}"), alphabet=ALPHABET) for crop in crops]
    return (logs(np.stack(answers)),)


def make_reader(**parameters: float) -> tuple[Reader, StandInSession]:
    settings = {"calibration_slope": 1.0, "calibration_offset": 0.0, **parameters}
    card = make_model_card("reading", WIDTH, HEIGHT, ("log_probabilities",), alphabet=ALPHABET, parameters=settings)
    session = StandInSession(card, read_brightness)
    return Reader(session), session


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 40])
def test_any_number_of_crops_is_read_in_order(count: int) -> None:
    reader, session = make_reader()
    spellings = reader.read([write_plate(5 * number) for number in range(count)])
    assert [s.reading.text for s in spellings] == [f"{5 * number:03}" for number in range(count)]
    assert sum(session.batches) == count
    assert all(0 < size <= 16 for size in session.batches)


def test_the_card_calibrates_the_reader() -> None:
    (plain,), (doubtful,) = (
        make_reader(**parameters)[0].read([write_plate(7)])
        for parameters in ({}, {"calibration_slope": 0.0, "calibration_offset": math.log(4)})
    )
    assert plain.reading.confidence == pytest.approx(1, abs=1e-5)
    assert doubtful.reading.confidence == pytest.approx(0.8)
    assert doubtful.probability == plain.probability


def test_a_crop_is_rectified_to_the_size_of_the_card() -> None:
    reader, _ = make_reader()
    pixels = np.full((100, 200, 3), 90, np.uint8)
    crop = reader.rectify(pixels, Corners((50, 40), (110, 44), (110, 70), (50, 66)))
    assert (crop.shape, crop.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)
    assert reader.read([crop])[0].reading.text == "090"


def test_only_doubtful_plates_are_looked_at_again() -> None:
    """The bright plate is sure at once; the dark one is read otherwise in the further looks, which overrule."""
    seen: list[int] = []

    def read(crops: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]:
        doubt = {"7": 0.6, "1": 0.4} if not seen else {"7": 0.01, "1": 0.99}
        seen.append(len(crops))
        rows = [columns("-", {"8": 1.0} if crop.mean() > 120 else doubt, "-", alphabet=ALPHABET) for crop in crops]
        return (logs(np.stack(rows)),)

    reader = Reader(StandInSession(make_reader()[1].card, read))
    pixels = np.full((100, 300, 3), 200, np.uint8)
    pixels[30:60, 160:260] = 60
    places = [Corners.from_box(Box(20, 30, 120, 60)), Corners.from_box(Box(160, 30, 260, 60))]
    first, second = reader.read_plates(pixels, places)
    assert (first.reading.text, second.reading.text) == ("8", "1")
    assert seen == [2, 2]
    assert reader.read_plates(pixels, []) == []


def test_a_reader_names_its_network() -> None:
    assert make_reader()[0].name == "stand-in 1"
