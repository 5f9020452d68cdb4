"""``openplate serve`` as its own process on this machine, for tests that want the real thing."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self

STREET = Path(__file__).parent.parent / "examples" / "street.jpg"
TEXTS = {"kn4827t", "we3159a"}
START_S = 120.0
READER = "/v1/plate-reader/"


@dataclass(frozen=True)
class Reply:
    """An answer with its headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def form(fields: Mapping[str, str | bytes]) -> tuple[bytes, dict[str, str]]:
    """A multipart body and its header; bytes go as a file."""
    boundary = "----openplate-test"
    parts = []
    for name, value in fields.items():
        file = '; filename="car.jpg"' if isinstance(value, bytes) else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        parts.append(head.encode() + (value if isinstance(value, bytes) else value.encode()) + b"\r\n")
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


@dataclass
class Server:
    """A running server; ``banner`` is what it said at its start."""

    process: subprocess.Popen[str]
    banner: str
    complaints: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        found = re.search(r"http://127\.0\.0\.1:(\d+)/v1/plate-reader/", self.banner)
        assert found, self.banner
        return int(found[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self, timeout_s: float = 60) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)

    def raw(self, timeout_s: float = 60) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout_s)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        connection = self.connect()
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.request("GET", path, headers=headers)

    def recognize(self, picture: bytes | None = None, token: str | None = None, **fields: str) -> Reply:
        body, headers = form({"upload": STREET.read_bytes() if picture is None else picture, **fields})
        if token is not None:
            headers["Authorization"] = f"Token {token}"
        return self.request("POST", READER, body, headers)

    def calls(self) -> int:
        """The calls counted without a token."""
        calls: int = self.get("/info/").json["usage"]["calls"]
        return calls

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self, timeout_s: float = 60) -> int:
        return self.process.wait(timeout_s)

    @classmethod
    def start(cls, *arguments: str, data: Path, command: tuple[str, ...] = (), **variables: str) -> Self:
        """Returns when it answers. Variables are settings, as ``server__port="1"`` for OPENPLATE_SERVER_PORT."""
        settings = {f"OPENPLATE_{name.upper().replace('__', '_')}": value for name, value in variables.items()}
        environment = {**os.environ, "OPENPLATE_STORAGE_DATA_FOLDER": str(data), **settings}
        process = subprocess.Popen(
            [*(command or (sys.executable, "-m", "openplate")), "serve", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        server = cls(process, "")
        threading.Thread(target=server._listen_to_complaints, daemon=True).start()
        deadline = threading.Timer(START_S, process.kill)
        deadline.start()
        assert process.stdout is not None
        for line in process.stdout:
            server.banner += line
            if line.startswith("  curl"):
                break
        deadline.cancel()
        assert "curl" in server.banner, (process.wait(10), server.banner, server.complaints)
        return server

    def _listen_to_complaints(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.complaints.append(line)


@contextmanager
def serving(*arguments: str, data: Path, **variables: str) -> Iterator[Server]:
    """A server that is ended in any case."""
    server = Server.start(*arguments, data=data, **variables)
    try:
        yield server
    finally:
        end(server)


def end(server: Server) -> None:
    """Terminates it, and kills it where that does not help."""
    if server.process.poll() is None:
        server.terminate()
        try:
            server.wait(45)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.wait(10)
    for stream in (server.process.stdout, server.process.stderr):
        assert stream is not None
        stream.close()
