"""What is known of one vehicle in front of the camera, from its first sighting until it is forgotten."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from openplate.datatypes import Box, Group, GroupState, PathPoint, PlateReading, Sighting
from openplate.ground import GroundPlace
from openplate.grouping.attributes import AttributeMean
from openplate.grouping.paths import Path, is_same_place, travel_heading
from openplate.grouping.speeds import GroundPath, travel_speed
from openplate.grouping.voting import Ballot

MOST_SIGHTINGS = 500
MOST_VEHICLE_SIGHTINGS = 60
_MOST_PICTURES = 2  # best sightings of so many texts are kept
_LEGIBLE_PX = 60.0


@dataclass(frozen=True, slots=True)
class TrackedSighting:
    """A sighting with the track that it belongs to; ``is_confirmed`` as of the tracker.

    ``ground`` is where the vehicle stands; None where nobody knows.
    """

    track_id: int
    sighting: Sighting
    is_confirmed: bool = True
    is_standing: bool = False
    ground: GroundPlace | None = None

    @property
    def reading(self) -> PlateReading | None:
        return self.sighting.plate.reading if self.sighting.plate else None

    @property
    def vehicle_box(self) -> Box | None:
        return self.sighting.vehicle.detection.box if self.sighting.vehicle else None

    @property
    def plate_box(self) -> Box | None:
        return self.sighting.plate.detection.box if self.sighting.plate else None


class Passing:
    """One vehicle's pass. All ``*_s`` are on the grouper's own clock, which only goes forward."""

    def __init__(self, number: str, now_s: float, step: int, *, keeps_vehicles: bool = False) -> None:
        self.id = number
        self._keeps_vehicles = keeps_vehicles
        self.ballot = Ballot()
        self.is_reported = False
        self.is_previewed = False
        self.is_parked = False
        self.is_confirmed = False
        self.reported_s = now_s
        self.began_s = now_s
        self.first_s = now_s  # of the first reading, once there is one
        self.seen_s, self.seen_step = now_s, step
        self.read_s = now_s
        self.read_step = step
        self.strangers: list[TrackedSighting] = []
        self.vehicle_sightings = 0
        self.vehicle_place: Box | None = None
        self.plate_place: Box | None = None
        self.is_standing = False
        self.report: Group | None = None
        self._sightings: list[Sighting] = []
        self._best: dict[str, tuple[float, Sighting]] = {}
        self._vehicle_path, self._plate_path, self._ground_path = Path(), Path(), GroundPath()
        self._attributes = AttributeMean()
        self._last_seen: tuple[datetime, int] | None = None

    @property
    def has_text(self) -> bool:
        return self.ballot.count > 0

    @property
    def texts(self) -> list[str]:
        return self.ballot.leading

    def see(self, tracked: TrackedSighting, now_s: float, step: int) -> None:
        """Takes a sighting in, whether its plate was read or not."""
        sighting = tracked.sighting
        self.seen_s, self.seen_step = now_s, step
        self._last_seen = sighting.at, sighting.frame_index
        self.is_confirmed |= tracked.is_confirmed
        self.is_standing = tracked.is_standing
        if tracked.vehicle_box is not None:
            self.vehicle_place = tracked.vehicle_box
            self.vehicle_sightings += 1
        if tracked.plate_box is not None:
            self.plate_place = tracked.plate_box
        if self.is_reported:
            return
        if tracked.ground is not None:
            self._ground_path.add(now_s, tracked.ground)
        if sighting.vehicle is not None:
            self._vehicle_path.add(sighting.at, sighting.frame_index, sighting.vehicle.detection.box)
            if sighting.vehicle.attributes is not None:
                self._attributes.add(sighting.vehicle.attributes)
            if self._keeps_vehicles and not self.has_text:
                self._list(sighting)
                self._keep(
                    "", sighting.vehicle.detection.confidence * sighting.vehicle.detection.box.area**0.5, sighting
                )

    def read(self, tracked: TrackedSighting, now_s: float, step: int) -> None:
        """Counts the reading of a sighting that was taken in."""
        reading, sighting = tracked.reading, tracked.sighting
        if reading is None or sighting.plate is None:
            return
        self.read_s, self.read_step = now_s, step
        if self.is_reported:
            return
        if not self.has_text:
            self.first_s, self._sightings, self._best = now_s, [], {}
        self.ballot.add(reading)
        self._list(sighting)
        box = sighting.plate.detection.box
        self._plate_path.add(sighting.at, sighting.frame_index, box)
        self._keep(reading.text, reading.confidence * box.width / (box.width + _LEGIBLE_PX), sighting)

    def _list(self, sighting: Sighting) -> None:
        self._sightings.append(sighting)
        if len(self._sightings) > (MOST_SIGHTINGS if self.has_text else MOST_VEHICLE_SIGHTINGS):
            self._sightings = [*self._sightings[:-1:2], self._sightings[-1]]

    def _keep(self, text: str, score: float, sighting: Sighting) -> None:
        known = self._best.get(text)
        if known is None or score > 1.05 * known[0]:  # a little better is not worth another picture
            self._best[text] = score, sighting
        if len(self._best) > _MOST_PICTURES:
            leading = set(self.ballot.leading[:_MOST_PICTURES])
            worst = min(self._best, key=lambda each: (each in leading, self._best[each][0]))
            del self._best[worst]

    @property
    def frames(self) -> set[int]:
        """The frames whose pictures are needed."""
        return set() if self.is_reported else {sighting.frame_index for _, sighting in self._best.values()}

    def is_at(self, vehicle: Box | None, plate: Box | None) -> bool:
        """Whether boxes are where this vehicle was last seen."""
        if plate is not None and self.plate_place is not None and is_same_place(plate, self.plate_place):
            return True
        return vehicle is not None and is_same_place(vehicle, self.vehicle_place)

    def could_reach(self, tracked: TrackedSighting, now_s: float) -> bool:
        """Whether a vehicle can have come from where it was seen last to where it is now."""
        pairs = ((tracked.vehicle_box, self.vehicle_place, 1.0), (tracked.plate_box, self.plate_place, 4.0))
        for box, place, share in pairs:
            if box is not None and place is not None:
                (ax, ay), (bx, by) = box.center, place.center
                size = share * math.sqrt(max(box.area, place.area))
                return math.hypot(ax - bx, ay - by) <= size * (1.5 + 8 * (now_s - self.seen_s))
        return True

    def hold(self, at: datetime, now_s: float, step: int) -> None:
        """It stands in a picture in which nothing moved."""
        self.seen_s, self.seen_step = now_s, step
        if self._last_seen is not None:
            self._last_seen = at, self._last_seen[1]

    def absorb(self, other: Passing) -> None:
        """Another pass turned out to be of this vehicle."""
        self.seen_s, self.seen_step = max(self.seen_s, other.seen_s), max(self.seen_step, other.seen_step)
        self.read_s, self.read_step = max(self.read_s, other.read_s), max(self.read_step, other.read_step)
        self.vehicle_place = other.vehicle_place or self.vehicle_place
        self.plate_place = other.plate_place or self.plate_place
        self.is_standing = other.is_standing
        self._last_seen = other._last_seen or self._last_seen

    def group(self, camera: str, state: GroupState) -> Group | None:
        """The group as of now; None without a sighting to show."""
        consensus = self.ballot.consensus()
        if not self._best or self._last_seen is None:
            return None
        best = self._best_sighting(consensus)
        listed = {sighting.frame_index: sighting for sighting in (*self._sightings, best)}
        sightings = tuple(listed[index] for index in sorted(listed))
        first, last = sightings[0], sightings[-1]
        last_at, last_frame = (last.at, last.frame_index) if consensus else self._last_seen
        vehicle_path, plate_path = tuple(self._vehicle_path.points), tuple(self._plate_path.points)
        return Group(
            id=self.id,
            camera=camera,
            state=state,
            first_seen=first.at,
            last_seen=last_at,
            first_frame=first.frame_index,
            last_frame=last_frame,
            consensus=consensus,
            best=best,
            sightings=sightings,
            plate_path=plate_path,
            vehicle_path=vehicle_path,
            attributes=self._attributes.mean(),
            heading_degrees=_heading(plate_path, vehicle_path),
            is_parked=self.is_parked,
            speed=travel_speed(self._ground_path.places),
        )

    def _best_sighting(self, consensus: PlateReading | None) -> Sighting:
        if consensus is not None and consensus.text in self._best:
            return self._best[consensus.text][1]
        return max(self._best.values(), key=lambda pair: pair[0])[1]

    @property
    def last_seen(self) -> tuple[datetime, int] | None:
        return self._last_seen

    def finish(self, report: Group | None, now_s: float) -> None:
        """The vehicle has been reported, or never will be: only what tells it again is kept."""
        self.is_reported, self.reported_s, self.report = True, now_s, report
        self._sightings, self._best = [], {}
        self._vehicle_path, self._plate_path, self._ground_path = Path(), Path(), GroundPath()


def _heading(plate_path: tuple[PathPoint, ...], vehicle_path: tuple[PathPoint, ...]) -> float | None:
    """From whichever was seen more often, as it says more."""
    ordered = sorted((vehicle_path, plate_path), key=len, reverse=True)
    headings = [travel_heading(path) for path in ordered]
    return next((heading for heading in headings if heading is not None), None)
