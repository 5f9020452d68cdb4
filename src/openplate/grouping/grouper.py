"""Readings become groups: one for each pass of a vehicle, with one text. One grouper for each camera, no clock."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from openplate.datatypes import Group, PlateReading
from openplate.grouping.options import AUTOMATIC, STREAM, GroupOptions
from openplate.grouping.passing import Passing, TrackedSighting
from openplate.text import edit_distance, is_look_alike
from openplate.tracking import are_similar, is_akin, is_end, is_part, is_similar

_MOST_OPEN = 200
_MOST_REMEMBERED = 500
_PARKED_MEMORY_S = 86_400.0
_SLACK_S = 60.0  # a pass that begins within the memory may be reported after it
_MOST_STRANGERS = 3
_SURE_STRANGER = 0.6
_MOST_PART_READINGS = 4
_LEAST_VEHICLE_SIGHTINGS = 3


class Grouper:
    """The groups of one camera."""

    def __init__(
        self,
        options: GroupOptions = STREAM,
        camera: str = "",
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self.options = options
        self._camera = camera
        self._new_id = new_id
        self._open: list[Passing] = []
        self._reported: list[Passing] = []
        self._by_track: dict[int, Passing] = {}
        self._now_s, self._step = 0.0, 0
        self._last_at: datetime | None = None

    @property
    def wanted_frames(self) -> frozenset[int]:
        """The frames whose pictures may still be asked for."""
        return frozenset().union(*(each.frames for each in self._open))

    def feed(self, sightings: Sequence[TrackedSighting], at: datetime) -> list[Group]:
        """Takes in what one analysed frame shows; the groups that are to be reported now.

        Args:
            sightings: at most one for each track.
            at: the frame's time. A clock that was set back counts as no time gone.
        """
        self._pass_time(at)
        self._step += 1
        # Those that are known first: nobody else goes on with a pass that is seen in this frame.
        for tracked in sorted(sightings, key=lambda each: each.track_id not in self._by_track):
            self._take(tracked)
        previews = self._previews() if self.options.preview else []
        return [*previews, *self._due()]

    def hold(self, at: datetime) -> list[Group]:
        """Nothing in the picture has moved: what stands is still there, all else waits; groups may be due."""
        self._pass_time(at)
        for each in (*self._open, *self._reported):
            if each.is_standing and not self._has_gone(each):
                each.hold(at, self._now_s, self._step)
        return self._due()

    def close(self) -> list[Group]:
        """No frame will follow: all that is open is reported."""
        groups = [group for each in list(self._open) for group in self._finish(each)]
        if self.options.max_dwell_delay_s is not None:
            groups += [group for each in self._reported for group in _departure(each)]
        self._reported, self._by_track = [], {}
        return groups

    def _pass_time(self, at: datetime) -> None:
        if self._last_at is not None:
            self._now_s += max(0.0, (at - self._last_at).total_seconds())
        self._last_at = at

    # To which pass a sighting belongs.

    def _take(self, tracked: TrackedSighting) -> None:
        reading = self._counted(tracked.reading)
        known = self._by_track.get(tracked.track_id)
        # Whose plate was read and is hidden now is no other vehicle.
        if known is not None and self._is_over(known) and (reading is not None or not known.has_text):
            known = None
        if reading is None:
            passing = known or self._standing_there(tracked) or self._begin()
        else:
            passing = self._passing_of_reading(tracked, reading, known)
        self._by_track[tracked.track_id] = passing
        passing.see(tracked, self._now_s, self._step)
        if reading is not None and not passing.strangers:
            passing.read(tracked, self._now_s, self._step)

    def _counted(self, reading: PlateReading | None) -> PlateReading | None:
        if reading is None or not reading.text or reading.confidence < self.options.min_confidence:
            return None
        return reading

    def _is_over(self, passing: Passing) -> bool:
        """A vehicle that is still there begins anew: the group was full, or a standing one is to be told again."""
        if not passing.is_reported:
            return passing.has_text and self._has_gone(passing)
        is_forgotten = self._now_s - passing.reported_s >= self.options.memory_decay_s
        return is_forgotten and self.options.report_static

    def _passing_of_reading(self, tracked: TrackedSighting, reading: PlateReading, known: Passing | None) -> Passing:
        texts = [candidate.text for candidate in reading.candidates] or [reading.text]
        if known is not None and known.has_text and _are_akin(known.texts, texts):
            known.strangers.clear()
            return known
        other = self._similar(tracked, texts, known)
        if known is None:
            return other or self._begin()
        if not known.has_text:
            if other is None or known.is_reported:
                return known if not known.is_reported else other or self._begin()
            self._drop(known)
            return other
        return self._passing_of_stranger(tracked, reading, known, other)

    def _passing_of_stranger(
        self, tracked: TrackedSighting, reading: PlateReading, known: Passing, other: Passing | None
    ) -> Passing:
        """A text unlike those of its track: misread, or of another vehicle, which takes some to be believed."""
        strangers = known.strangers
        if strangers and strangers[-1].reading is not None and not is_similar(strangers[-1].reading.text, reading.text):
            strangers.clear()
        strangers.append(tracked)
        weight = sum(each.reading.confidence for each in strangers if each.reading is not None)
        if not known.is_reported and known.ballot.weight <= weight:  # what was read before was the mistake
            believed, known.strangers = strangers[:-1], []
            for each in believed:
                known.read(each, self._now_s, self._step)
            return known
        if len(strangers) < _MOST_STRANGERS or reading.confidence < _SURE_STRANGER:
            del strangers[:-_MOST_STRANGERS]
            return known
        believed, known.strangers = strangers[:-1], []
        passing = other or self._begin()
        for each in believed:
            passing.see(each, self._now_s, self._step)
            passing.read(each, self._now_s, self._step)
        return passing

    def _similar(self, tracked: TrackedSighting, texts: Sequence[str], known: Passing | None) -> Passing | None:
        """The pass of another track that this reading goes on with: seen a moment ago, but not in this frame."""
        found = [
            each
            for each in (*self._open, *self._reported)
            if each is not known
            and each.has_text
            and each.seen_step < self._step
            and not self._is_over(each)
            and not self._has_gone(each)
            and each.could_reach(tracked, self._now_s)
            and are_similar(each.texts, texts)
        ]
        return min(found, key=lambda each: (edit_distance(each.texts[0], texts[0]), -each.seen_s), default=None)

    def _standing_there(self, tracked: TrackedSighting) -> Passing | None:
        """The pass of a vehicle that stood where a new track begins."""
        for each in (*self._open, *self._reported):
            is_free = each.is_standing and each.seen_step < self._step and not self._is_over(each)
            if is_free and each.is_at(tracked.vehicle_box, tracked.plate_box):
                return each
        return None

    def _begin(self) -> Passing:
        passing = Passing(self._new_id(), self._now_s, self._step, keeps_vehicles=self.options.report_vehicles)
        self._open.append(passing)
        return passing

    def _drop(self, passing: Passing) -> None:
        self._open = [each for each in self._open if each is not passing]
        self._by_track = {track: each for track, each in self._by_track.items() if each is not passing}

    # When it is reported.

    def _has_gone(self, passing: Passing) -> bool:
        """It has not been read for too long; where no text is known, not seen."""
        has_text = passing.has_text and not passing.is_reported
        if self.options.merge_buffer != AUTOMATIC:
            step = passing.read_step if has_text else passing.seen_step
            return self._step - step > self.options.merge_buffer
        since = passing.read_s if has_text else passing.seen_s
        return (self._now_s - since) * 1000 > self.options.time_delta_ms

    def _previews(self) -> list[Group]:
        groups = []
        for each in self._open:
            if each.is_previewed or each.read_step != self._step or not each.has_text:
                continue
            group = each.group(self._camera, "preview")
            if group is None or group.consensus is None:
                continue
            if _surest(group) >= self.options.preview_confidence and self._recall(each, group) is None:
                each.is_previewed = True
                groups.append(group)
        return groups

    def _due(self) -> list[Group]:
        crowd = max(0, len(self._open) - _MOST_OPEN)
        due = [each for rank, each in enumerate(self._open) if rank < crowd or self._is_due(each)]
        groups = [group for each in due for group in self._finish(each)]
        return [*groups, *self._departures()]

    def _is_due(self, passing: Passing) -> bool:
        options, delay_s = self.options, self.options.max_prediction_delay_s
        is_late = delay_s is not None and self._now_s - passing.first_s >= delay_s
        if not passing.has_text:
            return self._has_gone(passing) or (options.report_vehicles and is_late and passing.is_standing)
        if passing.ballot.count >= options.max_plates_to_group:
            return True
        if is_late and passing.ballot.count >= options.min_plates_to_group:
            return True
        waited_ms = (self._now_s - passing.read_s) * 1000
        return self._has_gone(passing) and waited_ms >= options.max_delay_to_send_ms

    def _finish(self, passing: Passing) -> list[Group]:
        """Reports a pass, unless it is not to be: too little was seen, or the vehicle is known."""
        self._open = [each for each in self._open if each is not passing]
        group = passing.group(self._camera, "closed") if self._is_worth(passing) else None
        if group is None or not self._is_sure(group):
            self._by_track = {track: each for track, each in self._by_track.items() if each is not passing}
            return []
        whole = self._whole_of(passing, group)
        known = whole or self._recall(passing, group)
        if known is not None and (whole is not None or not self._is_told_again(known)):
            known.absorb(passing)
            self._by_track = {t: known if each is passing else each for t, each in self._by_track.items()}
            return []
        if known is not None:
            passing.is_parked = known.is_at(passing.vehicle_place, passing.plate_place)
            group = replace(group, is_parked=passing.is_parked)
            self._reported = [each for each in self._reported if each is not known]
        passing.finish(group if self.options.max_dwell_delay_s is not None else None, self._now_s)
        self._reported.append(passing)
        return [group]

    def _is_worth(self, passing: Passing) -> bool:
        if passing.has_text:
            return passing.ballot.count >= self.options.min_plates_to_group
        is_seen = passing.is_confirmed and passing.vehicle_sightings >= _LEAST_VEHICLE_SIGHTINGS
        return self.options.report_vehicles and is_seen

    def _is_sure(self, group: Group) -> bool:
        if group.consensus is None:
            return True
        return group.consensus.confidence >= self.options.min_group_confidence / math.sqrt(len(group.sightings))

    # Whether it is known.

    def _whole_of(self, passing: Passing, group: Group) -> Passing | None:
        """The pass of which this is a part: while something hid the rest of the plate, it was a track of its own.

        One that was over before the whole plate showed has to be an end of it.
        """
        if group.consensus is None or passing.ballot.count > _MOST_PART_READINGS:
            return None
        text = group.consensus.text
        for each in (*self._open, *self._reported):
            if each.ballot.count <= passing.ballot.count:
                continue
            whole, apart_s = each.texts[0], max(passing.first_s - each.seen_s, each.began_s - passing.read_s)
            is_seen_with_it = each.began_s <= passing.read_s
            is_of_it = is_seen_with_it and len(whole) > len(text) and is_part(whole, text, 1)
            if apart_s * 1000 <= self.options.time_delta_ms and (is_of_it or is_end(text, whole)):
                return each
        return None

    def _recall(self, passing: Passing, group: Group) -> Passing | None:
        """The same vehicle, reported before and not forgotten."""
        text = group.consensus.text if group.consensus else None
        for each in reversed(self._reported):
            is_there = each.is_standing and each.is_at(passing.vehicle_place, passing.plate_place)
            is_remembered = is_there or passing.first_s - each.seen_s < self.options.memory_decay_s
            if text is None:
                is_same = is_there
            elif each.seen_s > passing.began_s:  # two at the same time may look alike
                is_same = each.texts[:1] == [text]
            else:
                is_same = each.has_text and _is_same_text(each.texts, text, is_there)
            if is_same and is_remembered:
                return each
        return None

    def _is_told_again(self, known: Passing) -> bool:
        return self.options.report_static and self._now_s - known.reported_s >= self.options.memory_decay_s

    def _departures(self) -> list[Group]:
        """Forgets who has gone for good; tells it where that is asked for."""
        groups: list[Group] = []
        dwell = self.options.max_dwell_delay_s
        kept = []
        for each in self._reported[-_MOST_REMEMBERED:]:
            unseen_s = self._now_s - each.seen_s
            if dwell is not None and unseen_s >= dwell:
                groups += _departure(each)
            keeps_s = max(self.options.memory_decay_s, _PARKED_MEMORY_S if each.is_standing else 0.0)
            keeps_s = max(keeps_s, dwell or 0.0) + _SLACK_S
            if unseen_s <= keeps_s:
                kept.append(each)
        if len(kept) != len(self._reported):
            self._reported = kept
            living = {id(each) for each in (*self._open, *kept)}
            self._by_track = {track: each for track, each in self._by_track.items() if id(each) in living}
        return groups


def _surest(group: Group) -> float:
    """Of all readings together, and of the newest where it says the same: a gate need not wait for the doubtful ones
    before it to be outvoted.
    """
    newest = group.sightings[-1].plate
    if group.consensus is None or newest is None or newest.reading is None:
        return 0.0
    said = newest.reading.confidence if newest.reading.text == group.consensus.text else 0.0
    return max(group.consensus.confidence, said)


def _departure(passing: Passing) -> Iterable[Group]:
    report, passing.report = passing.report, None
    if report is None or passing.last_seen is None:
        return ()
    at, frame_index = passing.last_seen
    return (replace(report, state="left", last_seen=max(at, report.last_seen), last_frame=frame_index),)


def _are_akin(known: Sequence[str], texts: Sequence[str]) -> bool:
    return are_similar(known, texts) or is_akin(known[0], texts[0])


def _is_same_text(known: Sequence[str], text: str, is_there: bool) -> bool:
    """Whether two texts, each of many readings, are of one plate. Consecutive plates of a fleet are not."""
    best = known[0]
    if best == text or is_look_alike(best, text):
        return True
    if is_there:
        return is_similar(best, text)
    shorter, longer = sorted((best, text), key=len)
    return len(shorter) >= 4 and len(longer) - len(shorter) == 1 and (longer[1:] == shorter or longer[:-1] == shorter)
