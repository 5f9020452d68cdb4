"""Let the format of a region's plates settle what the reader left open; and let the text speak for a region.

Reader and table are weighed as probabilities. Each text that the reader gave, or that differs from its best
text in characters it was unsure of, starts with the reader's probability. A text that has exactly the form of
a plate of one of the regions is then held to be so many times more likely (the odds below), and the
probabilities are scaled back to the sum they had. So a 0 read as O with little doubt is put right, a sure
reading outlives any pattern, and the confidence that comes out is still a probability.

Why these odds: of the human-labelled training texts of cn, cz, es, hr, hu, id, it, nl, pl, se and vn 98 to
100 % have exactly a form of the table (of India's 91 %), and few strings one character away do; of the plates
of US states only half have a form that the table lists for the state, the others are personalised or rare.
So odds are high, and much lower where the table says itself, by an open pattern, that anything may occur.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from openplate.datatypes import Guess, PlateCandidate, PlateReading
from openplate.regions.notation import Fit, Form, fit, has_open_pattern, takes
from openplate.regions.table import countries, get, is_code
from openplate.regions.text_formats import TextFormat
from openplate.text import is_look_alike, normalise, twin

LOOK_ALIKE_ODDS = 100.0
"""For a text that differs from the reader's best one, if at all, in look-alike characters only."""
OTHER_ODDS = 10.0
"""For every other text: the reader itself must hold it possible."""
OPEN_POWER = 0.5
"""Either is raised to this power for a region that also issues plates of no fixed form."""

TWIN_SHARE = 0.1
"""Of the probability that the reader leaves unassigned at a position: what goes to the character's twin."""

_LEAST_RATIO = 1e-3  # of a composed text's probability to the best text's: below it no odds can lift it
_LEAST_READ = 1e-6  # for a character of the best text whose own probability vanished
_MOST_COMPOSED = 256
_LEAST_ADDED = 0.01  # confidence of a composed text that is worth showing

FIT_WEIGHTS: Mapping[Fit, float] = {
    Fit.TEMPLATE: 1.0,
    Fit.LOOK_ALIKE: 0.4,
    Fit.OPEN: 0.4,
    Fit.UNKNOWN: 0.4,
    Fit.NONE: 0.05,
}
_NO_TEXT_WEIGHT = 0.4
_NEGLIGIBLE = 1e-3  # a guess that no text can lift; not compiling its patterns saves start-up time


def certain(region_codes: Iterable[str]) -> tuple[Guess, ...]:
    """The regions that a user names, each certain, as ``guide`` takes them; repeated ones once.

    RegionError for an unknown code.
    """
    return tuple(Guess(code, 1.0) for code in dict.fromkeys(get(code).code for code in region_codes))


def guide(
    candidates: Sequence[PlateCandidate],
    alternatives: Sequence[Sequence[Guess]] = (),
    *,
    regions: Sequence[Guess] = (),
    formats: Sequence[TextFormat] = (),
    strict: bool = False,
) -> tuple[PlateCandidate, ...]:
    """The reader's candidates, weighed with the formats of the plate's regions, best first.

    ``candidates`` are best first with their probabilities. ``alternatives`` (may be empty) has for each
    character of the best text the reader's guesses, that character among them; the empty string stands for
    no character. ``regions`` are codes with weights 0 to 1: those that a user names (``certain``), or a
    classifier's guesses. ``formats`` are forms of texts that a user names beside them or instead. Without any
    of either the candidates come back as they are, ``strict`` or not.

    A text that only look-alikes settle is added where the reader was unsure and a pattern fits exactly. A
    reading far from every pattern keeps its place and its confidence. ``matches_pattern`` tells whether the
    text fits a format or a pattern of a region whose weight is at least half of the greatest. ``strict`` drops
    all others, so a region without known patterns accepts nothing.

    Raises RegionError for an unknown region and ValueError for alternatives that do not fit the best text.
    """
    reader = _merge(candidates)
    if not (regions or formats) or not reader:
        return tuple(candidates)
    rules = _Rules.of(regions, formats)
    weighed = _weigh(reader, _compose(reader, alternatives), rules)
    likely = [pair for pair in weighed if pair[0] in reader or pair[1] >= _LEAST_ADDED]
    guided = [PlateCandidate(text, confidence, rules.matches(text)) for text, confidence in likely]
    return tuple(c for c in guided if c.matches_pattern or (c.text in reader and not strict))


