"""Watches cameras, each in its thread, with networks that all of them share."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from openplate.datatypes import Recognition
from openplate.pipeline import Recognizer
from openplate.service.output_group import OutputGroup
from openplate.service.outputs import Camera, Output
from openplate.service.turns import Turns
from openplate.service.warm_ups import WarmUps
from openplate.service.watched_camera import CameraStatus, WatchedCamera
from openplate.settings.watch_plan import CameraPlan
from openplate.video import open_source
from openplate.video.camera import Opener

STOP_S = 20.0
"""How long cameras may take to end and outputs to finish."""


class Watcher:
    """All cameras and all outputs: ``start``, ``wait``, ``close``."""

    def __init__(
        self,
        plans: Sequence[CameraPlan],
        recognizer: Recognizer,
        outputs: Sequence[Output],
        *,
        workers: int = 1,
        tell: Callable[[str], None] = lambda _: None,
        opener: Opener = open_source,
    ) -> None:
        """
        Args:
            plans: names and numbers differ.
            recognizer: gives the networks; each camera has options of its own.
            outputs: closed by ``close``.
            workers: frames that are analysed at the same time.
            tell: gets a sentence when a camera is gone, and when it is back; called by the cameras' threads.

        Raises:
            RegionError: an unknown code in a camera's options.
        """
        self._outputs = OutputGroup(outputs)
        turns, warm_ups = Turns(workers), WarmUps()

        def watched(plan: CameraPlan) -> WatchedCamera:
            own = recognizer.with_options(plan.recognition)
            get_ready = partial(warm_ups.get_ready, own)
            return WatchedCamera(plan, own, turns, self._outputs, tell, opener, get_ready=get_ready)

        self._cameras = tuple(watched(plan) for plan in plans)

    @property
    def cameras(self) -> tuple[Camera, ...]:
        return tuple(each.camera for each in self._cameras)

    @property
    def output_failures(self) -> dict[str, int]:
        """Calls of outputs that failed, by output."""
        return dict(self._outputs.failures)

    def start(self) -> None:
        for each in self._cameras:
            each.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until all cameras have ended by themselves, as files do, at most so long; whether they have."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        return all(each.join(None if until is None else max(0.0, until - time.monotonic())) for each in self._cameras)

    def close(self, timeout_s: float = STOP_S) -> bool:
        """Ends all cameras, reports what is open, then closes the outputs; whether every camera ended in time."""
        for each in self._cameras:
            each.ask_to_stop()
        has_ended = self.wait(timeout_s)
        self._outputs.close()
        return has_ended

    def recognize_now(self, camera: str) -> Recognition:
        """What the newest frame of a camera shows, without waiting for a turn; by the caller's thread.

        Raises:
            KeyError: there is no such camera.
            SourceUnavailable: it has no frame of this moment.
            ImageError, ModelError: the recognizer's.
        """
        return {each.camera.name: each for each in self._cameras}[camera].recognize_now()

    def statuses(self) -> tuple[CameraStatus, ...]:
        """How each camera is doing, in the order of the plans."""
        return tuple(each.status() for each in self._cameras)
