"""``openplate watch`` as its own process, and streets for its cameras to see."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from tests.video.video_helpers import PATIENCE_S, jpeg, wait_until
from tests.video.web_cameras import Exchange, mjpeg_head, part

from openplate.imaging import Image

STREET = Path(__file__).parent.parent / "examples" / "street.jpg"
TEXTS = {"KN4827T", "WE3159A"}
_STEP_PX = 6


def empty_street() -> NDArray[np.uint8]:
    return np.full((720, 1280, 3), 90, np.uint8)


def drive(count: int) -> list[NDArray[np.uint8]]:
    """The two cars of the example picture move to the right, and back again."""
    street = Image.from_path(STREET).pixels
    pictures = []
    for number in range(count):
        shift = _STEP_PX * (number if number <= count // 2 else count - number)
        picture = empty_street()
        picture[:, shift:] = street[:720, : 1280 - shift]
        pictures.append(picture)
    return pictures


def mjpeg_of(pictures: Callable[[], list[bytes]], pause_s: float = 0.1) -> Callable[[Exchange], None]:
    """A camera's script: what ``pictures`` gives, again and again, until the camera is closed."""

    def script(exchange: Exchange) -> None:
        exchange.send(mjpeg_head())
        number = 0
        while not exchange.wait(pause_s):
            shown = pictures()
            exchange.send(part(shown[number % len(shown)]))
            number += 1

    return script


def encoded(pictures: list[NDArray[np.uint8]]) -> list[bytes]:
    return [jpeg(picture) for picture in pictures]


@dataclass
class Watching:
    """A running process; ``lines`` and ``complaints`` are what it has said so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    listeners: list[threading.Thread] = field(default_factory=list)

    def listen(self) -> None:
        for stream, said in ((self.process.stdout, self.lines), (self.process.stderr, self.complaints)):
            assert stream is not None
            self.listeners.append(threading.Thread(target=said.extend, args=(stream,)))
            self.listeners[-1].start()

    def url(self, what: str) -> str:
        """Where it answers, once it has said so."""
        pattern = re.compile(rf"openplate: {what} at (http://\S+)")

        def found() -> str | None:
            return next((match[1] for line in [*self.complaints] if (match := pattern.match(line))), None)

        wait_until(lambda: found() or self.process.poll() is not None, lambda: self.complaints)
        url = found()
        assert url, self.complaints
        return url

    def get(self, path: str, what: str = "/metrics and /healthz") -> tuple[int, bytes]:
        parts = urlsplit(self.url(what))
        connection = HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def metrics(self) -> str:
        return self.get("/metrics")[1].decode()

    def metric(self, name: str) -> float:
        """A number of /metrics; 0 before it is there."""
        for line in self.metrics().splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[-1])
        return 0.0

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(PATIENCE_S)
        for each in self.listeners:
            each.join()
        return code


@contextmanager
def watching(*arguments: str | Path, data: Path, **variables: str) -> Iterator[Watching]:
    """Killed at the end, if it still runs. Variables are settings, as ``watch__port="0"``."""
    settings = {f"OPENPLATE_{name.upper().replace('__', '_')}": value for name, value in variables.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "openplate", "watch", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPENPLATE_STORAGE_DATA_FOLDER": str(data), **settings},
    )
    running = Watching(process)
    running.listen()
    try:
        yield running
    finally:
        process.kill()
        running.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()
