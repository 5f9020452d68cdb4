"""uvicorn's HTTP protocol with what it leaves open: bounds on the head of a request, and errors as JSON.

A head that trickles in byte by byte, or never comes, would keep its connection for ever; bodies have their own
bounds in ``api.uploads``.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from openplate.api.errors import HttpProblem, Response, error_response
from openplate.api.exchange import Exchange
from openplate.errors import Overloaded

MAX_HEAD_BYTES: Final = 64 * 2**10
_WAIT_S: Final = 1.0
_PHRASES: Final = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}


def protocol_class(head_timeout_s: float, max_connections: int) -> type[HttpToolsProtocol]:
    """The protocol for ``uvicorn.Config(http=...)``.

    Args:
        head_timeout_s: seconds in which the head of a request must be complete, on a new connection from its opening.
        max_connections: requests on connections beyond so many are answered with 503, and these are closed.
    """

    class BoundedProtocol(_BoundedProtocol):
        _head_timeout_s = head_timeout_s
        _max_connections = max_connections

    return BoundedProtocol


class _BoundedProtocol(HttpToolsProtocol):
    _head_timeout_s: float
    _max_connections: int

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._served = self.app
        self._in_head, self._head_bytes = True, 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_timer is None:
                self._start_head_timer()
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(431, f"The head of the request is larger than {MAX_HEAD_BYTES} bytes.")

    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes = False, 0
        self._stop_head_timer()
        self.app = _refuse_connection if len(self.connections) > self._max_connections else self._served
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, msg)

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(self._head_timeout_s, self._head_is_late)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:  # the one before is still being answered
            self._start_head_timer()
        elif self._head_bytes:
            self._refuse(408, f"The head of the request took longer than {self._head_timeout_s:g} seconds.")
        else:
            self.transport.close()

    def _refuse(self, status: int, detail: str) -> None:
        response = error_response(HttpProblem(status, detail))
        self.transport.write(_on_the_wire(response))
        self.transport.close()


def _on_the_wire(response: Response) -> bytes:
    lines = (
        f"HTTP/1.1 {response.status} {_PHRASES[response.status]}",
        f"content-type: {response.content_type}",
        f"content-length: {len(response.body)}",
        "connection: close",
        "",
        "",
    )
    return "\r\n".join(lines).encode("ascii") + response.body


async def _refuse_connection(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        error = Overloaded("The server has as many connections as it may. Try again in a moment.", _WAIT_S)
        await Exchange(scope, receive, send).respond(error_response(error), (("connection", "close"),))
