"""The table of regions, its plate formats, and what they say about readings and about a plate's look."""

from __future__ import annotations

import random
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openplate.datatypes import Guess, PlateCandidate, PlateReading
from openplate.errors import RegionError
from openplate.regions import (
    Fit,
    all_regions,
    certain,
    codes,
    combine,
    countries,
    fit,
    get,
    guide,
    guide_reading,
    is_code,
    is_open,
    matches,
    patterns,
    region_likelihood,
    regions_matching,
    subdivisions,
)
from openplate.text import ALPHABET, look_alikes, twin

# --- the table ------------------------------------------------------------------------------------


def test_the_table_is_whole() -> None:
    assert len(codes()) == len(set(codes())) == len(all_regions()) > 650
    assert all(map(is_code, codes()))
    assert not any(map(is_code, ("", "PL", "cb", "other")))
    assert len(countries()) > 230
    for region in all_regions():
        assert re.fullmatch(r"[a-z]{2}(-[a-z0-9]{1,3})?", region.code)
        assert region.name
        assert region.code.startswith(region.country)
        assert (region.parent is None) == (region.code == region.country)
        assert get(region.country).parent is None


def test_a_country_knows_its_parts() -> None:
    states = subdivisions("us")
    assert len(states) == 51
    assert get("us-ny") in states
    assert all(state.parent == "us" for state in states)
    assert subdivisions("us-ny") == ()
    assert subdivisions("fr") == ()
    assert sum(len(subdivisions(country.code)) for country in countries()) + len(countries()) == len(codes())


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("gb", "gb"),
        ("GB", "gb"),
        (" Us-Ny ", "us-ny"),
        ("br-sc", "br-sc"),
        ("br_sc", "br-sc"),
        ("BR_SC", "br-sc"),
        ("cb", "kh"),
        ("CB", "kh"),
        ("us-pr", "pr"),
        ("ALX", "eg-alx"),
        ("C", "eg-c"),
        ("ACK", "jp-ack"),
        ("OSZ", "jp-osz"),
        # printed wrongly too, but these mean another region
        ("cy", "cy"),
        ("gp", "gp"),
        ("np", "np"),
        ("BA", "ba"),
        ("DK", "dk"),
        ("GH", "gh"),
        ("MT", "mt"),
    ],
)
def test_codes_in_any_case_and_known_misprints(code: str, expected: str) -> None:
    assert get(code).code == expected


@pytest.mark.parametrize("code", ["alx", "ack", "c", "zz", "us-zz", "", " ", "u s", "latvija", "京"])
def test_an_unknown_code_is_an_error(code: str) -> None:
    with pytest.raises(RegionError, match="there is no region"):
        get(code)


@pytest.mark.parametrize(
    ("code", "near"),
    [
        ("uk", "gb (United Kingdom)"),
        ("usa", "us (United States of America)"),
        ("germny", "de (Germany)"),
        ("Germany", "de (Germany)"),
        ("us-nyc", "us-nc (North Carolina), us-ny (New York)"),
        ("kosovo", "xk (Kosovo)"),
    ],
)
def test_an_unknown_code_names_the_nearest(code: str, near: str) -> None:
    with pytest.raises(RegionError) as caught:
        get(code)
    assert f"did you mean {near}" in str(caught.value)


def test_far_codes_are_not_suggested() -> None:
    with pytest.raises(RegionError) as caught:
        get("qqqqqqqqqqqq")
    assert "did you mean" not in str(caught.value)


