"""Receivers on loopback: real servers, from well-behaved ones to those that hang, drip and lie."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


@dataclass(frozen=True)
class Received:
    """One request as it came in; names of headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    connection: tuple[str, int]


@dataclass(frozen=True)
class Reply:
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"OK"
    delay_s: float = 0.0


@dataclass
class Receiver:
    """What came in, and the answers to give: ``reply`` decides for each request."""

    url: str = ""
    reply: Callable[[Received], Reply] = lambda _: Reply()
    requests: list[Received] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int, timeout_s: float = 10.0) -> list[Received]:
        """The requests, as soon as there are that many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, timeout_s), len(self.requests)
            return list(self.requests)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10
    disable_nagle_algorithm = True
    receiver: Receiver

    def _answer(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        if len(body) < length:  # the sender is gone
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.command, self.path, headers, body, time.monotonic(), self.client_address)
        with self.receiver.arrived:
            self.receiver.requests.append(received)
            self.receiver.arrived.notify_all()
        reply = self.receiver.reply(received)
        time.sleep(reply.delay_s)
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a handler may still wait for a request on a kept connection
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        pass  # senders that go away are part of the tests


@contextlib.contextmanager
def receiving(
    reply: Callable[[Received], Reply] | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """A receiver that takes HTTP requests, on a free port of 127.0.0.1."""
    receiver = Receiver()
    if reply is not None:
        receiver.reply = reply
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"receiver": receiver}))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def talking(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """The URL of a server that does with each connection what ``talk`` says."""
    listening = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve(link: socket.socket) -> None:
        with link, contextlib.suppress(OSError):
            talk(link)

    def accept() -> None:
        while not stopped.is_set():
            try:
                link, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(link,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        stopped.set()
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def do_nothing(link: socket.socket) -> None:
    """Neither reads nor writes, until the other side is gone."""
    poll = select.poll()
    poll.register(link, select.POLLRDHUP | select.POLLHUP)
    poll.poll(20_000)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def wait_until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Returns as soon as it holds; fails when it does not in time."""
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.01)
