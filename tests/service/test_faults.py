"""Full disks, a locked database, dead receivers, a clock that is set back: what is lost is counted, cameras go on."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.delivery.receivers import free_port
from tests.video.video_helpers import wait_until
from watch_helpers import QUICK, Keeping, make_plan, make_recognizer, passing, street

from factories import NOON, make_pixels, make_plate, make_reading, make_street, make_vehicle
from openplate.datatypes import Box, Group, Sighting
from openplate.delivery.upload_queue import UploadQueue
from openplate.formats import rekor
from openplate.imaging import Image
from openplate.imaging.frame import Frame
from openplate.service.outputs import Camera
from openplate.service.scout_output import ScoutOutput
from openplate.service.scout_report import ScoutReporter
from openplate.service.stream_report import StreamReporter
from openplate.service.stream_side import StreamSide
from openplate.service.stream_targets import open_stream_store
from openplate.service.watching import Watcher
from openplate.settings.stream import StreamCamera, StreamSettings, StreamWebhook
from openplate.storage import database
from openplate.storage.pictures import PictureRing
from openplate.video import SteadyClock
from openplate.video.motion import MotionGate
from openplate.video_pipeline import GroupPicture, VideoRecognizer
from stand_ins import paint_street
from stream_scenes import make_group

AGENT = rekor.Agent("UID", "company", "1")
CONTEXT = rekor.CameraContext(AGENT, 1)
IMAGE = Image(make_pixels(640, 480))
GATE = Camera("gate-1", 1)
HOOK = StreamWebhook("office", "http://127.0.0.1:9/")


@contextmanager
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing more can be put on the disk."""

    usual = os.open

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def full_for_new(path: str, flags: int, *more: int) -> int:
        if flags & os.O_CREAT:
            full(0)
        return usual(path, flags, *more)

    with monkeypatch.context() as changed:
        changed.setattr(os, "fsync", full)
        changed.setattr(os, "open", full_for_new)
        yield


class Scout:
    """A ring and a queue, with what reports into them."""

    def __init__(self, folder: Path, most: int = 10**8) -> None:
        self.folder = folder
        self.ring = PictureRing(folder / "ring", most)
        self.queue = UploadQueue(folder / "queue", most, groups_only=True)
        self.reporter = ScoutReporter(self.ring, self.queue)

    def report(self, second: int) -> None:
        at = NOON + timedelta(seconds=second)
        best = Sighting(at, second, make_plate(), make_vehicle(), 0)
        group = Group(f"{second:032x}", "gate", "closed", at, at, second, second, make_reading(), best, (best,))
        self.reporter.frame(CONTEXT, replace(make_street(), captured_at=at), IMAGE)
        self.reporter.group(CONTEXT, group, IMAGE)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())


def test_scout_counts_what_a_full_disk_did_not_take_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scout = Scout(tmp_path)
    scout.report(0)
    before = scout.files()
    with full_disk(monkeypatch):
        scout.report(1)
        scout.report(2)
    assert scout.files() == before  # no halves
    assert (len(scout.ring), len(scout.queue)) == (1, 1)
    assert scout.reporter.failed == 6  # of each vehicle the picture of the frame, that of the group, the message
    assert "could not be kept: no room left for" in caplog.text
    scout.report(3)
    assert (len(scout.ring), len(scout.queue), scout.reporter.failed) == (2, 2, 6)
    again = Scout(tmp_path)
    assert [each.uuid for each in again.ring.list()] == [each.uuid for each in scout.ring.list()]
    assert (again.ring.used_bytes, again.queue.used_bytes) == (scout.ring.used_bytes, scout.queue.used_bytes)


def test_a_ring_on_a_full_disk_makes_room_of_its_own(tmp_path: Path) -> None:
    scout = Scout(tmp_path, most=200_000)
    for second in range(30):
        scout.report(second)
    assert scout.reporter.failed == 0
    assert scout.ring.removed > 0
    assert scout.ring.used_bytes <= 200_000
    assert scout.queue.dropped > 0
    assert scout.queue.used_bytes <= 200_000


def test_cameras_do_not_feel_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scout, keeping = Scout(tmp_path), Keeping()

    class Footage:
        is_live, decode_errors = False, 0

        def __iter__(self) -> Iterator[Frame]:
            for index, image in enumerate([*passing(0), street(), *passing(1)]):
                yield Frame(image, "gate", index, NOON + timedelta(seconds=index / 5), index / 5)

        def close(self) -> None:
            pass

    output = ScoutOutput(scout.reporter, {1: CONTEXT})
    watcher = Watcher([make_plan()], make_recognizer(), [output, keeping], opener=lambda *_, **__: Footage())
    with full_disk(monkeypatch):
        watcher.start()
        assert watcher.wait(90)
        assert watcher.close()
    assert [text for _, text in keeping.texts()] == ["ABC1234", "XYZ9876"]
    assert watcher.output_failures == {}
    assert scout.reporter.failed >= 4


@contextmanager
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program writes to the database, and does not end."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield other
    finally:
        other.close()


