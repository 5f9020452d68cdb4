"""Cameras that run by the clock, as ``openplate watch`` runs them: delays of events, dropped frames, memory."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import numpy as np

from benchmarks.speed import resident_megabytes
from benchmarks.watch.cost import WATCHING, MeteredPicture, StageMeter
from openplate.cli.work import cores
from openplate.datatypes import Recognition
from openplate.delivery.upload_queue import UploadQueue
from openplate.formats import rekor
from openplate.imaging import limit_threads
from openplate.imaging.frame import Frame
from openplate.models import Device
from openplate.options import RecognitionOptions
from openplate.pipeline import Recognizer
from openplate.service.outputs import Camera
from openplate.service.scout_output import ScoutOutput
from openplate.service.scout_report import ScoutReporter
from openplate.service.watching import Watcher
from openplate.settings.watch_plan import CameraPlan
from openplate.storage.pictures import PictureRing
from openplate.video import SourceOptions, SteadyClock, open_source
from openplate.video_pipeline import GroupPicture

_MIB: Final = 2**20
_AGENT: Final = rekor.Agent("BENCHMARK", "", "1")
_DRIFT: Final = 0.02

Clocks = Literal["own", "same"]
CLOCKS: Final[tuple[Clocks, ...]] = ("own", "same")


@dataclass(frozen=True, slots=True)
class LivePlan:
    """What runs: each of the cameras shows the clip, of so many frames a second, again and again.

    Attributes:
        sample: one of so many frames is taken.
        workers: frames that are analysed at the same time; 0: as ``openplate watch`` has it.
        clocks: ``own``: each camera's clock runs a little differently, up to 2 % fast or slow, so that their frames
            come in every phase to each other while it is measured; ``same``: all frames come at the same moment.
        settle_s: passes before anything is measured, ``seconds`` after it.
    """

    clip: Path
    cameras: int
    frames_per_s: float
    sample: int
    seconds: float
    device: Device
    workers: int = 0
    clocks: Clocks = "own"
    settle_s: float = 20.0

    @property
    def threads(self) -> int:
        """The workers that there are."""
        return self.workers or max(1, min(cores(), self.cameras))

    def rate_of(self, camera: int) -> float:
        """Frames a second of a camera, by its number from 1."""
        if self.clocks == "same":
            return self.frames_per_s
        share = (camera - 1) / max(1, self.cameras - 1)  # from 0 to 1
        return self.frames_per_s * (1 + _DRIFT * (2 * share - 1))


class PacedSource:
    """A clip as a live camera: each frame at its time by the monotonic clock, stamped when it has been decoded."""

    is_live = True

    def __init__(self, clip: Path, frames_per_s: float, options: SourceOptions, name: str, clock: SteadyClock) -> None:
        self.decode_errors = 0
        self._clip, self._rate, self._options = clip, frames_per_s, options
        self._name, self._clock = name, clock
        self._closed = threading.Event()
        self._meter = StageMeter()

    def __iter__(self) -> Iterator[Frame]:
        number, began_s = 0, time.monotonic()
        while not self._closed.is_set():
            source = open_source(str(self._clip))
            frames = iter(source)
            try:
                # What a camera has not sent cannot be decoded ahead, and what is left out is decoded in its time too.
                while not self._closed.wait(max(0.0, began_s + number / self._rate - time.monotonic())):
                    frame = next(frames, None)
                    if frame is None:
                        break
                    if number % self._options.sample == 0:
                        yield Frame(MeteredPicture(frame, self._meter), self._name, number, self._clock.now())
                    number += 1
            finally:
                source.close()

    def close(self) -> None:
        self._closed.set()


class Delays:
    """An output, the last of all: how long after its frame an event was out, by what it is. Milliseconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, Frame] = {}
        self._pending: dict[str, list[datetime]] = defaultdict(list)
        self.milliseconds: dict[str, list[float]] = {"preview": [], "closed": []}

    def frame(self, camera: Camera, recognition: Recognition | None, frame: Frame) -> None:  # noqa: ARG002
        with self._lock:
            self._last[camera.name] = frame
            for out_at in self._pending.pop(camera.name, ()):
                if out_at >= frame.captured_at:  # else it came of a pause
                    self._add("closed", frame.captured_at, out_at)

    def group(self, camera: Camera, picture: GroupPicture) -> None:
        """A preview's deciding frame is its last. A report's is the one that follows it, or its own best."""
        group, now = picture.group, datetime.now(UTC)
        with self._lock:
            last = self._last.get(camera.name)
            if group.state == "preview":
                self._add("preview", group.last_seen, now)
            elif group.state == "closed" and last is not None and group.best.frame_index == last.index:
                self._add("closed", last.captured_at, now)
            elif group.state == "closed":
                self._pending[camera.name].append(now)

    def _add(self, what: str, decided_at: datetime, out_at: datetime) -> None:
        self.milliseconds[what].append(1e3 * (out_at - decided_at).total_seconds())

    def clear(self) -> None:
        with self._lock:
            for each in self.milliseconds.values():
                each.clear()

    def columns(self) -> dict[str, str]:
        with self._lock:
            found = {name: np.percentile(each, (50, 95)) for name, each in self.milliseconds.items() if each}
        return {
            f"{name}_{which}_ms": f"{value:.1f}"
            for name, values in found.items()
            for which, value in zip(("p50", "p95"), values, strict=True)
        }

    def close(self) -> None:
        pass


