"""Networks for tests: a real card, and a function in place of the weights.

They look at the pixels that they are given, so that all that is done before and after a network is real.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from openplate.attributes import AttributeClassifier
from openplate.corner_refiner import CornerRefiner
from openplate.datatypes import VEHICLE_LABELS, Box, Corners
from openplate.detection import Detector
from openplate.models.card import InputDescription, ModelCard, WeightFile
from openplate.ocr import Reader
from openplate.region_classifier import RegionClassifier
from openplate.stages import LateAttributes, Stages

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
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
        distances = [math.hypot(cell[0] - x, cell[1] - y) if cell[2] == stride else math.inf for cell in self.cells]
        return distances.index(min(distances))

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


# --- a painted street -------------------------------------------------------------------------------------------

STREET = (60, 60, 60)
VEHICLE = (20, 20, 220)
_PLATE_RED, _PLATE_BLUE = 230, 20
_GREENS = 24  # between the plates that networks must tell apart
CLEAR_WIDTH = 40.0
"""From this width on the canvas (pixels) a painted plate is seen with 0.95; a narrower one less surely."""


def plate_color(number: int) -> tuple[int, int, int]:
    """The colour of a plate, 0 to 10; networks below tell the number by it."""
    return _PLATE_RED, _GREENS * number, _PLATE_BLUE


def paint_street(
    width: int, height: int, vehicles: Sequence[Box] = (), plates: Sequence[tuple[Box, int]] = ()
) -> Pixels:
    """A grey picture (height, width, 3) with blue vehicles and on top of them plates (box, number)."""
    pixels = np.full((height, width, 3), STREET, np.uint8)
    painted = [*((box, VEHICLE) for box in vehicles), *((box, plate_color(number)) for box, number in plates)]
    for box, color in painted:
        x1, y1, x2, y2 = (round(value) for value in box.as_tuple())
        pixels[y1:y2, x1:x2] = color
    return pixels


def see_painted(pictures: Pixels) -> tuple[NDArray[Any], ...]:
    """A detecting network for painted streets."""
    assert len(pictures) == 1
    red, blue = pictures[0, :, :, 0], pictures[0, :, :, 2]
    raw = RawAnswers(pictures.shape[2], pictures.shape[1])
    for box in patches((red > 150) & (blue < 90)):
        raw.add_plate(Corners.from_box(box), min(0.95, 0.95 * box.width / CLEAR_WIDTH))
    for box in patches((blue > 150) & (red < 90)):
        raw.add_vehicle(box, 0.9)
    return raw.as_outputs()


def patches(mask: NDArray[np.bool_]) -> list[Box]:
    """The boxes of what is true and hangs together."""
    _, _, rows, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return [Box(x, y, x + width, y + height) for x, y, width, height, _ in rows[1:].tolist()]


def numbers_of(crops: Pixels) -> list[int]:
    """The number of the plate in the middle of each crop (n, h, w, 3)."""
    middles = crops[:, crops.shape[1] // 2, crops.shape[2] // 2, 1]
    return [round(float(green) / _GREENS) for green in middles]


def make_detector(network: Network = see_painted) -> tuple[Detector, StandInSession]:
    """A detector that finds what is painted: plates from 0.35, vehicles from 0.35."""
    parameters = {"threshold_plate": 0.35, "threshold_vehicle": 0.35, "plate_overlap": 0.4, "vehicle_overlap": 0.6}
    labels = ("plate", *VEHICLE_LABELS)
    card = make_model_card("detection", 640, 640, ("plates", "vehicles"), labels=labels, parameters=parameters)
    session = StandInSession(card, network)
    return Detector(session), session


def make_reader(texts: Sequence[str], confidence: float = 0.999, doubts: dict[str, str] | None = None) -> Reader:
    """A reader that reads a plate's number as ``texts[number]``.

    Each character gets ``confidence``; the rest goes to what ``doubts`` says of it ({"0": "O"}), else to "nothing".
    """

    def network(crops: Pixels) -> tuple[NDArray[Any], ...]:
        return (np.stack([_spelled(texts[number], confidence, doubts or {}) for number in numbers_of(crops)]),)

    parameters = {"calibration_slope": 1.0, "calibration_offset": 0.0}
    card = make_model_card("reading", 160, 64, ("log_probabilities",), alphabet=ALPHABET, parameters=parameters)
    return Reader(StandInSession(card, network))


def _spelled(text: str, confidence: float, doubts: dict[str, str]) -> NDArray[np.float32]:
    """Log probabilities (80, 37): each character in a column of its own, with nothing between."""
    probabilities = np.zeros((80, len(ALPHABET) + 1), np.float32)
    probabilities[:, -1] = 1
    for column, character in enumerate(text):
        row = probabilities[4 * column + 2]
        row[:] = 0
        row[ALPHABET.index(character)] = confidence
        row[ALPHABET.index(doubts[character]) if character in doubts else -1] += 1 - confidence
    return np.log(np.maximum(probabilities, 1e-12))


def make_region_classifier(looks: Sequence[dict[str, float]]) -> RegionClassifier:
    """A classifier that gives a plate's number the probabilities ``looks[number]``."""
    labels = sorted({code for look in looks for code in look})

    def network(crops: Pixels) -> tuple[NDArray[Any], ...]:
        rows = [[looks[number].get(label, 1e-9) for label in labels] for number in numbers_of(crops)]
        return (np.log(np.array(rows, np.float32)),)

    card = make_model_card("region", 160, 96, ("logits",), labels=tuple(labels), parameters={"temperature": 1.0})
    return RegionClassifier(StandInSession(card, network))


