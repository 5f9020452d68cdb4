"""Which country, state or province issued a plate, judged by its look alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from openplate.datatypes import Corners, Guess
from openplate.imaging import rectify
from openplate.models import Device, Precision
from openplate.models.catalog import open_session
from openplate.models.session import Session

Pixels = npt.NDArray[np.uint8]

_BATCH = 16
_LEAST_GUESS = 0.01


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
        return [self._guesses(row) for row in self.logits(crops)]

    def logits(self, crops: Sequence[Pixels]) -> npt.NDArray[np.float32]:
        """The network's own answers (crops, labels), before the temperature of its card is applied."""
        answers = [
            self._session.run(np.stack(crops[start : start + _BATCH]))[0] for start in range(0, len(crops), _BATCH)
        ]
        return np.concatenate(answers) if answers else np.zeros((0, len(self.labels)), np.float32)

    def _guesses(self, logits: npt.NDArray[np.float32]) -> tuple[Guess, ...]:
        scaled = logits / self._temperature
        probabilities = np.exp(scaled - scaled.max())
        probabilities /= probabilities.sum()
        likely = np.flatnonzero(probabilities > _LEAST_GUESS)
        order = likely[np.argsort(-probabilities[likely], kind="stable")]
        return tuple(Guess(self.labels[i], float(probabilities[i])) for i in order)
