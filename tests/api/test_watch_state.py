"""What a watcher says of itself by HTTP: counters for Prometheus, and whether all is well."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from openplate.api.watching import STATES, WatchState, create_watch_app
from openplate.service.outputs import Camera
from openplate.service.watched_camera import CameraStatus

GATE = CameraStatus(Camera("gate", 1, "rtsp://gate"), "running", frames=50, dropped=3, analysed=40, groups=2)
GATE = replace(GATE, clock_steps=1, previews=2, preview_delay_s=0.25, slowest_preview_s=0.2)
GATE = replace(GATE, last_frame_at=datetime(2026, 3, 5, 12, tzinfo=UTC), frozen=5, size_changes=6)
YARD = CameraStatus(Camera('the "yard"', 2, "rtsp://yard"), "offline", error="no answer within 10 s")


def get(path: str, state: WatchState, method: str = "GET") -> tuple[int, str]:
    """By ASGI itself."""
    sent: list[dict[str, Any]] = []
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": [], "root_path": ""}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(create_watch_app(lambda: state)(scope, receive, send))  # type: ignore[arg-type]
    body = b"".join(message.get("body", b"") for message in sent)
    return int(sent[0]["status"]), body.decode()


def test_counters() -> None:
    state = WatchState((GATE, YARD), {"uploads_dropped": 4}, {"uploads_waiting": 9}, {"ScoutOutput": 1})
    status, text = get("/metrics", state)
    lines = text.splitlines()
    assert status == 200
    for line in (
        'openplate_camera_frames_total{camera="gate"} 50.0',
        'openplate_camera_dropped_total{camera="gate"} 3.0',
        'openplate_camera_groups_total{camera="gate"} 2.0',
        'openplate_camera_clock_steps_total{camera="gate"} 1.0',
        'openplate_camera_frozen_total{camera="gate"} 5.0',
        'openplate_camera_size_changes_total{camera="gate"} 6.0',
        'openplate_camera_previews_total{camera="gate"} 2.0',
        'openplate_camera_preview_delay_seconds_total{camera="gate"} 0.25',
        'openplate_camera_slowest_preview_seconds{camera="gate"} 0.2',
        'openplate_camera_last_frame_timestamp_seconds{camera="gate"} 1.772712e+09',
        'openplate_camera_state{camera="gate",state="running"} 1.0',
        'openplate_camera_state{camera="gate",state="offline"} 0.0',
        'openplate_camera_state{camera="the \\"yard\\"",state="offline"} 1.0',
        'openplate_output_failures_total{output="ScoutOutput"} 1.0',
        "openplate_uploads_dropped_total 4.0",
        "openplate_uploads_waiting 9.0",
    ):
        assert line in lines
    assert 'last_frame_timestamp_seconds{camera="the' not in text  # it has had none


@pytest.mark.parametrize(
    ("state", "status"), [(word, 503 if word in ("offline", "failed") else 200) for word in STATES]
)
def test_health(state: Any, status: int) -> None:
    camera = CameraStatus(Camera("yard", 2, "rtsp://yard"), state, error="x")
    answered, body = get("/healthz", WatchState((GATE, camera)))
    assert answered == status
    told = json.loads(body)
    assert told["status"] == ("well" if status == 200 else "in trouble")
    assert told["cameras"]["yard"] == {"state": state, "where": "rtsp://yard", "error": "x"}


@pytest.mark.parametrize(("path", "method", "status"), [("/", "GET", 404), ("/metrics", "POST", 405)])
def test_nothing_else_is_there(path: str, method: str, status: int) -> None:
    assert get(path, WatchState(()), method)[0] == status
