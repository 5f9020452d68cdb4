"""Networks for tests: a real card, and a function in place of the weights.

They look at the pixels that they are given, so that all that is done before and after a network is real.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openplate.datatypes import VEHICLE_LABELS, Box, Corners
from openplate.models.card import InputDescription, ModelCard, WeightFile

Pixels = NDArray[np.uint8]
Network = Callable[[Pixels], tuple[NDArray[Any], ...]]


def make_model_card(task: Any, width: int, height: int, outputs: tuple[str, ...], **others: Any) -> ModelCard:
    return ModelCard(
        name="stand-in",
        version="1",
        task=task,
        summary="For tests.",
        licence="Apache-2.0",
        origin="written by hand",
        command="none",
        commit="0123abc",
        date=date(2026, 11, 21),
        outputs=outputs,
        files={"float": WeightFile("model.onnx", "0" * 64, 1)},
        runtime={"onnxruntime": "float", "openvino": "float"},
        input=InputDescription(width, height),
        **others,
    )


class StandInSession:
    """What ``Session`` is to its callers. ``inputs`` keeps what it was run on."""

    def __init__(self, card: ModelCard, network: Network) -> None:
        self.card = card
        self._network = network
        self.inputs: list[Pixels] = []

    @property
    def batches(self) -> list[int]:
        """How many pictures each run had."""
        return [len(inputs) for inputs in self.inputs]

    def run(self, inputs: Pixels) -> tuple[NDArray[Any], ...]:
        assert inputs.dtype == np.uint8
        assert inputs.ndim == 4
        assert inputs.shape[3] == self.card.input.channels
        self.inputs.append(inputs)
        return self._network(inputs)


# --- a detector's raw answers -----------------------------------------------------------------------------------

NO_SCORE = -20.0


@dataclass
class RawAnswers:
    """What the detecting network gives for a canvas: nothing, until cells are filled in.

    Its order of cells is written here a second time, as plain loops: stride 8, 16, 32, each row by row.
    """

    width: int
    height: int

    def __post_init__(self) -> None:
        self.cells = [
            ((column + 0.5) * stride, (row + 0.5) * stride, stride)
            for stride in (8, 16, 32)
            for row in range(self.height // stride)
            for column in range(self.width // stride)
        ]
        self.plates = np.zeros((13, len(self.cells)), np.float32)
        self.plates[0] = NO_SCORE
        self.vehicles = np.zeros((9, len(self.cells)), np.float32)
        self.vehicles[:5] = NO_SCORE

    def cell_at(self, x: float, y: float, stride: int) -> int:
        """The cell of a stride that is nearest."""
        own = [index for index, cell in enumerate(self.cells) if cell[2] == stride]
        return min(own, key=lambda i: math.hypot(self.cells[i][0] - x, self.cells[i][1] - y))

    def add_plate(self, corners: Corners, confidence: float, stride: int = 8, box: Box | None = None) -> None:
        around = box or corners.box
        index = self.cell_at(*around.center, stride)
        x, y, _ = self.cells[index]
        offsets = [((px - x) / stride, (py - y) / stride) for px, py in corners.as_tuple()]
        self.plates[:, index] = [logit(confidence), *self._box(index, around), *np.ravel(offsets)]

    def add_vehicle(self, box: Box, confidence: float, label: str = "car", stride: int = 16) -> None:
        index = self.cell_at(*box.center, stride)
        self.vehicles[5:, index] = self._box(index, box)
        self.vehicles[VEHICLE_LABELS.index(label), index] = logit(confidence)

    def _box(self, index: int, box: Box) -> tuple[float, float, float, float]:
        x, y, stride = self.cells[index]
        center_x, center_y = box.center
        return (
            (center_x - x) / stride,
            (center_y - y) / stride,
            math.log(box.width / stride),
            math.log(box.height / stride),
        )

    def as_outputs(self) -> tuple[NDArray[Any], ...]:
        return self.plates[None], self.vehicles[None]


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))
