"""Does a text have the form of a plate of a region? The table's notation, compiled on first use.

``L`` letter, ``D`` digit, ``A`` either, ``[...]`` one of a set, ``<script>`` one character of another
script, ``{n}`` and ``{m,n}`` repetitions. A pattern is matched in two forms: as printed, and as a reader of
A-Z and 0-9 sees it, with the characters of other scripts missing (京A12345 is read A12345). A single Arabic
letter may also be read as one Latin letter, as official transliterations of Iranian plates have it.

Some regions list an open pattern, which takes any letters and digits (``A{2,8}``: personalised plates).
A text that fits only that is a plate of the region, but the pattern tells nothing about its characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache

from openplate.regions.table import all_regions, get, subdivisions
from openplate.text import ALPHABET, look_alikes


class Form(Enum):
    """Which texts are taken."""

    ANY = "of any pattern of the region"
    CLOSED = "of a pattern that is not open"
    LOOSE = "of a pattern that is not open, look-alike characters counting as equal"


class Fit(Enum):
    """How well a text fits a region."""

    TEMPLATE = "has exactly the form of a pattern that is not open"
    LOOK_ALIKE = "has such a form but for characters that look alike"
    OPEN = "fits only an open pattern, or for a subdivision only a pattern of its country"
    UNKNOWN = "no pattern of the region is known"
    NONE = "fits none of its patterns"


_CLASSES = {"L": "A-Z", "D": "0-9", "A": "0-9A-Z"}
_SCRIPTS = {
    "thai": "\u0e01-\u0e2e",
    "hangul": "\uac00-\ud7a3",
    "hanzi": "\u4e00-\u9fff",
    "kanji": "\u4e00-\u9fff\u3005\u3040-\u30ff",  # some offices are written in kana: いわき
    "kana": "\u3040-\u30ff",
    "arabic": "\u0621-\u064a\u066e-\u06d3",
    "bangla": "\u0985-\u09b9\u09be-\u09df",
    "devanagari": "\u0904-\u0939\u093e-\u094d",
    "lao": "\u0e81-\u0eae",
}
_TOKEN = re.compile(r"(?:<(\w+)>|\[([^\]]+)\]|([LDA]))(?:\{(\d+)(?:,(\d+))?\})?")
_SEPARATORS = str.maketrans("", "", " \t-.·\u2022\u30fb")


@dataclass(frozen=True, slots=True)
class _Token:
    """``minimum`` to ``maximum`` characters of a set; ``members`` is the inside of a regex set."""

    members: str
    minimum: int
    maximum: int

    @property
    def is_latin(self) -> bool:
        return self.members.isascii()

    @property
    def is_single_arabic(self) -> bool:
        return self.members == _SCRIPTS["arabic"] and self.maximum == 1

    def to_regex(self) -> str:
        return f"[{self.members}]{{{self.minimum},{self.maximum}}}"

    def with_look_alikes(self) -> _Token:
        members = re.compile(f"[{self.members}]")
        taken = {character for character in ALPHABET if members.match(character)}
        widened = taken.union(*(look_alikes(character) for character in taken))
        return _Token("".join(sorted(widened)), self.minimum, self.maximum)


@cache
def _parse(pattern: str) -> tuple[_Token, ...]:
    """ValueError where the pattern is not in the notation."""
    tokens = []
    position = 0
    while position < len(pattern):
        found = _TOKEN.match(pattern, position)
        if found is None:
            raise ValueError(f"the plate pattern {pattern!r} cannot be read from {pattern[position:]!r} on")
        script, members, kind, minimum, maximum = found.groups()
        if script is not None and script not in _SCRIPTS:
            raise ValueError(f"the plate pattern {pattern!r} names an unknown script, {script!r}")
        characters = _SCRIPTS[script] if script else members or _CLASSES[kind]
        tokens.append(_Token(characters, int(minimum or 1), int(maximum or minimum or 1)))
        position = found.end()
    return tuple(tokens)


def is_open(pattern: str) -> bool:
    """Whether a pattern takes any letters and digits, so that it says nothing about single characters."""
    return all(token.members == _CLASSES["A"] for token in _parse(pattern))


def _latin(tokens: Iterable[_Token]) -> tuple[_Token, ...]:
    """The tokens as a reader of A-Z and 0-9 sees them."""
    letter = _Token(_CLASSES["L"], 0, 1)
    seen = (letter if token.is_single_arabic else token for token in tokens)
    return tuple(token for token in seen if token.is_latin)


def _to_regexes(pattern: str, form: Form) -> tuple[str, ...]:
    """The alternatives of a regular expression for one pattern."""
    tokens = _parse(pattern)
    latin = _latin(tokens)
    if form is Form.ANY:
        shapes = [tokens, latin]
    elif is_open(pattern):
        shapes = []
    elif form is Form.CLOSED:
        shapes = [tokens, latin]
    else:
        shapes = [tuple(token.with_look_alikes() for token in latin)]
    return tuple("".join(token.to_regex() for token in shape) for shape in shapes)


@cache
def _compile(patterns: tuple[str, ...], form: Form) -> re.Pattern[str] | None:
    """One expression for several patterns; None when there is nothing to match."""
    alternatives = dict.fromkeys(regex for pattern in patterns for regex in _to_regexes(pattern, form))
    return re.compile("|".join(alternatives)) if alternatives else None


@cache
def _patterns(code: str) -> tuple[str, ...]:
    own = get(code).patterns
    return tuple(dict.fromkeys([*own, *(p for part in subdivisions(code) for p in part.patterns)]))


def patterns(code: str) -> tuple[str, ...]:
    """The patterns of a region; a country's include those of its subdivisions. RegionError: unknown code."""
    return _patterns(get(code).code)


@cache
def has_open_pattern(code: str) -> bool:
    """Whether the region's country also issues plates of no fixed form. RegionError: unknown code."""
    return any(is_open(pattern) for pattern in patterns(get(code).country))


@cache
def _expression(code: str, form: Form) -> re.Pattern[str] | None:
    return _compile(_patterns(code), form)


def takes(code: str, form: Form, text: str) -> bool:
    """Whether a clean text (upper case, no separators) is of that form of the region's patterns."""
    expression = _expression(get(code).code, form)
    return expression is not None and expression.fullmatch(text) is not None


def clean(text: str) -> str:
    """Upper case, without spaces, hyphens and dots; other scripts stay."""
    return text.translate(_SEPARATORS).upper()


def matches(text: str, code: str) -> bool:
    """Whether the text is exactly of a form that the region issues, its subdivisions' forms included.

    Always False for a region without known patterns. RegionError when there is no such region.
    """
    return takes(code, Form.ANY, clean(text))


def regions_matching(text: str) -> tuple[str, ...]:
    """The codes of all regions, subdivisions too, that issue plates of this form; in the table's order."""
    plain = clean(text)
    return tuple(region.code for region in all_regions() if takes(region.code, Form.ANY, plain))


def fit(text: str, code: str) -> Fit:
    """How well a text fits the region. RegionError when there is no such region."""
    plain, region = clean(text), get(code)
    if takes(region.code, Form.CLOSED, plain):
        return Fit.TEMPLATE
    if takes(region.code, Form.LOOSE, plain):
        return Fit.LOOK_ALIKE
    if takes(region.country, Form.ANY, plain):
        return Fit.OPEN
    return Fit.NONE if patterns(region.country) else Fit.UNKNOWN
