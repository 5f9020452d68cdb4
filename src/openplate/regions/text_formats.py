"""Forms of texts as a user writes them: a safe part of regular expressions, matched by our own automaton.

Understood: letters and digits, ``[a-z0-9]`` and ``[^ioq]``, ``.``, ``\\d`` and ``\\w``, groups ``( | )``, and
``?``, ``*``, ``+``, ``{n}``, ``{m,}``, ``{m,n}`` after any of them. Upper and lower case are the same. A format
describes the whole text, so ``^`` at its start and ``$`` at its end change nothing. Texts have no separators, so
spaces, hyphens and the like in a format stand for nothing.

No format can make matching slow: the automaton (Glushkov 1961) has a place for each character that it may read,
at most ``MOST_PLACES``, looks at each character of a text once, and remembers the steps it took.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from openplate.text import ALPHABET, normalise

LONGEST_FORMAT = 200
MOST_PLACES = 128
MOST_FORMATS = 20

_DEEPEST = 20
_MOST_ITEMS = 2000  # read while repeating: what takes no character, as in ((-{999}){999}), makes no places
_MOST_STEPS = 2000  # remembered
_SEPARATORS = " \t-._/\u00b7\u2022"
_DIGITS = frozenset("0123456789")
_ANY = frozenset(ALPHABET)
_CLASSES = {"d": _DIGITS, "w": _ANY, "D": _ANY - _DIGITS, "s": frozenset[str]()}
_SPECIAL = "\\[](){}?*+|^$."


@dataclass(frozen=True, slots=True)
class TextFormat:
    """A form of texts, ready to match. Places are numbered from 0; sets of places are bits of whole numbers.

    Attributes:
        pattern: as the user wrote it.
        first: the places a text may begin with.
        last: the places it may end with.
        following: for each place those that may come next.
        reading: for each character the places that take it.
        empty: whether a text without characters is of the form.
    """

    pattern: str
    first: int
    last: int
    following: tuple[int, ...]
    reading: dict[str, int]
    empty: bool
    _steps: dict[tuple[int, str], int] = field(default_factory=dict, repr=False, compare=False)

    def matches(self, text: str) -> bool:
        """Whether the whole text (upper case, A-Z and 0-9) is of the form."""
        if not text:
            return self.empty
        possible = self.first & self.reading.get(text[0], 0)
        for character in text[1:]:
            possible = self._step(possible, character)
        return bool(possible & self.last)

    def _step(self, possible: int, character: str) -> int:
        known = self._steps.get((possible, character))
        if known is not None:
            return known
        reached = 0
        for place in _bits(possible):
            reached |= self.following[place]
        reached &= self.reading.get(character, 0)
        if len(self._steps) < _MOST_STEPS:
            self._steps[possible, character] = reached
        return reached


@lru_cache(maxsize=256)
def parse_text_format(pattern: str) -> TextFormat:
    """The format that a pattern describes. ValueError says what in it cannot be understood."""
    if len(pattern) > LONGEST_FORMAT:
        raise ValueError(f"the text format {pattern[:20]!r}... is longer than {LONGEST_FORMAT} characters")
    return _Parser(pattern).parse()


def parse_text_formats(patterns: Iterable[str]) -> tuple[TextFormat, ...]:
    """Several formats, repeated ones once. ValueError for one that cannot be understood, and for too many."""
    unique = tuple(dict.fromkeys(patterns))
    if len(unique) > MOST_FORMATS:
        raise ValueError(f"{len(unique)} text formats are too many, {MOST_FORMATS} are the most")
    return tuple(parse_text_format(pattern) for pattern in unique)


def _bits(places: int) -> Iterator[int]:
    while places:
        lowest = places & -places
        yield lowest.bit_length() - 1
        places ^= lowest


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a pattern: the places it may begin and end with, and whether it may take no character at all."""

    first: int = 0
    last: int = 0
    empty: bool = True


