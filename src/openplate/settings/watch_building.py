"""From settings to what is to be watched: our own file's cameras, Scout's, and bare addresses give the same values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from openplate.datatypes import GroundPoint
from openplate.errors import ImageError, SettingsError
from openplate.ground import Ground
from openplate.grouping import GroupOptions
from openplate.imaging import ImageLimits
from openplate.options import RecognitionOptions
from openplate.regions import codes
from openplate.settings.scout import ScoutCamera, ScoutSettings
from openplate.settings.tree import Settings
from openplate.settings.watch import CameraSettings, ScoutSection, WatchSettings
from openplate.settings.watch_plan import CameraPlan
from openplate.video import SourceOptions
from openplate.video.source import without_password
from openplate.video_pipeline import VideoOptions
from openplate.zones import Zone

_MIB: Final = 2**20


def plan_addresses(
    addresses: Sequence[str], settings: Settings, recognition: RecognitionOptions
) -> tuple[CameraPlan, ...]:
    """Cameras, files and folders of the command line: everything else is by default."""
    names = _different(_short_name(address) for address in addresses)
    options = SourceOptions(limits=limits_of(settings))
    video = VideoOptions(groups=group_options(settings.watch))
    return tuple(
        CameraPlan(name, number, address, options, recognition, video)
        for number, (name, address) in enumerate(zip(names, addresses, strict=True), 1)
    )


def plan_cameras(settings: Settings) -> tuple[CameraPlan, ...]:
    """The active cameras of our own file. Raises SettingsError for a mask that cannot be used."""
    return tuple(
        _plan(camera, number if camera.number is None else camera.number, settings)
        for number, camera in enumerate(settings.cameras, 1)
        if camera.active
    )


def plan_scout(scout: ScoutSettings, settings: Settings) -> tuple[CameraPlan, ...]:
    """Scout's cameras with its ways of grouping. Raises SettingsError for a mask that cannot be used."""
    names = _different(camera.camera_name for camera in scout.cameras)
    return tuple(_scout_plan(camera, name, scout, settings) for name, camera in zip(names, scout.cameras, strict=True))


def group_options(watch: WatchSettings) -> GroupOptions:
    """Raises SettingsError where values contradict each other."""
    try:
        return GroupOptions(
            memory_decay_s=watch.memory_s,
            max_prediction_delay_s=max(watch.longest_wait_s, 0.1) if watch.longest_wait_s else None,
            merge_buffer=watch.gone_after_frames or -1,
            time_delta_ms=round(watch.gone_after_s * 1000),
            min_plates_to_group=watch.least_readings,
            max_plates_to_group=watch.most_readings,
            min_confidence=watch.least_confidence,
            min_group_confidence=watch.least_group_confidence,
            max_delay_to_send_ms=round(watch.hold_back_s * 1000),
            preview=watch.preview,
            preview_confidence=watch.preview_confidence,
            report_static=watch.parked,
            report_vehicles=watch.vehicles,
            max_dwell_delay_s=watch.left_after_s,
        )
    except ValueError:
        raise SettingsError(
            f"watch.least_readings must not be above watch.most_readings: {watch.least_readings} and "
            f"{watch.most_readings}"
        ) from None


def scout_group_options(scout: ScoutSettings) -> GroupOptions:
    """``plate_groups_*``; without groups nothing is ever due (see ``ScoutSettings.plate_groups_enabled``)."""
    return GroupOptions(
        memory_decay_s=0.0,
        max_prediction_delay_s=None,
        time_delta_ms=scout.plate_groups_time_delta_ms,
        min_plates_to_group=min(scout.plate_groups_min_plates_to_group, scout.plate_groups_max_plates_to_group),
        max_plates_to_group=scout.plate_groups_max_plates_to_group,
        min_confidence=scout.plate_groups_min_confidence / 100,
        min_group_confidence=0.0,
        max_delay_to_send_ms=scout.plate_groups_max_delay_to_send,
        report_static=True,
        report_vehicles=scout.scout_version >= 3,
    )