def guide_reading(
    reading: PlateReading,
    alternatives: Sequence[Sequence[Guess]] = (),
    *,
    regions: Sequence[Guess] = (),
    formats: Sequence[TextFormat] = (),
    strict: bool = False,
) -> PlateReading | None:
    """The reading with ``guide`` applied; None when ``strict`` left nothing.

    Without alternatives the reading's own characters are taken as the only guesses. The confidences of
    characters follow a changed text; the reading's becomes that of its best candidate, so candidates must
    be calibrated before. ``reading.regions`` stay as they are.
    """
    before = reading.candidates or (PlateCandidate(reading.text, reading.confidence),)
    if not alternatives and len(reading.characters) == len(before[0].text):
        alternatives = [(guess,) for guess in reading.characters]
    after = guide(before, alternatives, regions=regions, formats=formats, strict=strict)
    if not after:
        return None
    best = after[0]
    return replace(
        reading,
        text=best.text,
        confidence=best.confidence,
        characters=_characters(reading, best, alternatives),
        candidates=after,
    )


def region_likelihood(text: str) -> dict[str, float]:
    """For each country how well the text's form agrees with it: 1 for an exact format down to 0.05 for none.

    These are weights to multiply with, not probabilities: many countries share a format.
    """
    return {country.code: FIT_WEIGHTS[fit(text, country.code)] for country in countries()}


def combine(visual: Sequence[Guess], text: str, confidence: float = 1.0) -> tuple[Guess, ...]:
    """The regions guessed from a plate's look, weighed with what its text allows, best first.

    ``confidence`` (0 to 1) is that of the text: the less, the less it counts. Regions that the text speaks
    against are damped, never dropped, as personalised plates have any form. Values that are no region codes
    (a class for everything else) count as regions without known patterns. The sum of the confidences stays.
    """
    share = confidence if text else 0.0
    weighed = [guess.confidence * _text_weight(guess, text, share) for guess in visual]
    scale = _ratio(sum(guess.confidence for guess in visual), sum(weighed))
    combined = [Guess(guess.value, min(1.0, scale * weight)) for guess, weight in zip(visual, weighed, strict=True)]
    return tuple(sorted(combined, key=lambda guess: -guess.confidence))


def _text_weight(guess: Guess, text: str, share: float) -> float:
    if guess.confidence < _NEGLIGIBLE:
        return _NO_TEXT_WEIGHT
    form = fit(text, guess.value) if is_code(guess.value) else Fit.UNKNOWN
    return share * FIT_WEIGHTS[form] + (1 - share) * _NO_TEXT_WEIGHT


@dataclass(frozen=True, slots=True)
class _Rules:
    """The regions that a plate may be of, code -> weight, and the forms of texts that a user names."""

    weights: Mapping[str, float]
    formats: Sequence[TextFormat]

    @classmethod
    def of(cls, regions: Sequence[Guess], formats: Sequence[TextFormat]) -> _Rules:
        weights: dict[str, float] = {}
        for guess in regions:
            code = get(guess.value).code
            weights[code] = max(guess.confidence, weights.get(code, 0.0))
        return cls(weights, formats)

    def matches(self, text: str) -> bool:
        if self._is_named(text):
            return True
        least = max(self.weights.values(), default=0.0) / 2
        return any(takes(code, Form.ANY, text) for code, weight in self.weights.items() if weight >= least)

    def _is_named(self, text: str) -> bool:
        return any(form.matches(text) for form in self.formats)

    def odds(self, text: str, best: str) -> float:
        """How many times more likely the text is for having the form of a plate of these regions."""
        limit = LOOK_ALIKE_ODDS if is_look_alike(text, best) else OTHER_ODDS
        if self._is_named(text):
            return limit
        gain = sum(
            weight * (math.pow(limit, OPEN_POWER if has_open_pattern(code) else 1) - 1)
            for code, weight in self.weights.items()
            if takes(code, Form.CLOSED, text)
        )
        return min(limit, 1 + gain)


