"""What Plate Recognizer's Stream tells of a vehicle that passed a camera: results of both versions, events, webhooks.

Habits followed beside those of the Snapshot: a direction on the unit circle (0 right, 90 up), a time of the camera's
zone beside that in UTC, one result in each event, boxes that count from the top left of the picture that is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Final

from openplate.datatypes import Box, Group, Plate, Recognition, Vehicle
from openplate.formats.platerecognizer_accounts import calls_used
from openplate.formats.platerecognizer_parts import cloud_time, score
from openplate.formats.platerecognizer_plates import snapshot_v1
from openplate.formats.platerecognizer_vehicle import snapshot_v2
from openplate.formats.snapshot_config import SnapshotConfig
from openplate.formats.snapshot_request import SnapshotRequest
from openplate.formats.webhook import ImageKind, seen_on, sent_part

__all__ = [
    "DWELL_TIME",
    "RECOGNITION",
    "Event",
    "StreamCameraContext",
    "direction",
    "dwell_data",
    "event_data",
    "file_answer",
    "hook_body",
    "image_part",
    "json_line",
    "local_time",
    "result_v1",
    "result_v2",
    "whole_picture",
]

RECOGNITION: Final = "recognition"
DWELL_TIME: Final = "dwell_time"

_VEHICLES_TOO: Final = SnapshotRequest(config=SnapshotConfig(vehicles_too=True))
_BEFORE: Final = ("box", "plate", "region", "score", "candidates", "dscore", "vehicle")


@dataclass(frozen=True, slots=True)
class StreamCameraContext:
    """One camera, as every event of it tells.

    Attributes:
        camera_id: the name of its section.
        source_url: its ``url`` as the settings have it.
        zone: for ``timestamp_local``.
        mmc: whether make, model, colour and orientation are told.
        vehicles_too: vehicles without a plate are told, and everything has the form of version 2.
        user_data: told in each result.
    """

    camera_id: str
    source_url: str
    zone: tzinfo = UTC
    mmc: bool = False
    vehicles_too: bool = False
    user_data: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One pass, and the picture of its best sighting.

    Attributes:
        group: the pass.
        width, height: of the picture, in pixels.
        filename: where the picture is kept, relative to the folder of results; empty: nowhere.
        position_s: seconds from the start of the video; None: not known.
    """

    group: Group
    width: int
    height: int
    filename: str = ""
    position_s: float | None = None


def direction(heading_degrees: float | None) -> int | None:
    """Where it went, from degrees clockwise from up to degrees anticlockwise from right; None: nobody knows."""
    return None if heading_degrees is None else round(90 - heading_degrees) % 360


def local_time(at: datetime, zone: tzinfo) -> str:
    """``2021-07-31 09:53:36.169692-04:00``; the fraction is there always, as receivers parse it."""
    return _aware(at).astimezone(zone).isoformat(sep=" ", timespec="microseconds")


def whole_picture(event: Event) -> Recognition:
    """The best sighting as a recognition of its picture: at most one plate and one vehicle.

    The text is the one that all readings vote for, and the attributes are those over all sightings.
    """
    group, best = event.group, event.group.best
    vehicles: tuple[Vehicle, ...] = ()
    if best.vehicle is not None:
        attributes = group.attributes if group.attributes is not None else best.vehicle.attributes
        vehicles = (replace(best.vehicle, attributes=attributes),)
    plates: tuple[Plate, ...] = ()
    if best.plate is not None and group.consensus is not None:
        plates = (Plate(best.plate.detection, group.consensus, 0 if vehicles else None),)
    return Recognition(group.camera, event.width, event.height, plates, vehicles, captured_at=best.at)


def image_part(event: Event, image: ImageKind) -> Box:
    """The part of the picture to send, in whole pixels; all of it where there is no vehicle or plate to cut out."""
    return sent_part(whole_picture(event), _VEHICLES_TOO, image)


def result_v1(event: Event, camera: StreamCameraContext, sent: Box | None = None) -> dict[str, object] | None:
    """The result of a vehicle with a plate that was read; None for one without.

    ``sent`` is the part of the picture that goes with it, None all of it: boxes count from its top left.
    """
    found = _results(snapshot_v1(_seen(event, sent), filename="", timestamp="", mmc=camera.mmc))
    if not found:
        return None
    first = {key: found[0][key] for key in _BEFORE}
    rest = {key: value for key, value in found[0].items() if key not in first}
    return {**first, **rest, **_travel(event, camera)}


