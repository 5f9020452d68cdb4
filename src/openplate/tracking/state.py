"""What a tracker knows of one vehicle, and how well what a frame shows fits it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from openplate.datatypes import Box, Detection, PlateReading
from openplate.tracking.kalman import BoxFilter, Floats, measure
from openplate.tracking.observations import Observation
from openplate.tracking.texts import TextBelief

_GATE = 16.0  # square of a Mahalanobis distance; 99.7 % of what belongs to a track is nearer (four numbers)
_TEXT_GATE = 12.0  # how much a text that is the same widens the gate, for each unit of evidence
_ONE_ONLY = 3.0  # cost where only one of vehicle and plate fits
_INSIDE = 9.0  # cost of a plate in a vehicle that was never seen with one, and the other way round
_ADOPTED = 10.0  # cost of the first vehicle around a plate that was followed alone: it may have a track of its own
_CONTRADICTION = -2.0  # evidence of texts below which they are not of one plate
_PLATE_UNIT = 2.5  # a plate's size, the root of its area, is so many times smaller than its vehicle's
_PLACED_DOUBT = 4.0  # of a plate that is not seen but whose vehicle is
_STANDING = 0.12  # of the vehicle's size per second
_SURE_TEXT = 0.9
_WEAK_DOUBT = 2.0
_YOUNG_S, _FEW = 1.5, 4
_AWAY_S = 0.3
_REACH, _REACH_PER_S = 2.0, 3.0  # of the vehicle's size, from where a lost track is expected
_SURE = 0.5


class Followed:
    """A vehicle that is followed."""

    def __init__(self, number: int, observation: Observation, frame_index: int, confirm_after: int) -> None:
        self.id = number
        self.texts = TextBelief()
        self.is_confirmed = False
        self.hits = 0
        self.missed = 0
        self.unseen_s = 0.0
        self.last_frame = -1
        self.is_seen = False
        self.vehicle_index: int | None = None
        self.plate_index: int | None = None
        self._confirm_after = confirm_after
        self._frame_index = frame_index
        self._age_s = 0.0
        self._vehicle: BoxFilter | None = None
        self._plate: BoxFilter | None = None
        self._plate_place: Floats | None = None  # of the plate in the vehicle's box, as shares: x1, y1, x2, y2
        self.take(observation)

    @property
    def vehicle_box(self) -> Box | None:
        return self._vehicle.box if self._vehicle else None

    @property
    def plate_box(self) -> Box | None:
        return self._plate.box if self._plate else None

    @property
    def is_standing(self) -> bool:
        """It hardly moves, and has been watched long enough to say so."""
        followed = self._vehicle or self._plate
        return self._age_s >= 0.5 and self.hits >= 3 and followed is not None and followed.speed < _STANDING

    @property
    def is_young(self) -> bool:
        """It began a moment ago, and its plate has hardly been read."""
        return 1 <= self.texts.count <= _FEW and self._age_s <= _YOUNG_S

    def resemblance(self, lost: Followed) -> float:
        """How much the plate speaks for this being a track that was lost, where it can have come that far."""
        reading = self.texts.latest
        here, there = self.vehicle_box or self.plate_box, lost.vehicle_box or lost.plate_box
        if reading is None or here is None or there is None:
            return -math.inf
        (ax, ay), (bx, by) = here.center, there.center
        size = math.sqrt(max(here.area, there.area))
        is_near = math.hypot(ax - bx, ay - by) <= size * (_REACH + _REACH_PER_S * lost.unseen_s)
        return lost.texts.evidence(reading) if is_near else -math.inf

    def go_on_as(self, young: Followed) -> None:
        """Becomes what another track has seen since this one was lost."""
        self.vehicle_index, self.plate_index = young.vehicle_index, young.plate_index
        self._vehicle, self._plate = young._vehicle, young._plate
        self._plate_place = young._plate_place
        self.hits += young.hits
        self.is_seen, self.missed, self.unseen_s, self.last_frame = True, 0, 0.0, young.last_frame
        if young.texts.latest is not None:
            self.texts.add(young.texts.latest)

    def predict(self, seconds: float) -> None:
        self._age_s += seconds
        self.unseen_s += seconds
        for each in (self._vehicle, self._plate):
            if each is not None:
                each.predict(seconds)

    def begin_frame(self, frame_index: int) -> None:
        self.is_seen = False
        self.vehicle_index = self.plate_index = None
        self.missed += 1
        self._frame_index = frame_index

    def hold(self) -> None:
        """It stands in a picture in which nothing moved."""
        self.vehicle_index = self.plate_index = None
        self.unseen_s, self.missed = 0.0, 0
        for each in (self._vehicle, self._plate):
            if each is not None:
                each.rest()

    def costs(self, observations: Sequence[Observation], vehicles: Floats, plates: Floats) -> Floats:
        """What it costs to take each observation (m,), infinite where it does not fit.

        ``vehicles`` and ``plates`` are the measures of their boxes (m, 4), infinitely far where there is none.
        """
        far = np.full(len(observations), np.inf)
        vehicle_far, vehicle_cost = self._vehicle.distances(vehicles) if self._vehicle else (far, far)
        plate_far, plate_cost = self._plate.distances(plates) if self._plate else (far, far)
        return np.array(
            [
                self._cost(
                    observation,
                    (float(vehicle_far[i]), float(vehicle_cost[i])),
                    (float(plate_far[i]), float(plate_cost[i])),
                )
                for i, observation in enumerate(observations)
            ]
        )

    def _cost(self, observation: Observation, vehicle: tuple[float, float], plate: tuple[float, float]) -> float:
        evidence = self.texts.evidence(observation.reading)
        gate = _GATE + _TEXT_GATE * max(0.0, evidence)
        vehicle_fits = vehicle[0] < gate
        plate_fits = plate[0] < gate and evidence > _CONTRADICTION
        if vehicle_fits and plate_fits:
            return (vehicle[1] + plate[1]) / 2 - evidence
        if plate_fits:
            is_new = self._vehicle is None and observation.vehicle is not None
            other = _ADOPTED if is_new else _ONE_ONLY if observation.vehicle is not None else 0.0
            return plate[1] + other - evidence
        if vehicle_fits:
            both = self._plate is not None and observation.plate is not None
            if both and plate[0] >= _GATE and evidence <= _CONTRADICTION:
                evidence = 0.0  # another's plate, which will be taken off: it says nothing of this vehicle
            return vehicle[1] + (_ONE_ONLY if both else 0.0) - evidence
        return self._cost_of_inside(observation, evidence)

    def _cost_of_inside(self, observation: Observation, evidence: float) -> float:
        """Of a plate in this vehicle, or a vehicle around this plate, where there is nothing alike to compare."""
        if self._vehicle is None and observation.vehicle is not None and observation.plate is None:
            outer: Box | None = observation.vehicle.box
            inner = self.plate_box
        elif self._plate is None and observation.plate is not None and observation.vehicle is None:
            outer, inner = self._vehicle.box if self._vehicle else None, observation.plate.detection.box
        else:
            return np.inf
        if outer is None or inner is None or evidence <= _CONTRADICTION:
            return np.inf
        return _INSIDE - evidence if holds_plate(outer, inner) else np.inf

    def accepts(self, plate: Observation) -> bool:
        """Whether the plate of an observation whose vehicle fits is this vehicle's."""
        evidence = self.texts.evidence(plate.reading)
        if evidence <= _CONTRADICTION:
            return False
        if self._plate is None or plate.plate is None or evidence > 0.5:
            return True
        far, _ = self._plate.distances(measure(plate.plate.detection.box)[None])
        return float(far[0]) < 4 * _GATE

    def take(self, observation: Observation) -> None:
        """Takes in what was seen of it in this frame; called again for a plate that was found apart."""
        if not self.is_seen:
            self.hits += 1
        was_away = self.unseen_s > _AWAY_S and self.missed > 1
        self.is_seen, self.missed, self.unseen_s = True, 0, 0.0
        self.last_frame = self._frame_index
        if observation.vehicle is not None:
            self.vehicle_index = observation.vehicle_index
            self._vehicle = _follow(self._vehicle, observation.vehicle, 1.0, was_away)
        if observation.plate is not None:
            self.plate_index = observation.plate_index
            self._plate = _follow(self._plate, observation.plate.detection, _PLATE_UNIT, was_away)
            if observation.plate.reading is not None:
                self.texts.add(observation.plate.reading)
        self._relate(observation)
        if self.hits >= self._confirm_after or _is_sure(observation.reading):
            self.is_confirmed = True

    def _relate(self, observation: Observation) -> None:
        """Where the plate sits on the vehicle; a plate that is not seen goes where its vehicle goes."""
        if observation.vehicle is None:
            return
        outer = observation.vehicle.box
        if outer.width < 1 or outer.height < 1:
            return
        size, start = np.array((outer.width, outer.height) * 2), np.array((outer.x1, outer.y1) * 2)
        if observation.plate is not None:
            self._plate_place = (np.array(observation.plate.detection.box.as_tuple()) - start) / size
        elif self._plate is not None and self._plate_place is not None:
            x1, y1, x2, y2 = (self._plate_place * size + start).tolist()
            self._plate.update(Box(x1, y1, x2, y2), _PLACED_DOUBT)


def holds_plate(vehicle: Box, plate: Box) -> bool:
    """Whether a plate lies in a vehicle, and is not as large as it."""
    common = vehicle.intersect(plate)
    return common is not None and common.area >= 0.6 * plate.area and plate.area < 0.5 * vehicle.area


def _follow(current: BoxFilter | None, found: Detection, unit_share: float, was_away: bool) -> BoxFilter:
    if current is None:
        return BoxFilter(found.box, unit_share)
    far, _ = current.distances(measure(found.box)[None])
    if float(far[0]) > 8 * _GATE:  # the box means something else now: the whole lorry, not its cab
        return BoxFilter(found.box, unit_share)
    if was_away:
        # What comes out from behind something is first seen in part, which says little of how fast it is.
        current.restart(found.box)
    else:
        current.update(found.box, 1.0 if found.confidence >= _SURE else _WEAK_DOUBT)
    return current


def _is_sure(reading: PlateReading | None) -> bool:
    return reading is not None and reading.confidence >= _SURE_TEXT