def _merge(candidates: Sequence[PlateCandidate]) -> dict[str, float]:
    """Text -> probability, best first; texts that are the same in normal form together."""
    merged: dict[str, float] = {}
    for candidate in candidates:
        text = normalise(candidate.text)
        merged[text] = max(candidate.confidence, merged.get(text, 0.0))
    return merged


def _weigh(reader: Mapping[str, float], composed: Mapping[str, float], rules: _Rules) -> list[tuple[str, float]]:
    """Every text with its probability given the formats, best first; equal ones in the reader's order."""
    best = next(iter(reader))
    probabilities = {**reader, **composed}
    weighed = {text: value * rules.odds(text, best) for text, value in probabilities.items()}
    scale = _ratio(sum(probabilities.values()), sum(weighed.values()))
    confidences = [(text, min(1.0, scale * value)) for text, value in weighed.items()]
    return sorted(confidences, key=lambda pair: -pair[1])


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _compose(reader: Mapping[str, float], alternatives: Sequence[Sequence[Guess]]) -> dict[str, float]:
    """Texts that the reader did not list but whose characters it allows, with its probability for each."""
    if not alternatives:
        return {}
    best = next(iter(reader))
    if len(alternatives) != len(best):
        raise ValueError(f"{len(alternatives)} positions of alternatives for the text {best!r}")
    options = [_options(character, guesses) for character, guesses in zip(best, alternatives, strict=True)]
    composed = {text: reader[best] * ratio for text, ratio in _products(options) if text not in reader}
    room = _ratio(max(0.0, 1 - sum(reader.values())), sum(composed.values()))
    return {text: min(1.0, room) * probability for text, probability in composed.items()}


def _options(character: str, guesses: Sequence[Guess]) -> list[tuple[str, float]]:
    """What may stand at a position, as (character, probability over that of the one read), best first."""
    listed = {guess.value.upper(): guess.confidence for guess in guesses}
    if character not in listed:
        raise ValueError(f"the character {character!r} of the best text is not among its alternatives")
    read = max(listed.pop(character), _LEAST_READ)
    other = twin(character)
    if other is not None and other not in listed:
        listed[other] = TWIN_SHARE * max(0.0, 1 - read - sum(listed.values()))
    ratios = [(value, min(1.0, probability / read)) for value, probability in listed.items()]
    usable = [pair for pair in ratios if pair[1] >= _LEAST_RATIO]
    return [(character, 1.0), *sorted(usable, key=lambda pair: -pair[1])]


def _products(options: Sequence[Sequence[tuple[str, float]]]) -> Iterator[tuple[str, float]]:
    """Every text that takes one option per position with the product of their ratios, greatest first,
    as far as the least ratio and a number of texts allow.
    """
    start = (0,) * len(options)
    heap = [(-1.0, start, 0)]
    for _ in range(_MOST_COMPOSED):
        if not heap:
            return
        negative, chosen, first = heapq.heappop(heap)
        yield "".join(options[i][k][0] for i, k in enumerate(chosen)), -negative
        for position in range(first, len(options)):
            following = chosen[position] + 1
            if following == len(options[position]):
                continue
            step = options[position][following][1] / options[position][following - 1][1]
            if -negative * step >= _LEAST_RATIO:
                longer = (*chosen[:position], following, *chosen[position + 1 :])
                heapq.heappush(heap, (negative * step, longer, position))


def _characters(
    reading: PlateReading, best: PlateCandidate, alternatives: Sequence[Sequence[Guess]]
) -> tuple[Guess, ...]:
    """One guess per character of the text: those that were read stay; one that the format settled between
    look-alikes gets the probability of both; in a text that differs more, all share its confidence.
    """
    read = "".join(guess.value for guess in reading.characters)
    if best.text in (reading.text, read):
        return reading.characters
    if len(alternatives) != len(best.text) or not is_look_alike(best.text, read):
        each = best.confidence ** (1 / max(1, len(best.text)))
        return tuple(Guess(character, each) for character in best.text)
    return tuple(
        guess if guess.value == character else Guess(character, _settled(character, guess, listed))
        for character, guess, listed in zip(best.text, reading.characters, alternatives, strict=True)
    )


def _settled(character: str, read: Guess, listed: Sequence[Guess]) -> float:
    own = sum(guess.confidence for guess in listed if guess.value == character)
    return min(1.0, own + read.confidence)
