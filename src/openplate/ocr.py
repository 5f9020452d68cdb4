"""What a plate says: a rectified crop to its text, with candidates and a calibrated confidence.

The network gives for each of its columns a distribution over the alphabet and "nothing" (CTC, Graves et al. 2006).
A prefix beam search sums over all ways to spell a text, so each candidate has a true probability.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from openplate.datatypes import Corners, Guess, PlateCandidate, PlateReading
from openplate.imaging import rectify
from openplate.models import Device, Precision
from openplate.models.catalog import open_session
from openplate.models.session import Session

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

_BATCH = 16
_SURE = 0.9995  # a column this sure of "nothing" changes no candidate
_LEAST_SYMBOL = 1e-3
_LEAST_ALTERNATIVE = 5e-3
_LEAST_BEAM = 12


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns the probability of a text into a confidence: sigmoid(slope * logit(p) + offset) (Platt 1999)."""

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, probability: float) -> float:
        clipped = min(max(probability, 1e-7), 1 - 1e-7)
        logit = math.log(clipped / (1 - clipped))
        return 1 / (1 + math.exp(-(self.slope * logit + self.offset)))


@dataclass(frozen=True, slots=True)
class Spelling:
    """A reading with what else each of its characters may be.

    ``alternatives`` has for each character of the text the guesses at its place, best first, the character itself
    among them; the value "" stands for no character. ``probability`` is the network's own, before calibration.
    """

    reading: PlateReading
    alternatives: tuple[tuple[Guess, ...], ...]
    probability: float


def search_texts(probabilities: Floats, alphabet: str, beam: int) -> list[tuple[str, float]]:
    """The likeliest texts with their probabilities, best first.

    Args:
        probabilities: (columns, len(alphabet) + 1), "nothing" last.
        alphabet: the characters in the network's order.
        beam: how many beginnings are followed.
    """
    nothing = probabilities[:, -1]
    # For each beginning: probability that it ends in "nothing", and in its last character.
    beams: dict[str, tuple[float, float]] = {"": (1.0, 0.0)}
    for column in np.flatnonzero(nothing < _SURE).tolist():
        row = probabilities[column]
        symbols = [(alphabet[i], float(row[i])) for i in np.flatnonzero(row[:-1] > _LEAST_SYMBOL).tolist()]
        beams = _extend(beams, symbols, float(nothing[column]), beam, column_gap(nothing, column))
    texts = [(text, ends + goes_on) for text, (ends, goes_on) in beams.items()]
    return sorted(texts, key=lambda pair: -pair[1])


def column_gap(nothing: Floats, column: int) -> bool:
    """Whether the column before was sure of "nothing", so that a repeated character is a new one."""
    return column > 0 and bool(nothing[column - 1] >= _SURE)


def _extend(
    beams: dict[str, tuple[float, float]],
    symbols: list[tuple[str, float]],
    nothing: float,
    beam: int,
    after_gap: bool,
) -> dict[str, tuple[float, float]]:
    extended: dict[str, tuple[float, float]] = {}

    def add(text: str, ends: float, goes_on: float) -> None:
        old = extended.get(text, (0.0, 0.0))
        extended[text] = (old[0] + ends, old[1] + goes_on)

    for text, (ended, open_end) in beams.items():
        ends, goes_on = (ended + open_end, 0.0) if after_gap else (ended, open_end)
        add(text, (ends + goes_on) * nothing, 0.0)
        for symbol, probability in symbols:
            if text.endswith(symbol):
                add(text, 0.0, goes_on * probability)
                add(text + symbol, 0.0, ends * probability)
            else:
                add(text + symbol, 0.0, (ends + goes_on) * probability)
    if len(extended) <= beam:
        return extended
    best = sorted(extended.items(), key=lambda item: -sum(item[1]))[:beam]
    return dict(best)


