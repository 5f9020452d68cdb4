"""All that works in Scout's way beside the cameras: ring of pictures, queue, uploads, heartbeats."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from openplate.delivery.upload_queue import UploadQueue
from openplate.delivery.uploader import UploadCounts, Uploader, UploadOptions
from openplate.errors import SettingsError
from openplate.formats import rekor
from openplate.service.folder_lock import FolderLock
from openplate.service.machine import MachineMeter
from openplate.service.scout_heart import Heart
from openplate.service.scout_output import ScoutOutput
from openplate.service.scout_report import ScoutReporter, agent_uid, build_agent, build_camera
from openplate.service.watched_camera import CameraStatus, camera_of
from openplate.settings.scout import ScoutCamera, ScoutSettings
from openplate.settings.watch_plan import CameraPlan
from openplate.storage.pictures import PictureRing

LAST_UPLOADS_S: Final = 10.0
"""How long what waits at the end may still be sent, where the receiver answers."""

_MIB: Final = 2**20


class ScoutSide:
    """``output`` goes among the watcher's outputs; ``start`` before the cameras, ``close`` after them."""

    def __init__(
        self,
        output: ScoutOutput,
        heart: Heart,
        uploader: Uploader | None,
        ring: PictureRing | None,
        reporter: ScoutReporter,
        lock: FolderLock,
    ) -> None:
        self.output, self.ring = output, ring
        self._heart, self._uploader, self._reporter, self._lock = heart, uploader, reporter, lock

    @classmethod
    def open(
        cls,
        settings: ScoutSettings,
        plans: Sequence[CameraPlan],
        folder: Path,
        *,
        version: str,
        hostname: str,
        workers: int,
        now: Callable[[], datetime],
    ) -> Self:
        """
        Args:
            settings: Scout's.
            plans: the cameras.
            folder: for the queue and the agent's own uid.
            version, hostname: of this agent, as messages tell it.
            workers: frames that are analysed at the same time.
            now: the clock of heartbeats.

        Raises:
            SettingsError: the agent's uid has another form.
            StorageError: a folder cannot be used, or another process uses it.
        """
        lock = FolderLock(folder)
        try:
            try:
                agent = build_agent(settings, agent_uid(settings, folder), version, hostname)
            except ValueError as error:
                raise SettingsError(f"the agent's uid: {error}") from error
            cameras = {plan.number: _context(settings, plan, agent) for plan in plans}
            ring = None
            if settings.store_plates:
                ring = PictureRing(Path(settings.store_plates_location), settings.store_plates_maxsize_mb * _MIB)
            queue, uploader = _uploads(settings, folder)
            wire: rekor.Version = 3 if settings.scout_version == 3 else 2
            reporter = ScoutReporter(ring, queue, version=wire, jpeg_quality=settings.store_plates_jpeg_quality)
            heart = Heart(
                agent,
                cameras,
                reporter,
                MachineMeter(folder),
                pictures=ring,
                uploads=queue,
                version=wire,
                workers=workers,
                now=now,
            )
            output = ScoutOutput(reporter, cameras, has_groups=settings.plate_groups_enabled)
            return cls(output, heart, uploader, ring, reporter, lock)
        except BaseException:
            lock.release()
            raise

    @property
    def failed(self) -> int:
        """Pictures and messages that could not be kept."""
        return self._reporter.failed

    def uploads(self) -> UploadCounts | None:
        """None where nothing is uploaded."""
        return None if self._uploader is None else self._uploader.counts()

    def start(self, statuses: Callable[[], Sequence[CameraStatus]]) -> None:
        """``statuses`` says how the cameras are, for heartbeats."""
        if self._uploader is not None:
            self._uploader.start()
            self._heart.start(statuses)

    def close(self, timeout_s: float = LAST_UPLOADS_S) -> None:
        """What waits is sent as long as the receiver takes it; the rest stays on the disk for the next start."""
        until = time.monotonic() + timeout_s
        self._heart.stop()
        if self._uploader is not None:
            while time.monotonic() < until:
                counts = self._uploader.counts()
                if counts.waiting == 0 or counts.is_failing:
                    break
                time.sleep(0.02)
            self._uploader.stop(max(1.0, until - time.monotonic()))
        self._lock.release()


def _context(settings: ScoutSettings, plan: CameraPlan, agent: rekor.Agent) -> rekor.CameraContext:
    camera = ScoutCamera(
        plan.number,
        camera_of(plan).where,
        camera_name=plan.name,
        gps_latitude=plan.latitude,
        gps_longitude=plan.longitude,
    )
    return build_camera(settings, camera, agent)


def _uploads(settings: ScoutSettings, folder: Path) -> tuple[UploadQueue | None, Uploader | None]:
    if not settings.upload_data:
        return None, None
    queue = UploadQueue(
        folder / "uploads", settings.upload_queue_maxsize_mb * _MIB, groups_only=settings.upload_groups_only
    )
    return queue, Uploader(queue, settings.upload_address, UploadOptions(threads=settings.upload_threads))
