"""Processor time of one camera by what it is spent on, in one thread: frames of a clip as fast as they go."""

from __future__ import annotations

import copy
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from openplate.datatypes import Box
from openplate.grouping import STREAM
from openplate.imaging import Image, Pixels
from openplate.imaging.frame import Frame
from openplate.pipeline import Recognizer
from openplate.video import SourceOptions, open_source
from openplate.video.motion import MotionGate
from openplate.video_pipeline import VideoOptions, VideoRecognizer

WATCHING: Final = VideoOptions(groups=replace(STREAM, memory_decay_s=0.0, preview=True))
"""Each round of a clip is reported anew, the gate is told early."""

STAGES: Final = ("decode", "gate", "colors", "detect", "corners", "read", "region", "track")
"""``track`` has all that the others have not: tracks, groups, and what lies between the networks."""
_OF_DECODED: Final = frozenset({"decode", "gate"})
_METHODS: Final = {
    "detector": ("detect", "detect"),
    "corner_refiner": ("refine", "corners"),
    "reader": ("read_plates", "read"),
    "region_classifier": ("classify_plates", "region"),
}


class StageMeter:
    """Adds up processor time of this thread by stage; a stage within another one is not counted twice."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inner: list[float] = [0.0]

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.thread_time()
        self._inner.append(0.0)
        try:
            yield
        finally:
            spent = time.thread_time() - start
            self.seconds[name] += spent - self._inner.pop()
            self._inner[-1] += spent

    def wrapped(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            with self.stage(name):
                return work(*arguments, **named)

        return timed

    def recognizer(self, recognizer: Recognizer) -> Recognizer:
        """One whose networks are metered, with what surrounds each of them."""
        changed = {}
        for field, (method, name) in _METHODS.items():
            network = copy.copy(getattr(recognizer.stages, field))
            setattr(network, method, self.wrapped(name, getattr(network, method)))
            changed[field] = network
        return Recognizer.from_stages(replace(recognizer.stages, **changed), recognizer.options, recognizer.limits)


class MeteredPicture:
    """A frame's picture whose colours are metered."""

    def __init__(self, frame: Frame, meter: StageMeter) -> None:
        self._frame, self._meter = frame, meter

    @property
    def width(self) -> int:
        return self._frame.width

    @property
    def height(self) -> int:
        return self._frame.height

    def to_image(self) -> Image:
        with self._meter.stage("colors"):
            return self._frame.image

    def to_luma(self) -> Pixels:
        return self._frame.luma


class MeteredGate:
    """A motion gate that is metered."""

    def __init__(self, meter: StageMeter) -> None:
        self._gate, self._meter = MotionGate(), meter

    def update(self, frame: Frame) -> Sequence[Box]:
        with self._meter.stage("gate"):
            return self._gate.update(frame)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a camera cost.

    Attributes:
        seconds: of video.
        decoded, analysed: frames.
        groups: passes that were reported.
        process_s: processor time of the whole process.
        stages_s: of the thread, by stage.
    """

    seconds: float
    decoded: int
    analysed: int
    groups: int
    process_s: float
    stages_s: dict[str, float]

    @property
    def cameras_per_core(self) -> float:
        return self.seconds / self.process_s

    def columns(self) -> dict[str, str]:
        """The rates of results/watch.csv; where nothing was analysed, all went into frames that were only decoded."""
        of_decoded = _OF_DECODED if self.analysed else frozenset(STAGES)
        times = {name: self.stages_s.get(name, 0.0) for name in STAGES}
        stages = {
            f"{name}_ms": f"{1e3 * spent / (self.decoded if name in of_decoded else self.analysed):.2f}"
            for name, spent in times.items()
        }
        for_decoded = sum(spent for name, spent in times.items() if name in of_decoded)
        for_analysed = sum(times.values()) - for_decoded
        return {
            "seconds": f"{self.seconds:.0f}",
            "frames": str(self.decoded),
            "analysed": str(self.analysed),
            "groups": str(self.groups),
            "cpu_decoded_ms": f"{1e3 * for_decoded / self.decoded:.2f}",
            "cpu_analysed_ms": f"{1e3 * for_analysed / self.analysed:.2f}" if self.analysed else "",
            **stages,
            "cameras_per_core": f"{self.cameras_per_core:.2f}",
        }


def measure_cost(
    clip: Path, recognizer: Recognizer, *, seconds: float, frames_per_s: float, sample: int, warm_up_s: float = 2.0
) -> Cost:
    """One camera that shows the clip again and again.

    Args:
        clip: of so many frames per second.
        recognizer: for one worker.
        seconds: of video to measure, after ``warm_up_s``, in which the gate learns the scene.
        frames_per_s: of the camera.
        sample: one of so many frames is analysed, where something moves.
    """
    meter = StageMeter()
    video = VideoRecognizer(meter.recognizer(recognizer), WATCHING, camera="benchmark", motion=MeteredGate(meter))
    frames = looped(clip, frames_per_s, sample, meter)
    warm_up, wanted = (max(1, round(length * frames_per_s / sample)) for length in (warm_up_s, seconds))
    for _ in range(warm_up):
        video.feed(next(frames))
    meter.seconds.clear()
    analysed = groups = 0
    start = time.process_time()
    for _ in range(wanted):
        frame = next(frames)
        with meter.stage("track"):
            seen = video.feed(frame)
        analysed += seen.recognition is not None
        groups += sum(picture.group.state == "closed" for picture in seen.groups)
    spent = time.process_time() - start
    frames.close()
    return Cost(wanted * sample / frames_per_s, wanted * sample, analysed, groups, spent, dict(meter.seconds))


def looped(clip: Path, frames_per_s: float, sample: int, meter: StageMeter) -> Generator[Frame, None, None]:
    """The clip without an end; times go on from round to round."""
    number = 0
    began: datetime | None = None
    while True:
        source = open_source(str(clip), SourceOptions(sample=sample))
        frames = iter(source)
        try:
            while True:
                with meter.stage("decode"):
                    frame = next(frames, None)
                if frame is None:
                    break
                began = began or frame.captured_at
                at = began + timedelta(seconds=number / frames_per_s)
                yield Frame(MeteredPicture(frame, meter), frame.source, number, at)
                number += sample
        finally:
            source.close()
