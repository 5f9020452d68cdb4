"""Counters and times of the HTTP side for Prometheus, and the service's levels beside them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector  # type: ignore[attr-defined, unused-ignore]

from openplate.api.errors import Response

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_METHODS: Final = frozenset(("GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"))
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 15.0, 60.0)
_NO_NAME = re.compile("[^a-z0-9_]")


class Metrics:
    """What one application counts.

    With several processes the variable ``PROMETHEUS_MULTIPROC_DIR`` (an empty folder, set before the start)
    makes any one of them answer for all.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "openplate_http_requests",
            "Requests answered; status 499: the client went away.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "openplate_http_request_seconds",
            "Time from the head of a request to the end of its answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=self._registry,
        )

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Counts one answered request."""
        self._requests.labels(route, method if method in _METHODS else "other", str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def page(self, levels: Mapping[str, float]) -> Response:
        """The page for Prometheus; ``levels`` are gauges by the last part of their name."""
        gauges = CollectorRegistry()
        for name, level in levels.items():
            gauge = Gauge("openplate_" + _NO_NAME.sub("_", name), "Level at this moment.", registry=gauges)
            gauge.set(level)
        return Response(200, generate_latest(self._counters()) + generate_latest(gauges), CONTENT_TYPE)

    def _counters(self) -> CollectorRegistry:
        if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            return self._registry
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call, unused-ignore]
        return shared
