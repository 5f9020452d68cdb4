"""``POST /v1/cameras/ID/recognize``: what a camera that is watched shows at this moment, in the Snapshot's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from starlette.routing import BaseRoute, Route

from openplate.api.auth import caller
from openplate.api.errors import HttpProblem, Response, json_response
from openplate.api.exchange import Exchange
from openplate.api.metrics import Metrics
from openplate.api.ports import TokenPort
from openplate.api.resource import Resource
from openplate.errors import SourceError
from openplate.storage.records import Token

PATH: Final = "/v1/cameras/{camera:path}/recognize"


class CameraPort(TokenPort, Protocol):
    """The cameras. Called on the event loop's thread; must not block it."""

    @property
    def success_status(self) -> int:
        """Status of a recognition that worked: 200 or 201."""

    @property
    def names(self) -> Sequence[str]:
        """Of all cameras."""

    def find_camera(self, camera_id: str) -> str | None:
        """The name of the camera with that name, or else that number; None: there is none."""

    async def admit(self, token: Token | None) -> None:
        """
        Raises:
            RateExceeded, QuotaExceeded: the caller has had enough.
            Overloaded: too many wait.
            StorageFull: the call could not be counted.
        """

    async def recognize(self, camera: str, token: Token | None, at: datetime) -> Mapping[str, object]:
        """The answer for the newest frame of the camera of that name; ``at`` is when it was asked for.

        Raises:
            SourceError: there is no frame of this moment.
            Overloaded: too many wait.
            ImageError, ModelError: the recognizer's.
        """


def camera_routes(port: CameraPort) -> Sequence[BaseRoute]:
    """With and without a slash at the end."""
    resource = Resource(PATH, {"POST": _Cameras(port).recognize}, Metrics())
    return Route(PATH, resource), Route(PATH + "/", resource)


class _Cameras:
    def __init__(self, port: CameraPort) -> None:
        self._port = port

    async def recognize(self, exchange: Exchange) -> Response:
        """Who may not ask does not learn which cameras there are."""
        port = self._port
        token = await caller(exchange, port)
        asked = str(exchange.parameters["camera"])
        camera = port.find_camera(asked)
        if camera is None:
            there = ", ".join(port.names) or "none at all"
            raise HttpProblem.of(404, f"There is no camera {asked[:100]!r}; there are: {there}.")
        await port.admit(token)
        try:
            return json_response(await port.recognize(camera, token, exchange.received_at), port.success_status)
        except SourceError as error:
            raise HttpProblem.of(503, f"{error}.") from error