def test_importing_reads_and_compiles_nothing() -> None:
    script = (
        "import sys, openplate.regions as r\n"
        "from openplate.regions import notation as p, table as t\n"
        "assert t._table.cache_info().currsize == 0 and p._compile.cache_info().currsize == 0\n"
        "assert not {'numpy', 'cv2'} & set(sys.modules)\n"
        "assert r.matches('ABC1234', 'br') and p._compile.cache_info().currsize == 1\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


# --- patterns -------------------------------------------------------------------------------------

SCRIPT_SAMPLES = {
    "thai": "กขฮ",
    "hangul": "가나하",
    "hanzi": "京沪学",
    "kanji": "品川東い",
    "kana": "あさン",
    "arabic": "ابص",
    "bangla": "ঢাক",
    "devanagari": "बागम",
    "lao": "ກຂ",
}
TOKEN = re.compile(r"<(\w+)>|\[(.+?)\]|([LDA])|\{(\d+),?(\d*)\}")


def members(found: re.Match[str]) -> str:
    script, characters, kind = found.group(1, 2, 3)
    if script:
        return SCRIPT_SAMPLES[script]
    if kind:
        return {"L": ALPHABET[10:], "D": ALPHABET[:10], "A": ALPHABET}[kind]
    spelled = re.sub(r"(.)-(.)", lambda ends: "".join(map(chr, range(*map(ord, ends.groups())))) + ends[2], characters)
    return "".join(sorted(set(spelled)))


@st.composite
def plates_of(draw: st.DrawFn, pattern: str) -> str:
    """A text of that pattern, drawn by another reading of the notation than the package's own."""
    pieces: list[tuple[str, int, int]] = []
    for found in TOKEN.finditer(pattern):
        if found[4]:
            pieces[-1] = (pieces[-1][0], int(found[4]), int(found[5] or found[4]))
        else:
            pieces.append((members(found), 1, 1))
    return "".join(draw(st.text(piece, min_size=least, max_size=most)) for piece, least, most in pieces)


REGIONS_WITH_PATTERNS = [region for region in all_regions() if region.patterns]


@given(st.data())
def test_what_a_pattern_describes_matches_it(data: st.DataObject) -> None:
    region = data.draw(st.sampled_from(REGIONS_WITH_PATTERNS))
    pattern = data.draw(st.sampled_from(region.patterns))
    text = data.draw(plates_of(pattern))
    assert matches(text, region.code)
    assert matches(text.lower(), region.country)
    latin = "".join(character for character in text if character.isascii())
    assert matches(latin, region.code)
    assert fit(latin, region.code) is (Fit.OPEN if is_open(pattern) else Fit.TEMPLATE) or is_open(pattern)


def test_every_pattern_compiles_and_takes_no_separator_text() -> None:
    for region in REGIONS_WITH_PATTERNS:
        assert patterns(region.code)[: len(region.patterns)] == tuple(dict.fromkeys(region.patterns))
        assert not matches("", region.code)
        assert not matches("?" * 6, region.code)
        assert not matches("A1" * 10, region.code)
        assert isinstance(fit("ABC123", region.code), Fit)


SAMPLES = [
    ("ad", "A1234"), ("ae", "A12345"), ("ae-du", "AA12345"), ("ae-az", "1112345"), ("al", "AB123CD"),
    ("am", "12AB345"), ("ar", "AB123CD"), ("ar", "ABC123"), ("at", "W12345B"), ("at", "GU123AB"),
    ("au-nsw", "ABC12D"), ("au-nsw", "AB12CD"), ("au-vic", "1AB2CD"), ("az", "10AB123"), ("ba", "A12K345"),
    ("be", "1ABC234"), ("bg", "CB1234AB"), ("br", "ABC1234"), ("br", "ABC1D23"), ("by", "1234AB7"),
    ("ca", "ABCD123"), ("ca-qc", "A12BCD"), ("ch", "ZH123456"), ("cl", "BBCD12"), ("cn", "京A12345"),
    ("cn", "A12345"), ("cn-sh", "沪AD12345"), ("cn-sh", "AD12345"), ("co", "ABC123"), ("cy", "ABC123"),
    ("cz", "1A23456"), ("cz", "EL123AB"), ("de", "BAB1234"), ("de", "MXY12E"), ("dk", "AB12345"),
    ("ee", "123ABC"), ("eg", "بصض1234"), ("eg", "1234"), ("es", "1234BCD"), ("fi", "ABC123"),
    ("fr", "AB123CD"), ("fr", "1234AB75"), ("gb", "AB12CDE"), ("gb", "A123BCD"), ("gr", "ABC1234"),
    ("hr", "ZG1234AB"), ("hu", "ABC123"), ("hu", "AABC123"), ("id", "B1234ABC"), ("ie", "12D34567"),
    ("il", "1234567"), ("il", "12345678"), ("in", "MH12AB1234"), ("in", "DL3CAB1234"),
    ("in-mh", "MH12AB1234"), ("in", "22BH1234AB"), ("ir", "12ب34567"), ("ir", "1234567"), ("ir", "12B34567"),
    ("it", "AB123CD"),
    ("jp", "品川500あ1234"), ("jp", "5001234"), ("kr", "12가3456"), ("kr", "123456"), ("kz", "123ABC02"),
    ("lt", "ABC123"), ("lv", "AB1234"), ("mx", "ABC123D"), ("nl", "AB12CD"), ("nl", "12ABC3"),
    ("no", "AB12345"), ("nz", "ABC123"), ("pe", "A1B234"), ("pl", "WA12345"), ("pl", "KRA12AB"),
    ("pt", "AB12CD"), ("ro", "B123ABC"), ("ro", "CJ12ABC"), ("rs", "BG1234AB"), ("ru", "A123BC77"),
    ("se", "ABC123"), ("se", "ABC12D"), ("si", "LJ12ABC"), ("sk", "BA123AB"), ("th", "กข1234"),
    ("th", "1กข1234"), ("th", "1234"), ("tr", "34AB1234"), ("tw", "ABC1234"), ("ua", "AB1234CD"),
    ("us", "ABC1234"), ("us-ca", "1ABC234"), ("us-ny", "ABC1234"), ("us-ny", "T123456C"),
    ("us-in", "12A3456"), ("us-tx", "ABC1234"), ("uy", "ABC1234"), ("va", "SCV12345"), ("vn", "51F12345"),
    ("vn", "51F1234"),
    ("za", "AB12CDGP"), ("za-gp", "AB12CDGP"), ("za", "CA123456"), ("zm", "ABC1234"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "text"), SAMPLES)
def test_sample_plates(code: str, text: str) -> None:
    assert matches(text, code)
    assert code in regions_matching(text)
    assert get(code).country in regions_matching(text)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("br", "ABC12D4"),
        ("br", "AB1234"),
        ("br", "ABC12345"),
        ("de", "1ABC234"),
        ("fr", "AB123C"),
        ("in-mh", "KA12AB1234"),
        ("za-gp", "AB12CDEC"),
        ("il", "123456A"),
        ("cn", "12345"),
        ("cn-sh", "京A12345"),
        ("ag", "A1234"),
        ("us-ny", "GOOGLE"),
    ],
)
def test_texts_of_no_form_of_the_region(code: str, text: str) -> None:
    assert not matches(text, code)
    assert code not in regions_matching(text)


