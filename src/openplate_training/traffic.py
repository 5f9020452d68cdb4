"""Vehicles on their ways, as boxes with known truth: what sequences are drawn from, and what tests follow.

No pixels and no networks: a scene says at any moment where each vehicle and its plate are and how much of them can
be seen; ``detect`` makes of it what imperfect networks would say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from openplate.datatypes import Box, Detection, Guess, Plate, PlateCandidate, PlateReading
from openplate.text import ALPHABET, look_alikes

_PLATE_WIDTH = 0.26  # of the vehicle's
_PLATE_BOTTOM = 0.78  # of the vehicle's height
_LEAST_VEHICLE, _LEAST_PLATE = 0.35, 0.9  # shares that must be seen to be found


@dataclass(frozen=True, slots=True)
class Waypoint:
    """Where a vehicle is at a time: the middle of its lower edge, and its width (seconds, pixels)."""

    at_s: float
    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Journey:
    """A vehicle on its way, straight from point to point; before the first and after the last it is not there.

    ``aspect`` is height by width; ``text`` is None for a vehicle without a plate.
    """

    id: int
    text: str | None
    waypoints: tuple[Waypoint, ...]
    aspect: float = 0.8
    plate_aspect: float = 4.2

    def box(self, at_s: float) -> Box | None:
        times = [point.at_s for point in self.waypoints]
        if not times[0] <= at_s <= times[-1]:
            return None
        x, y, width = (
            float(np.interp(at_s, times, [getattr(point, name) for point in self.waypoints]))
            for name in ("x", "y", "width")
        )
        return Box(x - width / 2, y - width * self.aspect, x + width / 2, y)

    def plate_box(self, at_s: float) -> Box | None:
        box = self.box(at_s)
        if box is None or self.text is None:
            return None
        width = _PLATE_WIDTH * box.width
        x, y = box.center[0], box.y1 + _PLATE_BOTTOM * box.height
        return Box(x - width / 2, y - width / self.plate_aspect, x + width / 2, y)


@dataclass(frozen=True, slots=True)
class SceneVehicle:
    """A vehicle in one frame; the boxes end at the picture's edge, ``*_seen`` are the shares in sight (0 to 1)."""

    id: int
    text: str | None
    box: Box
    seen: float
    plate_box: Box | None
    plate_seen: float


@dataclass(frozen=True, slots=True)
class Scene:
    """Vehicles before a fixed camera; ``screens`` stand in front of all of them."""

    journeys: tuple[Journey, ...]
    width: int = 1280
    height: int = 720
    screens: tuple[Box, ...] = ()

    @property
    def duration_s(self) -> float:
        return max((journey.waypoints[-1].at_s for journey in self.journeys), default=0.0)

    def ordered(self, at_s: float) -> list[Journey]:
        """Those that are there, the farthest first: who stands lower in the picture is nearer."""
        there = [(box.y2, journey) for journey in self.journeys if (box := journey.box(at_s)) is not None]
        return [journey for _, journey in sorted(there, key=lambda pair: pair[0])]

    def look(self, at_s: float) -> list[SceneVehicle]:
        """What there is to see, the farthest first."""
        journeys = self.ordered(at_s)
        boxes = [box for journey in journeys if (box := journey.box(at_s)) is not None]
        seen = []
        for index, (journey, box) in enumerate(zip(journeys, boxes, strict=True)):
            before = [*boxes[index + 1 :], *self.screens]
            share = self._share(box, before)
            if share <= 0:
                continue
            plate = journey.plate_box(at_s)
            plate_share = 0.0 if plate is None else self._share(plate, before)
            seen.append(
                SceneVehicle(
                    journey.id,
                    journey.text,
                    box.clamp(self.width, self.height),
                    share,
                    plate.clamp(self.width, self.height) if plate is not None and plate_share > 0 else None,
                    plate_share,
                )
            )
        return seen

    def _share(self, box: Box, before: Sequence[Box]) -> float:
        """How much of a box is in sight, from a grid of points on it."""
        xs = box.x1 + (np.arange(24) + 0.5) / 24 * box.width
        ys = box.y1 + (np.arange(16) + 0.5) / 16 * box.height
        x, y = np.meshgrid(xs, ys)
        is_free = (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height)
        for other in before:
            is_free &= ~((x >= other.x1) & (x < other.x2) & (y >= other.y1) & (y < other.y2))
        return float(is_free.mean())


@dataclass(frozen=True, slots=True)
class Imperfection:
    """How far what is found is from the truth.

    Attributes:
        jitter: of boxes, as a share of their size.
        missed, missed_plates: shares of vehicles and plates that are not found.
        false_vehicles: found where there is none, for each frame.
        misread: share of readings with a wrong character.
    """

    jitter: float = 0.02
    missed: float = 0.03
    missed_plates: float = 0.1
    false_vehicles: float = 0.02
    misread: float = 0.1


NONE = Imperfection(0.0, 0.0, 0.0, 0.0, 0.0)


def detect(
    vehicles: Sequence[SceneVehicle],
    random: np.random.Generator,
    imperfection: Imperfection = Imperfection(),
    size: tuple[int, int] = (1280, 720),
) -> tuple[list[Detection], list[Plate]]:
    """What a detector and a reader would find in a frame; a plate points to its vehicle where that is found."""
    found: list[Detection] = []
    plates: list[Plate] = []
    for vehicle in vehicles:
        owner = None
        if vehicle.seen >= _LEAST_VEHICLE and random.random() >= imperfection.missed:
            owner = len(found)
            confidence = float(np.clip(vehicle.seen * random.uniform(0.7, 0.98), 0.0, 1.0))
            found.append(Detection("vehicle", "car", _shaken(vehicle.box, imperfection.jitter, random), confidence))
        is_plate_found = vehicle.plate_seen >= _LEAST_PLATE and random.random() >= imperfection.missed_plates
        if vehicle.plate_box is not None and vehicle.text is not None and is_plate_found:
            box = _shaken(vehicle.plate_box, imperfection.jitter, random)
            detection = Detection("plate", "plate", box, float(random.uniform(0.6, 0.95)))
            plates.append(Plate(detection, _read(vehicle.text, imperfection.misread, random), owner))
    if random.random() < imperfection.false_vehicles:
        x, y = random.uniform(0, size[0] - 100), random.uniform(0, size[1] - 80)
        found.append(Detection("vehicle", "car", Box(x, y, x + 100, y + 80), float(random.uniform(0.3, 0.6))))
    return found, plates


def _shaken(box: Box, jitter: float, random: np.random.Generator) -> Box:
    dx, dy = random.normal(0, jitter, 2) * (box.width, box.height)
    wider, higher = random.normal(0, jitter, 2) / 2
    return box.shift(float(dx), float(dy)).expand(float(np.clip(wider, -0.2, 0.2)), float(np.clip(higher, -0.2, 0.2)))


def _read(text: str, misread: float, random: np.random.Generator) -> PlateReading:
    said, confidence = text, float(random.uniform(0.8, 0.98))
    if random.random() < misread:
        place = int(random.integers(len(text)))
        others = sorted(look_alikes(text[place])) or [c for c in ALPHABET if c != text[place]]
        said = text[:place] + others[int(random.integers(len(others)))] + text[place + 1 :]
        confidence = float(random.uniform(0.4, 0.75))
    candidates = [PlateCandidate(said, confidence)]
    if said != text:
        candidates.append(PlateCandidate(text, 0.9 * (1 - confidence)))
    share = confidence ** (1 / len(said))
    return PlateReading(said, confidence, tuple(Guess(c, share) for c in said), tuple(candidates))
