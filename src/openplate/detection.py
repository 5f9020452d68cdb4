"""Vehicles and plates, plates with their corners, in one pass of one network.

The ends of the network are pure and shared with training: ``to_input`` makes the canvas, ``from_output`` turns
raw answers into detections.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from openplate.datatypes import VEHICLE_LABELS, Box, Corners, Detection
from openplate.geometry import distinct
from openplate.imaging import Image, Letterbox, letterbox
from openplate.models import Device, Precision
from openplate.models.catalog import open_session
from openplate.models.session import Session

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

STRIDES = (8, 16, 32)
LARGEST_SCALE = 4.0
"""A picture of a few pixels shows no more when it is blown up further."""
_MOST_DETECTIONS = 300


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What counts as found: least confidence (0 to 1) of plates and of vehicles."""

    plate: float
    vehicle: float


def canvas_size(width: int, height: int, reach: int) -> tuple[int, int]:
    """The canvas (width, height) for a picture: its longest side fills ``reach``, both sides are multiples of 32."""
    scale = min(reach / max(width, height), LARGEST_SCALE)
    coarsest = STRIDES[-1]

    def whole(size: int) -> int:
        return max(coarsest, -(-round(size * scale) // coarsest) * coarsest)

    return whole(width), whole(height)


def to_input(image: Image, reach: int) -> tuple[Pixels, Letterbox]:
    """The network's input for one picture: uint8 (1, height, width, 3) RGB."""
    width, height = canvas_size(image.width, image.height, reach)
    canvas, placed = letterbox(image.pixels, width, height)
    return canvas[None], placed


def from_output(
    plates: Floats,
    vehicles: Floats,
    width: int,
    height: int,
    thresholds: Thresholds,
    overlaps: Thresholds = Thresholds(1.0, 1.0),
) -> tuple[list[Detection], list[Detection]]:
    """Plates and vehicles, most confident first, in canvas pixels.

    Args:
        plates: raw (13, cells): score, box (centre offset, log size), four corner offsets, in strides.
        vehicles: raw (9, cells): scores of ``VEHICLE_LABELS``, box.
        width, height: of the canvas.
        thresholds: least confidences.
        overlaps: what overlaps a more confident one of its kind by more (IoU) is left out; usually nothing.
    """
    grid = _grid(width, height)
    return (
        _plates(plates, grid, thresholds.plate, overlaps.plate),
        _vehicles(vehicles, grid, thresholds.vehicle, overlaps.vehicle),
    )


class Detector:
    """The detecting network, ready to run; threads may share one."""

    def __init__(self, session: Session) -> None:
        self._session = session
        card = session.card
        self.name = f"{card.name} {card.version}"
        self.reach = card.input.width
        self.plate_overlap = card.parameter("plate_overlap")
        self.vehicle_overlap = card.parameter("vehicle_overlap")
        self.threshold_plate = card.parameter("threshold_plate")
        self.threshold_vehicle = card.parameter("threshold_vehicle")

    @classmethod
    def open(cls, device: Device = "auto", precision: Precision = "auto", *, workers: int = 1) -> Detector:
        """The detector that comes with the package."""
        return cls(open_session("detector", device, precision, workers=workers))

    def detect(
        self, images: Sequence[Image], thresholds: Thresholds | None = None, *, reach: int | None = None
    ) -> list[list[Detection]]:
        """For each picture its detections in the picture's pixels: plates, then vehicles, most confident first.

        Args:
            images: any sizes.
            thresholds: default: those of the network's card.
            reach: the length in pixels that the longest side is scaled to; default: the network's own.
        """
        wanted = thresholds or Thresholds(self.threshold_plate, self.threshold_vehicle)
        return [self._detect(image, wanted, reach or self.reach) for image in images]

    def _detect(self, image: Image, thresholds: Thresholds, reach: int) -> list[Detection]:
        canvas, placed = to_input(image, reach)
        plates, vehicles = self._session.run(canvas)
        height, width = canvas.shape[1:3]
        overlaps = Thresholds(self.plate_overlap, self.vehicle_overlap)
        found_plates, found_vehicles = from_output(plates[0], vehicles[0], width, height, thresholds, overlaps)
        moved = [_to_source(d, placed, image.width, image.height) for d in (*found_plates, *found_vehicles)]
        # What was seen in the grey beside the picture has no area in it.
        return [d for d in moved if d.box.area > 0]


def without_repeats(detections: Sequence[Detection], overlap: float) -> list[Detection]:
    """The detections without those that overlap a more confident one by more than ``overlap`` (IoU)."""
    ranked = sorted(detections, key=lambda detection: -detection.confidence)
    return [ranked[i] for i in distinct([detection.box.as_tuple() for detection in ranked], overlap)]


@lru_cache(maxsize=16)
def _grid(width: int, height: int) -> Floats:
    """Centre x, centre y and stride of each cell of a canvas, (cells, 3), read-only."""
    parts = []
    for stride in STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        cells = np.stack(((columns + 0.5) * stride, (rows + 0.5) * stride, np.full(rows.shape, stride)), -1)
        parts.append(cells.reshape(-1, 3).astype(np.float32))
    grid = np.concatenate(parts)
    grid.flags.writeable = False
    return grid


def _box(cell: Sequence[float], raw: Sequence[float]) -> tuple[float, float, float, float]:
    """A box from centre offsets and log sizes (4) in a cell of a grid."""
    x, y, stride = cell
    middle_x, middle_y = x + raw[0] * stride, y + raw[1] * stride
    half_width = math.exp(min(max(raw[2], -6.0), 6.0)) * stride / 2
    half_height = math.exp(min(max(raw[3], -6.0), 6.0)) * stride / 2
    return middle_x - half_width, middle_y - half_height, middle_x + half_width, middle_y + half_height


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-min(max(logit, -30.0), 30.0)))


