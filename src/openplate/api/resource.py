"""One path of the interface: its methods, CORS, errors as answers, and what is counted of it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import Final

from starlette.types import Receive, Scope, Send

from openplate.api.errors import Headers, Response, error_response, is_expected, method_not_allowed
from openplate.api.exchange import ClientGone, Exchange
from openplate.api.metrics import Metrics

Handler = Callable[[Exchange], Awaitable[Response]]

_CLIENT_GONE: Final = 499
_ANY_ORIGIN: Final[Headers] = (("access-control-allow-origin", "*"), ("access-control-expose-headers", "Retry-After"))
_ALLOWED_HEADERS: Final = "accept, authorization, content-type, origin, user-agent, x-csrftoken, x-requested-with"

_log = logging.getLogger(__name__)


class Resource:
    """An ASGI application for one path.

    GET answers HEAD too, and OPTIONS is answered for every path; other methods get 405.
    """

    def __init__(
        self, name: str, handlers: Mapping[str, Handler], metrics: Metrics, *, open_to_origins: bool = False
    ) -> None:
        """Args:
        name: the path as the counters know it.
        handlers: by upper-case method; each gives an answer or raises an error that ``api.errors`` knows.
        metrics: where requests are counted.
        open_to_origins: whether pages of other origins may read the answers (CORS).
        """
        self.name = name
        self._handlers = dict(handlers)
        if "GET" in handlers:
            self._handlers.setdefault("HEAD", handlers["GET"])
        self._allowed = (*self._handlers, "OPTIONS")
        self._metrics = metrics
        self._origins = _ANY_ORIGIN if open_to_origins else ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = perf_counter()
        exchange = Exchange(scope, receive, send)
        status = await self._answer(exchange)
        self._metrics.observe(self.name, exchange.method, status, perf_counter() - start)

    async def _answer(self, exchange: Exchange) -> int:
        try:
            response = await self._handle(exchange)
        except ClientGone:
            return _CLIENT_GONE
        except Exception as error:  # the border: whatever went wrong, the client gets an answer
            if not is_expected(error):
                _log.exception("%s %s failed", exchange.method, self.name)
            response = error_response(error)
        await exchange.respond(response, self._origins)
        return response.status

    async def _handle(self, exchange: Exchange) -> Response:
        if exchange.method == "OPTIONS":
            return self._options()
        handler = self._handlers.get(exchange.method)
        if handler is None:
            raise method_not_allowed(exchange.method, self._allowed)
        return await handler(exchange)

    def _options(self) -> Response:
        allowed = ", ".join(self._allowed)
        headers: Headers = (("allow", allowed),)
        if self._origins:
            headers += (
                ("access-control-allow-methods", allowed),
                ("access-control-allow-headers", _ALLOWED_HEADERS),
                ("access-control-max-age", "86400"),
            )
        return Response(200, b"", headers=headers)
