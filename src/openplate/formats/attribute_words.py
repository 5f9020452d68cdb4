"""Our words for a vehicle in the words of others: where several of ours become one of theirs, their chances add up."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from openplate.datatypes import UNKNOWN, Guess

SURE_TOGETHER = 0.6
"""From here on several doubtful words that others have one name for are that name: grey or silver, not sure which."""


def renamed(guesses: Sequence[Guess], names: Mapping[str, str], unknown: str) -> list[tuple[str, float]]:
    """Names with the sums of their chances, best first.

    Where our list begins with ``UNKNOWN``, so does theirs, unless a name that stands for several of our words is
    likely enough as a whole.

    Args:
        guesses: ours, best first.
        names: theirs for each of our words; a word without one counts as ``unknown``.
        unknown: what they say where nothing is known.
    """
    told = [guess for guess in guesses if guess.value != UNKNOWN]
    sums: dict[str, float] = {}
    for guess in told:
        name = names.get(guess.value, unknown)
        sums[name] = min(sums.get(name, 0.0) + guess.confidence, 1.0)
    ranked = sorted(sums.items(), key=lambda pair: -pair[1])
    if len(told) == len(guesses):
        return ranked
    is_sure_together = bool(ranked) and ranked[0][1] > told[0].confidence and ranked[0][1] >= SURE_TOGETHER
    if is_sure_together and ranked[0][0] != unknown:
        return ranked
    rest = 1.0 - max((chance for name, chance in ranked if name != unknown), default=0.0)
    return [(unknown, rest), *(pair for pair in ranked if pair[0] != unknown)]


def hyphenated(name: str) -> str:
    """Lower case, plain letters and digits, hyphens for all else: "Citroën ë-C4" is citroen-e-c4."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
