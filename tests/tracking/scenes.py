"""Scenes for tests of what happens over time, and trackers run over them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from openplate.datatypes import Box, Detection, Plate
from openplate.tracking import Track, Tracker, TrackerOptions
from openplate_training.traffic import Imperfection, Journey, Scene, SceneVehicle, Waypoint, detect

USUAL = Imperfection()
START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Moment:
    """One frame of a scene: the truth, and what was found of it."""

    frame_index: int
    at_s: float
    truth: list[SceneVehicle]
    vehicles: list[Detection]
    plates: list[Plate]

    @property
    def at(self) -> datetime:
        return START + timedelta(seconds=self.at_s)


def drive(number: int, text: str | None, *points: tuple[float, float, float, float]) -> Journey:
    """A journey through points (seconds, x, y, width)."""
    return Journey(number, text, tuple(Waypoint(*point) for point in points))


def watch(scene: Scene, fps: float = 10, imperfection: Imperfection = USUAL, seed: int = 0) -> Iterator[Moment]:
    random = np.random.default_rng(seed)
    for index in range(int(scene.duration_s * fps) + 1):
        truth = scene.look(index / fps)
        vehicles, plates = detect(truth, random, imperfection, (scene.width, scene.height))
        yield Moment(index, index / fps, truth, vehicles, plates)


def follow(moments: Sequence[Moment], tracker: Tracker | None = None) -> list[tuple[Track, ...]]:
    tracker = tracker or Tracker(TrackerOptions())
    return [tracker.update(m.vehicles, m.plates, m.at, m.frame_index) for m in moments]


def ids_of_vehicles(moments: Sequence[Moment], tracks: Sequence[tuple[Track, ...]]) -> dict[int, list[int]]:
    """For each true vehicle the ids of the confirmed tracks that saw it, in order, each once."""
    found: dict[int, list[int]] = defaultdict(list)
    for moment, living in zip(moments, tracks, strict=True):
        for track in living:
            if track.state != "confirmed":
                continue
            box = box_seen(track, moment)
            best = max(moment.truth, key=lambda v: v.box.iou(box) if box else 0, default=None)
            if best is None or box is None or best.box.iou(box) < 0.4:
                continue
            if track.id not in found[best.id]:
                found[best.id].append(track.id)
    return dict(found)


def box_seen(track: Track, moment: Moment) -> Box | None:
    return None if track.vehicle_index is None else moment.vehicles[track.vehicle_index].box
