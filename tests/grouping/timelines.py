"""Time lines for grouping: what was read when and where, and the groups that come of it and when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from factories import make_detection, make_reading
from openplate.datatypes import Box, Group, Plate, PlateReading, Sighting, Vehicle
from openplate.grouping import Grouper, GroupOptions, TrackedSighting

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
PLAIN = GroupOptions(max_prediction_delay_s=None)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Look:
    """One vehicle in one frame; ``text`` None: no plate was read. ``x`` moves plate and vehicle."""

    at_s: float
    text: str | None
    track: int = 1
    x: float = 0.0
    confidence: float = 0.9
    stands: bool = False
    reading: PlateReading | None = None
    has_vehicle: bool = True

    def tracked(self, frame_index: int) -> TrackedSighting:
        reading = self.reading or (make_reading(self.text, self.confidence) if self.text else None)
        box = Box(100 + self.x, 200, 300 + self.x, 360)
        plate_box = Box(170 + self.x, 320, 230 + self.x, 335)
        plate = Plate(make_detection("plate", plate_box, 0.9), reading, 0) if reading else None
        vehicle = Vehicle(make_detection("car", box, 0.9)) if self.has_vehicle else None
        return TrackedSighting(
            self.track, Sighting(at(self.at_s), frame_index, plate, vehicle, 0 if plate else None), True, self.stands
        )


@dataclass(frozen=True)
class Told:
    """A group with the second at which it came."""

    at_s: float
    group: Group

    @property
    def text(self) -> str | None:
        return self.group.consensus.text if self.group.consensus else None


def make_grouper(options: GroupOptions = PLAIN, camera: str = "gate") -> Grouper:
    numbers = count(1)
    return Grouper(options, camera, lambda: f"{next(numbers):032x}")


def run(
    looks: Iterable[Look],
    options: GroupOptions = PLAIN,
    *,
    until_s: float | None = None,
    step_s: float = 0.1,
    closes: bool = True,
    grouper: Grouper | None = None,
) -> list[Told]:
    """Feeds the looks, with empty frames each ``step_s`` between and after them, as a camera would."""
    grouper = grouper or make_grouper(options)
    by_time: dict[int, list[Look]] = {}
    for look in looks:
        by_time.setdefault(round(look.at_s / step_s), []).append(look)
    last = max([*by_time, round((until_s or 0) / step_s)])
    told = []
    for index in range(min(by_time, default=0), last + 1):
        sightings = [look.tracked(index) for look in by_time.get(index, [])]
        told += [Told(round(index * step_s, 3), group) for group in grouper.feed(sightings, at(index * step_s))]
    if closes:
        told += [Told(round(last * step_s, 3), group) for group in grouper.close()]
    return told


def stay(text: str | None, start_s: float, end_s: float, step_s: float = 0.2, **others: object) -> list[Look]:
    """The same look again and again."""
    first = Look(start_s, text, **others)  # type: ignore[arg-type]
    times = [start_s + i * step_s for i in range(round((end_s - start_s) / step_s) + 1)]
    return [replace(first, at_s=time) for time in times]


def go(text: str | None, start_s: float, end_s: float, speed: float = 150, **others: object) -> list[Look]:
    """From left to right."""
    looks = stay(text, start_s, end_s, **others)
    return [replace(look, x=look.x + speed * (look.at_s - start_s)) for look in looks]


def texts(told: Iterable[Told]) -> list[str | None]:
    return [each.text for each in told]
