"""Rekor Scout's messages: results of a frame, groups of a vehicle's pass, groups without a plate, heartbeats.

``version`` 2 has exactly the keys of the founding documents, 3 also those that agents from 4.1 on send. Pictures come
in as base64 text of JPEG files, made elsewhere. ``docs/switch-from-rekor-scout.md`` has every key with its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openplate.datatypes import (
    Box,
    Group,
    Plate,
    PlateReading,
    Recognition,
    Sighting,
    Vehicle,
    VehicleAttributes,
)
from openplate.formats.openalpr import epoch_ms
from openplate.formats.rekor_heartbeat import AgentState, MachineState, StreamState, heartbeat
from openplate.formats.rekor_parts import (
    Agent,
    CameraContext,
    Version,
    best_candidate,
    candidate_list,
    degrees,
    milliseconds,
    path,
    percent,
    picture_uuid,
    plate_object,
    rectangle,
)
from openplate.formats.rekor_vehicle import rekor_vehicle

__all__ = [
    "Agent",
    "AgentState",
    "BestPicture",
    "CameraContext",
    "MachineState",
    "StreamState",
    "Version",
    "alpr_group",
    "alpr_results",
    "heartbeat",
    "picture_uuid",
    "vehicle_group",
]

NO_DIRECTION = 0.0
"""Where a vehicle did not move enough: receivers want a number."""
NO_DIRECTION_ID = -1


@dataclass(frozen=True, slots=True)
class BestPicture:
    """The frame of a group's best sighting: its size, pictures as base64 text of JPEG files ("" for none), and how
    long its plate took.
    """

    width: int
    height: int
    plate_crop_jpeg: str = ""
    vehicle_crop_jpeg: str = ""
    overview_jpeg: str = ""
    plate_ms: float = 0.0


def alpr_results(
    recognition: Recognition,
    camera: CameraContext,
    *,
    plate_crops: Mapping[int, str] | None = None,
    searched: Sequence[Box] = (),
    version: Version = 2,
) -> dict[str, object]:
    """What was read in one frame.

    Args:
        recognition: with its ``captured_at``. Plates that could not be read are left out.
        plate_crops: pictures of plates by their places in ``recognition.plates``.
        searched: the parts of the frame that were looked at; none: all of it.
    """
    if recognition.captured_at is None:
        raise ValueError("a frame of a camera needs the time when it was taken")
    read = [(index, plate, plate.reading) for index, plate in enumerate(recognition.plates) if plate.reading]
    share_ms = recognition.timings.read_ms / len(read) if read else 0.0
    size = (recognition.width, recognition.height)
    crops = plate_crops or {}
    made: dict[str, object] = {
        "data_type": "alpr_results",
        "version": version,
        "uuid": picture_uuid(camera, recognition.captured_at),
        "epoch_time": epoch_ms(recognition.captured_at),
        "camera_id": camera.camera_id,
        "agent_uid": camera.agent.uid,
        "agent_type": camera.agent.kind,
        "agent_version": camera.agent.version,
        "company_id": camera.agent.company_id,
        "img_width": int(recognition.width),
        "img_height": int(recognition.height),
        "processing_time_ms": milliseconds(recognition.timings.total_ms),
        "error": False,
        "regions_of_interest": [rectangle(box.clamp(*size)) for box in searched or (Box(0, 0, *size),)],
        "results": [
            plate_object(
                plate,
                reading,
                camera,
                index=index,
                size=size,
                vehicle=_vehicle_box(recognition, plate),
                crop_jpeg=crops.get(index, ""),
                processing_time_ms=share_ms,
                version=version,
            )
            for index, plate, reading in read
        ],
    }
    if version >= 3:
        made["vehicles"] = [_vehicle_entry(vehicle, size) for vehicle in recognition.vehicles]
    if camera.agent.site_id:
        made["site_id"] = camera.agent.site_id
    return made | _user_data(camera)


def alpr_group(
    group: Group,
    camera: CameraContext,
    picture: BestPicture,
    *,
    version: Version = 2,
) -> dict[str, object]:
    """One pass of a vehicle whose plate was read.

    Raises:
        ValueError: no plate was read; that is a ``vehicle_group``.
    """
    plate, consensus = group.best.plate, group.consensus
    if consensus is None or plate is None or plate.reading is None:
        raise ValueError("a group without a text is a vehicle group")
    best = best_candidate(consensus, camera.prefers_matching)
    region = consensus.regions[0] if consensus.regions else None
    sightings = _sightings(group)
    made: dict[str, object] = {
        **_head("alpr_group", group, camera, version),
        "uuids": [picture_uuid(camera, sighting.at) for sighting in sightings],
        "plate_indexes": [sighting.plate_index or 0 for sighting in sightings],
        "candidates": candidate_list(consensus, camera),
        "best_plate": _best_plate(group.best, plate, plate.reading, camera, picture, version),
        "best_plate_number": best.text,
        "best_confidence": percent(best.confidence),
        "best_uuid": picture_uuid(camera, group.best.at),
        "best_region": region.value if region else "",
        "best_region_confidence": percent(region.confidence) if region else 0.0,
        "best_image_width": int(picture.width),
        "best_image_height": int(picture.height),
        "matches_template": best.matches_pattern,
        "vehicle_crop_jpeg": picture.vehicle_crop_jpeg,
        **_movement(group, version),
    }
    made |= _look(group, plate.detection.confidence, version)
    if version >= 3:
        made |= _newer(group, camera, picture)
        made["plate_path"] = path(group.plate_path, group.first_seen, group.first_frame)
    return made | _user_data(camera)


def vehicle_group(group: Group, camera: CameraContext, picture: BestPicture) -> dict[str, object]:
    """One pass of a vehicle on which no plate was read; only agents from 4.1 on know it, so it is always version 3."""
    made: dict[str, object] = {
        **_head("vehicle", group, camera, 3),
        "best_uuid": picture_uuid(camera, group.best.at),
        "best_image_width": int(picture.width),
        "best_image_height": int(picture.height),
        "vehicle_crop_jpeg": picture.vehicle_crop_jpeg,
        **_movement(group, 3),
    }
    made |= _look(group, 0.0, 3)
    return made | _newer(group, camera, picture) | _user_data(camera)


def _head(data_type: str, group: Group, camera: CameraContext, version: Version) -> dict[str, object]:
    return {
        "data_type": data_type,
        "version": version,
        "epoch_start": epoch_ms(group.first_seen),
        "epoch_end": epoch_ms(group.last_seen),
        "frame_start": group.first_frame,
        "frame_end": group.last_frame,
        "company_id": camera.agent.company_id,
        "agent_uid": camera.agent.uid,
        "agent_version": camera.agent.version,
        "agent_type": camera.agent.kind,
        "camera_id": camera.camera_id,
        "gps_latitude": degrees(camera.latitude),
        "gps_longitude": degrees(camera.longitude),
        "country": camera.country,
    }


def _movement(group: Group, version: Version) -> dict[str, object]:
    """``is_preview`` is told to those who know it, and where it is true, as it changes what the rest means."""
    direction = NO_DIRECTION if group.heading_degrees is None else round(group.heading_degrees, 4) % 360.0
    made: dict[str, object] = {"travel_direction": direction, "is_parked": group.is_parked}
    is_preview = group.state == "preview"
    if version >= 3 or is_preview:
        made["is_preview"] = is_preview
    return made


def _newer(group: Group, camera: CameraContext, picture: BestPicture) -> dict[str, object]:
    """Keys of newer agents, and those that Scout's web server adds on the way."""
    made: dict[str, object] = {
        "best_uuid_epoch_ms": epoch_ms(group.best.at),
        "overview_jpeg": picture.overview_jpeg,
        "vehicle_signature": "",
        "vehicle_detected": group.best.vehicle is not None,
        "vehicle_path": path(group.vehicle_path, group.first_seen, group.first_frame),
        "direction_of_travel_id": NO_DIRECTION_ID,
        "web_server_config": {"camera_label": camera.name, "agent_label": camera.agent.hostname},
    }
    if camera.agent.custom_data:
        made["custom_data"] = camera.agent.custom_data
    return made


