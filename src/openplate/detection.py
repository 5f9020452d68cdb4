"""Vehicles and plates, plates with their corners, in one pass of one network.

The ends of the network are pure and shared with training: ``to_input`` makes the canvas, ``from_output`` turns
raw answers into detections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from openplate.datatypes import VEHICLE_LABELS, Box, Corners, Detection
from openplate.geometry import non_max_suppression
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
    plates: Floats, vehicles: Floats, width: int, height: int, thresholds: Thresholds
) -> tuple[list[Detection], list[Detection]]:
    """Plates and vehicles, most confident first, in canvas pixels.

    Args:
        plates: raw (13, cells): score, box (centre offset, log size), four corner offsets, in strides.
        vehicles: raw (9, cells): scores of ``VEHICLE_LABELS``, box.
        width, height: of the canvas.
        thresholds: least confidences.
    """
    return (
        _plates(plates, width, height, thresholds.plate),
        _vehicles(vehicles, width, height, thresholds.vehicle),
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
        found_plates, found_vehicles = from_output(plates[0], vehicles[0], width, height, thresholds)
        kept = [
            *without_repeats(found_plates, self.plate_overlap),
            *without_repeats(found_vehicles, self.vehicle_overlap),
        ]
        moved = [_to_source(d, placed, image.width, image.height) for d in kept]
        # What was seen in the grey beside the picture has no area in it.
        return [d for d in moved if d.box.area > 0]


def without_repeats(detections: Sequence[Detection], overlap: float) -> list[Detection]:
    """The detections without those that overlap a more confident one by more than ``overlap`` (IoU)."""
    if not detections:
        return []
    boxes = np.array([d.box.as_tuple() for d in detections])
    scores = np.array([d.confidence for d in detections])
    return [detections[i] for i in non_max_suppression(boxes, scores, overlap)]


def _cells(indices: npt.NDArray[np.intp], width: int, height: int) -> tuple[Floats, Floats]:
    """Centres (n, 2) and strides (n, 1) of the cells with those numbers."""
    centers = np.empty((len(indices), 2), np.float32)
    strides = np.empty((len(indices), 1), np.float32)
    first = 0
    for stride in STRIDES:
        columns, rows = width // stride, height // stride
        here = (indices >= first) & (indices < first + columns * rows)
        row, column = np.divmod(indices[here] - first, columns)
        centers[here] = np.stack(((column + 0.5) * stride, (row + 0.5) * stride), 1)
        strides[here] = stride
        first += columns * rows
    return centers, strides


def _boxes(raw: Floats, centers: Floats, strides: Floats) -> Floats:
    middle = centers + raw[:, :2] * strides
    half = np.exp(np.clip(raw[:, 2:4], -6, 6)) * strides / 2
    return np.concatenate((middle - half, middle + half), 1)


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)


def _likeliest(scores: Floats, threshold: float) -> npt.NDArray[np.intp]:
    """The cells above the threshold (0 to 1; scores are logits), best first, not more than make sense."""
    lowest = np.log(max(threshold, 1e-6) / max(1 - threshold, 1e-6))
    found = np.flatnonzero(scores >= lowest)
    return found[np.argsort(-scores[found], kind="stable")[: 4 * _MOST_DETECTIONS]]


def _plates(raw: Floats, width: int, height: int, threshold: float) -> list[Detection]:
    indices = _likeliest(raw[0], threshold)
    values = raw[:, indices].T
    centers, strides = _cells(indices, width, height)
    boxes = _boxes(values[:, 1:5], centers, strides)
    corners = centers[:, None] + values[:, 5:].reshape(-1, 4, 2) * strides[:, None]
    return [
        Detection("plate", "plate", Box(*box), confidence, Corners.from_points(points))
        for box, confidence, points in zip(
            boxes.tolist(), _sigmoid(values[:, 0]).tolist(), corners.tolist(), strict=True
        )
    ]


def _vehicles(raw: Floats, width: int, height: int, threshold: float) -> list[Detection]:
    scores = raw[: len(VEHICLE_LABELS)]
    indices = _likeliest(scores.max(0), threshold)
    centers, strides = _cells(indices, width, height)
    boxes = _boxes(raw[len(VEHICLE_LABELS) :, indices].T, centers, strides)
    labels = scores[:, indices].argmax(0)
    confidences = _sigmoid(scores[:, indices].max(0))
    return [
        Detection("vehicle", VEHICLE_LABELS[label], Box(*box), confidence)
        for box, confidence, label in zip(boxes.tolist(), confidences.tolist(), labels.tolist(), strict=True)
    ]


def _to_source(detection: Detection, placed: Letterbox, width: int, height: int) -> Detection:
    corners = detection.corners
    if corners is not None:
        corners = Corners.from_points(placed.to_source_points(corners.as_tuple()))
    box = placed.to_source_box(detection.box).clamp(width, height)
    return Detection(detection.kind, detection.label, box, detection.confidence, corners)
