"""A day of events in minutes: nothing may leak, neither memory nor files nor rows, and what has had its time must go.

    python -m benchmarks.endurance                          # 26 hours of 120 vehicles an hour
    python -m benchmarks.endurance --hours 49 --vehicles 40

Vehicles drive through tracking and grouping into Scout's ring and queue, Stream's table, outbox and webhooks, and a
server's kept recognitions, by a clock of the simulation's own. From the third to the fifth hour no receiver takes
anything. What is there at the end of each hour is printed; the exit code is 1 if something is more than it may be.
"""

from __future__ import annotations

import argparse
import gc
import os
import sqlite3
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.speed import resident_megabytes
from openplate.datatypes import Box, Detection, Guess, Plate, PlateCandidate, PlateReading, Recognition, Vehicle
from openplate.delivery.upload_queue import UploadQueue
from openplate.formats import rekor
from openplate.grouping import STREAM
from openplate.imaging import Image, Source
from openplate.imaging.frame import Frame
from openplate.service.housekeeping import Housekeeping
from openplate.service.output_group import OutputGroup
from openplate.service.outputs import Camera
from openplate.service.scout_output import ScoutOutput
from openplate.service.scout_report import ScoutReporter
from openplate.service.stream_report import StreamReporter
from openplate.service.stream_targets import open_stream_store
from openplate.settings import StorageSettings
from openplate.settings.stream import StreamCamera, StreamSettings, StreamWebhook
from openplate.storage import Entry, File, Store
from openplate.storage.pictures import PictureRing
from openplate.video_pipeline import VideoOptions, VideoRecognizer

BEGIN: Final = datetime(2026, 3, 5, tzinfo=UTC)
SILENT_HOURS: Final = range(2, 5)
"""In which no receiver takes anything."""
KEPT_FOR_S: Final = 2 * 3600
"""Of the server's recognitions."""
COUNTED_FOR_H: Final = 24
GROWTH_MB: Final = 40.0
"""Of memory after the first hour; the allocator keeps some of what the silent hours took."""

_RING, _QUEUE = 16 * 2**20, 4 * 2**20
_TIDY_EVERY: Final = timedelta(minutes=5)
_FRAMES: Final = 6
_STEP: Final = timedelta(seconds=0.4)
_SIZE: Final = (640, 360)
_CAMERA: Final = Camera("gate", 1)


@dataclass(frozen=True, slots=True)
class Level:
    """What is there at the end of an hour; ``events`` are the passes of that hour.

    ``kept_files`` are all files but Stream's table and lines, which are kept for ever; ``deliveries`` are messages that
    wait, ``counted`` the ids of the last day, ``recognitions`` those that the server keeps.
    """

    hour: int
    events: int
    memory_mb: float
    descriptors: int
    threads: int
    ring_bytes: int
    queue_bytes: int
    kept_files: int
    deliveries: int
    counted: int
    recognitions: int


class Script:
    """Stands for the networks: a vehicle that drives by, with its plate, where there is one."""

    def __init__(self) -> None:
        self.text: str | None = None
        self.step = 0

    def recognize(self, images: Sequence[Source], names: Sequence[str] | None = None) -> list[Recognition]:
        width, height = _SIZE
        if self.text is None:
            return [Recognition(names[0] if names else "", width, height)] * len(images)
        x = 20.0 + 70 * self.step
        car = Detection("vehicle", "car", Box(x, 100, x + 200, 260), 0.9)
        plate = Detection("plate", "plate", Box(x + 70, 220, x + 130, 235), 0.9)
        guesses = tuple(Guess(character, 0.99) for character in self.text)
        reading = PlateReading(self.text, 0.95, guesses, (PlateCandidate(self.text, 0.95),))
        return [Recognition("", width, height, (Plate(plate, reading, 0),), (Vehicle(car),))] * len(images)