def make_corner_refiner(shift: float = 0.0) -> CornerRefiner:
    """A refiner that moves every corner right by ``shift`` widths of the plate."""

    def network(views: Pixels) -> tuple[NDArray[Any], ...]:
        return (np.tile(np.array((shift, 0.0), np.float32), (len(views), 4)),)

    return CornerRefiner(StandInSession(make_model_card("corners", 112, 64, ("offsets",)), network))


def make_stages(
    texts: Sequence[str],
    looks: Sequence[dict[str, float]],
    confidence: float = 0.999,
    doubts: dict[str, str] | None = None,
) -> Stages:
    """Stages that find painted plates, read plate number n as ``texts[n]`` and see ``looks[n]`` in it."""
    detector, _ = make_detector()
    refiner, reader = make_corner_refiner(), make_reader(texts, confidence, doubts)
    return Stages(detector, refiner, reader, make_region_classifier(looks), LateAttributes(make_color_teller))


# --- attributes of vehicles -------------------------------------------------------------------------------------

ATTRIBUTE_LABELS = {
    "type": ("sedan", "suv", "bus"),
    "model": ("SEAT|Leon", "SEAT|", "MINI|Countryman", "Ford|"),
    "body": ("coupe", "wagon"),
    "year": ("1990-1994", "1995-1999"),
    "color": ("black", "grey", "red"),
    "view": ("front", "front_left", "left", "rear_left", "rear", "rear_right", "right", "front_right"),
}


def make_attributes_card(labels: dict[str, tuple[str, ...]], **changes: Any) -> ModelCard:
    """A card whose temperatures are 1 and thresholds 0; ``changes`` are parameters (None: without it) or fields."""
    heads = ("type", "model", "body", "year", "color", "view")
    parameters: dict[str, float | None] = {"margin": 0.03}
    parameters |= {f"temperature_{head}": 1.0 for head in heads}
    parameters |= {f"threshold_{name}": 0.0 for name in (*heads, "make", "orientation")}
    parameters |= {name: changes.pop(name) for name in parameters if name in changes}
    kept = {name: value for name, value in parameters.items() if value is not None}
    card = make_model_card("attributes", 40, 24, tuple(labels), heads=labels, parameters=kept)
    return replace(card, **changes)


def make_attribute_classifier(rows: Sequence[dict[str, list[float]]], **parameters: float) -> AttributeClassifier:
    """A classifier that answers a crop of brightness n with the logits ``rows[n]``; those not given are 0, 1, 2..."""

    def network(crops: Pixels) -> tuple[NDArray[Any], ...]:
        numbers = [int(crop[0, 0, 0]) for crop in crops]
        return tuple(
            np.array([rows[number].get(head, range(len(labels))) for number in numbers], np.float32)
            for head, labels in ATTRIBUTE_LABELS.items()
        )

    return AttributeClassifier(StandInSession(make_attributes_card(ATTRIBUTE_LABELS, **parameters), network))


def make_color_teller() -> AttributeClassifier:
    """A classifier that takes a painted vehicle for a grey SEAT Leon from the left, the surer the bluer it is."""

    def network(crops: Pixels) -> tuple[NDArray[Any], ...]:
        blue = crops[..., 2].mean(axis=(1, 2)) / 20
        answers = {"type": 1, "model": 0, "body": 1, "year": 1, "color": 1, "view": 2}
        return tuple(
            (np.arange(len(labels)) == answers[head]) * blue[:, None].astype(np.float32)
            for head, labels in ATTRIBUTE_LABELS.items()
        )

    return AttributeClassifier(StandInSession(make_attributes_card(ATTRIBUTE_LABELS, threshold_color=0.9), network))
