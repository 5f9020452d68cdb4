"""Scout's heartbeat: once a minute, how the agent, its machine and its cameras are."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from openplate.delivery.upload_queue import UploadQueue
from openplate.formats import rekor
from openplate.service.machine import MachineMeter
from openplate.service.scout_report import ScoutReporter
from openplate.service.watched_camera import CameraStatus
from openplate.storage.pictures import PictureRing

EVERY_S: Final = 60.0

_log = logging.getLogger(__name__)


class Heart:
    """Beats at its start and then once a minute, in a thread of its own."""

    def __init__(
        self,
        agent: rekor.Agent,
        cameras: Mapping[int, rekor.CameraContext],
        reporter: ScoutReporter,
        meter: MachineMeter,
        *,
        pictures: PictureRing | None,
        uploads: UploadQueue | None,
        version: rekor.Version,
        workers: int,
        now: Callable[[], datetime],
        every_s: float = EVERY_S,
    ) -> None:
        self._agent, self._cameras, self._reporter, self._meter = agent, cameras, reporter, meter
        self._pictures, self._uploads = pictures, uploads
        self._version: rekor.Version = version
        self._workers, self._now, self._every_s = workers, now, every_s
        self._began_s = time.monotonic()
        self._frames: dict[int, tuple[float, int]] = {}
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, statuses: Callable[[], Sequence[CameraStatus]]) -> None:
        """``statuses`` says how the cameras are."""
        self._thread = threading.Thread(target=self._run, args=(statuses,), name="heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join(5.0)

    def _run(self, statuses: Callable[[], Sequence[CameraStatus]]) -> None:
        while True:
            try:
                self.beat(statuses())
            except Exception:
                _log.exception("a heartbeat failed in a way that nobody expected")
            if self._end.wait(self._every_s):
                return

    def beat(self, statuses: Sequence[CameraStatus]) -> None:
        """One heartbeat; frames a second are those since the one before."""
        now = self._now()
        streams = [self._stream(status) for status in statuses]
        message = rekor.heartbeat(
            self._agent, self._state(statuses), self._meter.measure(now), streams, at=now, version=self._version
        )
        self._reporter.send(message)

    def _stream(self, status: CameraStatus) -> rekor.StreamState:
        number, at_s = status.camera.number, time.monotonic()
        before_s, before = self._frames.get(number, (self._began_s, 0))
        self._frames[number] = (at_s, status.frames)
        passed_s = at_s - before_s
        return rekor.StreamState(
            self._cameras[number],
            status.camera.where,
            (status.frames - before) / passed_s if passed_s > 0 else 0.0,
            status.state == "running",
            status.last_frame_at,
            status.last_read_at,
            status.reads,
        )

    def _state(self, statuses: Sequence[CameraStatus]) -> rekor.AgentState:
        kept = self._pictures.list() if self._pictures is not None else ()
        running = sum(status.state == "running" for status in statuses)
        return rekor.AgentState(
            uptime_s=int(time.monotonic() - self._began_s),
            pictures_limit=self._pictures.max_bytes if self._pictures is not None else 0,
            pictures_bytes=self._pictures.used_bytes if self._pictures is not None else 0,
            oldest_picture=datetime.fromtimestamp(kept[0].epoch_ms / 1000, UTC) if kept else None,
            queued=None if self._uploads is None else len(self._uploads),
            threads_active=min(running, self._workers),
            threads_configured=self._workers,
            keeps_pictures=self._pictures is not None,
        )
