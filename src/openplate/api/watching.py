"""What ``openplate watch`` says of itself by HTTP: ``/metrics`` for Prometheus, ``/healthz`` for whoever watches it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from openplate.api.cameras import CameraPort, camera_routes
from openplate.api.metrics import CONTENT_TYPE

STATES: Final = ("connecting", "running", "offline", "ended", "failed", "stopped")
"""Of cameras, in the words of ``CameraStatus``."""
_BAD: Final = ("offline", "failed")

_COUNTERS: Final = (
    ("frames", "Frames received."),
    ("dropped", "Frames that were not analysed because newer ones came."),
    ("analysed", "Frames in which something was looked for."),
    ("failed_frames", "Frames that could not be analysed."),
    ("decode_errors", "Packets and pictures that could not be decoded."),
    ("reconnects", "Times that the camera was opened again."),
    ("clock_steps", "Times that the machine's clock was set, forward or back."),
    ("frozen", "Times that it was opened again because it repeated one picture."),
    ("size_changes", "Times that its picture had another size than before."),
    ("reads", "Plates read."),
    ("groups", "Passes of vehicles reported."),
    ("previews", "Early words of passes."),
)


class NamedCamera(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def where(self) -> str: ...


class Status(Protocol):
    """``CameraStatus``, and a number for each of the counters."""

    @property
    def camera(self) -> NamedCamera: ...
    @property
    def state(self) -> str: ...
    @property
    def error(self) -> str | None: ...
    @property
    def preview_delay_s(self) -> float: ...
    @property
    def slowest_preview_s(self) -> float: ...
    @property
    def last_frame_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class WatchState:
    """Everything that is told, at one moment.

    Attributes:
        cameras: how each is.
        counters: other counts since the start, by name.
        levels: other numbers of now, by name.
        output_failures: calls of outputs that failed, by output.
    """

    cameras: Sequence[Status]
    counters: Mapping[str, float] = field(default_factory=dict)
    levels: Mapping[str, float] = field(default_factory=dict)
    output_failures: Mapping[str, int] = field(default_factory=dict)


def create_watch_app(state: Callable[[], WatchState], cameras: CameraPort | None = None) -> ASGIApp:
    """The application; it changes nothing, and asks nobody who they are but those who want something recognized.

    ``cameras`` reads what they see now; None: nobody does.
    """

    def metrics(_request: Request) -> Response:
        registry = CollectorRegistry()
        registry.register(_Collector(state()))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE)

    def health(_request: Request) -> Response:
        now = state()
        is_well = not any(each.state in _BAD for each in now.cameras)
        body = {
            "status": "well" if is_well else "in trouble",
            "cameras": {each.camera.name: _told(each) for each in now.cameras},
        }
        return Response(json.dumps(body), 200 if is_well else 503, media_type="application/json")

    routes: list[BaseRoute] = [
        Route("/metrics", metrics, methods=["GET"]),
        Route("/healthz", health, methods=["GET"]),
    ]
    if cameras is not None:
        routes += camera_routes(cameras)
    there = "There are /metrics and /healthz."
    return Router(routes, redirect_slashes=False, default=JSONResponse({"error": there}, 404))


def _told(status: Status) -> dict[str, object]:
    return {"state": status.state, "where": status.camera.where, "error": status.error}


class _Collector:
    """One moment as Prometheus' families."""

    def __init__(self, state: WatchState) -> None:
        self._state = state

    def collect(self) -> Iterable[Metric]:
        for name, meaning in _COUNTERS:
            counter = CounterMetricFamily(f"openplate_camera_{name}", meaning, labels=("camera",))
            for each in self._state.cameras:
                counter.add_metric((each.camera.name,), float(getattr(each, name)))
            yield counter
        # Their quotient is the mean from the frame to the event.
        delay = CounterMetricFamily(
            "openplate_camera_preview_delay_seconds",
            "From frames of live cameras to their previews, all together.",
            labels=("camera",),
        )
        slowest = GaugeMetricFamily(
            "openplate_camera_slowest_preview_seconds", "The most from a frame to its preview.", labels=("camera",)
        )
        # By it a camera can be noticed whose driver hangs, which no timeout reaches.
        last = GaugeMetricFamily(
            "openplate_camera_last_frame_timestamp_seconds", "Time of the last frame, since 1970.", labels=("camera",)
        )
        for each in self._state.cameras:
            delay.add_metric((each.camera.name,), each.preview_delay_s)
            slowest.add_metric((each.camera.name,), each.slowest_preview_s)
            if each.last_frame_at is not None:
                last.add_metric((each.camera.name,), each.last_frame_at.timestamp())
        yield from (delay, slowest, last)
        states = GaugeMetricFamily("openplate_camera_state", "1 for the state it is in.", labels=("camera", "state"))
        for each in self._state.cameras:
            for word in STATES:
                states.add_metric((each.camera.name, word), float(each.state == word))
        yield states
        failures = CounterMetricFamily("openplate_output_failures", "Calls that failed.", labels=("output",))
        for output, count in self._state.output_failures.items():
            failures.add_metric((output,), float(count))
        yield failures
        for name, number in self._state.counters.items():
            yield CounterMetricFamily(f"openplate_{name}", "Count since the start.", value=float(number))
        for name, number in self._state.levels.items():
            yield GaugeMetricFamily(f"openplate_{name}", "Level at this moment.", value=float(number))