def own_scout_settings(section: ScoutSection) -> ScoutSettings | None:
    """Our own section ``[scout]`` as Scout's settings; None where it is not used."""
    if section.upload_address is None and section.pictures is None:
        return None
    blank = ScoutSettings()
    return replace(
        blank,
        company_id=section.company_id,
        country=section.country,
        user_data=section.user_data or "",
        custom_data=section.custom_data or "",
        upload_data=section.upload_address is not None,
        upload_address=section.upload_address or blank.upload_address,
        upload_threads=section.upload_threads,
        upload_groups_only=section.groups_only,
        upload_queue_maxsize_mb=max(1, section.queue_bytes // _MIB),
        store_plates=section.pictures is not None,
        store_plates_location=str(section.pictures or blank.store_plates_location),
        store_plates_maxsize_mb=max(1, section.pictures_bytes // _MIB),
        store_plates_jpeg_quality=section.picture_quality,
        web_server_enabled=section.picture_port is not None,
        web_server_port=blank.web_server_port if section.picture_port is None else section.picture_port,
        scout_version=section.version,
        agent_uid=section.agent_uid,
    )


def _plan(camera: CameraSettings, number: int, settings: Settings) -> CameraPlan:
    recognition = RecognitionOptions(
        mode=camera.mode,
        regions=camera.regions,
        strict=camera.strict,
        threshold_detection=camera.threshold_detection,
        threshold_reading=camera.threshold_reading,
        top_n=camera.top_n,
        vehicle_required=camera.vehicle_required,
        attributes=camera.attributes,
    )
    source = SourceOptions(
        open_timeout_s=camera.open_timeout_s,
        read_timeout_s=camera.read_timeout_s,
        reconnect_first_s=camera.reconnect_first_s,
        reconnect_most_s=max(camera.reconnect_first_s, camera.reconnect_most_s),
        frozen_after_s=camera.frozen_after_s,
        poll_s=camera.poll_s,
        sample=camera.sample,
        transport=camera.transport,
        verify_certificates=camera.verify_certificates,
        frames_per_s=camera.frames_per_s,
        limits=limits_of(settings),
    )
    zone = _zone(f"cameras.{camera.name}.mask", camera.mask, camera.zones)
    ground = build_ground(f"cameras.{camera.name}.ground_points", camera.ground_points)
    video = VideoOptions(groups=group_options(settings.watch), zone=zone, ground=ground, linger_s=camera.linger_s)
    return CameraPlan(
        camera.name,
        number,
        camera.url,
        source,
        recognition,
        video,
        camera.skip_still,
        camera.latitude,
        camera.longitude,
        camera.heading,
    )


def _scout_plan(camera: ScoutCamera, name: str, scout: ScoutSettings, settings: Settings) -> CameraPlan:
    pattern = scout.pattern.lower()
    zone = _zone("detection_mask_image", camera.detection_mask_image, ())
    return CameraPlan(
        name,
        camera.camera_id,
        camera.stream,
        SourceOptions(limits=limits_of(settings)),
        RecognitionOptions(
            regions=(pattern,) if pattern in codes() else (),
            top_n=scout.topn,
            attributes=scout.classify_vehicles,
        ),
        VideoOptions(groups=scout_group_options(scout), zone=zone),
        scout.motion_detection,
        camera.gps_latitude,
        camera.gps_longitude,
    )


def _zone(setting: str, mask: Path | None, polygons: Sequence[Sequence[tuple[float, float]]]) -> Zone | None:
    if mask is None:
        return Zone.from_polygons(polygons) if polygons else None
    try:
        masked = Zone.from_path(mask)
    except ImageError as error:
        raise SettingsError(f"{setting} must be a picture: {error}") from error
    return replace(masked, polygons=Zone.from_polygons(polygons).polygons)


def build_ground(setting: str, points: Sequence[GroundPoint]) -> Ground | None:
    """The road of a camera; None without points. Raises SettingsError, with the setting's name, where it cannot be."""
    try:
        return Ground.from_points(points) if points else None
    except ValueError as error:
        raise SettingsError(f"{setting}: {error}") from None


def limits_of(settings: Settings) -> ImageLimits:
    """On pictures."""
    return ImageLimits(settings.limits.max_bytes, settings.limits.max_pixels)


def _short_name(address: str) -> str:
    """The file's or folder's name; a camera's address without what is secret in it."""
    return without_password(address) if "://" in address else Path(address).name or address


def _different(names: Iterable[str]) -> list[str]:
    """The same with -2, -3 ... behind those that come again."""
    found: list[str] = []
    for name in names:
        number, candidate = 1, name
        while candidate in found:
            number += 1
            candidate = f"{name}-{number}"
        found.append(candidate)
    return found