def _look(group: Group, plate: float, version: Version) -> dict[str, object]:
    """``vehicle``: what can be told by its look. In version 2 left out where nobody asked for that.

    ``plate`` is the confidence that there is one, 0 to 1.
    """
    if version < 3:
        return {} if group.attributes is None else {"vehicle": rekor_vehicle(group.attributes)}
    seen = group.best.vehicle.detection.confidence if group.best.vehicle else 0.0
    told: dict[str, object] = {**rekor_vehicle(group.attributes or VehicleAttributes())}
    return {"vehicle": told | {"missing_plate": _yes_or_no(1.0 - plate), "is_vehicle": _yes_or_no(seen)}}


def _yes_or_no(yes: float) -> list[dict[str, object]]:
    named = [("yes", yes), ("no", 1.0 - yes)]
    ordered = sorted(named, key=lambda pair: -pair[1])
    return [{"name": name, "confidence": percent(confidence)} for name, confidence in ordered]


def _best_plate(
    best: Sighting, plate: Plate, reading: PlateReading, camera: CameraContext, picture: BestPicture, version: Version
) -> dict[str, object]:
    return plate_object(
        plate,
        reading,
        camera,
        index=best.plate_index or 0,
        size=(picture.width, picture.height),
        vehicle=best.vehicle.detection.box if best.vehicle else None,
        crop_jpeg=picture.plate_crop_jpeg,
        processing_time_ms=picture.plate_ms,
        version=version,
    )


def _sightings(group: Group) -> tuple[Sighting, ...]:
    """The reads of a group, the best one always among them."""
    if any(sighting.at == group.best.at for sighting in group.sightings):
        return group.sightings
    return (*group.sightings, group.best)


def _vehicle_box(recognition: Recognition, plate: Plate) -> Box | None:
    if plate.vehicle_index is None:
        return None
    return recognition.vehicles[plate.vehicle_index].detection.box


def _vehicle_entry(vehicle: Vehicle, size: tuple[int, int]) -> dict[str, object]:
    details = {} if vehicle.attributes is None else rekor_vehicle(vehicle.attributes)
    return {"region": rectangle(vehicle.detection.box.clamp(*size)), "details": details}


def _user_data(camera: CameraContext) -> dict[str, object]:
    return {"user_data": camera.agent.user_data} if camera.agent.user_data else {}
