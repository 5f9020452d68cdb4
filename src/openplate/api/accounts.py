"""``GET /v1/statistics/`` and ``GET /info/``: how much was used, and what this server is."""

from __future__ import annotations

from openplate.api.auth import caller
from openplate.api.errors import Response, json_response
from openplate.api.exchange import Exchange
from openplate.api.ports import ServicePort


class Accounts:
    """Both are answered in both flavours: a client that asks the other product's question is not left alone."""

    def __init__(self, service: ServicePort) -> None:
        self._service = service

    async def statistics(self, exchange: Exchange) -> Response:
        return json_response(await self._service.statistics(await caller(exchange, self._service)))

    async def info(self, exchange: Exchange) -> Response:
        await caller(exchange, self._service)
        return json_response(await self._service.info())
