"""Rekor Scout's heartbeat: once a minute, how the agent, its machine and its cameras are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from openplate.formats.openalpr import epoch_ms
from openplate.formats.rekor_parts import Agent, CameraContext, Version, degrees

__all__ = ["AgentState", "MachineState", "StreamState", "heartbeat"]

UNKNOWN_COUNT = -1


@dataclass(frozen=True, slots=True)
class MachineState:
    """The machine; sizes in bytes, ``measured_at`` aware, ``cpu_percent`` 0 to 100."""

    measured_at: datetime
    cpu_cores: int
    cpu_percent: float
    uptime_s: int
    memory_total: int
    memory_used: int
    swap_total: int
    swap_used: int
    disk_total: int
    disk_free: int
    disk_is_writable: bool = True
    os: str = "linux"


@dataclass(frozen=True, slots=True)
class AgentState:
    """The agent itself.

    Attributes:
        uptime_s: since it was started.
        pictures_limit, pictures_bytes: the most that the ring of pictures may hold, and what it holds.
        oldest_picture: aware time of the oldest picture, None without any.
        queued: messages that wait to be uploaded; None: nobody knows.
        threads_active, threads_configured: those that analyse.
        keeps_pictures: whether pictures are stored.
    """

    uptime_s: int
    pictures_limit: int = 0
    pictures_bytes: int = 0
    oldest_picture: datetime | None = None
    queued: int | None = None
    threads_active: int = 0
    threads_configured: int = 0
    keeps_pictures: bool = False


@dataclass(frozen=True, slots=True)
class StreamState:
    """One camera. ``last_update`` is when its last frame came, ``last_read`` its last plate; both aware or None."""

    camera: CameraContext
    url: str
    fps: float
    is_streaming: bool
    last_update: datetime | None = None
    last_read: datetime | None = None
    reads: int = 0


def heartbeat(
    agent: Agent,
    state: AgentState,
    machine: MachineState,
    streams: Sequence[StreamState] = (),
    *,
    at: datetime,
    version: Version = 2,
) -> dict[str, object]:
    """The message; there is no licence to check here, so it is always valid."""
    made: dict[str, object] = {
        "data_type": "heartbeat",
        "agent_uid": agent.uid,
        "agent_type": agent.kind,
        "agent_version": agent.version,
        "agent_hostname": agent.hostname,
        "company_id": agent.company_id,
        "openalpr_version": agent.version,
        "os": machine.os,
        "timestamp": epoch_ms(at),
        "license_key": "",
        "license_systemid": "",
        "license_valid": True,
        "system_uptime_seconds": int(machine.uptime_s),
        "daemon_uptime_seconds": int(state.uptime_s),
        "cpu_cores": machine.cpu_cores,
        "cpu_usage_percent": round(float(machine.cpu_percent), 2),
        "cpu_last_update": epoch_ms(machine.measured_at),
        "memory_total_bytes": machine.memory_total,
        "memory_consumed_bytes": machine.memory_used,
        "memory_swaptotal_bytes": machine.swap_total,
        "memory_swapused_bytes": machine.swap_used,
        "memory_last_update": epoch_ms(machine.measured_at),
        "disk_quota_total_bytes": state.pictures_limit,
        "disk_quota_consumed_bytes": state.pictures_bytes,
        "disk_quota_earliest_result": _moment(state.oldest_picture),
        "disk_drive_total_bytes": machine.disk_total,
        "disk_drive_free_bytes": machine.disk_free,
        "beanstalk_queue_size": UNKNOWN_COUNT if state.queued is None else state.queued,
        "recording_enabled": state.keeps_pictures,
        "processing_threads_active": state.threads_active,
        "processing_threads_configured": state.threads_configured,
        "video_streams": [_stream(stream, version) for stream in streams],
    }
    if version >= 3:
        made |= {"alprd_active": True, "disk_drive_is_writable": machine.disk_is_writable}
    return made


def _stream(stream: StreamState, version: Version) -> dict[str, object]:
    made: dict[str, object] = {
        "camera_id": stream.camera.camera_id,
        "camera_name": stream.camera.name,
        "url": stream.url,
        "fps": round(float(stream.fps), 2),
        "is_streaming": stream.is_streaming,
        "last_update": _moment(stream.last_update),
        "gps_latitude": degrees(stream.camera.latitude),
        "gps_longitude": degrees(stream.camera.longitude),
    }
    if version >= 3:
        made |= {"last_plate_read": _moment(stream.last_read), "total_plate_reads": stream.reads}
    return made


def _moment(at: datetime | None) -> int:
    """Milliseconds since 1970; 0 for never."""
    return 0 if at is None else epoch_ms(at)
