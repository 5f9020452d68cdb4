"""Where to look in a picture: from afar, then at the whole, then enlarged, and no further than it pays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from openplate.datatypes import Box, Detection, Mode, Plate
from openplate.detection import LARGEST_SCALE, Detector, Thresholds, without_repeats
from openplate.imaging import Image, crop, touched

_LEGIBLE_PX = 32.0  # of a plate's box: nearer looks at smaller ones find nothing to read
_ONE_LINE = 2.0  # width by height of a plate's box, from which on it has one line
_EDGE_PX = 2.0  # of the canvas
_ON_VEHICLE = 0.6
_AROUND = 0.5  # of a plate's box on each side, when it is looked at from nearer
_SMALLER = 0.6


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """What a mode does: its pass over the whole picture, and what comes before and after.

    Attributes:
        whole_reach: the longest side of the whole picture's canvas, as a multiple of the network's reach.
        plate_share, vehicle_share: factors on the detector's own thresholds, below 1 to miss less.
        glances: whether the picture is looked at from afar first, at a fifth of a pass's cost. What is seen there
            may settle it; else it helps where the pass finds no sure plate, and so does a look from further away: in
            a close-up everything is larger than the network knows it.
        settled: a glance whose every vehicle carries a plate of this confidence is all there is; above 1: never.
        zooms: most vehicles to look at again, enlarged.
        least_vehicle_px: a vehicle is not looked at again where its width, with its surroundings, is less; a plate
            takes a third or less of a vehicle's width, and one of fewer than some thirty pixels cannot be read.
        least_gain: how much larger a zoom must show things than the pass before it.
        sure: a plate of this confidence makes a second look at its vehicle needless.
        tile_reach: longest side of a tile in picture pixels, as a multiple of the network's reach; pictures whose
            longest side is more than ``tiles_from`` times the reach are looked at tile by tile.
        most_tiles: of them at most.
    """

    whole_reach: float = 1.0
    plate_share: float = 1.0
    vehicle_share: float = 1.0
    glances: bool = False
    settled: float = 0.55
    zooms: int = 0
    least_vehicle_px: float = 96.0
    least_gain: float = 1.5
    sure: float = 0.5
    tile_reach: float = 2.0
    tiles_from: float = 3.2
    most_tiles: int = 0

    def thresholds(self, detector: Detector, plate: float | None = None) -> Thresholds:
        """The least confidences; that of plates is ``plate`` (0 to 1) itself where one is asked for."""
        usual = detector.threshold_plate * self.plate_share
        return Thresholds(usual if plate is None else plate, detector.threshold_vehicle * self.vehicle_share)

    def with_zooms(self, zooms: int | None) -> SearchPlan:
        """The plan with so many zooms at most, or as it is for None; one of a single pass stays one."""
        return self if zooms is None or self.zooms == 0 else replace(self, zooms=zooms)


PLANS: dict[Mode, SearchPlan] = {
    "fast": SearchPlan(whole_reach=0.5),
    "normal": SearchPlan(glances=True, zooms=4, most_tiles=12),
    "redaction": SearchPlan(
        plate_share=0.4,
        vehicle_share=0.7,
        glances=True,
        settled=2.0,
        zooms=16,
        least_vehicle_px=24.0,
        least_gain=1.2,
        sure=2.0,
        tile_reach=1.0,
        tiles_from=1.2,
        most_tiles=40,
    ),
}
GLANCE_REACH = 0.45
"""A glance's canvas as a share of the network's reach."""
CLOSE_UP_REACH = 0.25
"""The canvas, as a share of the network's reach, of a last look for a plate that fills the picture."""
_SUSPECTED = Thresholds(0.35, 0.45)
"""What a glance suspects, as shares of the usual thresholds: only a picture without a suspicion is settled."""
ZOOM_REACH = 0.6
"""A zoom's canvas as a share of the network's reach: one vehicle needs less than a street."""


@dataclass(frozen=True, slots=True)
class Found:
    """The plates and vehicles of a picture, most confident first."""

    plates: tuple[Detection, ...]
    vehicles: tuple[Detection, ...]


