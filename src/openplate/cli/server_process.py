"""One process of ``openplate serve``: uvicorn around the application, with bounds of its own, ended by signals."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from openplate.imaging import limit_threads
from openplate.service import Service

if TYPE_CHECKING:
    from openplate.settings import Settings

_LARGEST_HEAD: Final = 64 * 2**10
_REFUSED_S: Final = 2.0  # how long a connection that is one too many stays to hear why
_log = logging.getLogger("openplate.server")


def _answer(status: str, code: int, detail: str, *headers: str) -> bytes:
    body = f'{{"detail":"{detail}","status_code":{code}}}'
    lines = (
        f"HTTP/1.1 {code} {status}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "connection: close",
        *headers,
    )
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("ascii")


_NOT_HTTP: Final = _answer("Bad Request", 400, "This is not HTTP/1.1.")
_TOO_SLOW: Final = _answer("Request Timeout", 408, "The head of the request did not arrive in time.")
_HEAD_TOO_LARGE: Final = _answer(
    "Request Header Fields Too Large", 431, f"The head of a request has at most {_LARGEST_HEAD} bytes."
)
_TOO_MANY: Final = _answer("Service Unavailable", 503, "Too many connections are open.", "retry-after: 1")


def bounded_protocol(idle_timeout_s: float, max_connections: int) -> type[asyncio.Protocol]:
    """uvicorn's protocol, with a limit on the size of a request's head and the time it takes, and on connections."""

    class BoundedProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
        _head_timer: asyncio.TimerHandle | None = None
        _head_bytes = 0
        _is_refused = False

        def connection_made(self, transport: Any) -> None:
            if len(self.connections) >= max_connections:
                self._is_refused = True
                self.transport = transport
                self._end(_TOO_MANY)
                return
            super().connection_made(transport)
            self._start_head()

        def data_received(self, data: bytes) -> None:
            if self._is_refused:
                return
            before = self.cycle
            super().data_received(data)
            if self.cycle is not before:
                self._stop_head()
            elif before is None or before.response_complete:
                self._start_head()
                self._head_bytes += len(data)
                if self._head_bytes > _LARGEST_HEAD:
                    self._end(_HEAD_TOO_LARGE)

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_head()
            super().connection_lost(exc)

        def eof_received(self) -> None:
            if not self._is_refused:
                super().eof_received()

        def send_400_response(self, _msg: str) -> None:
            self._end(_NOT_HTTP)

        def _start_head(self) -> None:
            if self._head_timer is None:
                self._head_timer = asyncio.get_running_loop().call_later(idle_timeout_s, self._give_up)

        def _give_up(self) -> None:
            if self._head_bytes:
                self._end(_TOO_SLOW)
            else:  # nothing was asked: a browser that keeps a connection at hand
                self.transport.close()

        def _stop_head(self) -> None:
            self._head_bytes = 0
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

        def _end(self, answer: bytes) -> None:
            """Say why, and close a little later: at once, unread data would take the answer with it."""
            self._stop_head()
            if self.transport.is_closing():
                return
            self._is_refused = True
            self.connections.discard(self)
            if self.cycle is not None and not self.cycle.response_complete:
                self.cycle.disconnected = True  # whoever reads on hears that nobody is there
                self.cycle.message_event.set()
            self.transport.write(answer)
            if self.transport.can_write_eof():
                self.transport.write_eof()
            asyncio.get_running_loop().call_later(_REFUSED_S, self.transport.abort)

    return BoundedProtocol


class _Server(uvicorn.Server):
    """Leaves the signals alone: they are handled here, so that what follows the last request is done as well."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """Sleeps until it is to end, but for a look at the clock each second, for the header Date."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), 1.0)

    def end(self) -> None:
        """From any thread, and from a signal's handler."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ended.set)


def _config(service: Service, settings: Settings) -> uvicorn.Config:
    from openplate.api.app import create_app

    server = settings.server
    return uvicorn.Config(
        create_app(service),
        http=bounded_protocol(server.idle_timeout_s, server.max_connections),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=server.access_log,
        server_header=False,
        forwarded_allow_ips=server.trusted_proxies,
        timeout_keep_alive=server.idle_timeout_s,
        timeout_graceful_shutdown=server.stop_timeout_s,
    )


def run_process(
    settings: Settings,
    sockets: Sequence[socket.socket],
    ready: Callable[[], None],
    stop: threading.Event | None = None,
    open_service: Callable[[Settings], Service] = Service.open,
) -> bool:
    """Answers until SIGTERM, SIGINT or ``stop``; then running requests finish, within the set time.

    A second SIGINT after the first ends it at once.

    Args:
        settings: the whole tree.
        sockets: that listen already; they are closed.
        ready: called when requests are answered.
        stop: ends it like a signal.
        open_service: makes the service; benchmarks measure theirs.

    Returns:
        Whether everything was finished; else threads of this process still work.

    Raises:
        OpenplateError: networks, database or data folder cannot be used.
    """
    limit_threads()
    configure_logging(settings.server.access_log)
    service = open_service(settings)
    server = _Server(_config(service, settings))
    first, end = [0], [0.0]

    def leave(number: int = signal.SIGTERM, _frame: object = None) -> None:
        # Only somebody at the keyboard who asks twice is impatient: service managers tell every process, and
        # the parent of several tells its children once more.
        if server.should_exit and number == signal.SIGINT and first[0] == signal.SIGINT:
            server.force_exit = True
            end[0] = monotonic()
        elif not server.should_exit:
            first[0], end[0] = number, monotonic() + settings.server.stop_timeout_s
        server.end()

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        _run(server, sockets, ready, stop, leave)
    finally:
        # Until the very end a second signal must not cut off what is still written.
        is_done = service.close(max(1.0, end[0] - monotonic()))
        for number, handler in before.items():
            signal.signal(number, handler)
    return is_done


def _run(
    server: _Server,
    sockets: Sequence[socket.socket],
    ready: Callable[[], None],
    stop: threading.Event | None,
    leave: Callable[[], None],
) -> None:
    async def serve() -> None:
        serving = asyncio.create_task(server.serve(list(sockets)))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        if server.started:
            ready()
        await serving

    if stop is not None:
        threading.Thread(target=_wait, args=(stop, leave), name="end of the parent", daemon=True).start()
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(serve())


def _wait(stop: threading.Event, leave: Callable[[], None]) -> None:
    stop.wait()
    leave()


def configure_logging(access_log: bool) -> None:
    """Lines on standard error, with time and level; requests only when asked for."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format=f"%(asctime)s %(levelname)s [{os.getpid()}] %(name)s: %(message)s",
    )
    logging.getLogger("openplate").setLevel(logging.INFO)
    logging.getLogger("openplate.models").setLevel(logging.WARNING)
    if access_log:
        logging.getLogger("uvicorn.access").setLevel(logging.INFO)
