"""Boxes over time become vehicles: one tracker for each camera, without a clock and without globals.

A track is one vehicle with its plate; in any frame either may be missing. Association takes place in two stages, sure
detections first and weak ones for the tracks that are left (ByteTrack: Zhang et al. 2022), with vehicle, plate and
the plate's text in one cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from openplate.datatypes import Box, Detection, Plate
from openplate.tracking.assignment import Floats, assign
from openplate.tracking.kalman import measure
from openplate.tracking.observations import Observation, observe
from openplate.tracking.state import Followed

State = Literal["tentative", "confirmed", "lost"]

_WORST = 30.0  # from this cost on a pair is no pair
_AS_PLATE = 12.0
_RECOGNIZED = 2.0  # logarithm of odds


@dataclass(frozen=True, slots=True)
class TrackerOptions:
    """How a tracker decides.

    Attributes:
        sure: detections of this confidence are looked at first, and only they begin tracks.
        weak: below it a detection is not looked at.
        confirm_after: a track counts from so many frames on; at once where its plate was read surely.
        lost_after_s: a vehicle that is not seen for so long has gone; one that stood has five times as long.
        most_missed: instead, in analysed frames; None: by time.
        most_tracks: more are not followed.
    """

    sure: float = 0.5
    weak: float = 0.1
    confirm_after: int = 2
    lost_after_s: float = 2.0
    most_missed: int | None = None
    most_tracks: int = 200

    def __post_init__(self) -> None:
        if not 0.0 <= self.weak <= self.sure <= 1.0:
            raise ValueError(f"weak and sure must be confidences, weak not above sure: {self.weak}, {self.sure}")
        if self.confirm_after < 1 or self.most_tracks < 1:
            raise ValueError("confirm_after and most_tracks must be 1 or more")
        if self.lost_after_s <= 0 or (self.most_missed is not None and self.most_missed < 0):
            raise ValueError("lost_after_s must be above 0, and most_missed 0 or more")


@dataclass(frozen=True, slots=True)
class Track:
    """A vehicle as of one frame.

    Attributes:
        id: counts from 1 for each tracker.
        state: "tentative" until it is confirmed, "lost" while it is not seen.
        vehicle_index, plate_index: what was seen of it, as places in the lists given to ``update``.
        vehicle_box, plate_box: where both are thought to be; None where it was never seen.
        text: what its plate says most, None where it was never read.
        is_standing: it hardly moves.
        last_frame: number of the frame in which it was last seen.
    """

    id: int
    state: State
    vehicle_index: int | None
    plate_index: int | None
    vehicle_box: Box | None
    plate_box: Box | None
    text: str | None
    is_standing: bool
    last_frame: int


class Tracker:
    """Follows the vehicles of one camera."""

    def __init__(self, options: TrackerOptions = TrackerOptions()) -> None:
        self.options = options
        self._tracks: list[Followed] = []
        self._next_id = 1
        self._last_at: datetime | None = None

    def update(
        self, vehicles: Sequence[Detection], plates: Sequence[Plate], at: datetime, frame_index: int
    ) -> tuple[Track, ...]:
        """Takes in what one frame shows; the tracks that live, by id.

        Args:
            vehicles: found in the frame.
            plates: with ``vehicle_index`` into ``vehicles``.
            at: the frame's time. A clock that was set back counts as no time gone.
            frame_index: the frame's number; time alone counts for where things are expected.
        """
        self._pass_time(at)
        for track in self._tracks:
            track.begin_frame(frame_index)
        observations = observe(vehicles, plates, self.options.weak)
        sure = [each for each in observations if each.confidence >= self.options.sure]
        weak = [each for each in observations if each.confidence < self.options.sure]
        confirmed = [track for track in self._tracks if track.is_confirmed]
        tentative = [track for track in self._tracks if not track.is_confirmed]
        left, loose = self._associate(confirmed, sure)
        recent = [track for track in confirmed if not track.is_seen and track.missed <= 1]
        _, loose_weak = self._associate(recent, weak)
        left, more = self._associate(tentative, left)
        self._associate_plates([*loose, *loose_weak, *more, *(each for each in left if each.vehicle is None)], left)
        self._begin(left, frame_index)
        self._recognize_again()
        return self._finish()

    def hold(self, at: datetime) -> tuple[Track, ...]:
        """Nothing in the picture has moved: what stands is still there, without being looked at."""
        self._pass_time(at, moving_only=True)
        for track in self._tracks:
            if track.is_standing:
                track.hold()
        return self._finish()

    def _pass_time(self, at: datetime, *, moving_only: bool = False) -> None:
        seconds = 0.0 if self._last_at is None else max(0.0, (at - self._last_at).total_seconds())
        self._last_at = at
        for track in self._tracks:
            if not (moving_only and track.is_standing):
                track.predict(seconds)

    def _associate(
        self, tracks: Sequence[Followed], observations: Sequence[Observation]
    ) -> tuple[list[Observation], list[Observation]]:
        """Gives observations to tracks; those left, and plates that do not belong to the track of their vehicle."""
        left, loose = list(observations), []
        for track, observation in _pairs(tracks, observations):
            left = [each for each in left if each is not observation]
            plate = observation.without_vehicle()
            if plate is not None and observation.vehicle is not None and not track.accepts(plate):
                loose.append(plate)
                observation = observation.without_plate()
            track.take(observation)
        return left, loose

    def _associate_plates(self, plates: Sequence[Observation], left: list[Observation]) -> None:
        """Gives plates without a vehicle of their own to tracks whose plate was not seen yet."""
        tracks = [track for track in self._tracks if track.plate_index is None]
        taken = _pairs(tracks, plates, by_plate=True)
        for track, plate in taken:
            track.take(plate)
        ids = {id(plate) for _, plate in taken}
        rest = [plate for plate in plates if id(plate) not in ids and plate.confidence >= self.options.sure]
        left[:] = [each for each in left if each.vehicle is not None] + rest

    def _begin(self, observations: Sequence[Observation], frame_index: int) -> None:
        room = self.options.most_tracks - len(self._tracks)
        for observation in observations[: max(0, room)]:
            self._tracks.append(Followed(self._next_id, observation, frame_index, self.options.confirm_after))
            self._next_id += 1

    def _recognize_again(self) -> None:
        """A young track whose plate says what that of a lost one said is that one, come out from behind something."""
        lost = [track for track in self._tracks if track.is_confirmed and not track.is_seen]
        for young in [track for track in self._tracks if track.is_seen and track.is_young]:
            again = max(lost, key=young.resemblance, default=None)
            if again is not None and young.resemblance(again) >= _RECOGNIZED:
                again.go_on_as(young)
                lost.remove(again)
                self._tracks.remove(young)

    def _finish(self) -> tuple[Track, ...]:
        self._tracks = [track for track in self._tracks if not self._has_gone(track)]
        return tuple(_snapshot(track) for track in self._tracks)

    def _has_gone(self, track: Followed) -> bool:
        if not track.is_confirmed:
            return track.missed >= 2
        if self.options.most_missed is not None:
            return track.missed > self.options.most_missed
        patience = self.options.lost_after_s * (5 if track.is_standing else 1)
        return track.missed >= 2 and track.unseen_s > patience


def _pairs(
    tracks: Sequence[Followed], observations: Sequence[Observation], *, by_plate: bool = False
) -> list[tuple[Followed, Observation]]:
    if not tracks or not observations:
        return []
    vehicles = _measure_all([each.vehicle.box if each.vehicle else None for each in observations])
    plates = _measure_all([each.plate.detection.box if each.plate else None for each in observations])
    costs = np.stack([track.costs(observations, vehicles, plates) for track in tracks])
    pairs = assign(costs, _AS_PLATE + 8 if by_plate else _WORST)
    return [(tracks[row], observations[column]) for row, column in pairs]


def _measure_all(boxes: Sequence[Box | None]) -> Floats:
    """(m, 4); infinitely far where there is none."""
    return np.array([np.full(4, np.inf) if box is None else measure(box) for box in boxes])


def _snapshot(track: Followed) -> Track:
    state: State = "tentative" if not track.is_confirmed else "confirmed" if track.is_seen else "lost"
    return Track(
        track.id,
        state,
        track.vehicle_index,
        track.plate_index,
        track.vehicle_box,
        track.plate_box,
        track.texts.text,
        track.is_standing,
        track.last_frame,
    )