@pytest.mark.parametrize("text", ["ab 123 cd", "AB-123-CD", "ab.123·cd", " AB123CD "])
def test_case_and_separators_do_not_count(text: str) -> None:
    assert matches(text, "fr")


def test_a_country_takes_the_forms_of_its_parts() -> None:
    assert matches("1ABC234", "us-ca")
    assert not matches("1ABC234", "us-me")
    assert "LDDDDDL" in patterns("us")
    assert matches("YAB12C", "au")  # Australian Capital Territory only
    assert not matches("YAB12C", "au-tas")


def test_an_unknown_region_matches_nothing_silently() -> None:
    with pytest.raises(RegionError):
        matches("ABC123", "zz")


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        ("br", "ABC1234", Fit.TEMPLATE),
        ("br", "ABC12O4", Fit.LOOK_ALIKE),
        ("br", "A8C1234", Fit.LOOK_ALIKE),
        ("br", "HELLO", Fit.NONE),
        ("us", "WAYNE", Fit.OPEN),
        ("us-ny", "WAYNE", Fit.OPEN),
        ("us-ny", "ABC1234", Fit.TEMPLATE),
        ("fr", "AB123C", Fit.NONE),
        ("ag", "A1234", Fit.UNKNOWN),
        ("in-mh", "KA12AB1234", Fit.OPEN),
    ],
)
def test_fit(code: str, text: str, expected: Fit) -> None:
    assert fit(text, code) is expected


# --- guiding a reading ----------------------------------------------------------------------------


def listed(*pairs: tuple[str, float]) -> tuple[PlateCandidate, ...]:
    return tuple(PlateCandidate(text, confidence) for text, confidence in pairs)


def positions(text: str, sure: float = 0.99, **unsure: str) -> list[tuple[Guess, ...]]:
    """One guess per character, ``sure``; for ``at5="O.6 0.3"`` those guesses at position 5."""
    found = [(Guess(character, sure),) for character in text]
    for name, guesses in unsure.items():
        found[int(name.removeprefix("at"))] = tuple(Guess(pair[0], float(pair[1:])) for pair in guesses.split())
    return found


