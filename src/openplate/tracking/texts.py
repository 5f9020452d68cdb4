"""What the texts of two readings say about whether they are of one plate."""

from __future__ import annotations

from collections.abc import Iterable

from openplate.datatypes import PlateReading
from openplate.text import edit_distance

_MOST_TEXTS = 6
_SHORT = 5
_SHORTEST_PART = 3


def is_similar(a: str, b: str) -> bool:
    """Two readings of one plate may differ like that: by two characters, of short texts by one."""
    return edit_distance(a, b) <= (1 if min(len(a), len(b)) < _SHORT else 2)


def is_part(a: str, b: str, wrong: int = 0) -> bool:
    """Whether one text is a part of the other, as where something hides the rest of the plate.

    The part has three characters at least, of which ``wrong`` may be others.
    """
    part, whole = sorted((a, b), key=len)
    if len(part) < _SHORTEST_PART:
        return False
    starts = range(len(whole) - len(part) + 1)
    return any(sum(x != y for x, y in zip(part, whole[start:], strict=False)) <= wrong for start in starts)


def is_end(part: str, whole: str) -> bool:
    """Whether one text is the beginning or the end of the other, as where something hides one side of the plate; two
    characters of it at least.
    """
    return 2 <= len(part) < len(whole) and (whole.startswith(part) or whole.endswith(part))


def is_akin(a: str, b: str) -> bool:
    """Two readings of one track may differ like that: in up to half of their characters, or as a part."""
    return edit_distance(a, b) <= max(2, max(len(a), len(b)) // 2) or is_part(a, b, 1)


def are_similar(a: Iterable[str], b: Iterable[str]) -> bool:
    """Whether two lists of texts, best first, begin alike or have a text in common."""
    first, second = list(a), list(b)
    if not first or not second:
        return False
    return is_similar(first[0], second[0]) or not set(first).isdisjoint(second)


class TextBelief:
    """What the plate of a track says so far: the texts read, each with the sum of its confidences."""

    def __init__(self) -> None:
        self._weights: dict[str, float] = {}
        self._total = 0.0
        self.count = 0
        self.latest: PlateReading | None = None

    def add(self, reading: PlateReading) -> None:
        self._weights[reading.text] = self._weights.get(reading.text, 0.0) + reading.confidence
        self._total += reading.confidence
        self.count += 1
        self.latest = reading
        if len(self._weights) > _MOST_TEXTS:
            del self._weights[min(self._weights, key=self._weights.__getitem__)]

    @property
    def text(self) -> str | None:
        return max(self._weights, key=self._weights.__getitem__, default=None)

    def evidence(self, reading: PlateReading | None) -> float:
        """How much a reading speaks for this plate, about -6 to 4: a logarithm of odds; 0 where nothing is known."""
        known = self.text
        if known is None or reading is None:
            return 0.0
        sure = reading.confidence * self._weights[known] / max(self._total, 1e-9) * min(1.0, self._total)
        distance = edit_distance(known, reading.text)
        if distance == 0:
            return 4.0 * sure
        if is_similar(known, reading.text):
            return (2.5 if distance == 1 else 1.0) * sure
        if is_part(known, reading.text, 1):
            return 0.0
        part = distance / max(len(known), len(reading.text))
        return -6.0 * sure * min(1.0, part / 0.6)
