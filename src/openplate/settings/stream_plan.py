"""From Stream's settings to what is to be watched, and how its files are to be told."""

from __future__ import annotations

from openplate.errors import ImageError, SettingsError
from openplate.formats.stream import StreamCameraContext
from openplate.grouping import GroupOptions
from openplate.imaging import DEFAULT_LIMITS, ImageLimits
from openplate.options import RecognitionOptions
from openplate.settings.stream import StreamCamera, StreamSettings
from openplate.settings.watch_building import build_ground
from openplate.settings.watch_plan import CameraPlan
from openplate.video import SourceOptions
from openplate.video_pipeline import VideoOptions
from openplate.zones import Zone

FIRST_RECONNECT_S = 1.0


def plan_stream(settings: StreamSettings, limits: ImageLimits = DEFAULT_LIMITS) -> tuple[CameraPlan, ...]:
    """The active cameras that are watched; those for ``file-upload`` wait for files instead (``plan_file``).

    Raises:
        SettingsError: a mask or points of the road cannot be used.
    """
    return tuple(
        plan_camera(camera, number, camera.source, limits)
        for number, camera in enumerate(settings.cameras, 1)
        if camera.active and not camera.is_file_upload
    )


def plan_camera(camera: StreamCamera, number: int, where: str, limits: ImageLimits = DEFAULT_LIMITS) -> CameraPlan:
    """One camera, or a file in its way. Raises SettingsError for a mask or ground that cannot be used."""
    source = SourceOptions(
        sample=camera.sample,
        reconnect_first_s=min(FIRST_RECONNECT_S, camera.max_reconnection_delay),
        reconnect_most_s=camera.max_reconnection_delay,
        limits=limits,
    )
    ground = build_ground(f"[cameras] [[{camera.id}]] ground_points", camera.ground_points)
    video = VideoOptions(groups=group_options(camera), zone=_zone(camera), ground=ground)
    most = None if camera.total == -1 else camera.total
    return CameraPlan(camera.id, number, where, source, recognition_options(camera), video, most_frames=most)


def group_options(camera: StreamCamera) -> GroupOptions:
    """When a vehicle is reported."""
    return GroupOptions(
        memory_decay_s=camera.memory_decay,
        max_prediction_delay_s=camera.max_prediction_delay,
        merge_buffer=camera.merge_buffer,
        report_static=camera.report_static,
        report_vehicles=camera.detection_mode == "vehicle",
        max_dwell_delay_s=camera.max_dwell_delay,
    )


def recognition_options(camera: StreamCamera) -> RecognitionOptions:
    """What is looked for in each frame."""
    return RecognitionOptions(
        regions=camera.regions,
        strict=camera.region_config == "strict",
        vehicle_required=camera.detection_rule == "strict",
        text_formats=camera.text_formats,
        plates_per_vehicle=camera.plates_per_vehicle,
        attributes=camera.mmc,
    )


def camera_context(camera: StreamCamera, settings: StreamSettings) -> StreamCameraContext:
    """What every event of a camera tells."""
    return StreamCameraContext(
        camera.id,
        camera.url,
        settings.zone,
        camera.mmc,
        camera.detection_mode == "vehicle",
        camera.user_data,
    )


def _zone(camera: StreamCamera) -> Zone | None:
    if camera.mask is None:
        return None
    try:
        return Zone.from_path(camera.mask)
    except ImageError as error:
        raise SettingsError(f"[cameras] [[{camera.id}]] mask_id must be the name of a picture: {error}") from error
