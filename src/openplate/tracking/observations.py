"""What one frame shows of one vehicle: itself with its plate, or one of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from openplate.datatypes import Detection, Plate, PlateReading


@dataclass(frozen=True, slots=True)
class Observation:
    """A vehicle, a plate, or a vehicle with its plate; the indices are those of the frame's lists."""

    vehicle: Detection | None
    plate: Plate | None
    vehicle_index: int | None = None
    plate_index: int | None = None

    @property
    def confidence(self) -> float:
        """That of the surest: what can be read is a plate, however faintly it was found."""
        found = (self.vehicle, self.plate.detection if self.plate else None, self.reading)
        return max(each.confidence for each in found if each)

    @property
    def reading(self) -> PlateReading | None:
        return self.plate.reading if self.plate else None

    def without_vehicle(self) -> Observation | None:
        return replace(self, vehicle=None, vehicle_index=None) if self.plate else None

    def without_plate(self) -> Observation:
        return replace(self, plate=None, plate_index=None)


def observe(vehicles: Sequence[Detection], plates: Sequence[Plate], least: float) -> list[Observation]:
    """Each vehicle with the best of its plates; the other plates alone. Below ``least`` nothing counts."""
    best: dict[int, int] = {}
    for index, plate in enumerate(plates):
        owner = plate.vehicle_index
        if plate.detection.confidence < least or owner is None or vehicles[owner].confidence < least:
            continue
        if owner not in best or _rank(plate) > _rank(plates[best[owner]]):
            best[owner] = index
    observations = []
    for index, vehicle in enumerate(vehicles):
        if vehicle.confidence >= least:
            chosen = best.get(index)
            observations.append(Observation(vehicle, None if chosen is None else plates[chosen], index, chosen))
    joined = set(best.values())
    for index, plate in enumerate(plates):
        if index not in joined and plate.detection.confidence >= least:
            observations.append(Observation(None, plate, None, index))
    return observations


def _rank(plate: Plate) -> tuple[float, float]:
    return (plate.reading.confidence if plate.reading else 0.0), plate.detection.confidence
