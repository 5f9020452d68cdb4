"""What Plate Recognizer's Snapshot sends to a receiver of webhooks after each call."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from typing import Literal

from openplate.datatypes import Box, Detection, Recognition
from openplate.formats.platerecognizer_parts import listed_plates, webhook_time
from openplate.formats.platerecognizer_plates import snapshot_v1
from openplate.formats.platerecognizer_vehicle import snapshot_v2
from openplate.formats.snapshot_request import SnapshotRequest

ImageKind = Literal["original", "vehicle", "plate"]


def webhook_body(
    recognition: Recognition,
    request: SnapshotRequest,
    *,
    target_url: str,
    target_id: int,
    filename: str,
    received_at: datetime,
    sent: Box | None = None,
) -> dict[str, object]:
    """The ``hook`` and ``data`` of one call for one receiver.

    ``data`` is the call's answer without ``usage``; its time has milliseconds and ``Z`` in either flavour, because
    receivers parse just that form, and a camera that was not named is null.

    Args:
        recognition, request: as for ``answer``.
        target_url, target_id: of the receiver.
        filename: as the answer has it.
        received_at: when the request came in, with its time zone.
        sent: the part of the picture that goes with the message (pixels of the whole): coordinates count from its
            top left and end at its sides, so what is not on it has a box without area. None: the whole picture.
    """
    snapshot = snapshot_v2 if request.config.vehicles_too else snapshot_v1
    data = snapshot(
        recognition if sent is None else seen_on(recognition, sent),
        filename=filename,
        timestamp=webhook_time(request.timestamp or received_at),
        camera_id=request.camera_id,
        include_unread=request.config.mode == "redaction",
        mmc=request.mmc,
        direction=request.direction,
    )
    order = ("processing_time", "timestamp", "results", "filename", "version", "camera_id")
    return {
        "hook": {"target": target_url, "id": target_id, "event": "image.done"},
        "data": {key: data[key] for key in order if key in data},
    }


def sent_part(recognition: Recognition, request: SnapshotRequest, image: ImageKind) -> Box:
    """The part of the picture to send, in whole pixels: all of it, or the vehicle or plate of the first result.

    Where there is no vehicle or plate to cut out it is the whole picture, so that receivers get the form they know.
    """
    whole = Box(0, 0, recognition.width, recognition.height)
    detection = None if image == "original" else _first(recognition, request, image)
    if detection is None:
        return whole
    box = detection.box.clamp(recognition.width, recognition.height)
    part = Box(math.floor(box.x1), math.floor(box.y1), math.ceil(box.x2), math.ceil(box.y2))
    return part if part.area else whole


def _first(recognition: Recognition, request: SnapshotRequest, image: ImageKind) -> Detection | None:
    plates = listed_plates(recognition, request.config.mode == "redaction")
    if image == "plate":
        return plates[0].detection if plates else None
    if plates:
        index = plates[0].vehicle_index
        return None if index is None else recognition.vehicles[index].detection
    if request.config.vehicles_too and recognition.vehicles:
        return recognition.vehicles[0].detection
    return None


def seen_on(recognition: Recognition, part: Box) -> Recognition:
    """The recognition as if only that part of the picture had been taken: its size, its coordinates."""

    def moved(detection: Detection) -> Detection:
        corners = None if detection.corners is None else detection.corners.shift(-part.x1, -part.y1)
        return replace(detection, box=detection.box.shift(-part.x1, -part.y1), corners=corners)

    return replace(
        recognition,
        width=round(part.width),
        height=round(part.height),
        plates=tuple(replace(plate, detection=moved(plate.detection)) for plate in recognition.plates),
        vehicles=tuple(replace(vehicle, detection=moved(vehicle.detection)) for vehicle in recognition.vehicles),
    )
