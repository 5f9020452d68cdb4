"""All readings of one pass vote for one text: each with its whole list of candidates, weighed by its confidence.

Two counts are taken and given equal weight: of whole texts, and of characters place by place after the texts have
been aligned, which finds the right text even where no single reading has it. A text that has exactly a form of the
region's plates counts more. A ballot keeps sums, not readings, so its size does not grow with the pass.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Mapping
from itertools import islice

from openplate.datatypes import Guess, PlateCandidate, PlateReading
from openplate.grouping.alignment import Slot, align, order
from openplate.regions import codes, matches

TEMPLATE_ODDS = 3.0
"""For a text of the region's form. Each reading was weighed with it already (``openplate.regions.guide``)."""

_MOST_TEXTS = 48
_MOST_LEADING = 3
_MOST_CANDIDATES = 10
_MOST_REGIONS = 5
_MOST_COMPOSED = 24
_LEAST_SHARE = 0.05  # of a place's votes that a character needs to be tried there
_END_VOICE = 0.5  # a missing first or last character counts half: it may have been cut off
_REGION_KNOWN = 0.5
_AGREEMENT = 0.5  # of each doubling of agreeing readings on the odds, as a power
_LEAST, _MOST = 1e-4, 0.9999


class Ballot:
    """The votes of one pass."""

    def __init__(self) -> None:
        self.count = 0
        self._total = 0.0
        self._texts: dict[str, float] = {}
        self._first: dict[str, int] = {}  # how many readings had it as their best
        self._fitting: set[str] = set()
        self._regions: dict[str, float] = defaultdict(float)
        self._leading: list[str] = []

    def add(self, reading: PlateReading) -> None:
        candidates = reading.candidates or (PlateCandidate(reading.text, reading.confidence),)
        weight = max(reading.confidence, _LEAST)
        self.count += 1
        self._total += weight
        self._first[reading.text] = self._first.get(reading.text, 0) + 1
        for candidate in candidates:
            self._texts[candidate.text] = self._texts.get(candidate.text, 0.0) + weight * candidate.confidence
            if candidate.matches_pattern:
                self._fitting.add(candidate.text)
        for guess in reading.regions:
            self._regions[guess.value] += weight * guess.confidence
        if len(self._texts) > 2 * _MOST_TEXTS:
            self._forget()
        self._leading = heapq.nlargest(_MOST_LEADING, self._texts, key=self._texts.__getitem__)

    def _forget(self) -> None:
        kept = heapq.nlargest(_MOST_TEXTS, self._texts, key=self._texts.__getitem__)
        self._texts = {text: self._texts[text] for text in kept}
        self._first = {text: count for text, count in self._first.items() if text in self._texts}
        self._fitting &= self._texts.keys()

    @property
    def weight(self) -> float:
        """Sum of the confidences of all readings."""
        return self._total

    @property
    def leading(self) -> list[str]:
        """The texts with the most votes as whole texts, at most three."""
        return self._leading

    def regions(self) -> tuple[Guess, ...]:
        pooled = heapq.nlargest(_MOST_REGIONS, self._regions.items(), key=lambda pair: pair[1])
        return tuple(Guess(code, min(1.0, votes / self._total)) for code, votes in pooled)

    def consensus(self) -> PlateReading | None:
        """What all readings together say; None without any."""
        if not self._texts:
            return None
        kept = dict(heapq.nlargest(_MOST_TEXTS, self._texts.items(), key=lambda pair: pair[1]))
        pivot = max(kept, key=kept.__getitem__)
        aligned = {text: align(text, pivot) for text in kept}
        places = _count(aligned, kept)
        for text, slots in _compose(places):
            aligned.setdefault(text, slots)
        regions = self.regions()
        scores = self._scores(aligned, places, regions)
        ranked = heapq.nlargest(_MOST_CANDIDATES, scores.items(), key=lambda pair: pair[1])
        best, share = ranked[0]
        confidence = self._agreed(best, share)
        candidates = tuple(
            PlateCandidate(text, confidence if rank == 0 else min(confidence, score), self._fits(text, regions))
            for rank, (text, score) in enumerate(ranked)
        )
        characters = tuple(
            Guess(character, _share(places[slot], character))
            for slot, character in sorted(aligned[best].items(), key=lambda pair: order(pair[0]))
        )
        return PlateReading(best, confidence, characters, candidates, regions)

    def _scores(
        self,
        aligned: Mapping[str, Mapping[Slot, str]],
        places: Mapping[Slot, Mapping[str, float]],
        regions: tuple[Guess, ...],
    ) -> dict[str, float]:
        plain, weighed = {}, {}
        known = min(1.0, sum(self._texts.values()) / self._total)  # the rest went to texts that nobody named
        for text, slots in aligned.items():
            by_place = math.prod(_share(votes, slots.get(slot, "")) for slot, votes in places.items())
            plain[text] = (known * by_place + self._texts.get(text, 0.0) / self._total) / 2
            weighed[text] = plain[text] * (TEMPLATE_ODDS if self._fits(text, regions) else 1.0)
        scale = min(1.0, sum(plain.values())) / sum(weighed.values())
        return {text: min(1.0, scale * score) for text, score in weighed.items()}

    def _fits(self, text: str, regions: tuple[Guess, ...]) -> bool:
        if text in self._fitting:
            return True
        if text in self._texts:
            return False
        known = islice((g for g in regions if g.confidence >= _REGION_KNOWN and g.value in codes()), 1)
        return any(matches(text, guess.value) for guess in known)

    def _agreed(self, text: str, share: float) -> float:
        """Many readings that say the same are surer than one; far from independent, so less than by their number."""
        odds = min(max(share, _LEAST), _MOST)
        logit = math.log(odds / (1 - odds)) + _AGREEMENT * math.log(max(1, self._first.get(text, 0)))
        return min(1 / (1 + math.exp(-logit)), _MOST)


def _count(aligned: Mapping[str, Mapping[Slot, str]], weights: Mapping[str, float]) -> dict[Slot, dict[str, float]]:
    """For each place the votes for each character; "" stands for none."""
    slots = sorted({slot for placed in aligned.values() for slot in placed}, key=order)
    places: dict[Slot, dict[str, float]] = {slot: defaultdict(float) for slot in slots}
    for text, placed in aligned.items():
        if not placed:
            continue
        first, last = (order(end(placed, key=order)) for end in (min, max))
        for slot in slots:
            voice = 1.0 if slot in placed or first < order(slot) < last else _END_VOICE
            places[slot][placed.get(slot, "")] += voice * weights[text]
    return places


def _share(votes: Mapping[str, float], character: str) -> float:
    return min(1.0, votes.get(character, 0.0) / max(sum(votes.values()), 1e-12))


def _compose(places: Mapping[Slot, Mapping[str, float]]) -> list[tuple[str, dict[Slot, str]]]:
    """The likeliest texts when every place votes for itself, best first."""
    beams: list[tuple[float, dict[Slot, str]]] = [(1.0, {})]
    for slot, votes in places.items():
        choices = [(c, share) for c in votes if (share := _share(votes, c)) >= _LEAST_SHARE]
        longer = [
            (probability * share, {**placed, slot: character} if character else placed)
            for probability, placed in beams
            for character, share in choices
        ]
        beams = heapq.nlargest(_MOST_COMPOSED, longer, key=lambda pair: pair[0])
    return [("".join(placed.values()), placed) for _, placed in beams if placed]