def result_v2(event: Event, camera: StreamCameraContext, sent: Box | None = None) -> dict[str, object]:
    """The result of any vehicle: ``plate`` or ``vehicle`` is null where there is none."""
    found = _results(snapshot_v2(_seen(event, sent), filename="", timestamp="", mmc=camera.mmc))
    empty: dict[str, object] = {"plate": None, "vehicle": None}
    return {**(found[0] if found else empty), **_travel(event, camera)}


def event_data(event: Event, camera: StreamCameraContext, sent: Box | None = None) -> dict[str, object]:
    """The object that a line of JSON Lines is, and ``data`` of a webhook."""
    at = event.group.best.at
    return {
        "camera_id": camera.camera_id,
        "filename": event.filename,
        "timestamp": cloud_time(at),
        "timestamp_local": local_time(at, camera.zone),
        "timestamp_camera": None,
        "results": _one_result(event, camera, sent),
    }


def dwell_data(
    event: Event, camera: StreamCameraContext, sent: Box | None = None, *, trajectory: bool = False
) -> dict[str, object]:
    """``data`` of ``dwell_time``: how long a vehicle was there. Nobody has published Stream's own form of it.

    ``trajectory``: with the centre of the vehicle, or else of its plate, and the seconds since the first sight.
    """
    group = event.group
    made: dict[str, object] = {
        "camera_id": camera.camera_id,
        "timestamp_first": cloud_time(group.first_seen),
        "timestamp_last": cloud_time(group.last_seen),
        "dwell_sec": round(group.dwell_s, 3),
        "results": _one_result(event, camera, sent),
    }
    if trajectory:
        path = group.vehicle_path or group.plate_path
        made["trajectory"] = [
            [*map(round, point.box.center), round((point.at - group.first_seen).total_seconds(), 3)] for point in path
        ]
    return made


def hook_body(
    data: Mapping[str, object], camera: StreamCameraContext, target_url: str, filename: str, kind: str = RECOGNITION
) -> dict[str, object]:
    """What a receiver is sent as ``json``: the id of a hook is that of the camera."""
    hook = {"target": target_url, "id": camera.camera_id, "event": kind, "filename": filename}
    return {"hook": hook, "data": dict(data)}


def file_answer(
    filename: str,
    camera_id: str,
    *,
    seconds: float,
    frames: int,
    failed_frames: int,
    events: int,
    calls: int,
    ignored: Sequence[str] = (),
) -> dict[str, object]:
    """What whoever uploaded a file is told: that it was worked on, and the usage; readings go elsewhere.

    Nobody has published Stream's own form of it. ``calls`` are the files worked on so far, ``ignored`` the names of
    fields that are no settings, or have no effect.
    """
    return {
        "status": "done",
        "filename": filename,
        "camera_id": camera_id,
        "processing_time": round(seconds * 1000, 3),
        "frames": frames,
        "failed_frames": failed_frames,
        "events": events,
        "ignored_fields": list(ignored),
        "usage": calls_used(calls, None),
    }


def json_line(data: Mapping[str, object]) -> str:
    """One line of JSON Lines, with its end."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False) + "\n"


def _one_result(event: Event, camera: StreamCameraContext, sent: Box | None) -> list[dict[str, object]]:
    result = result_v2(event, camera, sent) if camera.vehicles_too else result_v1(event, camera, sent)
    return [] if result is None else [result]


def _seen(event: Event, sent: Box | None) -> Recognition:
    return whole_picture(event) if sent is None else seen_on(whole_picture(event), sent)


def _results(answer: Mapping[str, object]) -> list[dict[str, object]]:
    found = answer["results"]
    assert isinstance(found, list)
    return found


def _travel(event: Event, camera: StreamCameraContext) -> dict[str, object]:
    speed = event.group.speed
    return {
        "direction": direction(event.group.heading_degrees),
        "speed": None if speed is None else round(float(speed.kmh), 1),
        "speed_score": None if speed is None else score(speed.confidence),
        "source_url": camera.source_url,
        "position_sec": None if event.position_s is None else round(float(event.position_s), 2),
        "user_data": camera.user_data,
    }


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a time needs its time zone")
    return at