class _Parser:
    """Recursive descent; each call that builds a part adds its places to the automaton."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._position = 0
        self._depth = 0
        self._items = 0
        self._sets: list[frozenset[str]] = []
        self._following: list[int] = []

    def parse(self) -> TextFormat:
        if self._peek() == "^":
            self._position += 1
        whole = self._alternatives()
        if self._position < len(self._pattern):
            raise self._wrong("a ')' closes no group")
        reading = {
            character: sum(1 << place for place, taken in enumerate(self._sets) if character in taken)
            for character in ALPHABET
        }
        return TextFormat(self._pattern, whole.first, whole.last, tuple(self._following), reading, whole.empty)

    def _wrong(self, reason: str) -> ValueError:
        return ValueError(f"the text format {self._pattern!r} cannot be understood: {reason}")

    def _peek(self) -> str:
        return self._pattern[self._position : self._position + 1]

    def _take(self, expected: str) -> bool:
        if self._peek() != expected:
            return False
        self._position += 1
        return True

    def _alternatives(self) -> _Part:
        part = self._sequence()
        while self._take("|"):
            other = self._sequence()
            part = _Part(part.first | other.first, part.last | other.last, part.empty or other.empty)
        return part

    def _sequence(self) -> _Part:
        whole = _Part()
        while (character := self._peek()) and character not in "|)":
            if character == "$":
                self._position += 1
                if self._peek() not in ("", "|", ")"):
                    raise self._wrong("'$' may stand at the end only")
                continue
            whole = self._join(whole, self._repeated())
        return whole

    def _join(self, left: _Part, right: _Part) -> _Part:
        self._connect(left.last, right.first)
        return _Part(
            left.first | right.first if left.empty else left.first,
            right.last | left.last if right.empty else right.last,
            left.empty and right.empty,
        )

    def _connect(self, ends: int, begins: int) -> None:
        for place in _bits(ends):
            self._following[place] |= begins

    def _repeated(self) -> _Part:
        """One item with all that follows it of ``?``, ``*``, ``+`` and ``{m,n}``."""
        start = self._position
        part = self._item()
        counts = self._counts()
        if counts is None:
            return part
        minimum, maximum = counts
        if self._peek() in ("?", "*", "+", "{"):
            raise self._wrong(f"{self._peek()!r} follows another repetition")
        after = self._position
        part = self._copies(part, start, minimum, maximum)
        self._position = after
        return part

    def _copies(self, part: _Part, start: int, minimum: int, maximum: int | None) -> _Part:
        """The first copy is built already; each further one is read again from ``start``."""
        if maximum == 0:
            return _Part()
        whole = part if minimum > 0 else _Part(part.first, part.last, True)
        for number in range(1, minimum if maximum is None else maximum):
            self._position = start
            copy = self._item()
            whole = self._join(whole, copy if number < minimum else _Part(copy.first, copy.last, True))
            part = copy
        if maximum is None:
            self._connect(part.last, part.first)
        return whole

    def _counts(self) -> tuple[int, int | None] | None:
        if self._take("?"):
            return 0, 1
        if self._take("*"):
            return 0, None
        if self._take("+"):
            return 1, None
        if not self._take("{"):
            return None
        inside, closed, _ = self._pattern[self._position :].partition("}")
        low, comma, high = inside.partition(",")
        numbers = [low, high] if comma and high else [low]
        if not closed or not all(number.isascii() and number.isdigit() and len(number) < 4 for number in numbers):
            raise self._wrong("'{' must be followed by a number or two, as in {3} or {1,4}")
        self._position += len(inside) + 1
        minimum, maximum = int(low), int(high) if high else (None if comma else int(low))
        if maximum is not None and maximum < minimum:
            raise self._wrong(f"{{{inside}}} has its greater number first")
        return minimum, maximum

    def _item(self) -> _Part:
        self._items += 1
        if self._items > _MOST_ITEMS:
            raise self._wrong("it repeats too much")
        character = self._peek()
        if character == "(":
            return self._group()
        self._position += 1
        if character == "[":
            return self._place(self._members())
        if character == ".":
            return self._place(_ANY)
        if character == "\\":
            return self._place(self._escaped())
        if character in _SPECIAL:
            raise self._wrong(f"{character!r} may not stand there")
        return self._place(self._literal(character))

    def _group(self) -> _Part:
        self._position += 1
        if self._take("?") and not self._take(":"):
            raise self._wrong("of the groups that begin with '(?' only '(?:' is understood")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._wrong(f"groups in groups, more than {_DEEPEST} deep")
        part = self._alternatives()
        if not self._take(")"):
            raise self._wrong("a group is not closed")
        self._depth -= 1
        return part

    def _place(self, taken: frozenset[str]) -> _Part:
        """A new place for one character; none where only separators were meant."""
        if not taken:
            return _Part()
        if len(self._sets) == MOST_PLACES:
            raise self._wrong(f"it repeats too much: more than {MOST_PLACES} characters in all")
        self._sets.append(taken)
        self._following.append(0)
        bit = 1 << (len(self._sets) - 1)
        return _Part(bit, bit, False)

    def _literal(self, character: str) -> frozenset[str]:
        if character in _SEPARATORS:
            return frozenset()
        plain = normalise(character)
        if len(plain) != 1:
            raise self._wrong(f"texts have A-Z and 0-9 only, no {character!r}")
        return frozenset(plain)

    def _escaped(self) -> frozenset[str]:
        character = self._peek()
        self._position += 1
        if character in _CLASSES:
            return _CLASSES[character]
        if not character or character.isalnum():
            raise self._wrong(f"'\\{character}' is not known")
        return self._literal(character)

    def _members(self) -> frozenset[str]:
        """The inside of ``[...]``, the position behind its opening bracket."""
        negated = self._take("^")
        taken: set[str] = set()
        is_empty = True
        while not self._take("]"):
            if not self._peek():
                raise self._wrong("a '[' is not closed")
            is_empty = False
            taken |= self._range()
        if is_empty:
            raise self._wrong("'[]' takes no character")
        return frozenset(_ANY - taken) if negated else frozenset(taken)

    def _range(self) -> frozenset[str]:
        low = self._pattern[self._position]
        self._position += 1
        if low == "\\":
            return self._escaped()
        high = self._pattern[self._position + 1 : self._position + 2]
        if self._peek() != "-" or high in ("", "]", "\\") or low in _SEPARATORS:
            return self._literal(low)
        self._position += 2
        first, last = low.upper(), high.upper()
        if not (first in _ANY and last in _ANY and first <= last and first.isdigit() == last.isdigit()):
            raise self._wrong(f"'{low}-{high}' is no range of letters or of digits")
        return frozenset(character for character in ALPHABET if first <= character <= last)
