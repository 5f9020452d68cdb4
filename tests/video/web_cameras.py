"""Cameras by HTTP on loopback: well-behaved ones, and those that drip, hang, lie and break off."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Script = Callable[["Exchange"], None]


class Exchange:
    """One request to a camera, which its script answers as it likes."""

    def __init__(self, connection: socket.socket, head: bytes, number: int, is_closing: threading.Event) -> None:
        self._connection, self._is_closing = connection, is_closing
        self.number = number
        self.path = head.split(b" ")[1].decode()
        found = re.search(rb"(?mi)^authorization: (.*?)\r?$", head)
        self.authorization = found[1].decode() if found else ""

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def wait(self, seconds: float) -> bool:
        """Whether the camera is closed meanwhile."""
        return self._is_closing.wait(seconds)

    def hang(self) -> None:
        self._is_closing.wait()

    def drip(self, data: bytes, pause_s: float = 0.05) -> None:
        """One byte after the other, for ever from the beginning, until the camera is closed."""
        while not self._is_closing.is_set():
            for byte in data:
                self.send(bytes([byte]))
                if self._is_closing.wait(pause_s):
                    return


class WebCamera:
    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self._script, self._context = script, context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._is_closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self.paths: list[str] = []
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/video"

    def serve(self) -> None:
        while not self._is_closing.is_set():
            with contextlib.suppress(OSError):
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._answer, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(60)
        with contextlib.suppress(OSError), self._secured(connection) as secured:
            head = b""
            while b"\r\n\r\n" not in head and (data := secured.recv(4096)):
                head += data
            if head:
                self.paths.append(head.split(b" ")[1].decode())
                self._script(Exchange(secured, head, len(self.paths), self._is_closing))

    def _secured(self, connection: socket.socket) -> socket.socket:
        if self._context is None:
            return connection
        try:
            return self._context.wrap_socket(connection, server_side=True)
        except OSError:
            connection.close()
            raise

    def stop(self) -> None:
        self._is_closing.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()

    def close(self) -> None:
        self._listener.close()
        for thread in self._threads:
            thread.join()


@contextmanager
def web_camera(script: Script, context: ssl.SSLContext | None = None) -> Iterator[WebCamera]:
    camera = WebCamera(script, context)
    thread = threading.Thread(target=camera.serve)
    thread.start()
    try:
        yield camera
    finally:
        camera.stop()
        thread.join()
        camera.close()


def answer(body: bytes, kind: str = "image/jpeg", status: str = "200 OK", length: int | None = None) -> bytes:
    said = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {said}\r\n\r\n".encode() + body


def mjpeg_head(boundary: str = "frame", said: str | None = None) -> bytes:
    kind = f"multipart/x-mixed-replace; boundary={said or boundary}"
    return f"HTTP/1.0 200 OK\r\nContent-Type: {kind}\r\n\r\n--{boundary}\r\n".encode()


def part(body: bytes, length: int | None = -1, boundary: str = "frame") -> bytes:
    """A picture and the boundary after it; ``length`` is what is said of it, -1 the truth, None nothing."""
    said = len(body) if length == -1 else length
    header = b"" if said is None else f"Content-Length: {said}\r\n".encode()
    return b"Content-Type: image/jpeg\r\n" + header + b"\r\n" + body + f"\r\n--{boundary}\r\n".encode()


def demand(exchange: Exchange, scheme: str) -> None:
    challenge = {"Basic": 'Basic realm="camera"', "Digest": 'Digest realm="camera", nonce="abc", qop="auth"'}[scheme]
    exchange.send(f"HTTP/1.1 401 No\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n".encode())


def is_authorized(exchange: Exchange, user: str, password: str) -> bool:
    """By Basic or Digest (RFC 7616, MD5), for the nonce abc."""
    scheme, _, given = exchange.authorization.partition(" ")
    if scheme == "Basic":
        return base64.b64decode(given).decode() == f"{user}:{password}"
    fields = {name: value.strip('"') for name, value in re.findall(r'(\w+)=("[^"]*"|[^,\s]+)', given)}
    if scheme != "Digest" or fields["nonce"] != "abc":
        return False
    first = _md5(f"{user}:camera:{password}")
    second = _md5(f"GET:{exchange.path}")
    expected = _md5(f"{first}:abc:{fields['nc']}:{fields['cnonce']}:auth:{second}")
    return fields["response"] == expected


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
