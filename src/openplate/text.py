"""Plate text: its normal form, the distance between two texts, and characters that look alike. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

LOOK_ALIKE_GROUPS = (
    "0DOQ", "1IL", "2Z", "4A", "5S", "6G", "7T", "8B", "17", "7Z", "CG", "UV", "VY", "MN",
)  # fmt: skip
"""Characters that are mistaken for each other on plates; a character may stand in several groups."""

_TWINS = ("0O", "1I", "2Z", "4A", "5S", "6G", "7T", "8B")

_LOOK_ALIKES = {
    character: frozenset("".join(group for group in LOOK_ALIKE_GROUPS if character in group)) - {character}
    for character in ALPHABET
}
_TWIN = {pair[i]: pair[1 - i] for pair in _TWINS for i in (0, 1)}


def normalise(text: str) -> str:
    """The text as A-Z and 0-9 only, upper case.

    Accents, full-width and circled forms become their plain character (``Ü`` -> ``U``); everything else
    that is not an ASCII letter or digit (separators, other scripts) is dropped.
    """
    if text.isascii() and text.isalnum():
        return text.upper()
    plain = unicodedata.normalize("NFKD", text)
    return "".join(character for character in plain if character.isascii() and character.isalnum()).upper()


def look_alikes(character: str) -> frozenset[str]:
    """The characters that one upper-case character is mistaken for, itself not among them."""
    return _LOOK_ALIKES.get(character, frozenset())


def twin(character: str) -> str | None:
    """The letter that a digit is most often mistaken for, or the digit of a letter; None for most letters."""
    return _TWIN.get(character)


def is_look_alike(a: str, b: str) -> bool:
    """Whether two texts are equally long and differ, if at all, only in characters that look alike."""
    return len(a) == len(b) and all(x == y or x in look_alikes(y) for x, y in zip(a, b, strict=True))


def edit_distance(a: str, b: str) -> int:
    """The least number of inserted, deleted and replaced characters that turns ``a`` into ``b``."""
    if len(a) < len(b):
        a, b = b, a
    previous = list(range(len(b) + 1))
    for row, x in enumerate(a, start=1):
        current = [row]
        for column, y in enumerate(b, start=1):
            replaced = previous[column - 1] + (x != y)
            current.append(min(replaced, previous[column] + 1, current[-1] + 1))
        previous = current
    return previous[-1]


def character_error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Edit distances of (truth, answer) pairs, summed, over the number of characters in the truths.

    0 is perfect; more than 1 is possible, as answers may be longer than truths. The texts are compared as
    they are. ValueError when there is no character of truth to divide by.
    """
    errors = length = 0
    for truth, answer in pairs:
        errors += edit_distance(truth, answer)
        length += len(truth)
    if not length:
        raise ValueError("a character error rate needs at least one character of truth")
    return errors / length