def texts(candidates: tuple[PlateCandidate, ...]) -> list[str]:
    return [candidate.text for candidate in candidates]


@pytest.mark.parametrize(
    ("code", "candidates", "expected"),
    [
        # near-equal candidates: the one that fits wins
        ("br", [("ABC12O4", 0.50), ("ABC1204", 0.45)], "ABC1204"),
        ("br", [("A8C1234", 0.60), ("ABC1234", 0.30)], "ABC1234"),
        ("gb", [("AB5ICDE", 0.55), ("AB51CDE", 0.40)], "AB51CDE"),
        ("nl", [("ZZ12AB", 0.50), ("2Z12AB", 0.45)], "ZZ12AB"),
        # a look-alike needs little support, another text more, and none is not enough
        ("br", [("ABC12O4", 0.90), ("ABC1204", 0.04)], "ABC1204"),
        ("br", [("ABC12O4", 0.99), ("ABC1204", 0.001)], "ABC12O4"),
        ("br", [("ABC12X4", 0.60), ("ABC1234", 0.25)], "ABC1234"),
        ("br", [("ABC12X4", 0.90), ("ABC1234", 0.04)], "ABC12X4"),
        ("hu", [("AABC12", 0.60), ("AABC123", 0.30)], "AABC123"),
        ("hu", [("AABC12", 0.95), ("AABC123", 0.02)], "AABC12"),
        # both fit: the reader's order stands
        ("br", [("ABC1D23", 0.50), ("ABC1023", 0.45)], "ABC1D23"),
        ("de", [("BAB123", 0.50), ("BAB128", 0.45)], "BAB123"),
        # neither fits
        ("br", [("GO0GLE", 0.50), ("GOOGLE", 0.45)], "GO0GLE"),
        # no format is known
        ("ag", [("ABC12O4", 0.50), ("ABC1204", 0.45)], "ABC12O4"),
        # personalised plates of an open region: the reader decides unless it is in doubt
        ("us-ca", [("1ABC23X", 0.80), ("1ABC234", 0.10)], "1ABC23X"),
        ("us-ca", [("IABC234", 0.50), ("1ABC234", 0.45)], "1ABC234"),
        ("nz", [("B0B123", 0.90), ("BOB123", 0.08)], "B0B123"),
    ],
)
def test_which_candidate_wins(code: str, candidates: list[tuple[str, float]], expected: str) -> None:
    guided = guide(listed(*candidates), regions=certain([code]))
    assert guided[0].text == expected
    assert sorted(texts(guided)) == sorted(text for text, _ in candidates)
    assert [c.matches_pattern for c in guided] == [matches(c.text, code) for c in guided]


@pytest.mark.parametrize(
    ("code", "text", "unsure", "expected"),
    [
        # listed among the alternatives
        ("br", "ABC12O4", {"at5": "O.90 0.06"}, "ABC1204"),
        ("br", "A8C1234", {"at1": "8.70 B.25"}, "ABC1234"),
        ("br", "48C1234", {"at0": "4.80 A.15", "at1": "8.70 B.25"}, "ABC1234"),
        ("gb", "AB5ICDE", {"at3": "I.60 1.40"}, "AB51CDE"),
        ("es", "12S4BCD", {"at2": "S.55 5.40"}, "1254BCD"),
        ("pl", "WA123Z5", {"at5": "Z.80 2.15"}, "WA12325"),
        # not listed: the twin where the reader is unsure, nothing where it is sure
        ("br", "ABC12O4", {"at5": "O.80"}, "ABC1204"),
        ("br", "ABC12O4", {"at5": "O.99"}, "ABC12O4"),
        ("br", "ABC12O4", {"at5": "O.999 0.0005"}, "ABC12O4"),
        # never a character that neither the reader nor the look suggests
        ("br", "ABC12X4", {"at5": "X.50"}, "ABC12X4"),
        ("br", "ABC12O4", {"at5": "O.80 C.20"}, "ABC12O4"),
        # an alternative of another look needs the reader's doubt
        ("br", "ABC12X4", {"at5": "X.50 3.45"}, "ABC1234"),
        ("br", "ABC12X4", {"at5": "X.95 3.01"}, "ABC12X4"),
        # a character too many
        ("hu", "ABC1234", {}, "ABC1234"),
        # it fits already: an equally fitting alternative does not win
        ("br", "ABC1034", {"at4": "0.60 8.35"}, "ABC1034"),
        ("cz", "1O23456", {"at1": "O.60 0.35"}, "1O23456"),
        # far from every form
        ("br", "HELLO", {"at4": "O.60 0.35"}, "HELLO"),
        ("br", "B00B5", {"at1": "0.60 O.35", "at2": "0.60 O.35"}, "B00B5"),
    ],
)
def test_look_alikes_are_settled_where_the_reader_is_unsure(
    code: str, text: str, unsure: dict[str, str], expected: str
) -> None:
    guided = guide(listed((text, 0.6)), positions(text, **unsure), regions=certain([code]))
    assert guided[0].text == expected
    assert text in texts(guided)


