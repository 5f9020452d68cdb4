"""One HTTP request and its answer over ASGI: headers, the body as it comes in, and how an answer leaves.

Bare ASGI because every recognition passes here: an answer costs tens of microseconds, not hundreds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from openplate.api.errors import Headers, HttpProblem, Response

LINGER_S: Final = 5.0
LINGER_BYTES: Final = 256 * 2**20


class ClientGone(Exception):
    """The client closed the connection before its request was complete: nobody is left to answer."""


class Exchange:
    """A request that is being answered.

    Attributes:
        method: upper case.
        path: decoded path of the URL.
        parameters: what the route took from the path.
        received_at: when its head was complete, aware, UTC.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._headers: list[tuple[bytes, bytes]] = scope["headers"]
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope.get("query_string", b"")
        self.parameters: dict[str, Any] = scope.get("path_params", {})
        self.scheme: str = scope.get("scheme", "http")
        self.received_at = datetime.now(UTC)
        self.response_started = False
        self._body_complete = not self._announces_body()

    def header(self, name: str) -> str | None:
        """The first header of that lower-case name, stripped, as Latin-1."""
        wanted = name.encode("latin-1")
        for key, value in self._headers:
            if key == wanted:
                return value.decode("latin-1").strip()
        return None

    @property
    def content_length(self) -> int | None:
        """The announced length of the body; None when it is not announced."""
        text = self.header("content-length")
        return int(text) if text is not None and text.isascii() and text.isdigit() else None

    async def chunks(self, deadline_s: float) -> AsyncIterator[bytes]:
        """The body piece by piece.

        Raises:
            HttpProblem: 408, it was not complete after ``deadline_s`` seconds.
            ClientGone: the connection is closed.
        """
        end = asyncio.get_running_loop().time() + deadline_s
        while not self._body_complete:
            try:
                async with asyncio.timeout_at(end):
                    message = await self._receive()
            except TimeoutError:
                detail = f"The body of the request took longer than {deadline_s:g} seconds."
                raise HttpProblem.of(408, detail) from None
            if message["type"] == "http.disconnect":
                raise ClientGone
            self._body_complete = not message.get("more_body", False)
            if message.get("body"):
                yield message["body"]

    async def respond(self, response: Response, headers: Headers = ()) -> None:
        """Sends the answer in one piece; the connection is closed when part of the body was not read."""
        lingers = not self._body_complete
        lines = [
            (b"content-type", response.content_type.encode("latin-1")),
            (b"content-length", str(len(response.body)).encode("ascii")),
            (b"x-content-type-options", b"nosniff"),
        ]
        lines += [(name.encode("ascii"), value.encode("latin-1")) for name, value in (*response.headers, *headers)]
        if lingers:
            lines.append((b"connection", b"close"))
        self.response_started = True
        await self._send({"type": "http.response.start", "status": response.status, "headers": lines})
        body = b"" if self.method == "HEAD" else response.body
        await self._send({"type": "http.response.body", "body": body, "more_body": lingers})
        if lingers:
            await self._linger()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _linger(self) -> None:
        """Reads on for a while and throws away: a socket closed on unread data takes the answer with it."""
        left = LINGER_BYTES
        try:
            async with asyncio.timeout(LINGER_S):
                while left > 0 and not self._body_complete:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        return
                    left -= len(message.get("body", b""))
                    self._body_complete = not message.get("more_body", False)
        except TimeoutError:
            return

    def _announces_body(self) -> bool:
        length = self.header("content-length")
        return self.header("transfer-encoding") is not None or (length is not None and length != "0")
