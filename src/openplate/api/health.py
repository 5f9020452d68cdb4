"""For whoever watches the server: ``/health/live``, ``/health/ready`` and ``/metrics``."""

from __future__ import annotations

from openplate.api.errors import Response, json_response
from openplate.api.exchange import Exchange
from openplate.api.metrics import Metrics
from openplate.api.ports import ServicePort
from openplate.api.uploads import Room


class Health:
    """Live: the process answers. Ready: it can do its work; a load balancer sends nothing while it cannot."""

    def __init__(self, service: ServicePort, metrics: Metrics, room: Room) -> None:
        self._service, self._metrics, self._room = service, metrics, room

    async def live(self, _exchange: Exchange) -> Response:
        return json_response({"status": "alive"})

    async def ready(self, _exchange: Exchange) -> Response:
        readiness = await self._service.readiness()
        body = {"status": "ready" if readiness.ready else "not ready", "checks": dict(readiness.checks)}
        return json_response(body, 200 if readiness.ready else 503)

    async def metrics(self, _exchange: Exchange) -> Response:
        return self._metrics.page({**await self._service.gauges(), "upload_bytes_held": float(self._room.held)})