class Day:
    """All that works beside a camera, in one folder and by one clock."""

    def __init__(self, folder: Path, vehicles_per_hour: int) -> None:
        self.now = BEGIN
        self._folder, self._pause = folder, timedelta(hours=1) / vehicles_per_hour
        self._vehicles, self._index, self._hour_events = 0, 0, 0
        self._tidied_at = BEGIN
        self._script = Script()
        self._video = VideoRecognizer(self._script, VideoOptions(groups=STREAM), camera=_CAMERA.name)
        self._image = Image(np.random.default_rng(1).integers(0, 255, (_SIZE[1], _SIZE[0], 3), np.uint8))
        self._stack = ExitStack()
        self.ring = PictureRing(folder / "ring", _RING)
        self.queue = UploadQueue(folder / "queue", _QUEUE)
        self._scout = ScoutReporter(self.ring, self.queue)
        context = rekor.CameraContext(rekor.Agent("ENDURANCE", "", "1"), _CAMERA.number, "eu")
        self._stream_store = open_stream_store(folder / "outbox")
        self._server_store = Store.open(None, folder / "server", min_free_bytes=1)
        for store in (self._stream_store, self._server_store):
            self._stack.callback(store.close)
        self._stream = StreamReporter(_stream_settings(folder / "results"), self._stream_store, now=self._clock)
        self._outputs = OutputGroup([ScoutOutput(self._scout, {_CAMERA.number: context}), self._stream])
        self._housekeepings = (
            Housekeeping(self._stream_store, StorageSettings(), now=self._clock),
            Housekeeping(self._server_store, StorageSettings(keep_for_s=KEPT_FOR_S), now=self._clock),
        )

    def _clock(self) -> datetime:
        return self.now

    def __enter__(self) -> Day:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def failures(self) -> int:
        """What could not be kept."""
        return self._scout.failed + sum(self._stream.failures.values()) + sum(self._outputs.failures.values())

    def hours(self, count: int) -> Iterator[Level]:
        """Lives through so many hours; what is there at the end of each."""
        for hour in range(count):
            self._hour_events = 0
            end = BEGIN + timedelta(hours=hour + 1)
            while self.now < end:
                self._pass()
                if hour not in SILENT_HOURS:
                    self._receive()
                self._wait(self._pause)
            yield self._level(hour)

    def _pass(self) -> None:
        """One vehicle drives by."""
        self._vehicles += 1
        # No two that follow each other are alike, and none comes again on the same day.
        self._script.text = f"{7919 * self._vehicles % 10000:04d}{31 * self._vehicles % 89 + 10}{self._vehicles % 7}"
        for self._script.step in range(_FRAMES):
            self._feed()
        self._script.text = None
        for _ in range(15):  # until it has gone
            self._feed()
        self._keep()

    def _feed(self) -> None:
        self.now += _STEP
        frame = Frame(self._image, _CAMERA.name, self._index, self.now)
        self._index += 1
        seen = self._video.feed(frame)
        self._outputs.frame(_CAMERA, seen.recognition, frame)
        for picture in seen.groups:
            self._hour_events += picture.group.state == "closed"
            self._outputs.group(_CAMERA, picture)

    def _keep(self) -> None:
        """As the server does with a picture that it recognized."""
        crop = File("plate", "plate.jpg", os.urandom(2000))
        entry = Entry(uuid.uuid4().hex, None, _CAMERA.name, self.now, "{}", True, (crop,), texts=("AB123",))
        self._server_store.record(entry, self.now)

    def _receive(self) -> None:
        """Scout's and Stream's receivers take what waits for them."""
        while (message := self.queue.take()) is not None:
            self.queue.done(message)
        target = self._stream_store.lease_target("endurance", self.now, 60)
        if target is None:
            return
        while batch := self._stream_store.due(target.id, self.now, 50):
            for delivery in batch:
                self._stream_store.delivered(delivery.id, self.now)
        self._stream_store.release_target(target.id, "endurance")

    def _wait(self, pause: timedelta) -> None:
        """Nothing drives by; once a minute a heartbeat, and every few minutes what has had its time goes."""
        end = self.now + pause
        while self.now < end:
            self.now += timedelta(minutes=1)
            self._scout.send({"data_type": "heartbeat", "timestamp": self.now.timestamp()})
            if self.now - self._tidied_at >= _TIDY_EVERY:
                self._tidied_at = self.now
                for each in self._housekeepings:
                    each.tidy()

    def _level(self, hour: int) -> Level:
        gc.collect()
        tables = [_rows(self._folder / name, "counted") for name in ("outbox", "server")]
        return Level(
            hour,
            self._hour_events,
            resident_megabytes(),
            sum(1 for _ in Path("/proc/self/fd").iterdir()),
            threading.active_count(),
            self.ring.used_bytes,
            self.queue.used_bytes,
            sum(path.is_file() for path in self._folder.rglob("*") if (self._folder / "results") not in path.parents),
            _rows(self._folder / "outbox", "deliveries"),
            max(tables),
            _rows(self._folder / "server", "recognitions"),
        )


def _stream_settings(folder: Path) -> StreamSettings:
    folder.mkdir()
    hook = StreamWebhook("office", "http://127.0.0.1:9/")
    camera = StreamCamera(
        _CAMERA.name,
        "rtsp://gate/1",
        csv_file="gate_%y-%m-%d.csv",
        jsonlines_file="gate.jsonl",
        image_format="",
        webhooks=(hook,),
    )
    return StreamSettings(folder, cameras=(camera,))


def _rows(folder: Path, table: str) -> int:
    (path,) = folder.rglob("*.db")
    connection = sqlite3.connect(path)
    try:
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(count)
    finally:
        connection.close()


def problems(levels: Sequence[Level], *, growth_mb: float = GROWTH_MB) -> list[str]:
    """What is more than it may be, in sentences; nothing where all is well."""
    first, last = levels[0], levels[-1]
    most_events = max(each.events for each in levels)
    limits = {
        "memory_mb": first.memory_mb + growth_mb,
        "descriptors": first.descriptors + 4,
        "threads": first.threads,
        "deliveries": 0 if last.hour not in SILENT_HOURS else most_events * len(SILENT_HOURS),
        "counted": (COUNTED_FOR_H + 1) * (most_events + 1),
        # A file for each of the ring's and the queue's blocks, and the crops.
        "kept_files": (_RING + _QUEUE) // 4096 + (KEPT_FOR_S / 3600 + 1) * (most_events + 1) + 100,
        "recognitions": (KEPT_FOR_S / 3600 + 0.5) * (most_events + 1),
    }
    found = [
        f"{name} is {getattr(last, name):g} after {last.hour + 1} hours, more than {limit:g}"
        for name, limit in limits.items()
        if getattr(last, name) > limit
    ]
    found += [f"the ring held {each.ring_bytes} bytes" for each in levels if each.ring_bytes > _RING]
    found += [f"the queue held {each.queue_bytes} bytes" for each in levels if each.queue_bytes > _QUEUE]
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endurance", description=(__doc__ or "").split("\n")[0])
    add: Any = parser.add_argument
    add("--hours", type=int, default=26, help="of simulated time")
    add("--vehicles", type=int, default=120, help="in an hour")
    parsed = parser.parse_args(arguments)
    levels = []
    with tempfile.TemporaryDirectory() as folder, Day(Path(folder), parsed.vehicles) as day:
        for level in day.hours(parsed.hours):
            levels.append(level)
            print(", ".join(f"{name} {value:g}" for name, value in asdict(level).items()), flush=True)
        found = problems(levels) + ([f"{day.failures} things could not be kept"] if day.failures else [])
    for problem in found:
        print(problem, file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
