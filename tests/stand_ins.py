"""Networks for tests: a real card, and a function in place of the weights.

They look at the pixels that they are given, so that all that is done before and after a network is real.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