def live_columns(plan: LivePlan) -> dict[str, str]:
    """The columns of one run, in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(run_live, (plan,))


def run_live(plan: LivePlan) -> dict[str, str]:
    """The columns of one run in this process. Every event is on the disk in Scout's way before it counts as out."""
    limit_threads()
    recognizer = Recognizer(RecognitionOptions(), device=plan.device, workers=plan.threads)
    source = open_source(str(plan.clip))
    first = next(iter(source))
    recognizer.warm_up(first.width, first.height)  # a matter of the start, not of a camera
    source.close()
    before_mb = resident_megabytes()
    cameras = [
        CameraPlan(f"camera {n}", n, f"rtsp://benchmark/{n}", SourceOptions(sample=plan.sample), video=WATCHING)
        for n in range(1, plan.cameras + 1)
    ]
    delays = Delays()
    with tempfile.TemporaryDirectory() as folder:
        watcher = Watcher(
            cameras,
            recognizer,
            [scout_output(Path(folder), cameras), delays],
            workers=plan.threads,
            opener=lambda where, options, *, name, clock: PacedSource(
                plan.clip, plan.rate_of(int(where.rpartition("/")[2])), options, name, clock
            ),
        )
        watcher.start()
        try:
            time.sleep(plan.settle_s)
            delays.clear()
            totals, settled_mb, before = Totals.of(watcher), resident_megabytes(), Usage.now()
            time.sleep(plan.seconds)
            usage = Usage.now().since(before)
            last, end_mb = Totals.of(watcher), resident_megabytes()
        finally:
            watcher.close()
    return {
        "cameras": str(plan.cameras),
        "workers": str(plan.threads),
        "clocks": plan.clocks,
        "seconds": f"{usage.wall_s:.0f}",
        **last.since(totals),
        **delays.columns(),
        "cores_used": f"{usage.own_s / usage.wall_s:.2f}",
        "others_cores": f"{max(0.0, usage.all_s - usage.own_s) / usage.wall_s:.2f}",
        "memory_mb": f"{end_mb:.0f}",
        "camera_mb": f"{(end_mb - before_mb) / plan.cameras:.1f}",
        "growth_mb": f"{end_mb - settled_mb:.1f}",
    }


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds: on the wall, of the processors by this process, and by all programs of the machine."""

    wall_s: float
    own_s: float
    all_s: float

    @classmethod
    def now(cls) -> Usage:
        words = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
        user, nice, system, _, _, *interrupts = (int(word) for word in words[1:8])
        ticks = user + nice + system + sum(interrupts)
        return cls(time.monotonic(), time.process_time(), ticks / os.sysconf("SC_CLK_TCK"))

    def since(self, before: Usage) -> Usage:
        return Usage(self.wall_s - before.wall_s, self.own_s - before.own_s, self.all_s - before.all_s)


@dataclass(frozen=True, slots=True)
class Totals:
    """What all cameras have counted."""

    frames: int
    dropped: int
    analysed: int
    groups: int

    @classmethod
    def of(cls, watcher: Watcher) -> Totals:
        statuses = watcher.statuses()
        return cls(*(sum(getattr(each, name) for each in statuses) for name in cls.__slots__))

    def since(self, before: Totals) -> dict[str, str]:
        return {name: str(getattr(self, name) - getattr(before, name)) for name in self.__slots__}


def scout_output(folder: Path, cameras: Sequence[CameraPlan]) -> ScoutOutput:
    """Pictures and messages in a folder, up to 64 MiB of each."""
    queue = UploadQueue(folder / "uploads", 64 * _MIB, groups_only=True)
    reporter = ScoutReporter(PictureRing(folder / "pictures", 64 * _MIB), queue)
    return ScoutOutput(reporter, {plan.number: rekor.CameraContext(_AGENT, plan.number, "eu") for plan in cameras})