def test_a_missing_character_may_be_an_alternative() -> None:
    """A reader with a fixed number of places says "no character" with the empty string."""
    alternatives = [*positions("ABC123"), (Guess("1", 0.6), Guess("", 0.4))]
    guided = guide(listed(("ABC1231", 0.55)), alternatives, regions=certain(["lt"]))
    assert guided[0].text == "ABC123"
    assert guided[0].matches_pattern


def test_a_reading_far_from_every_form_comes_back_as_it_was() -> None:
    before = listed(("HELLO", 0.93), ("HELL0", 0.02))
    assert guide(before, positions("HELLO"), regions=certain(["br", "fr"])) == before


def test_personalised_plates_stay() -> None:
    for text in ("GOOGLE", "B1GDOG", "ILUV2SKI", "L8R", "10SNE1"):
        guided = guide(listed((text, 0.97)), positions(text, 0.995), regions=certain(["us-ca", "gb"]))
        assert guided[0].text == text
        assert guided[0].confidence == pytest.approx(0.97, abs=0.05)


def test_without_regions_nothing_changes() -> None:
    before = listed(("ABC12O4", 0.5), ("ABC1204", 0.45))
    assert guide(before, positions("ABC12O4")) == before
    assert guide(before, positions("ABC12O4"), strict=True) == before


def test_no_candidates() -> None:
    assert guide((), (), regions=certain(["br"])) == ()
    assert guide((), (), regions=certain(["br"]), strict=True) == ()


def test_strict_keeps_exact_matches_only() -> None:
    before = listed(("ABC12O4", 0.5), ("ABC1204", 0.3), ("ABCD123", 0.1))
    strict = guide(before, regions=certain(["br"]), strict=True)
    assert texts(strict) == ["ABC1204"]
    assert strict[0].matches_pattern
    assert texts(guide(before, regions=certain(["br", "ca"]), strict=True)) == [
        "ABC1204",
        "ABC12O4",
        "ABCD123",
    ]


def test_strict_drops_a_reading_of_another_form() -> None:
    """Three letters and three digits are asked for: the four digits of another country are dropped."""
    assert guide(listed(("ABC1234", 0.99)), regions=certain(["lt"]), strict=True) == ()


def test_strict_accepts_nothing_for_a_region_without_known_forms() -> None:
    assert get("ag").patterns == ()
    assert guide(listed(("A1234", 0.99)), regions=certain(["ag"]), strict=True) == ()


def test_lower_case_and_separators_from_the_reader() -> None:
    guided = guide(listed(("abc-12o4", 0.5), ("abc 1204", 0.4)), regions=certain(["BR"]))
    assert texts(guided) == ["ABC1204", "ABC12O4"]
    lower = [tuple(Guess(g.value.lower(), g.confidence) for g in place) for place in positions("ABC12O4")]
    lower[5] = (Guess("o", 0.6), Guess("0", 0.4))
    assert guide(listed(("abc12o4", 0.5)), lower, regions=certain(["br"]))[0].text == "ABC1204"


def test_a_classifier_that_is_sure_guides_and_one_that_is_not_does_not() -> None:
    before = listed(("ABC12O4", 0.80), ("ABC1204", 0.05))
    assert guide(before, regions=[Guess("br", 0.95)])[0].text == "ABC1204"
    assert guide(before, regions=[Guess("br", 0.05), Guess("fr", 0.9)])[0].text == "ABC12O4"


