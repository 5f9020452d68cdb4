"""The whole system for one camera on one page: frame, motion, recognition, zone, tracks, groups with their pictures.

No threads, no clock, no input or output: time comes with the frames, so watching a video is a loop over values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from openplate.datatypes import Box, Group, Plate, Recognition, Sighting
from openplate.ground import Ground
from openplate.grouping import Grouper, GroupOptions, TrackedSighting
from openplate.imaging import Image, Source
from openplate.imaging.frame import Frame
from openplate.tracking import Track, Tracker, TrackerOptions
from openplate.zones import Zone

_MOST_PICTURES = 32
_EDGE_PX = 2.0


class Recognizes(Protocol):
    """A ``Recognizer``, or what stands for it."""

    def recognize(self, images: Sequence[Source], names: Sequence[str] | None = None) -> list[Recognition]: ...


class Motion(Protocol):
    """A motion gate of its own for each camera (``openplate.video.motion.MotionGate``)."""

    def update(self, frame: Frame) -> Sequence[Box]:
        """What moves; nothing: the frame needs no look."""


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """How one camera is watched.

    Attributes:
        groups: when a vehicle is reported.
        tracker: how vehicles are followed.
        zone: the part of the picture that counts; None: all.
        ground: the road in front of the camera, for speeds; None: nobody knows, so no speed is told.
        linger_s: frames are looked at for so long after the last motion, so that what stops is read while it stands.
    """

    groups: GroupOptions = field(default_factory=GroupOptions)
    tracker: TrackerOptions = field(default_factory=TrackerOptions)
    zone: Zone | None = None
    ground: Ground | None = None
    linger_s: float = 1.0

    def __post_init__(self) -> None:
        if self.linger_s < 0:
            raise ValueError(f"linger_s must be 0 or more, not {self.linger_s}")


@dataclass(frozen=True, slots=True, eq=False)
class GroupPicture:
    """A group with the picture of the frame of its best sighting.

    ``position_s`` is that frame's time in the file. ``image`` and ``position_s`` are None where the picture had to be
    given up: in a crowd there are more than can be kept.
    """

    group: Group
    image: Image | None
    position_s: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What came of one frame: ``recognition`` is None where nothing moved, so that nothing was computed.

    ``groups`` are those to be reported now; ``tracks`` are all that live, their indices into the recognition.
    """

    recognition: Recognition | None = None
    groups: tuple[GroupPicture, ...] = ()
    tracks: tuple[Track, ...] = ()


class VideoRecognizer:
    """Watches one camera; each has its own, and they may share a recognizer."""

    def __init__(
        self,
        recognizer: Recognizes,
        options: VideoOptions = VideoOptions(),
        *,
        camera: str = "",
        motion: Motion | None = None,
    ) -> None:
        """``motion`` None: every frame is looked at."""
        self._recognizer = recognizer
        self._zone, self._ground, self._motion = options.zone, options.ground, motion
        self._linger = timedelta(seconds=options.linger_s)
        self._tracker = Tracker(_tracking(options))
        self._grouper = Grouper(options.groups, camera)
        self._looks_until: datetime | None = None
        self._pictures: dict[int, tuple[Image, float | None]] = {}

    def feed(self, frame: Frame) -> Seen:
        """Takes in the camera's next frame.

        Raises:
            ImageError, ModelError: the recognizer's.
        """
        at = frame.captured_at
        if not self._is_looked_at(frame):
            return self.hold(at)
        (recognition,) = self._recognizer.recognize([frame.image.pixels], [frame.source])
        recognition = replace(recognition, captured_at=at)
        if self._zone is not None:
            recognition = self._zone.select(recognition)
        vehicles = [vehicle.detection for vehicle in recognition.vehicles]
        tracks = self._tracker.update(vehicles, recognition.plates, at, frame.index)
        sightings = [s for track in tracks if (s := _sighting(track, recognition, frame, self._ground))]
        if sightings:
            self._pictures[frame.index] = frame.image, frame.position_s
        return Seen(recognition, self._with_pictures(self._grouper.feed(sightings, at)), tracks)

    def hold(self, at: datetime) -> Seen:
        """No frame has come for a while, as when the camera is gone: groups may be due all the same."""
        tracks = self._tracker.hold(at)
        return Seen(None, self._with_pictures(self._grouper.hold(at)), tracks)

    def close(self) -> Seen:
        """No frame will follow: what is open is reported."""
        return Seen(None, self._with_pictures(self._grouper.close()))

    def _is_looked_at(self, frame: Frame) -> bool:
        if self._motion is None:
            return True
        if self._motion.update(frame):
            self._looks_until = frame.captured_at + self._linger
            return True
        until = self._looks_until
        # A clock set back must not make it look for hours.
        return until is not None and until - self._linger <= frame.captured_at <= until

    def _with_pictures(self, groups: Sequence[Group]) -> tuple[GroupPicture, ...]:
        """The groups with their pictures; those that nobody can ask for any more are let go."""
        pictures = []
        for group in groups:
            image, position_s = self._pictures.get(group.best.frame_index, (None, None))
            pictures.append(GroupPicture(group, image, position_s))
        wanted = self._grouper.wanted_frames
        kept = sorted(index for index in self._pictures if index in wanted)[-_MOST_PICTURES:]
        self._pictures = {index: self._pictures[index] for index in kept}
        return tuple(pictures)


def _tracking(options: VideoOptions) -> TrackerOptions:
    """The steps of the merge buffer hold for tracks as well."""
    steps = options.groups.merge_buffer
    return options.tracker if steps < 1 else replace(options.tracker, most_missed=steps)


def _sighting(
    track: Track, recognition: Recognition, frame: Frame, ground: Ground | None = None
) -> TrackedSighting | None:
    """What this frame shows of a track; None for one that is not seen."""
    if track.vehicle_index is None and track.plate_index is None:
        return None
    plate = None if track.plate_index is None else recognition.plates[track.plate_index]
    if plate is not None and _is_cut(plate, recognition):
        plate = replace(plate, reading=None)
    vehicle = None if track.vehicle_index is None else recognition.vehicles[track.vehicle_index]
    sighting = Sighting(frame.captured_at, frame.index, plate, vehicle, track.plate_index)
    size = recognition.width, recognition.height
    place = None if ground is None or vehicle is None else ground.place(vehicle.detection.box, *size)
    return TrackedSighting(track.id, sighting, track.state == "confirmed", track.is_standing, place)


def _is_cut(plate: Plate, recognition: Recognition) -> bool:
    """It ends at the picture's edge: what it says there is not all, and its vehicle is coming in or going out."""
    box = plate.detection.box
    if plate.detection.corners is not None:
        # They are found from closer up, and may reach the edge where the box ends just before it.
        around = plate.detection.corners.box
        box = Box(min(box.x1, around.x1), min(box.y1, around.y1), max(box.x2, around.x2), max(box.y2, around.y2))
    right, bottom = recognition.width - _EDGE_PX, recognition.height - _EDGE_PX
    return box.x1 < _EDGE_PX or box.y1 < _EDGE_PX or box.x2 > right or box.y2 > bottom
