"""A live camera, watched over: opened again when it fails, read by a thread of its own, never waited for."""

from __future__ import annotations

import logging
import random
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol

import numpy as np

from openplate.errors import OpenplateError, SourceUnavailable
from openplate.imaging.frame import Frame
from openplate.video.backoff import Backoff
from openplate.video.clock import SteadyClock
from openplate.video.source import Source, without_password
from openplate.video.sources import open_source
from openplate.video.values import CameraHealth, SourceOptions

logger = logging.getLogger(__name__)

_EVERY_ROW = 4  # of which the rows are compared: nothing that is seen moving is lower


class Opener(Protocol):
    """As ``open_source``."""

    def __call__(self, where: str, options: SourceOptions, *, name: str, clock: SteadyClock) -> Source: ...


class StillPicture:
    """How long a camera has repeated one picture, bit for bit, which the noise of a living one prevents."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._sum: int | None = None
        self._since_s = 0.0

    def still_for_s(self, frame: Frame) -> float:
        total = zlib.crc32(np.ascontiguousarray(frame.luma[::_EVERY_ROW]).data, frame.width)
        if total != self._sum:
            self._sum, self._since_s = total, self._monotonic()
        return self._monotonic() - self._since_s


class LiveCamera:
    """The newest frame of a camera, for one consumer.

    A thread opens the source, reads it and, when it fails or falls silent, opens it again after a growing delay.
    A frame that the consumer did not take before the next came is dropped and counted. ``stop`` ends the thread,
    which may take as long as the timeouts in ``options``.
    """

    def __init__(
        self,
        where: str,
        options: SourceOptions | None = None,
        *,
        name: str | None = None,
        opener: Opener = open_source,
        clock: SteadyClock | None = None,
        generator: random.Random | None = None,
    ) -> None:
        self.name = name or without_password(where)
        self._where, self._options = where, options or SourceOptions()
        self._opener, self._clock = opener, clock or SteadyClock()
        self._backoff = Backoff(self._options.reconnect_first_s, self._options.reconnect_most_s, generator)
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"camera {self.name}", daemon=True)
        self._health = CameraHealth(
            state="connecting",
            last_frame_at=None,
            frames=0,
            dropped=0,
            reconnects=0,
            decode_errors=0,
            clock_steps=0,
            frozen=0,
            size_changes=0,
            width=None,
            height=None,
            last_error=None,
        )
        self._decode_errors_before = 0  # of the sources that are closed

    def start(self) -> None:
        self._thread.start()

    def stop(self, wait_s: float | None = None) -> bool:
        """Ends the camera and every consumer's waiting; whether its thread has ended within ``wait_s``."""
        self._stopping.set()
        with self._changed:
            self._newest = None
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(wait_s)
        return not self._thread.is_alive()

    def __enter__(self) -> LiveCamera:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def next_frame(self, wait_s: float | None = None) -> Frame | None:
        """The newest frame that was not taken yet; None where none came within ``wait_s``, or the camera stopped."""
        self.wait_for_frame(wait_s)
        return self.take_frame()

    def wait_for_frame(self, wait_s: float | None = None) -> bool:
        """Waits until there is a frame that was not taken yet, at most so long; whether there is one."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._stopping.is_set(), wait_s)
            return self._newest is not None

    def take_frame(self) -> Frame | None:
        """The newest frame, where there is one that was not taken yet."""
        with self._changed:
            frame, self._newest = self._newest, None
            return frame

    def frames(self) -> Iterator[Frame]:
        """Frames until the camera is stopped, each the newest at the time that it is asked for."""
        while not self._stopping.is_set():
            frame = self.next_frame()
            if frame is not None:
                yield frame

    def health(self) -> CameraHealth:
        with self._changed:
            return self._health

    def _run(self) -> None:
        while not self._stopping.is_set():
            began_s = time.monotonic()
            try:
                self._follow()
            except Exception as error:
                lasted_s = time.monotonic() - began_s if self._health.state == "running" else 0.0
                delay_s = self._backoff.failed(lasted_s)
                self._failed(error, delay_s)
                self._stopping.wait(delay_s)
        self._update(state="stopped")

    def _follow(self) -> None:
        """Reads one connection until it fails, which it does by an exception, or until the camera is stopped."""
        source = self._opener(self._where, self._options, name=self.name, clock=self._clock)
        still = StillPicture()
        try:
            for frame in source:
                if self._stopping.is_set():
                    return
                self._publish(frame, self._decode_errors_before + source.decode_errors)
                self._check_life(still, frame)
        finally:
            self._decode_errors_before += source.decode_errors
            source.close()
        if not self._stopping.is_set():
            raise SourceUnavailable(f"{self.name}: it has ended")

    def _check_life(self, still: StillPicture, frame: Frame) -> None:
        limit_s = self._options.frozen_after_s
        if limit_s and still.still_for_s(frame) >= limit_s:
            self._update(frozen=self._health.frozen + 1)
            raise SourceUnavailable(f"{self.name}: the camera has repeated one picture for {limit_s:g} s")

    def _publish(self, frame: Frame, decode_errors: int) -> None:
        with self._changed:
            health = self._health
            has_changed = health.width is not None and (health.width, health.height) != (frame.width, frame.height)
            if has_changed:
                logger.warning("camera %s now sends %dx%d pixels", self.name, frame.width, frame.height)
            if health.state != "running" and health.frames:
                logger.info("camera %s is back", self.name)
            self._health = replace(
                health,
                state="running",
                last_frame_at=frame.captured_at,
                frames=health.frames + 1,
                dropped=health.dropped + (self._newest is not None),
                reconnects=health.reconnects + (health.state != "running" and health.frames > 0),
                decode_errors=decode_errors,
                clock_steps=self._clock.steps,
                size_changes=health.size_changes + has_changed,
                width=frame.width,
                height=frame.height,
            )
            self._newest = frame
            self._changed.notify()

    def _failed(self, error: Exception, delay_s: float) -> None:
        if isinstance(error, OpenplateError):
            logger.warning("camera %s: %s; next attempt in %.1f s", self.name, error, delay_s)
        else:
            logger.exception("camera %s failed; next attempt in %.1f s", self.name, delay_s)
        was_running = self._health.state == "running"
        self._update(
            state="connecting" if was_running else "offline",
            last_error=str(error) if isinstance(error, OpenplateError) else f"unexpected: {error!r}",
            decode_errors=self._decode_errors_before,
        )

    def _update(self, **changes: object) -> None:
        with self._changed:
            self._health = replace(self._health, **changes)  # type: ignore[arg-type]
