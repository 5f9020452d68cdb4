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
from openplate.imaging import FURTHER_LOOKS, batch, rectify
from openplate.models import Device, Precision
from openplate.models.catalog import open_session
from openplate.models.session import Session

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

_Beams = dict[str, tuple[float, float]]
"""For each beginning of a text: the probability that it has ended in "nothing", and that its last character goes on."""

_BATCH = 16
_SURE = 0.9995  # a column this sure of "nothing" holds no character
_LEAST_SYMBOL = 1e-3
_LEAST_ALTERNATIVE = 5e-3
_LEAST_BEAM = 12
_LEAST_RATIO = 1e-6  # of a text's probability to the best text's
_NEGLIGIBLE = 1e-12  # a beginning so many times less likely than the likeliest path leads to no such text
_SURE_TEXT = 0.9  # a plate whose text is less likely is looked at again
_LEAST_IN_A_LOOK = 1e-4  # what a text that a look did not come up with counts for


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
    beams: _Beams = {"": (1.0, 0.0)}
    likeliest_path = 1.0
    telling = probabilities[_telling(probabilities)]
    for symbols, nothing in zip(_likely_symbols(telling, alphabet), telling[:, -1].tolist(), strict=True):
        likeliest_path *= max((nothing, *symbols.values()))
        beams = _extend(beams, symbols, nothing, _NEGLIGIBLE * likeliest_path)
        if len(beams) > beam:
            beams = dict(sorted(beams.items(), key=_probability, reverse=True)[:beam])
    texts = sorted(((text, sum(ends)) for text, ends in beams.items()), key=lambda pair: -pair[1])
    return [(text, probability) for text, probability in texts if probability >= _LEAST_RATIO * texts[0][1]]


def _telling(probabilities: Floats) -> list[int]:
    """The columns that settle the text: all that are not sure of "nothing", and one for each gap between them.

    A gap must stay, because a character repeated after it is a second one.
    """
    is_open = [value < _SURE for value in probabilities[:, -1].tolist()]
    is_before_others = [*is_open[1:], False]
    return [column for column in range(len(is_open)) if is_open[column] or is_before_others[column]]


def _likely_symbols(probabilities: Floats, alphabet: str) -> list[dict[str, float]]:
    """For each column the characters that may stand there, with their probabilities."""
    likely: list[dict[str, float]] = [{} for _ in probabilities]
    columns, symbols = np.nonzero(probabilities[:, :-1] > _LEAST_SYMBOL)
    values = probabilities[columns, symbols]
    for column, symbol, value in zip(columns.tolist(), symbols.tolist(), values.tolist(), strict=True):
        likely[column][alphabet[symbol]] = value
    return likely


def _extend(beams: _Beams, symbols: dict[str, float], nothing: float, least: float) -> _Beams:
    """Every beginning with one more column behind it, where its probability is not less than ``least``."""
    extended = {}
    for text, (ended, open_end) in beams.items():
        ends, goes_on = (ended + open_end) * nothing, open_end * symbols.get(text[-1:], 0.0)
        if ends + goes_on >= least:
            extended[text] = (ends, goes_on)
    for text, (ended, open_end) in beams.items():
        last, either = text[-1:], ended + open_end
        for symbol, probability in symbols.items():
            longer = text + symbol
            grown = (ended if symbol == last else either) * probability
            if longer in extended:
                old_ended, old_open_end = extended[longer]
                extended[longer] = (old_ended, old_open_end + grown)
            elif grown >= least:
                extended[longer] = (0.0, grown)
    return extended


def _probability(item: tuple[str, tuple[float, float]]) -> float:
    return item[1][0] + item[1][1]


def align(probabilities: Floats, text: str, alphabet: str) -> list[int]:
    """The column in which each character of the text stands, along the text's likeliest path (Viterbi 1967)."""
    nothing = len(alphabet)
    # The path's states: nothing, first character, nothing, second character, ..., nothing.
    symbols = [nothing] * (2 * len(text) + 1)
    symbols[1::2] = [alphabet.index(character) for character in text]
    columns = _telling(probabilities)
    telling = probabilities[columns]
    path = _plain_path(telling.argmax(1).tolist(), symbols)
    if path is None:
        path = _likeliest_path(np.log(np.maximum(telling[:, symbols], 1e-12)).tolist(), symbols)
    values = telling[range(len(path)), [symbols[state] for state in path]].tolist()
    best: dict[int, int] = {}
    for row, (state, value) in enumerate(zip(path, values, strict=True)):
        if state % 2 and (state not in best or value > values[best[state]]):
            best[state] = row
    return [columns[best[state]] for state in range(1, len(symbols), 2)]


def _plain_path(likeliest: list[int], symbols: list[int]) -> list[int] | None:
    """The states of the path that takes each column's likeliest symbol; None where it spells another text."""
    path: list[int] = []
    state, last, nothing = 0, symbols[0], symbols[0]
    for symbol in likeliest:
        # Odd states are characters: the next one, the same for longer, or what follows it.
        if symbol != last:
            state += 1 if nothing in (symbol, last) else 2
            if state >= len(symbols) or symbols[state] != symbol:
                return None
        path.append(state)
        last = symbol
    return path if state >= len(symbols) - 2 else None


