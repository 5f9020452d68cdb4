"""Clients that ask a server without pause, each over a connection of its own; in a process of its own.

    python -m benchmarks.serve.load http://127.0.0.1:8080/v1/plate-reader/ picture.jpg --clients 16 --requests 500

Prints one JSON object: the time of each request in milliseconds by status, and the seconds that all took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit


class Address(NamedTuple):
    """Where requests go."""

    host: str
    port: int
    path: str


class Load:
    """A number of requests that are sent by a number of clients, each waiting for its answer before the next."""

    def __init__(self, address: Address, request: bytes, clients: int, requests: int) -> None:
        self._address, self._request, self._clients = address, request, clients
        self._left = requests
        self.times_ms: dict[int, list[float]] = defaultdict(list)

    async def run(self) -> float:
        """Seconds from the first request to the last answer."""
        start = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(self._clients):
                group.create_task(self._client())
        return time.perf_counter() - start

    async def _client(self) -> None:
        reader, writer = await asyncio.open_connection(self._address.host, self._address.port)
        while self._left > 0:
            self._left -= 1
            start = time.perf_counter()
            writer.write(self._request)
            await writer.drain()
            status, closes = await _read_answer(reader)
            self.times_ms[status].append(1e3 * (time.perf_counter() - start))
            if closes:
                writer.close()
                reader, writer = await asyncio.open_connection(self._address.host, self._address.port)
        writer.close()


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status, and whether the server closes the connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    await reader.readexactly(int(headers["content-length"]))
    return int(lines[0].split()[1]), headers.get("connection") == "close"


def make_request(address: Address, picture: bytes) -> bytes:
    """A whole POST with the picture as a form's file."""
    boundary = "openplate-benchmark"
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="upload"; filename="car.jpg"\r\n\r\n'.encode()
    body = part + picture + f"\r\n--{boundary}--\r\n".encode()
    head = (
        f"POST {address.path} HTTP/1.1\r\nHost: {address.host}\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\n\r\n"
    )
    return head.encode() + body


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve.load", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("url")
    parser.add_argument("picture", type=Path)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--requests", type=int, default=100)
    arguments = parser.parse_args()
    parts = urlsplit(arguments.url)
    address = Address(parts.hostname or "", parts.port or 80, parts.path)
    request = make_request(address, arguments.picture.read_bytes())
    load = Load(address, request, arguments.clients, arguments.requests)
    seconds = asyncio.run(load.run())
    print(json.dumps({"seconds": seconds, "times_ms": load.times_ms}))


if __name__ == "__main__":
    main()