def search(detector: Detector, image: Image, plan: SearchPlan, thresholds: Thresholds) -> Found:
    """All plates and vehicles that the plan finds, in the picture's pixels."""
    seen = Found((), ())
    if plan.glances:
        suspected = _suspected(detector, plan)
        glance = _glance(detector, image, thresholds, suspected)
        seen = _above(glance, thresholds)
        if _is_settled(_above(glance, suspected), max(plan.settled, thresholds.plate), image, detector.reach, plan):
            return seen
    (whole,) = detector.detect([image], thresholds, reach=round(detector.reach * plan.whole_reach))
    plates, vehicles = _of_kind(whole, "plate"), _of_kind(whole, "vehicle")
    if not any(plate.confidence >= plan.sure for plate in plates):
        plates = without_repeats(_ordered([*plates, *seen.plates]), detector.plate_overlap)
        vehicles = _join_vehicles([*vehicles, *seen.vehicles], detector.vehicle_overlap)
    if plan.glances and not any(plate.confidence >= plan.sure for plate in plates):
        (close_up,) = detector.detect([image], thresholds, reach=round(detector.reach * CLOSE_UP_REACH))
        plates = without_repeats(_ordered([*plates, *_of_kind(close_up, "plate")]), detector.plate_overlap)
    for tile in tiles(image.width, image.height, detector.reach, plan):
        more = _look(detector, image, tile, thresholds, detector.reach)
        plates = without_repeats(_ordered([*plates, *_of_kind(more, "plate")]), detector.plate_overlap)
        vehicles = _join_vehicles([*vehicles, *_of_kind(more, "vehicle")], detector.vehicle_overlap)
    reach = round(detector.reach * ZOOM_REACH)
    for window in zoom_windows(plates, vehicles, image, detector.reach, plan):
        more = _look(detector, image, window, thresholds, reach)
        plates = without_repeats(_ordered([*plates, *_of_kind(more, "plate")]), detector.plate_overlap)
    return Found(tuple(_without_parts(plates)), tuple(vehicles))


def _suspected(detector: Detector, plan: SearchPlan) -> Thresholds:
    """From where on a glance suspects something, whatever is asked for."""
    usual = plan.thresholds(detector)
    return Thresholds(usual.plate * _SUSPECTED.plate, usual.vehicle * _SUSPECTED.vehicle)


def _glance(detector: Detector, image: Image, thresholds: Thresholds, suspected: Thresholds) -> Found:
    """What is seen and suspected from afar."""
    lowest = Thresholds(min(thresholds.plate, suspected.plate), min(thresholds.vehicle, suspected.vehicle))
    (glance,) = detector.detect([image], lowest, reach=round(detector.reach * GLANCE_REACH))
    return Found(tuple(_without_parts(_of_kind(glance, "plate"))), tuple(_of_kind(glance, "vehicle")))


def _above(found: Found, thresholds: Thresholds) -> Found:
    plates = tuple(plate for plate in found.plates if plate.confidence >= thresholds.plate)
    return Found(plates, tuple(vehicle for vehicle in found.vehicles if vehicle.confidence >= thresholds.vehicle))


def _is_settled(glance: Found, sure: float, image: Image, reach: int, plan: SearchPlan) -> bool:
    """Nothing is left to look for: each vehicle has its plate, and none of them is doubtful."""
    if tiles(image.width, image.height, reach, plan) or not glance.plates:
        return False
    if any(plate.confidence < sure for plate in glance.plates):
        return False
    return all(any(_lies_on(plate, vehicle) for plate in glance.plates) for vehicle in glance.vehicles)


def tiles(width: int, height: int, reach: int, plan: SearchPlan) -> list[Box]:
    """Overlapping windows that cover a picture much larger than the network's input; none for a smaller one."""
    if max(width, height) <= plan.tiles_from * reach or plan.most_tiles == 0:
        return []
    side = plan.tile_reach * reach
    while True:
        columns, rows = (_starts(size, side) for size in (width, height))
        if len(columns) * len(rows) <= plan.most_tiles:
            break
        side *= 1.25
    return [Box(x, y, min(x + side, width), min(y + side, height)) for y in rows for x in columns]


def _starts(size: int, side: float) -> list[float]:
    """Where windows of a side begin so that they cover a length with at least a fifth of overlap."""
    if size <= side:
        return [0.0]
    count = 2
    while side + (count - 1) * side * 0.8 < size:
        count += 1
    return [i * (size - side) / (count - 1) for i in range(count)]


def zoom_windows(
    plates: Sequence[Detection], vehicles: Sequence[Detection], image: Image, reach: int, plan: SearchPlan
) -> list[Box]:
    """Vehicles with their surroundings, largest first: large enough, without a sure plate, larger in a zoom."""
    if plan.zooms == 0:
        return []
    whole = Box(0, 0, image.width, image.height)
    seen_scale = max(_scale(window, reach) for window in [whole, *tiles(image.width, image.height, reach, plan)])
    windows = []
    for vehicle in sorted(vehicles, key=lambda v: -v.box.area):
        window = vehicle.box.expand(0.08).clamp(image.width, image.height)
        if window.width < plan.least_vehicle_px:
            continue
        gains = _scale(window, reach * ZOOM_REACH) >= plan.least_gain * seen_scale
        if gains and not any(_lies_on(p, vehicle) and p.confidence >= plan.sure for p in plates):
            windows.append(window)
    return windows[: plan.zooms]