def _likeliest(scores: Floats, threshold: float) -> list[int]:
    """The cells above the threshold (0 to 1; scores are logits), best first, not more than make sense."""
    lowest = math.log(max(threshold, 1e-6) / max(1 - threshold, 1e-6))
    (cells,) = (scores >= lowest).nonzero()
    ranked = sorted(zip(scores[cells].tolist(), cells.tolist(), strict=True), key=lambda pair: -pair[0])
    return [cell for _, cell in ranked[: 4 * _MOST_DETECTIONS]]


def _plates(raw: Floats, grid: Floats, threshold: float, overlap: float) -> list[Detection]:
    indices = _likeliest(raw[0], threshold)
    answers, cells = raw[:, indices].T.tolist(), grid[indices].tolist()
    boxes = [_box(cell, answer[1:5]) for cell, answer in zip(cells, answers, strict=True)]
    found = []
    for i in distinct(boxes, overlap):
        (x, y, stride), (score, *_), offsets = cells[i], answers[i], answers[i][5:]
        points = [(x + stride * dx, y + stride * dy) for dx, dy in zip(offsets[::2], offsets[1::2], strict=True)]
        found.append(Detection("plate", "plate", Box(*boxes[i]), _sigmoid(score), Corners.from_points(points)))
    return found


def _vehicles(raw: Floats, grid: Floats, threshold: float, overlap: float) -> list[Detection]:
    labels = len(VEHICLE_LABELS)
    indices = _likeliest(raw[:labels].max(0), threshold)
    answers, cells = raw[:, indices].T.tolist(), grid[indices].tolist()
    boxes = [_box(cell, answer[labels:]) for cell, answer in zip(cells, answers, strict=True)]
    found = []
    for i in distinct(boxes, overlap):
        score, label = max(zip(answers[i], VEHICLE_LABELS, strict=False), key=lambda pair: pair[0])
        found.append(Detection("vehicle", label, Box(*boxes[i]), _sigmoid(score)))
    return found


def _to_source(detection: Detection, placed: Letterbox, width: int, height: int) -> Detection:
    corners = detection.corners
    if corners is not None:
        corners = Corners.from_points([placed.to_source_point(*point) for point in corners.as_tuple()])
    box = placed.to_source_box(detection.box).clamp(width, height)
    return Detection(detection.kind, detection.label, box, detection.confidence, corners)
