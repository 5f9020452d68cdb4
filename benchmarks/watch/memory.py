"""Memory of cameras over hours of looped video, shown as fast as it can be analysed."""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.speed import resident_megabytes
from benchmarks.watch.cost import WATCHING, MeteredPicture, StageMeter
from benchmarks.watch.live import scout_output
from openplate.cli.work import cores
from openplate.datatypes import Recognition
from openplate.imaging import limit_threads
from openplate.imaging.frame import Frame
from openplate.models import Device
from openplate.options import RecognitionOptions
from openplate.pipeline import Recognizer
from openplate.service.outputs import Camera
from openplate.service.watching import Watcher
from openplate.settings.watch_plan import CameraPlan
from openplate.video import SourceOptions, open_source
from openplate.video_pipeline import GroupPicture

PARTS: Final = 10
"""Of the time; growth is from the second to the last, as the first fills what is kept."""
SAMPLES: Final = 200


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Cameras that each show the clip, of so many frames a second, again and again for so many minutes of video.

    ``sample``: one of so many frames is taken.
    """

    clip: Path
    cameras: int
    frames_per_s: float
    sample: int
    minutes: float
    device: Device

    @property
    def frames(self) -> int:
        """Of one camera."""
        return round(60 * self.minutes * self.frames_per_s / self.sample)


class LoopedSource:
    """The clip again and again, as a file that is so many minutes long; each round is opened anew."""

    is_live, decode_errors = False, 0

    def __init__(self, plan: MemoryPlan, name: str) -> None:
        self._plan, self._name = plan, name
        self._closed = False

    def __iter__(self) -> Iterator[Frame]:
        plan, step = self._plan, timedelta(seconds=self._plan.sample / self._plan.frames_per_s)
        began: datetime | None = None
        numbers, meter = count(), StageMeter()
        while not self._closed:
            source = open_source(str(plan.clip), SourceOptions(sample=plan.sample))
            try:
                for frame, number in zip(source, numbers, strict=False):
                    if number >= plan.frames:
                        return
                    began = began or frame.captured_at
                    at = began + number * step
                    yield Frame(MeteredPicture(frame, meter), self._name, number, at, (at - began).total_seconds())
            finally:
                source.close()

    def close(self) -> None:
        self._closed = True


class Samples:
    """An output that measures the memory every so many frames of all cameras."""

    def __init__(self, every: int) -> None:
        self._every = max(1, every)
        self._lock = threading.Lock()
        self._frames = 0
        self.megabytes: list[float] = []

    def frame(self, camera: Camera, recognition: Recognition | None, frame: Frame) -> None:  # noqa: ARG002
        with self._lock:
            self._frames += 1
            is_due = self._frames % self._every == 0
        if is_due:
            self.megabytes.append(resident_megabytes())

    def group(self, camera: Camera, picture: GroupPicture) -> None:
        pass

    def close(self) -> None:
        pass

    def growth(self) -> float:
        """From the second to the last of the parts, by the means of each; megabytes."""
        size = max(1, len(self.megabytes) // PARTS)
        return float(np.mean(self.megabytes[-size:]) - np.mean(self.megabytes[size : 2 * size]))


def memory_columns(plan: MemoryPlan) -> dict[str, str]:
    """The columns of one run, in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(run_memory, (plan,))


def run_memory(plan: MemoryPlan) -> dict[str, str]:
    """The columns of one run in this process, with Scout's pictures and messages on the disk."""
    limit_threads()
    workers = max(1, min(cores(), plan.cameras))
    recognizer = Recognizer(RecognitionOptions(), device=plan.device, workers=workers)
    source = open_source(str(plan.clip))
    first = next(iter(source))
    recognizer.warm_up(first.width, first.height)
    source.close()
    before_mb = resident_megabytes()
    cameras = [
        CameraPlan(f"camera {n}", n, f"looped {n}", SourceOptions(), video=WATCHING) for n in range(1, plan.cameras + 1)
    ]
    samples = Samples(plan.cameras * plan.frames // SAMPLES)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        watcher = Watcher(
            cameras,
            recognizer,
            [scout_output(Path(folder), cameras), samples],
            workers=workers,
            opener=lambda _where, _options, *, name, clock: LoopedSource(plan, name),  # noqa: ARG005
        )
        watcher.start()
        watcher.wait()
        statuses = watcher.statuses()
        watcher.close()
    return {
        "cameras": str(plan.cameras),
        "workers": str(workers),
        "seconds": f"{60 * plan.minutes:.0f}",
        "wall_s": f"{time.monotonic() - start:.0f}",
        "frames": str(sum(each.frames for each in statuses)),
        "analysed": str(sum(each.analysed for each in statuses)),
        "groups": str(sum(each.groups for each in statuses)),
        "memory_mb": f"{max(samples.megabytes):.0f}",
        "camera_mb": f"{(max(samples.megabytes) - before_mb) / plan.cameras:.1f}",
        "growth_mb": f"{samples.growth():.1f}",
    }
