"""Cameras in memory that show painted streets, and an output that keeps what it is given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from factories import NOON
from openplate import RecognitionOptions, Recognizer
from openplate.datatypes import Box, Recognition
from openplate.grouping import STREAM
from openplate.imaging import Image
from openplate.imaging.frame import Frame
from openplate.service.outputs import Camera
from openplate.settings.watch_plan import CameraPlan
from openplate.video import SourceOptions, SteadyClock
from openplate.video_pipeline import GroupPicture, VideoOptions
from stand_ins import make_stages, paint_street

TEXTS = ("ABC1234", "XYZ9876")
QUICK = VideoOptions(groups=replace(STREAM, max_prediction_delay_s=None, time_delta_ms=1000))


def make_recognizer() -> Recognizer:
    looks = ({"br": 0.9, "ar": 0.08, "cl": 0.02},) * 2
    return Recognizer.from_stages(make_stages(TEXTS, looks, 0.999, None), RecognitionOptions(mode="fast"))


def street(*places: tuple[int, float]) -> Image:
    """Cars: (number of the plate, x of the car's left side)."""
    cars = [Box(x, 200, x + 360, 500) for _, x in places]
    return Image(paint_street(1280, 720, cars, [(Box(x + 130, 400, x + 230, 430), number) for number, x in places]))


def passing(number: int = 0, count: int = 6) -> list[Image]:
    return [street((number, 50.0 + 90 * i)) for i in range(count)]


def make_plan(name: str = "gate", where: str = "gate.mp4", number: int = 1, **changes: object) -> CameraPlan:
    plan = CameraPlan(
        name,
        number,
        where,
        SourceOptions(reconnect_first_s=0.01, reconnect_most_s=0.05, frozen_after_s=0),
        RecognitionOptions(mode="fast"),
        QUICK,
        skips_still=False,
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


Script = Callable[[str, SteadyClock], Iterator[Image]]


class ScriptedSource:
    """What a script yields, five a second by the file's time, or by the clock for a camera."""

    def __init__(self, images: Iterator[Image], name: str, clock: SteadyClock | None) -> None:
        self.is_live = clock is not None
        self.decode_errors = 0
        self.is_closed = False
        self._images, self._name, self._clock = images, name, clock

    def __iter__(self) -> Iterator[Frame]:
        for index, image in enumerate(self._images):
            at = self._clock.now() if self._clock else NOON + timedelta(seconds=index / 5)
            yield Frame(image, self._name, index, at, None if self._clock else index / 5)

    def close(self) -> None:
        self.is_closed = True


class Scripts:
    """An opener: each address has a script, which is called each time that it is opened."""

    def __init__(self, scripts: dict[str, Callable[[], Iterator[Image]]]) -> None:
        self._scripts = scripts
        self.opened: list[ScriptedSource] = []

    def __call__(
        self,
        where: str,
        options: SourceOptions,  # noqa: ARG002
        *,
        name: str,
        clock: SteadyClock,
    ) -> ScriptedSource:
        source = ScriptedSource(self._scripts[where](), name, clock if "://" in where else None)
        self.opened.append(source)
        return source


class Keeping:
    """Keeps all of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.frames: list[tuple[Camera, Recognition | None, Frame]] = []
        self.pictures: list[tuple[Camera, GroupPicture]] = []
        self.is_closed = False

    def frame(self, camera: Camera, recognition: Recognition | None, frame: Frame) -> None:
        with self._lock:
            self.frames.append((camera, recognition, frame))

    def group(self, camera: Camera, picture: GroupPicture) -> None:
        with self._lock:
            self.pictures.append((camera, picture))

    def close(self) -> None:
        self.is_closed = True

    def texts(self) -> list[tuple[str, str | None]]:
        with self._lock:
            told = [(camera.name, picture.group.consensus) for camera, picture in self.pictures]
        return [(name, consensus.text if consensus else None) for name, consensus in told]


def names(cameras: Sequence[Camera]) -> list[str]:
    return [camera.name for camera in cameras]
