"""Training samples for the corner network: plates whose corners are known, seen from corners that are wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from openplate.corner_refiner import plate_frame, view_of
from openplate.datatypes import Corners
from openplate_training.augment import Random, chance
from openplate_training.corners_model import HEIGHT, WIDTH
from openplate_training.data import PackedPictures, Pixels, Record
from openplate_training.detector_data import OTHER_CORNERS, TEACHER_SCORE
from openplate_training.reader_data import degrade_crop

Floats = npt.NDArray[np.float64]
SET_POWER = 0.6  # sets are drawn by size to this power
HUMAN_SHARE = 0.45  # of the samples: few plates, but the only ones whose corners people have set
MIRRORED = [1, 0, 3, 2]


@dataclass(frozen=True)
class KnownPlate:
    """A plate of a picture with its corners (4, 2)."""

    pictures: PackedPictures
    index: int
    corners: Floats
    set_name: str
    is_human: bool


def known_plates(pictures: PackedPictures) -> list[KnownPlate]:
    """The training plates of a list, of scenes or of crops, whose corners are known."""
    return [
        KnownPlate(pictures, index, np.array(plate["corners"], np.float64), record["set"], is_human)
        for index, record in enumerate(pictures.records)
        if record["split"] == "train" and record["set"] not in OTHER_CORNERS
        for plate, is_human in _cornered(record)
    ]


def _cornered(record: Record) -> list[tuple[Record, bool]]:
    if "plates" not in record:
        return [(record, False)] if record.get("corners") else []
    return [
        (plate, plate.get("corners_label") == "human")
        for plate in record["plates"]
        if plate.get("corners") and (plate.get("corners_label") == "human" or (plate["score"] or 1) >= TEACHER_SCORE)
    ]


def roughly(corners: Floats, random: Random) -> Floats:
    """Corners (4, 2) as they are known before: a detector's, or only a box around the plate in a turned picture."""
    center = corners.mean(0)
    turn, shear = np.deg2rad(random.normal(0, 4 if chance(random, 0.5) else 14)), random.normal(0, 0.08)
    frame = np.array(((np.cos(turn), -np.sin(turn) + shear), (np.sin(turn), np.cos(turn))))
    seen = (corners - center) @ frame.T
    low, high = seen.min(0), seen.max(0)
    size = high - low
    height = float(np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1])) / 2
    if chance(random, 0.6):  # serving starts from the box
        rough = np.array((low, (high[0], low[1]), high, (low[0], high[1])))
        loose = random.uniform(0, 0.45, 2) if chance(random, 0.3) else random.normal(0.03, 0.07, 2)
        rough = (rough - rough.mean(0)) * (1 + loose) + rough.mean(0)
    else:
        rough = seen + random.normal(0, 0.16 if chance(random, 0.7) else 0.06, (4, 2)) * height
    rough = rough + random.normal(0, 0.04, 2) * size
    return np.asarray(rough @ np.linalg.inv(frame).T + center, np.float64)


def cut_off(view: Pixels, random: Random) -> Pixels:
    """The view of a plate cut out by somebody before: beyond where that cut went there are only the edge's pixels."""
    start, size = plate_frame(WIDTH, HEIGHT)
    low = np.round(start[0] - size * random.uniform(-0.02, 0.12, 2)).astype(int).clip(0)
    high = np.round(start[2] + size * random.uniform(-0.02, 0.12, 2)).astype(int)
    inside = view[low[1] : high[1], low[0] : high[0]]
    left, top = int(low[0]), int(low[1])
    right, bottom = WIDTH - left - inside.shape[1], HEIGHT - top - inside.shape[0]
    return np.asarray(cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_REPLICATE), np.uint8)


def clockwise(corners: Floats) -> bool:
    edges = np.roll(corners, -1, 0) - corners
    after = np.roll(edges, -1, 0)
    return bool((edges[:, 0] * after[:, 1] - edges[:, 1] * after[:, 0]).min() > 1)


@dataclass
class CornerSampler:
    """Plates of several lists, those with human corners more often."""

    plates: list[KnownPlate]
    weights: Floats = field(init=False)

    def __post_init__(self) -> None:
        counts = Counter((p.set_name, p.is_human) for p in self.plates)
        weights = np.array([counts[p.set_name, p.is_human] ** (SET_POWER - 1) for p in self.plates])
        human = np.array([p.is_human for p in self.plates])
        for mask, share in ((human, HUMAN_SHARE), (~human, 1 - HUMAN_SHARE)):
            weights[mask] *= share / max(float(weights[mask].sum()), 1e-9)
        self.weights = weights / weights.sum()

    def sample(self, random: Random) -> tuple[Pixels, npt.NDArray[np.float32], float]:
        """A view, the offsets (4, 2) of its corners, and the plate's width over its height."""
        plate = self.plates[int(random.choice(len(self.plates), p=self.weights))]
        rough = roughly(plate.corners, random)
        while not clockwise(rough):
            rough = roughly(plate.corners, random)
        picture = plate.pictures.picture(plate.index)
        pixels, to_picture = view_of(picture, Corners.from_points(rough), WIDTH, HEIGHT)
        if chance(random, 0.3):
            pixels = cut_off(pixels, random)
        truth = cv2.perspectiveTransform(plate.corners[None], np.linalg.inv(to_picture))[0]
        if chance(random, 0.4):
            pixels, truth = np.ascontiguousarray(pixels[:, ::-1]), (WIDTH, 0) + truth[MIRRORED] * (-1, 1)
        if chance(random, 0.7):
            pixels = degrade_crop(pixels, random, 0.6, grey=0.15)
        start, size = plate_frame(WIDTH, HEIGHT)
        sides = np.linalg.norm(np.roll(plate.corners, -1, 0) - plate.corners, axis=1)
        aspect = float((sides[0] + sides[2]) / max(float(sides[1] + sides[3]), 1e-6))
        return pixels, ((truth - start) / size).astype(np.float32), aspect