def test_only_likely_regions_decide_what_matches() -> None:
    guided = guide(listed(("ABC1234", 0.9)), regions=[Guess("fr", 0.9), Guess("br", 0.1)])
    assert not guided[0].matches_pattern
    guided = guide(listed(("ABC1234", 0.9)), regions=[Guess("fr", 0.5), Guess("br", 0.45)])
    assert guided[0].matches_pattern


def test_an_unknown_region_is_an_error() -> None:
    with pytest.raises(RegionError):
        guide(listed(("ABC1234", 0.9)), regions=[Guess("zz", 1.0)])
    with pytest.raises(RegionError):
        certain(["br", "zz"])


def test_given_regions_are_named_once() -> None:
    assert certain(["BR", "br", "cb", "kh"]) == (Guess("br", 1.0), Guess("kh", 1.0))
    assert certain([]) == ()


@pytest.mark.parametrize(
    "alternatives",
    [
        positions("ABC12"),
        positions("ABC12X4"),
    ],
)
def test_alternatives_of_another_text_are_refused(alternatives: list[tuple[Guess, ...]]) -> None:
    with pytest.raises(ValueError, match="alternatives"):
        guide(listed(("ABC12O4", 0.9)), alternatives, regions=certain(["br"]))


def test_a_character_whose_probability_vanished_is_no_error() -> None:
    guided = guide(listed(("ABC12O4", 0.5)), positions("ABC12O4", at5="O0 0.9"), regions=certain(["br"]))
    assert guided[0].text == "ABC1204"


def test_the_confidence_of_a_settled_text_reflects_the_doubt() -> None:
    near = guide(listed(("ABC12O4", 0.50), ("ABC1204", 0.45)), regions=certain(["br"]))
    doubtful = guide(listed(("ABC12O4", 0.94), ("ABC1204", 0.01)), regions=certain(["br"]))
    assert near[0].confidence > 0.9
    assert 0.4 < doubtful[0].confidence < 0.6
    assert sum(c.confidence for c in near) == pytest.approx(0.95)
    assert sum(c.confidence for c in doubtful) == pytest.approx(0.95)


def test_a_wholly_unsure_reading_is_settled_quickly() -> None:
    places = [(Guess("0", 0.3), Guess("O", 0.28), Guess("8", 0.2), Guess("B", 0.2)) for _ in range(10)]
    guided = guide(listed(("0" * 10, 1e-5)), places, regions=certain(["us", "br", "in"]))
    assert guided[0].confidence <= 1
    assert len(guided) <= 257


@st.composite
def readings(draw: st.DrawFn) -> tuple[tuple[PlateCandidate, ...], list[tuple[Guess, ...]]]:
    """What a reader may give: distributions per place, and candidates among them, best first."""
    length = draw(st.integers(1, 8))
    places = []
    for _ in range(length):
        characters = draw(st.lists(st.sampled_from(ALPHABET), min_size=1, max_size=4, unique=True))
        shares = sorted((draw(st.floats(0.01, 1)) for _ in characters), reverse=True)
        total = sum(shares) * draw(st.floats(1.0001, 1.2))
        places.append(tuple(Guess(c, s / total) for c, s in zip(characters, shares, strict=True)))
    best = "".join(place[0].value for place in places)
    others = draw(st.lists(st.text(ALPHABET, max_size=9), max_size=3, unique=True).filter(lambda t: best not in t))
    shares = sorted((draw(st.floats(0.001, 1)) for _ in range(len(others) + 1)), reverse=True)
    total = sum(shares) * draw(st.floats(1, 2))
    values = zip([best, *others], shares, strict=True)
    return tuple(PlateCandidate(text, share / total) for text, share in values), places


region_guesses = st.lists(
    st.builds(Guess, st.sampled_from(["br", "us", "us-ny", "fr", "de", "in", "ag", "nz", "cn"]), st.floats(0, 1)),
    min_size=1,
    max_size=3,
)