def _likeliest_path(logs: list[list[float]], symbols: list[int]) -> list[int]:
    """The state in each column; a path begins in one of the first two states and ends in one of the last two."""
    if not logs:
        return []
    count = len(symbols)
    # Two like characters in a row need "nothing" between them, unlike ones do not.
    may_skip = [state % 2 == 1 and state > 1 and symbols[state] != symbols[state - 2] for state in range(count)]
    scores = [value if state < 2 else -math.inf for state, value in enumerate(logs[0])]
    came: list[list[int]] = []
    for row in logs[1:]:
        origins = []
        for state in range(count):
            origin = state
            if state > 0 and scores[state - 1] > scores[origin]:
                origin = state - 1
            if may_skip[state] and scores[state - 2] > scores[origin]:
                origin = state - 2
            origins.append(origin)
        scores = [scores[origin] + value for origin, value in zip(origins, row, strict=True)]
        came.append(origins)
    path = [max(range(max(0, count - 2), count), key=scores.__getitem__)]
    for origins in reversed(came):
        path.append(origins[path[-1]])
    return path[::-1]


def spell(
    looks: Sequence[Floats], alphabet: str, top_n: int = 10, calibration: Calibration = Calibration()
) -> Spelling:
    """The network's answers for one plate as a reading with its candidates.

    Args:
        looks: one or more looks at the plate, each with log probabilities (columns, len(alphabet) + 1).
        alphabet: the characters in the network's order.
        top_n: most candidates.
        calibration: of the confidence.
    """
    probabilities = [np.exp(look) for look in looks]
    beam = max(_LEAST_BEAM, top_n)
    found = [dict(search_texts(look, alphabet, beam)) for look in probabilities]
    texts = _together(found)[: max(1, top_n)]
    text, probability = texts[0]
    clearest = probabilities[max(range(len(found)), key=lambda look: found[look].get(text, 0.0))]
    confidence = calibration(probability)
    # What calibration takes from the best text or gives to it, the others give or take in proportion.
    # (Rounded in float32, they may together exceed what the best text leaves them.)
    left = max(1 - probability, sum(p for _, p in texts[1:]), 1e-9)
    share = (1 - confidence) / left
    candidates = tuple(
        PlateCandidate(other, confidence if rank == 0 else min(confidence, share * p))
        for rank, (other, p) in enumerate(texts)
        if other or rank == 0
    )
    columns = clearest[align(clearest, text, alphabet)].tolist() if text else []
    alternatives = tuple(_guesses(column, alphabet, character) for column, character in zip(columns, text, strict=True))
    characters = tuple(
        next(g for g in guesses if g.value == character) for guesses, character in zip(alternatives, text, strict=True)
    )
    reading = PlateReading(text, confidence, characters, candidates)
    return Spelling(reading, alternatives, min(1.0, probability))


def _together(found: Sequence[dict[str, float]]) -> list[tuple[str, float]]:
    """The texts of all looks, best first, each with the geometric mean of its probabilities: one look that rules a
    text out weighs more than one that likes it.
    """
    if len(found) == 1:
        return list(found[0].items())
    texts = dict.fromkeys(text for look in found for text in look)
    means = {
        text: math.exp(sum(math.log(max(look.get(text, 0.0), _LEAST_IN_A_LOOK)) for look in found) / len(found))
        for text in texts
    }
    return sorted(means.items(), key=lambda pair: -pair[1])


def _guesses(column: list[float], alphabet: str, character: str) -> tuple[Guess, ...]:
    *symbols, nothing = column
    values = {alphabet[i]: p for i, p in enumerate(symbols) if p > _LEAST_ALTERNATIVE}
    values.setdefault(character, column[alphabet.index(character)])
    if nothing > _LEAST_ALTERNATIVE:
        values[""] = nothing
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
        return [self.spell([answer], top_n) for answer in self.answers(crops)]

    def read_plates(self, pixels: Pixels, corners: Sequence[Corners], top_n: int = 10) -> list[Spelling]:
        """Reads the plates at those places of a picture (h, w, 3).

        A plate whose text is not sure is looked at twice more, a little wider and a little narrower, and the three
        looks settle the text together.
        """
        looks = [[answer] for answer in self.answers([self.rectify(pixels, each) for each in corners])]
        spellings = [self.spell(answers, top_n) for answers in looks]
        unsure = [i for i, s in enumerate(spellings) if s.reading.text and s.probability < _SURE_TEXT]
        crops = [rectify(pixels, corners[i], self.width, self.height, zoom) for i in unsure for zoom in FURTHER_LOOKS]
        further = iter(self.answers(crops))
        for i in unsure:
            spellings[i] = self.spell(looks[i] + [next(further) for _ in FURTHER_LOOKS], top_n)
        return spellings

    def answers(self, crops: Sequence[Pixels]) -> list[Floats]:
        """The network's own answers: log probabilities (columns, len(alphabet) + 1) for each crop."""
        answers: list[Floats] = []
        for start in range(0, len(crops), _BATCH):
            answers += list(self._session.run(batch(crops[start : start + _BATCH]))[0])
        return answers

    def spell(self, looks: Sequence[Floats], top_n: int = 10) -> Spelling:
        """What one or more answers for the same plate say together."""
        return spell(looks, self.alphabet, top_n, self.calibration)