def look_closer(detector: Detector, image: Image, plate: Detection, thresholds: Thresholds) -> Detection | None:
    """The plate within the box of one that was seen from afar, where it is smaller than that; else None.

    From afar a plate of one line and what is around it, as the front of a scooter, may look like one of two lines.
    """
    window = plate.box.expand(_AROUND).clamp(image.width, image.height)
    found = _of_kind(_look(detector, image, window, thresholds, round(detector.reach * ZOOM_REACH)), "plate")
    inside = [each for each in found if _lies_on(each, plate) and each.box.area < _SMALLER * plate.box.area]
    return max(inside, key=lambda each: each.confidence, default=None)


def may_hold_more(box: Box) -> bool:
    """A box as high as that of a plate of two lines, and large enough to be read."""
    return _LEGIBLE_PX <= box.width < _ONE_LINE * box.height


def _scale(window: Box, reach: float) -> float:
    return min(reach / max(window.width, window.height), LARGEST_SCALE)


def vehicle_of(plate: Detection, vehicles: Sequence[Detection]) -> int | None:
    """The index of the vehicle that a plate sits on: the smallest one that holds it, None if none does."""
    holding = [i for i, vehicle in enumerate(vehicles) if _lies_on(plate, vehicle)]
    return min(holding, key=lambda i: vehicles[i].box.area, default=None)


def best_of_each_vehicle(plates: Sequence[Plate], most: int | None) -> tuple[Plate, ...]:
    """Of the plates on one vehicle at most so many, in the order given: those that were read, then the surest."""
    if most is None:
        return tuple(plates)
    ranked = sorted(enumerate(plates), key=lambda pair: (pair[1].reading is None, -pair[1].detection.confidence))
    counts: Counter[int] = Counter()
    kept = set()
    for place, plate in ranked:
        if plate.vehicle_index is not None:
            counts[plate.vehicle_index] += 1
        if plate.vehicle_index is None or counts[plate.vehicle_index] <= most:
            kept.add(place)
    return tuple(plate for place, plate in enumerate(plates) if place in kept)


def _lies_on(plate: Detection, vehicle: Detection) -> bool:
    common = plate.box.intersect(vehicle.box)
    return common is not None and common.area >= _ON_VEHICLE * plate.box.area


def _look(detector: Detector, image: Image, window: Box, thresholds: Thresholds, reach: int) -> list[Detection]:
    """What a window shows, in the picture's pixels, without what its edges cut."""
    inside = touched(image, window)
    (found,) = detector.detect([crop(image, inside)], thresholds, reach=reach)
    dx, dy = inside.x1, inside.y1
    moved = [
        replace(d, box=d.box.shift(dx, dy), corners=None if d.corners is None else d.corners.shift(dx, dy))
        for d in found
    ]
    edge = _EDGE_PX / _scale(inside, reach)
    return [d for d in moved if not _is_cut(d.box, inside, image, edge)]


def _is_cut(box: Box, window: Box, image: Image, edge: float) -> bool:
    """The box ends at a side of the window, or ``edge`` before it, that is not a side of the picture."""
    return (
        (box.x1 - window.x1 < edge and window.x1 > 0)
        or (box.y1 - window.y1 < edge and window.y1 > 0)
        or (window.x2 - box.x2 < edge and window.x2 < image.width)
        or (window.y2 - box.y2 < edge and window.y2 < image.height)
    )


def _of_kind(detections: Iterable[Detection], kind: str) -> list[Detection]:
    return [d for d in detections if d.kind == kind]


def _ordered(detections: Iterable[Detection]) -> list[Detection]:
    return sorted(detections, key=lambda d: -d.confidence)


def _join_vehicles(vehicles: Sequence[Detection], overlap: float) -> list[Detection]:
    return without_repeats(_ordered(vehicles), overlap)


def _without_parts(plates: Sequence[Detection]) -> list[Detection]:
    """Without boxes that lie almost wholly inside a more confident plate's: parts of it, seen from nearer."""
    kept: list[Detection] = []
    for plate in plates:
        inside = any((common := plate.box.intersect(k.box)) and common.area > 0.8 * plate.box.area for k in kept)
        if not inside:
            kept.append(plate)
    return kept