@given(readings(), region_guesses)
def test_guided_candidates_are_sound(
    reading: tuple[tuple[PlateCandidate, ...], list[tuple[Guess, ...]]], regions: list[Guess]
) -> None:
    candidates, alternatives = reading
    guided = guide(candidates, alternatives, regions=regions)
    confidences = [candidate.confidence for candidate in guided]
    assert confidences == sorted(confidences, reverse=True)
    assert sum(confidences) <= 1 + 1e-9
    assert sum(confidences) >= sum(c.confidence for c in candidates) - 0.3
    assert len(set(texts(guided))) == len(guided)
    assert {candidate.text for candidate in candidates} <= set(texts(guided))
    added = set(texts(guided)) - {candidate.text for candidate in candidates}
    assert all(any(matches(text, guess.value) for guess in regions) for text in added)
    strict = guide(candidates, alternatives, regions=regions, strict=True)
    assert strict == tuple(candidate for candidate in guided if candidate.matches_pattern)


@given(readings(), region_guesses)
def test_guiding_never_lowers_a_best_text_that_every_region_issues(
    reading: tuple[tuple[PlateCandidate, ...], list[tuple[Guess, ...]]], regions: list[Guess]
) -> None:
    candidates, alternatives = reading
    best = candidates[0]
    if all(fit(best.text, guess.value) is Fit.TEMPLATE for guess in regions):
        assert guide(candidates, alternatives, regions=regions)[0].text == best.text


def blurred(text: str, chance: random.Random) -> tuple[str, list[tuple[Guess, ...]], float]:
    """What a well-calibrated reader makes of a plate: a quarter of its characters look like another, which
    it takes for the right one as often as it says.
    """
    places = []
    for character in text:
        other = twin(character) or min(look_alikes(character), default=None)
        if other is None or chance.random() > 0.25:
            places.append((Guess(character, 0.999),))
            continue
        sure = chance.uniform(0.5, 1)
        pair = (character, other) if chance.random() < sure else (other, character)
        places.append((Guess(pair[0], sure), Guess(pair[1], 1 - sure)))
    confidence = 1.0
    for place in places:
        confidence *= place[0].confidence
    return "".join(place[0].value for place in places), places, confidence


@pytest.mark.parametrize("code", ["br", "hr", "in", "vn"])
def test_formats_put_blurred_plates_right_and_the_confidence_stays_true(code: str) -> None:
    chance = random.Random(7)
    pattern = get(code).patterns[0]
    right_before = right_after = broken = 0
    claimed = 0.0
    for _ in range(400):
        shape = re.sub(r"(.)\{(\d),(\d)\}", lambda m: m[1] * chance.randint(int(m[2]), int(m[3])), pattern)
        truth = "".join(chance.choice(ALPHABET[10:] if kind == "L" else ALPHABET[:10]) for kind in shape)
        text, places, confidence = blurred(truth, chance)
        best = guide(listed((text, confidence)), places, regions=certain([code]))[0]
        right_before += text == truth
        right_after += best.text == truth
        broken += text == truth != best.text
        claimed += best.confidence
    assert right_before / 400 < 0.75
    assert right_after / 400 > 0.9
    assert broken == 0
    assert claimed / 400 == pytest.approx(right_after / 400, abs=0.06)


# --- guiding a whole reading ----------------------------------------------------------------------


def make_reading(text: str, *confidences: float) -> PlateReading:
    characters = tuple(Guess(c, p) for c, p in zip(text, confidences, strict=True))
    return PlateReading(text, 0.7, characters, listed((text, 0.7)), (Guess("br", 0.9),))


def test_a_guided_reading_agrees_with_itself() -> None:
    reading = make_reading("ABC12O4", 0.9, 0.9, 0.9, 0.9, 0.9, 0.6, 0.9)
    alternatives = positions("ABC12O4", 0.9, at5="O.60 0.35")
    guided = guide_reading(reading, alternatives, regions=certain(["br"]))
    assert guided is not None
    assert guided.text == guided.candidates[0].text == "ABC1204"
    assert guided.confidence == guided.candidates[0].confidence
    assert "".join(guess.value for guess in guided.characters) == "ABC1204"
    assert guided.characters[5].confidence == pytest.approx(0.95)
    assert guided.characters[:5] == reading.characters[:5]
    assert guided.regions == reading.regions


def test_a_reading_without_alternatives_is_guided_by_its_characters() -> None:
    unsure = guide_reading(make_reading("ABC12O4", 0.9, 0.9, 0.9, 0.9, 0.9, 0.6, 0.9), regions=certain(["br"]))
    assert unsure is not None
    assert unsure.text == "ABC1204"
    sure = guide_reading(make_reading("ABC12O4", *[0.995] * 7), regions=certain(["br"]))
    assert sure is not None
    assert sure.text == "ABC12O4"


