"""The values that flow through Openplate: small, frozen, made of the standard library only.

Coordinates are pixels of the full picture after EXIF rotation, x to the right, y down.
Confidences are 0 to 1. What is not known is ``None`` or an empty tuple, never ``""``, ``0`` or ``-1``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Kind = Literal["vehicle", "plate"]
Mode = Literal["normal", "fast", "redaction"]
GroupState = Literal["preview", "closed", "left"]

VEHICLE_LABELS = ("car", "truck", "bus", "motorcycle", "van")


def _check_confidence(value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"a confidence must lie between 0 and 1, not {value!r}")


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle, half-open: it covers x1 <= x < x2 and y1 <= y < y2 (pixels)."""

    x1: float
    y1: float
    x2: float
    y2: float

    def __post_init__(self) -> None:
        if not (self.x1 <= self.x2 and self.y1 <= self.y2):
            raise ValueError(f"a box needs x1 <= x2 and y1 <= y2, not {self.as_tuple()}")

    @property
    def width(self) -> float:
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        return self.y2 - self.y1

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def center(self) -> tuple[float, float]:
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    def as_tuple(self) -> tuple[float, float, float, float]:
        return self.x1, self.y1, self.x2, self.y2

    def to_xywh(self) -> tuple[float, float, float, float]:
        return self.x1, self.y1, self.width, self.height

    def clamp(self, width: float, height: float) -> Box:
        """The part inside a picture of that size; a box outside collapses onto the nearest edge."""
        return Box(
            min(max(self.x1, 0.0), width),
            min(max(self.y1, 0.0), height),
            min(max(self.x2, 0.0), width),
            min(max(self.y2, 0.0), height),
        )

    def expand(self, x: float, y: float | None = None) -> Box:
        """Grown on every side by ``x`` times the width and ``y`` (default ``x``) times the height."""
        dx, dy = self.width * x, self.height * (x if y is None else y)
        return Box(self.x1 - dx, self.y1 - dy, self.x2 + dx, self.y2 + dy)

    def shift(self, dx: float, dy: float) -> Box:
        return Box(self.x1 + dx, self.y1 + dy, self.x2 + dx, self.y2 + dy)

    def intersect(self, other: Box) -> Box | None:
        """The common part, or None when there is none."""
        x1, y1 = max(self.x1, other.x1), max(self.y1, other.y1)
        x2, y2 = min(self.x2, other.x2), min(self.y2, other.y2)
        return Box(x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        common = self.intersect(other)
        if common is None:
            return 0.0
        return common.area / (self.area + other.area - common.area)


Point = tuple[float, float]

GroundPoint = tuple[float, float, float, float]
"""A point of the road: x and y as shares of the picture's width and height, then its place in metres on two axes."""


@dataclass(frozen=True, slots=True)
class Corners:
    """The four corners of a plate, clockwise from the plate's own top left (pixels)."""

    top_left: Point
    top_right: Point
    bottom_right: Point
    bottom_left: Point

    @classmethod
    def from_points(cls, points: object) -> Corners:
        """From any sequence of four (x, y) pairs in the class's order."""
        top_left, top_right, bottom_right, bottom_left = (
            (float(x), float(y))
            for x, y in points  # type: ignore[attr-defined]
        )
        return cls(top_left, top_right, bottom_right, bottom_left)

    @classmethod
    def from_box(cls, box: Box) -> Corners:
        return cls((box.x1, box.y1), (box.x2, box.y1), (box.x2, box.y2), (box.x1, box.y2))

    def as_tuple(self) -> tuple[Point, Point, Point, Point]:
        return self.top_left, self.top_right, self.bottom_right, self.bottom_left

    def shift(self, dx: float, dy: float) -> Corners:
        return Corners.from_points([(x + dx, y + dy) for x, y in self.as_tuple()])

    @property
    def box(self) -> Box:
        """The smallest box around the four corners."""
        xs, ys = zip(*self.as_tuple(), strict=True)
        return Box(min(xs), min(ys), max(xs), max(ys))


@dataclass(frozen=True, slots=True)
class Guess:
    """One answer with its confidence; lists of guesses are best first."""

    value: str
    confidence: float

    def __post_init__(self) -> None:
        _check_confidence(self.confidence)


@dataclass(frozen=True, slots=True)
class Detection:
    """One object found in a picture. ``label`` is "plate" or one of VEHICLE_LABELS."""

    kind: Kind
    label: str
    box: Box
    confidence: float
    corners: Corners | None = None

    def __post_init__(self) -> None:
        _check_confidence(self.confidence)


@dataclass(frozen=True, slots=True)
class PlateCandidate:
    """One possible text of a plate. ``matches_pattern``: it has the form of a plate of its region."""

    text: str
    confidence: float
    matches_pattern: bool = False

    def __post_init__(self) -> None:
        _check_confidence(self.confidence)


@dataclass(frozen=True, slots=True)
class PlateReading:
    """What a plate says. ``text`` is upper case A-Z and 0-9; ``characters`` has one guess per character
    of it; ``candidates`` (best first) starts with ``text``; ``regions`` are codes of the region table.
    """

    text: str
    confidence: float
    characters: tuple[Guess, ...] = ()
    candidates: tuple[PlateCandidate, ...] = ()
    regions: tuple[Guess, ...] = ()

    def __post_init__(self) -> None:
        _check_confidence(self.confidence)


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate in a picture; ``reading`` is None when it was found but could not be read;
    ``vehicle_index`` points into ``Recognition.vehicles``.
    """

    detection: Detection
    reading: PlateReading | None = None
    vehicle_index: int | None = None


UNKNOWN = "unknown"
"""What an attribute says first when no answer is sure enough; the guesses follow."""


@dataclass(frozen=True, slots=True)
class MakeModel:
    """A make and its model, as in "Toyota" and "Corolla"; ``model`` is None where only the make can be told."""

    make: str
    model: str | None
    confidence: float

    def __post_init__(self) -> None:
        _check_confidence(self.confidence)


@dataclass(frozen=True, slots=True)
class VehicleAttributes:
    """What can be told of a vehicle by its look. Each list is best first; one whose best guess is not sure enough
    begins with ``UNKNOWN``. The words are those of the network's card.

    Attributes:
        types: sedan, suv, pickup truck, van, bus, big truck, motorcycle.
        makes: of any model.
        make_models: with the model.
        body_types: sedan, hatchback, coupe and so on.
        years: spans of five, "2010-2014".
        colors: of the body.
        views: the side that is seen, in eight steps: front, front_left, left, rear_left, rear, rear_right, right,
            front_right. In front_left we see the front, and the nose points to the left of the picture.
        orientations: the same in three: front, rear, side.
    """

    types: tuple[Guess, ...] = ()
    makes: tuple[Guess, ...] = ()
    make_models: tuple[MakeModel, ...] = ()
    body_types: tuple[Guess, ...] = ()
    years: tuple[Guess, ...] = ()
    colors: tuple[Guess, ...] = ()
    views: tuple[Guess, ...] = ()
    orientations: tuple[Guess, ...] = ()


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle in a picture; ``attributes`` is None when nobody asked for them."""

    detection: Detection
    attributes: VehicleAttributes | None = None


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time for one picture went, in milliseconds."""

    decode_ms: float = 0.0
    detect_ms: float = 0.0
    read_ms: float = 0.0
    total_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Recognition:
    """Everything found in one picture; width and height are its pixels after EXIF rotation."""

    source: str
    width: int
    height: int
    plates: tuple[Plate, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    timings: Timings = Timings()
    model_names: tuple[str, ...] = ()
    captured_at: datetime | None = field(default=None)


# Over time: one camera, many frames.


@dataclass(frozen=True, slots=True)
class PathPoint:
    """Where something was: ``at`` is aware, ``frame_index`` counts the camera's frames from 0."""

    at: datetime
    frame_index: int
    box: Box


@dataclass(frozen=True, slots=True)
class Sighting:
    """One moment of a vehicle: its plate, the vehicle, or both, as seen in one frame.

    ``plate_index`` is the plate's place in ``Recognition.plates`` of that frame.
    """

    at: datetime
    frame_index: int
    plate: Plate | None = None
    vehicle: Vehicle | None = None
    plate_index: int | None = None


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a vehicle went, in kilometres an hour; ``confidence``: how likely it is right within a tenth."""

    kmh: float
    confidence: float

    def __post_init__(self) -> None:
        _check_confidence(self.confidence)
        if self.kmh < 0:
            raise ValueError(f"a speed must be 0 or more, not {self.kmh!r}")


@dataclass(frozen=True, slots=True)
class Group:
    """One pass of one vehicle in front of one camera.

    Attributes:
        id: a UUID in hexadecimal, the same for a preview and what follows it.
        camera: who saw it.
        state: "preview" for an early word, "closed" for the report of the pass, of which there is one, "left" once more
            after the vehicle has gone, for how long it was there.
        first_seen, last_seen: aware times of the first and last sighting; first_frame, last_frame: their numbers.
        consensus: the text that all readings vote for; None for a vehicle without a readable plate.
        best: the sighting whose picture is kept; its text is the consensus's where any reading said so.
        sightings: the moments in which the plate was read (the vehicle was seen, where there is no plate), in order.
        plate_path, vehicle_path: where both were.
        attributes: those of the vehicle over all sightings.
        heading_degrees: where it went on the picture, clockwise from up, 0 to 360; None: it did not move enough.
        is_parked: it stood where it was seen before.
        speed: None where the camera has no calibration, or too little was seen of the vehicle.
    """

    id: str
    camera: str
    state: GroupState
    first_seen: datetime
    last_seen: datetime
    first_frame: int
    last_frame: int
    consensus: PlateReading | None
    best: Sighting
    sightings: tuple[Sighting, ...]
    plate_path: tuple[PathPoint, ...] = ()
    vehicle_path: tuple[PathPoint, ...] = ()
    attributes: VehicleAttributes | None = None
    heading_degrees: float | None = None
    is_parked: bool = False
    speed: Speed | None = None

    @property
    def dwell_s(self) -> float:
        """How long it was there (seconds)."""
        return (self.last_seen - self.first_seen).total_seconds()