def outbox(folder: Path) -> Path:
    (found,) = folder.rglob("*.db")
    return found


def settings_of(folder: Path, hook: StreamWebhook = HOOK) -> StreamSettings:
    camera = StreamCamera("gate-1", "rtsp://h/1", jsonlines_file="a.jsonl", webhooks=(hook,))
    return StreamSettings(folder, cameras=(camera,))


def texts_in(path: Path) -> list[str]:
    return [json.loads(line)["results"][0]["plate"] for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_locked_outbox_is_waited_for(tmp_path: Path) -> None:
    store = open_stream_store(tmp_path / "data")
    reporter = StreamReporter(settings_of(tmp_path), store)
    with locked(outbox(tmp_path)) as other:
        thread = threading.Thread(target=reporter.group, args=(GATE, GroupPicture(make_group(), IMAGE)))
        thread.start()
        wait_until(lambda: (tmp_path / "a.jsonl").exists())  # which comes before the webhooks
        other.execute("ROLLBACK")
        thread.join(90)
    assert (reporter.failures, [each.waiting for each in store.backlog()]) == ({}, [1])
    store.close()


def test_an_outbox_locked_for_ever_is_counted_and_takes_nothing_from_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.05)
    store = open_stream_store(tmp_path / "data")
    reporter = StreamReporter(settings_of(tmp_path), store)
    with locked(outbox(tmp_path)):
        reporter.group(GATE, GroupPicture(make_group("AAA111", id=f"{1:032x}"), IMAGE))
    assert reporter.failures == {"webhooks": 1}
    assert "webhooks of AAA111 could not be kept (1 in all): the database failed: database is locked" in caplog.text
    reporter.group(GATE, GroupPicture(make_group("BBB222", id=f"{2:032x}"), IMAGE))
    assert reporter.failures == {"webhooks": 1}
    assert [each.waiting for each in store.backlog()] == [1]
    assert texts_in(tmp_path / "a.jsonl") == ["aaa111", "bbb222"]
    store.close()


def test_a_dead_receiver_is_counted_and_nobody_waits_for_it(tmp_path: Path) -> None:
    hook = StreamWebhook("office", f"http://127.0.0.1:{free_port()}/")
    side = StreamSide.open(settings_of(tmp_path, hook), tmp_path / "data")
    side.start()
    for number in range(5):
        side.output.group(GATE, GroupPicture(make_group(f"AAA{number}11", id=f"{number:032x}"), IMAGE))
    wait_until(lambda: (counts := side.counts()) is not None and counts.failed > 0)
    assert side.waiting() == 5
    assert side.output.failures == {}
    side.close(5)
    assert len(texts_in(tmp_path / "a.jsonl")) == 5


class Hand:
    """A clock that is set by hand, and one that runs on."""

    def __init__(self) -> None:
        self.wall_s, self.passed_s = NOON.timestamp(), 0.0

    def turn(self, seconds: float) -> None:
        self.wall_s, self.passed_s = self.wall_s + seconds, self.passed_s + seconds


def test_a_clock_set_back_by_an_hour_loses_and_repeats_no_vehicle() -> None:
    hand = Hand()
    clock = SteadyClock(lambda: hand.passed_s, lambda: hand.wall_s)
    video = VideoRecognizer(make_recognizer(), QUICK, camera="gate", motion=MotionGate())
    told: list[str] = []

    def show(images: list[Image], first: int, back_at: int = -1) -> None:
        for index, image in enumerate(images, first):
            hand.turn(0.2)
            if index == back_at:
                hand.wall_s -= 3600
            seen = video.feed(Frame(image, "gate", index, clock.now()))
            told.extend(each.group.consensus.text for each in seen.groups if each.group.consensus)

    show([street()] * 10, 0)
    show(passing(0), 10, back_at=13)
    show([street()] * 30, 16)
    show(passing(1), 46)
    show([street()] * 30, 52)
    assert told == ["ABC1234", "XYZ9876"]
    assert clock.steps == 1


@pytest.mark.parametrize("share", [0.5, 1.5])
def test_a_vehicle_under_way_is_told_once_when_the_camera_changes_the_size_of_its_picture(share: float) -> None:
    def scaled(*places: tuple[int, float]) -> Image:
        cars = [Box(share * x, share * 200, share * (x + 360), share * 500) for _, x in places]
        plates = [(Box(share * (x + 130), share * 400, share * (x + 230), share * 430), number) for number, x in places]
        return Image(paint_street(round(share * 1280), round(share * 720), cars, plates))

    video = VideoRecognizer(make_recognizer(), QUICK, camera="gate", motion=MotionGate())
    way = [(0, 50.0 + 90 * step) for step in range(6)]
    images = [street()] * 5 + [street(place) for place in way[:3]] + [scaled(place) for place in way[3:]]
    told = []
    for index, image in enumerate([*images, *[scaled()] * 15]):
        seen = video.feed(Frame(image, "gate", index, NOON + timedelta(seconds=index / 5)))
        told += [each.group.consensus.text for each in seen.groups if each.group.consensus]
    assert told == ["ABC1234"]
    assert not video.close().groups