def test_a_guided_reading_of_another_length_has_a_guess_per_character() -> None:
    reading = PlateReading(
        "AABC12", 0.5, tuple(Guess(c, 0.9) for c in "AABC12"), listed(("AABC12", 0.5), ("AABC123", 0.4))
    )
    guided = guide_reading(reading, regions=certain(["hu"]))
    assert guided is not None
    assert "".join(guess.value for guess in guided.characters) == guided.text == "AABC123"


def test_strict_may_leave_no_reading() -> None:
    reading = make_reading("HELLO", *[0.9] * 5)
    assert guide_reading(reading, regions=certain(["br"]), strict=True) is None
    assert guide_reading(reading, strict=True) == reading


def test_a_bare_reading_is_guided_too() -> None:
    guided = guide_reading(PlateReading("ABC1234", 0.8), regions=certain(["br"]))
    assert guided == PlateReading("ABC1234", 0.8, (), (PlateCandidate("ABC1234", 0.8, True),))


# --- regions from look and text -------------------------------------------------------------------


def test_region_likelihood() -> None:
    likely = region_likelihood("AB123CD")
    assert set(likely) == {country.code for country in countries()}
    assert likely["fr"] == likely["it"] == 1
    assert likely["de"] < likely["ag"] < 1
    assert all(0 < weight <= 1 for weight in likely.values())
    assert region_likelihood("京A12345")["cn"] == 1


def test_the_text_decides_between_plates_that_look_alike() -> None:
    visual = (Guess("es", 0.45), Guess("fr", 0.40), Guess("pt", 0.15))
    combined = combine(visual, "AB123CD")
    assert combined[0].value == "fr"
    assert combined[0].confidence > 0.6
    assert sum(guess.confidence for guess in combined) == pytest.approx(1)


def test_a_personalised_plate_does_not_hide_a_clear_look() -> None:
    visual = (Guess("se", 0.97), Guess("us", 0.02), Guess("fr", 0.01))
    assert combine(visual, "SMURFAN")[0].value == "se"


def test_a_look_alike_mistake_does_not_hide_a_clear_look() -> None:
    visual = (Guess("br", 0.8), Guess("us", 0.2))
    assert combine(visual, "ABC12O4")[0].value == "br"


def test_an_unsure_text_counts_less() -> None:
    visual = (Guess("es", 0.6), Guess("fr", 0.4))
    assert combine(visual, "AB123CD", 0.9)[0].value == "fr"
    assert combine(visual, "AB123CD", 0.01)[0].value == "es"


@pytest.mark.parametrize("text", ["", "HELLOYOU1"])
def test_a_text_that_says_nothing_changes_nothing(text: str) -> None:
    visual = (Guess("br", 0.6), Guess("fr", 0.3), Guess("de", 0.1))
    for before, after in zip(visual, combine(visual, text), strict=True):
        assert after.value == before.value
        assert after.confidence == pytest.approx(before.confidence)


def test_a_class_that_is_no_region_is_kept() -> None:
    combined = combine((Guess("other", 0.5), Guess("br", 0.5)), "ABC1234")
    assert [guess.value for guess in combined] == ["br", "other"]
    assert combine((), "ABC1234") == ()


@given(
    st.lists(st.sampled_from(["br", "us", "us-ny", "fr", "ag", "other"]), min_size=1, unique=True),
    st.data(),
)
def test_combining_keeps_every_region_and_the_sum(values: list[str], data: st.DataObject) -> None:
    shares = [data.draw(st.floats(0.0001, 1)) for _ in values]
    visual = [Guess(value, share / sum(shares)) for value, share in zip(values, shares, strict=True)]
    combined = combine(visual, data.draw(st.text(ALPHABET, max_size=9)), data.draw(st.floats(0, 1)))
    assert {guess.value for guess in combined} == set(values)
    assert all(guess.confidence > 0 for guess in combined)
    assert sum(guess.confidence for guess in combined) == pytest.approx(1)
    assert [g.confidence for g in combined] == sorted((g.confidence for g in combined), reverse=True)