def align(probabilities: Floats, text: str, alphabet: str) -> list[int]:
    """The column in which each character of the text stands, along the text's likeliest path (Viterbi 1967)."""
    symbols = [alphabet.index(c) for c in text]
    columns, count = len(probabilities), len(symbols)
    logs = np.log(np.maximum(probabilities, 1e-12))
    labels = np.full(2 * count + 1, len(alphabet))
    labels[1::2] = symbols
    may_skip = np.zeros(len(labels), bool)
    may_skip[3::2] = labels[3::2] != labels[1:-2:2]
    score = np.full(len(labels), -np.inf)
    score[:2] = logs[0, labels[:2]]
    came = np.zeros((columns, len(labels)), np.int8)
    for column in range(1, columns):
        one, two = np.full_like(score, -np.inf), np.full_like(score, -np.inf)
        one[1:], two[2:] = score[:-1], np.where(may_skip[2:], score[:-2], -np.inf)
        choices = np.stack((score, one, two))
        came[column] = choices.argmax(0)
        score = choices.max(0) + logs[column, labels]
    state = len(labels) - 1 if count == 0 or score[-1] >= score[-2] else len(labels) - 2
    best = np.zeros(count, int)
    best_probability = np.full(count, -1.0)
    for column in range(columns - 1, -1, -1):
        if state % 2:
            place = state // 2
            value = probabilities[column, labels[state]]
            if value > best_probability[place]:
                best[place], best_probability[place] = column, value
        state -= int(came[column, state])
    return best.tolist()


def spell(
    log_probabilities: Floats, alphabet: str, top_n: int = 10, calibration: Calibration = Calibration()
) -> Spelling:
    """The network's answer for one crop, (columns, len(alphabet) + 1), as a reading with its candidates."""
    probabilities = np.exp(log_probabilities)
    texts = search_texts(probabilities, alphabet, max(_LEAST_BEAM, top_n))[: max(1, top_n)]
    text, probability = texts[0]
    confidence = calibration(probability)
    # What calibration takes from the best text or gives to it, the others give or take in proportion.
    share = (1 - confidence) / max(1 - probability, 1e-9)
    candidates = tuple(
        PlateCandidate(other, confidence if rank == 0 else min(confidence, share * p))
        for rank, (other, p) in enumerate(texts)
        if other or rank == 0
    )
    alternatives = tuple(
        _guesses(probabilities[column], alphabet, character)
        for column, character in zip(align(probabilities, text, alphabet), text, strict=True)
    )
    characters = tuple(
        next(g for g in guesses if g.value == character) for guesses, character in zip(alternatives, text, strict=True)
    )
    reading = PlateReading(text, confidence, characters, candidates)
    return Spelling(reading, alternatives, min(1.0, probability))


def _guesses(row: Floats, alphabet: str, character: str) -> tuple[Guess, ...]:
    values = {alphabet[i]: float(row[i]) for i in np.flatnonzero(row[:-1] > _LEAST_ALTERNATIVE).tolist()}
    values.setdefault(character, float(row[alphabet.index(character)]))
    if row[-1] > _LEAST_ALTERNATIVE:
        values[""] = float(row[-1])
    guesses = [Guess(value, min(1.0, p)) for value, p in values.items()]
    return tuple(sorted(guesses, key=lambda guess: -guess.confidence))


class Reader:
    """The reading network, ready to run; threads may share one."""

    def __init__(self, session: Session) -> None:
        self._session = session
        card = session.card
        self.name = f"{card.name} {card.version}"
        self.width, self.height = card.input.width, card.input.height
        self.alphabet = card.alphabet or ""
        self.calibration = Calibration(card.parameter("calibration_slope"), card.parameter("calibration_offset"))

    @classmethod
    def open(cls, device: Device = "auto", precision: Precision = "auto", *, workers: int = 1) -> Reader:
        """The reader that comes with the package."""
        return cls(open_session("reader", device, precision, workers=workers))

    def rectify(self, pixels: Pixels, corners: Corners) -> Pixels:
        """The crop that ``read`` takes, cut from a picture (h, w, 3)."""
        return rectify(pixels, corners, self.width, self.height)

    def read(self, crops: Sequence[Pixels], top_n: int = 10) -> list[Spelling]:
        """Reads rectified crops (uint8 RGB, each of the network's size); an empty text means none was seen."""
        spellings = []
        for start in range(0, len(crops), _BATCH):
            (answers,) = self._session.run(np.stack(crops[start : start + _BATCH]))
            spellings += [spell(answer, self.alphabet, top_n, self.calibration) for answer in answers]
        return spellings
