"""What a vehicle is by its look: type, make and model, body, years, colour, and the side that is seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from openplate.datatypes import UNKNOWN, Box, Guess, MakeModel, VehicleAttributes
from openplate.errors import ModelLoadFailed
from openplate.models import Device, Precision
from openplate.models.catalog import open_session
from openplate.models.session import Session

Pixels = npt.NDArray[np.uint8]

HEADS: Final = ("type", "model", "body", "year", "color", "view")
ORIENTATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "front": ("front", "front_left", "front_right"),
    "rear": ("rear", "rear_left", "rear_right"),
    "side": ("left", "right"),
}
"""Each orientation with the views in which a vehicle has it."""

_BATCH = 16
_ALWAYS_LISTED = 5  # guesses, however unlikely: receivers know lists of five
_LEAST_GUESS = 0.01  # of the others
_SUMS: Final = ("make", "orientation")  # they have a threshold too, but no output of their own


class AttributeClassifier:
    """The attributes network, ready to run; threads may share one."""

    def __init__(self, session: Session) -> None:
        """Raises ModelLoadFailed where the card lacks a head, a label form or a parameter that is needed."""
        self._session = session
        card = session.card
        self.name = f"{card.name} {card.version}"
        self.width, self.height = card.input.width, card.input.height
        missing = [head for head in HEADS if head not in card.heads]
        if missing:
            raise ModelLoadFailed(f"the network {card.name!r} has no head {', '.join(missing)}")
        self.heads = {head: card.heads[head] for head in HEADS}
        self.margin = card.parameter("margin")
        self._temperatures = {head: card.parameter(f"temperature_{head}") for head in HEADS}
        self._thresholds = {head: card.parameter(f"threshold_{head}") for head in (*HEADS, *_SUMS)}
        self.models = tuple(_make_and_model(label) for label in self.heads["model"])
        self._makes = _Sums([make for make, _ in self.models])
        self._orientations = _Sums([_orientation(view) for view in self.heads["view"]])

    @classmethod
    def open(cls, device: Device = "auto", precision: Precision = "auto", *, workers: int = 1) -> AttributeClassifier:
        """The attributes network that comes with the package.

        Raises:
            ModelError: there is none, or it or the device cannot be used.
        """
        return cls(open_session("attributes", device, precision, workers=workers))

    def crop(self, pixels: Pixels, box: Box) -> Pixels:
        """The crop that ``classify`` takes of the vehicle in that box of a picture (h, w, 3)."""
        return vehicle_crop(pixels, box, self.width, self.height, self.margin)

    def classify(self, crops: Sequence[Pixels]) -> list[VehicleAttributes]:
        """For each crop (uint8 RGB, of the network's size) what can be told of the vehicle."""
        logits = self.logits(crops)
        return [self._attributes({head: logits[head][row] for head in HEADS}) for row in range(len(crops))]

    def logits(self, crops: Sequence[Pixels]) -> dict[str, npt.NDArray[np.float32]]:
        """The network's own answers for each head (crops, labels), before the temperatures of its card."""
        outputs = self._session.card.outputs
        batches = [self._session.run(np.stack(crops[i : i + _BATCH])) for i in range(0, len(crops), _BATCH)]
        if not batches:
            return {head: np.zeros((0, len(labels)), np.float32) for head, labels in self.heads.items()}
        return {head: np.concatenate([batch[outputs.index(head)] for batch in batches]) for head in HEADS}

    def _attributes(self, logits: Mapping[str, npt.NDArray[np.float32]]) -> VehicleAttributes:
        chances = {head: _softmax(logits[head] / self._temperatures[head]) for head in HEADS}
        return VehicleAttributes(
            types=self._guesses("type", self.heads["type"], chances["type"]),
            makes=self._guesses("make", self._makes.labels, self._makes.of(chances["model"])),
            make_models=self._make_models(chances["model"]),
            body_types=self._guesses("body", self.heads["body"], chances["body"]),
            years=self._guesses("year", self.heads["year"], chances["year"]),
            colors=self._guesses("color", self.heads["color"], chances["color"]),
            views=self._guesses("view", self.heads["view"], chances["view"]),
            orientations=self._guesses(
                "orientation", self._orientations.labels, self._orientations.of(chances["view"])
            ),
        )

    def _guesses(self, name: str, labels: Sequence[str], chances: npt.NDArray[np.float64]) -> tuple[Guess, ...]:
        listed = [Guess(labels[index], chance) for index, chance in _listed(chances)]
        if listed[0].confidence < self._thresholds[name]:
            return (Guess(UNKNOWN, 1 - listed[0].confidence), *listed)
        return tuple(listed)

    def _make_models(self, chances: npt.NDArray[np.float64]) -> tuple[MakeModel, ...]:
        listed = [MakeModel(*self.models[index], chance) for index, chance in _listed(chances)]
        if listed[0].confidence < self._thresholds["model"]:
            return (MakeModel(UNKNOWN, None, 1 - listed[0].confidence), *listed)
        return tuple(listed)


class _Sums:
    """Labels that stand for several others: the chance of each is the sum of theirs."""

    def __init__(self, label_of_each: Sequence[str]) -> None:
        self.labels = tuple(dict.fromkeys(label_of_each))
        self._places = np.array([self.labels.index(label) for label in label_of_each])

    def of(self, chances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.bincount(self._places, chances, len(self.labels)).astype(np.float64)


def vehicle_crop(pixels: Pixels, box: Box, width: int, height: int, margin: float) -> Pixels:
    """What the network sees of a vehicle: its box, grown by ``margin`` of its size on every side.

    Args:
        pixels: the picture (h, w, 3).
        box: of the vehicle; what lies outside the picture is left away, and at least a pixel is kept.
        width, height: of the answer; the aspect is not kept.
        margin: a fraction of the box's width and height.
    """
    picture_height, picture_width = pixels.shape[:2]
    inside = box.expand(margin).clamp(picture_width, picture_height)
    left, top = min(math.floor(inside.x1), picture_width - 1), min(math.floor(inside.y1), picture_height - 1)
    right, bottom = max(math.ceil(inside.x2), left + 1), max(math.ceil(inside.y2), top + 1)
    return stretch(pixels[top:bottom, left:right], width, height)


def stretch(pixels: Pixels, width: int, height: int) -> Pixels:
    """A whole picture (h, w, 3) of another size; its aspect is not kept.

    Halved by averaging, each side by itself, until the rest is less than a half, then interpolated linearly: nearly
    as smooth as area averaging at an eighth of its cost.
    """
    while (across := pixels.shape[1] >= 2 * width) | (down := pixels.shape[0] >= 2 * height):
        step_x, step_y = 1 + across, 1 + down
        size = pixels.shape[1] // step_x, pixels.shape[0] // step_y
        even = pixels[: size[1] * step_y, : size[0] * step_x]
        pixels = cv2.resize(even, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def _make_and_model(label: str) -> tuple[str, str | None]:
    """Of a label "SEAT|Leon", or "SEAT|" for a model that has no label."""
    make, bar, model = label.partition("|")
    if not bar or not make or "|" in model:
        raise ModelLoadFailed(f"a label of the head 'model' must be of the form 'Make|Model' or 'Make|', not {label!r}")
    return make, model or None


def _orientation(view: str) -> str:
    for orientation, views in ORIENTATIONS.items():
        if view in views:
            return orientation
    raise ModelLoadFailed(f"the head 'view' has a label {view!r} that is none of the eight views")


def _softmax(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    powers: npt.NDArray[np.float64] = np.exp((logits - logits.max()).astype(np.float64))
    return powers / float(powers.sum())


def _listed(chances: npt.NDArray[np.float64]) -> list[tuple[int, float]]:
    """The places of those worth telling with their chances, best first."""
    count = max(_ALWAYS_LISTED, int(np.count_nonzero(chances >= _LEAST_GUESS)))
    order = np.argsort(-chances, kind="stable")[:count]
    return [(int(index), min(float(chances[index]), 1.0)) for index in order]
