"""Watching over a source, with one that does as the test says."""

from __future__ import annotations

import itertools
import queue
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from video_helpers import draw, wait_until

from openplate.errors import SourceEnded, SourceUnavailable
from openplate.imaging import Image
from openplate.imaging.frame import Frame
from openplate.video import LiveCamera, SourceOptions, SteadyClock
from openplate.video.camera import StillPicture

QUICK = SourceOptions(reconnect_first_s=0.01, reconnect_most_s=0.02)


class ScriptedSource:
    """Gives the frames, and raises the errors, that are put into its queue; None ends it."""

    is_live = True
    decode_errors = 0

    def __init__(self, clock: SteadyClock, name: str) -> None:
        self._clock, self._name = clock, name
        self.script: queue.Queue[Image | Exception | None] = queue.Queue()
        self.is_closed = False

    def __iter__(self) -> Iterator[Frame]:
        for index in itertools.count():
            step = self.script.get()
            if step is None:
                return
            if isinstance(step, Exception):
                raise step
            yield Frame(step, self._name, index, self._clock.now())

    def close(self) -> None:
        self.is_closed = True


class Scripts:
    """An opener; ``failures`` are raised by the next attempts, afterwards each gives a source to be scripted."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.sources: list[ScriptedSource] = []
        self.attempts = 0

    def __call__(self, where: str, options: SourceOptions, *, name: str, clock: SteadyClock) -> ScriptedSource:  # noqa: ARG002
        self.attempts += 1
        if self.failures:
            raise self.failures.pop(0)
        self.sources.append(ScriptedSource(clock, name))
        return self.sources[-1]

    def newest(self) -> ScriptedSource:
        return self.sources[-1]

    def wait_for(self, count: int) -> ScriptedSource:
        wait_until(lambda: len(self.sources) >= count, lambda: self.attempts)
        return self.newest()


def picture(number: int, width: int = 64, height: int = 48) -> Image:
    return Image(draw(width, height, number))


@contextmanager
def watching(scripts: Scripts, options: SourceOptions = QUICK, name: str | None = "gate") -> Iterator[LiveCamera]:
    camera = LiveCamera("rtsp://u:secret@camera/cam", options, name=name, opener=scripts, generator=random.Random(1))
    camera.start()
    try:
        yield camera
    finally:
        wait_until(lambda: _ends(camera, scripts), camera.health)


def _ends(camera: LiveCamera, scripts: Scripts) -> bool:
    for source in scripts.sources:
        source.script.put(None)
    return camera.stop(0.2)


def test_frames_that_are_not_taken_are_dropped_and_counted_and_the_newest_is_kept() -> None:
    scripts = Scripts()
    with watching(scripts) as camera:
        source = scripts.wait_for(1)
        for number in range(10):
            source.script.put(picture(number))
        wait_until(lambda: camera.health().frames == 10, camera.health)
        frame = camera.next_frame(0)
        assert frame is not None
        assert (frame.index, frame.source) == (9, "gate")
        assert camera.next_frame(0.01) is None
        assert camera.health().dropped == 9
        source.script.put(picture(10))
        assert camera.next_frame(60) is not None
        health = camera.health()
        assert (health.state, health.frames, health.dropped, health.reconnects) == ("running", 11, 9, 0)
        assert (health.width, health.height, health.last_error) == (64, 48, None)
        assert health.last_frame_at is not None
    assert camera.health().state == "stopped"
    assert source.is_closed


def test_the_way_of_a_camera_from_start_to_trouble_and_back() -> None:
    scripts = Scripts(SourceUnavailable("no answer"), SourceUnavailable("still no answer"))
    with watching(scripts) as camera:
        source = scripts.wait_for(1)
        assert camera.health().state == "offline"
        assert camera.health().last_error == "still no answer"
        source.script.put(picture(0))
        wait_until(lambda: camera.health().state == "running", camera.health)
        assert camera.health().reconnects == 0
        source.script.put(SourceEnded("the camera closed the connection"))
        second = scripts.wait_for(2)
        assert source.is_closed
        assert camera.health().state == "connecting"
        assert camera.health().last_error == "the camera closed the connection"
        second.script.put(picture(1))
        wait_until(lambda: camera.health().state == "running", camera.health)
        assert camera.health().reconnects == 1
        assert camera.health().last_error == "the camera closed the connection"


def test_an_unexpected_fault_does_not_end_the_watching(caplog: pytest.LogCaptureFixture) -> None:
    scripts = Scripts(ZeroDivisionError("inside a decoder"))
    with watching(scripts) as camera:
        scripts.wait_for(1).script.put(picture(0))
        wait_until(lambda: camera.health().state == "running", camera.health)
        assert "inside a decoder" in (camera.health().last_error or "")
    assert any(record.exc_info for record in caplog.records)


def test_a_source_that_just_ends_is_opened_again() -> None:
    scripts = Scripts()
    with watching(scripts) as camera:
        scripts.wait_for(1).script.put(None)
        scripts.wait_for(2)
        assert camera.health().last_error == "gate: it has ended"


def test_a_change_of_size_is_noted(caplog: pytest.LogCaptureFixture) -> None:
    scripts = Scripts()
    with caplog.at_level("WARNING"), watching(scripts) as camera:
        source = scripts.wait_for(1)
        source.script.put(picture(0))
        source.script.put(picture(1, 101, 77))
        wait_until(lambda: camera.health().width == 101, camera.health)
        assert (camera.health().height, camera.health().size_changes) == (77, 1)
        assert camera.health().reconnects == 0
    assert "camera gate now sends 101x77 pixels" in caplog.text


def test_decode_errors_are_summed_over_connections() -> None:
    scripts = Scripts()
    with watching(scripts) as camera:
        source = scripts.wait_for(1)
        source.decode_errors = 3
        source.script.put(SourceEnded("over"))
        second = scripts.wait_for(2)
        assert camera.health().decode_errors == 3
        second.decode_errors = 2
        second.script.put(picture(0))
        wait_until(lambda: camera.health().frames == 1, camera.health)
        assert camera.health().decode_errors == 5


def test_frames_until_the_camera_is_stopped() -> None:
    scripts = Scripts()
    with watching(scripts) as camera:
        source = scripts.wait_for(1)
        taken = []
        source.script.put(picture(0))
        for frame in camera.frames():
            taken.append(frame.index)
            if len(taken) == 3:
                camera.stop(0)
            else:
                source.script.put(picture(len(taken)))
    assert taken == [0, 1, 2]


def test_secrets_of_the_address_are_in_no_name(caplog: pytest.LogCaptureFixture) -> None:
    scripts = Scripts(SourceUnavailable("no answer"))
    with caplog.at_level("INFO"), watching(scripts, name=None) as camera:
        scripts.wait_for(1)
        assert camera.name == "rtsp://camera/cam"
    assert "secret" not in caplog.text


def test_how_long_one_picture_has_been_repeated() -> None:
    now_s = 0.0
    still = StillPicture(lambda: now_s)
    at = datetime.now(UTC)

    def shown(image: Image, seconds: float) -> float:
        nonlocal now_s
        now_s = seconds
        return still.still_for_s(Frame(image, "gate", 0, at))

    assert shown(picture(0), 0) == 0
    assert shown(picture(0), 3) == 3
    assert shown(picture(1), 4) == 0
    noisy = picture(1).pixels.copy()
    noisy[20, 20] += 5
    assert shown(Image(noisy), 9) == 0
    assert shown(Image(noisy), 12) == 3
