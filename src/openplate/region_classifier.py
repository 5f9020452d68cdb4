"""Which country, state or province issued a plate, judged by its look alone."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

import numpy as np
import numpy.typing as npt

from openplate.datatypes import Corners, Guess
from openplate.imaging import FURTHER_LOOKS, batch, rectify
from openplate.models import Device, Precision
from openplate.models.catalog import open_session
from openplate.models.session import Session

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_BATCH = 16
_LEAST_GUESS = 0.01
_SURE_REGION = 0.9  # a plate whose region is less likely is looked at again


class RegionClassifier:
    """The region network, ready to run; threads may share one."""

    def __init__(self, session: Session) -> None:
        self._session = session
        card = session.card
        self.name = f"{card.name} {card.version}"
        self.width, self.height = card.input.width, card.input.height
        self.labels = card.labels
        self._temperature = card.parameter("temperature")

    @classmethod
    def open(cls, device: Device = "auto", precision: Precision = "auto", *, workers: int = 1) -> RegionClassifier:
        """The region network that comes with the package."""
        return cls(open_session("region", device, precision, workers=workers))

    def rectify(self, pixels: Pixels, corners: Corners) -> Pixels:
        """The crop that ``classify`` takes, cut from a picture (h, w, 3)."""
        return rectify(pixels, corners, self.width, self.height)

    def classify(self, crops: Sequence[Pixels]) -> list[tuple[Guess, ...]]:
        """For each crop (uint8 RGB, of the network's size) its region codes with probabilities, best first."""
        return self.guesses(self.logits(crops))

    def classify_plates(self, pixels: Pixels, corners: Sequence[Corners]) -> list[tuple[Guess, ...]]:
        """The same of the plates at those places of a picture (h, w, 3).

        A plate whose region is not sure is looked at twice more, a little wider and a little narrower; the geometric
        means of the three looks, made to sum to 1, are its probabilities.
        """
        looks = self._probabilities(self.logits([self.rectify(pixels, each) for each in corners]))
        unsure = [i for i, look in enumerate(looks) if max(look) < _SURE_REGION]
        crops = [rectify(pixels, corners[i], self.width, self.height, zoom) for i in unsure for zoom in FURTHER_LOOKS]
        further = iter(self._probabilities(self.logits(crops)))
        for i in unsure:
            looks[i] = _mean([looks[i], *(next(further) for _ in FURTHER_LOOKS)])
        return [self._guesses(look) for look in looks]

    def logits(self, crops: Sequence[Pixels]) -> Floats:
        """The network's own answers (crops, labels), before the temperature of its card is applied."""
        answers = [self._session.run(batch(crops[start : start + _BATCH]))[0] for start in range(0, len(crops), _BATCH)]
        return np.concatenate(answers) if answers else np.zeros((0, len(self.labels)), np.float32)

    def guesses(self, logits: Floats) -> list[tuple[Guess, ...]]:
        """For each of the network's answers (crops, labels) the codes with probabilities, best first."""
        return [self._guesses(row) for row in self._probabilities(logits)]

    def _probabilities(self, logits: Floats) -> list[list[float]]:
        """For each of the network's answers (crops, labels) the labels' probabilities."""
        answers = [(row, max(row)) for row in logits.tolist()]
        return [_in_shares([exp((value - most) / self._temperature) for value in row]) for row, most in answers]

    def _guesses(self, probabilities: Sequence[float]) -> tuple[Guess, ...]:
        guesses = zip(self.labels, probabilities, strict=True)
        likely = sorted((pair for pair in guesses if pair[1] > _LEAST_GUESS), key=lambda pair: -pair[1])
        return tuple(Guess(label, min(1.0, probability)) for label, probability in likely)


def _mean(looks: Sequence[Sequence[float]]) -> list[float]:
    """The geometric means of several looks' probabilities, made to sum to 1."""
    logs = [[log(max(probability, 1e-6)) for probability in look] for look in looks]
    return _in_shares([exp(sum(values) / len(values)) for values in zip(*logs, strict=True)])


def _in_shares(values: Sequence[float]) -> list[float]:
    whole = sum(values)
    return [value / whole for value in values]
