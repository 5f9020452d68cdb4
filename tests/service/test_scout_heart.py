"""Heartbeats: when they come, and what they tell of cameras, pictures and what waits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.delivery.receivers import receiving
from tests.video.video_helpers import wait_until
from watch_helpers import make_plan

from factories import NOON
from openplate.delivery.upload_queue import UploadQueue
from openplate.errors import SettingsError, StorageError
from openplate.formats import rekor
from openplate.service.machine import MachineMeter
from openplate.service.outputs import Camera
from openplate.service.scout_heart import Heart
from openplate.service.scout_report import ScoutReporter
from openplate.service.scout_side import ScoutSide
from openplate.service.watched_camera import CameraStatus
from openplate.settings.alprd import ScoutSettings
from openplate.storage.pictures import PictureRing

AGENT = rekor.Agent("UID", "company", "1")
CAMERAS = {7: rekor.CameraContext(AGENT, 7, name="gate"), 8: rekor.CameraContext(AGENT, 8, name="yard")}
GATE = CameraStatus(Camera("gate", 7, "rtsp://gate"), "running", frames=50, reads=3, last_frame_at=NOON)
YARD = CameraStatus(Camera("yard", 8, "rtsp://yard"), "offline")


def statuses() -> tuple[CameraStatus, ...]:
    return GATE, YARD


class Bench:
    def __init__(self, folder: Path, **changes: Any) -> None:
        self.queue = UploadQueue(folder / "queue", 10**8)
        self.ring = PictureRing(folder / "ring", 10**8)
        self.times: list[datetime] = []
        values = {"pictures": self.ring, "uploads": self.queue, "version": 2, "workers": 4, "now": self.now}
        reporter = ScoutReporter(self.ring, self.queue)
        self.heart = Heart(AGENT, CAMERAS, reporter, MachineMeter(folder), **(values | changes))

    def now(self) -> datetime:
        self.times.append(NOON + timedelta(minutes=len(self.times)))
        return self.times[-1]

    def beats(self) -> list[dict[str, Any]]:
        found = []
        while (waiting := self.queue.take()) is not None:
            found.append(json.loads(waiting.path.read_bytes()))
            self.queue.done(waiting)
        return found


def test_what_a_heartbeat_tells(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.ring.put("UID-7-1772712000123", b"x" * 5000)
    bench.heart.beat(statuses())
    bench.heart.beat(statuses())
    first, second = bench.beats()
    assert (first["data_type"], first["agent_uid"]) == ("heartbeat", "UID")
    assert second["timestamp"] - first["timestamp"] == 60_000
    assert (first["beanstalk_queue_size"], second["beanstalk_queue_size"]) == (0, 1)
    assert (first["disk_quota_consumed_bytes"], first["disk_quota_earliest_result"]) == (8192, 1772712000123)
    assert (first["processing_threads_active"], first["processing_threads_configured"]) == (1, 4)
    gate, yard = first["video_streams"]
    assert (gate["camera_id"], gate["url"], gate["is_streaming"]) == (7, "rtsp://gate", True)
    assert gate["last_update"] == 1772712000123
    assert gate["fps"] > 0
    assert (yard["camera_name"], yard["is_streaming"], yard["last_update"], yard["fps"]) == ("yard", False, 0, 0)
    assert second["video_streams"][0]["fps"] == 0  # no frame since the one before


@contextmanager
def beating(heart: Heart) -> Iterator[None]:
    heart.start(statuses)
    try:
        yield
    finally:
        heart.stop()


def test_it_beats_at_the_start_and_goes_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path, every_s=0.01)
    with beating(bench.heart):
        wait_until(lambda: len(bench.times) >= 3)


def test_one_that_fails_does_not_end_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(tmp_path, every_s=0.01)

    def failing() -> tuple[CameraStatus, ...]:
        if not caplog.records:
            raise RuntimeError("not now")
        return statuses()

    bench.heart.start(failing)
    wait_until(lambda: bench.times)
    bench.heart.stop()
    assert len(caplog.records) == 1


def open_side(folder: Path, **changes: Any) -> ScoutSide:
    values = {"company_id": "c", "store_plates_location": str(folder / "ring")}
    settings = ScoutSettings(**(values | changes))
    return ScoutSide.open(
        settings, [make_plan()], folder / "data", version="1", hostname="host", workers=1, now=lambda: NOON
    )


def test_the_side_sends_a_heartbeat_and_ends(tmp_path: Path) -> None:
    with receiving() as receiver:
        side = open_side(tmp_path, upload_data=True, upload_address=receiver.url)
        side.start(lambda: (CameraStatus(Camera("gate", 1)),))
        receiver.wait_for(1, 60)
        wait_until(lambda: (counts := side.uploads()) is not None and counts.uploaded == 1)
        side.close()
    assert json.loads(receiver.requests[0].body)["data_type"] == "heartbeat"


def test_without_uploads_there_is_nothing_to_start(tmp_path: Path) -> None:
    side = open_side(tmp_path)
    side.start(lambda: ())
    assert side.uploads() is None
    assert side.ring is not None
    side.close()


def test_a_folder_is_one_processs_and_free_again_after_it(tmp_path: Path) -> None:
    side = open_side(tmp_path)
    with pytest.raises(StorageError, match="in use by another"):
        open_side(tmp_path)
    side.close()
    open_side(tmp_path).close()


def test_a_uid_of_another_form_is_refused_and_frees_the_folder(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="the agent's uid"):
        open_side(tmp_path, agent_uid="not ours!")
    open_side(tmp_path).close()
