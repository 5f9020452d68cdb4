"""What a vehicle looks like over all its sightings: each list is averaged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

from openplate.datatypes import Guess, MakeModel, VehicleAttributes

_Key = TypeVar("_Key")
_MOST = 5
_GUESSES = ("types", "makes", "body_types", "years", "colors", "views", "orientations")


class AttributeMean:
    """Sums, from which the mean can be told at any time."""

    def __init__(self) -> None:
        self._count = 0
        self._sums: dict[str, dict[str, float]] = {name: defaultdict(float) for name in _GUESSES}
        self._make_models: dict[tuple[str, str | None], float] = defaultdict(float)

    def add(self, attributes: VehicleAttributes) -> None:
        self._count += 1
        for name, sums in self._sums.items():
            guesses: Iterable[Guess] = getattr(attributes, name)
            for guess in guesses:
                sums[guess.value] += guess.confidence
        for each in attributes.make_models:
            self._make_models[each.make, each.model] += each.confidence

    def mean(self) -> VehicleAttributes | None:
        """Best first; None where nobody asked for attributes."""
        if not self._count:
            return None
        guesses = {
            name: tuple(Guess(value, min(1.0, total / self._count)) for value, total in _best(sums))
            for name, sums in self._sums.items()
        }
        make_models = tuple(
            MakeModel(make, model, min(1.0, total / self._count)) for (make, model), total in _best(self._make_models)
        )
        return VehicleAttributes(**guesses, make_models=make_models)


def _best(sums: dict[_Key, float]) -> list[tuple[_Key, float]]:
    return sorted(sums.items(), key=lambda pair: -pair[1])[:_MOST]
