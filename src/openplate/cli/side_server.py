"""A small HTTP server in a thread, beside what a command does: pictures, counters, state."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from openplate.cli.server_process import bounded_protocol

_IDLE_S: Final = 15.0
_MOST_CONNECTIONS: Final = 64
_STOP_S: Final = 3.0


class _Server(uvicorn.Server):
    """Leaves the signals alone: they are the command's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class SideServer:
    """Answers on sockets that listen already; ``stop`` closes them."""

    def __init__(self, app: ASGIApp, sockets: Sequence[socket.socket], name: str) -> None:
        config = uvicorn.Config(
            app,
            http=bounded_protocol(_IDLE_S, _MOST_CONNECTIONS),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server, self._sockets = _Server(config), list(sockets)
        self._thread = threading.Thread(target=self._server.run, args=(self._sockets,), name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Whoever is being answered is not waited for for long."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(_STOP_S)
        for each in self._sockets:
            each.close()
