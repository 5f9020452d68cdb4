"""The server as a process that tells what it used: processor time in all, that of the engine, memory."""

from __future__ import annotations

import multiprocessing
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from benchmarks.speed import resident_megabytes
from openplate.cli.listening import listen, url_of
from openplate.cli.server_process import run_process
from openplate.datatypes import Recognition
from openplate.imaging import Source
from openplate.options import RecognitionOptions
from openplate.pipeline import Recognizer
from openplate.service import Service
from openplate.settings import Settings, load_settings
from openplate.settings.building import build_recognizer, open_store

_spawn = multiprocessing.get_context("spawn")


class Reading(NamedTuple):
    """What a server used since its start: seconds of processor time, pictures, megabytes now."""

    total_s: float
    engine_s: float
    pictures: int
    memory_mb: float


class Meter:
    """Adds up the processor time that threads spend in the engine, which computes in the thread that calls it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds, self._pictures = 0.0, 0

    def add(self, seconds: float) -> None:
        with self._lock:
            self._seconds += seconds
            self._pictures += 1

    def read(self) -> Reading:
        with self._lock:
            return Reading(time.process_time(), self._seconds, self._pictures, resident_megabytes())


class MeteredRecognizer(Recognizer):
    """A recognizer whose work is metered."""

    _meter: Meter

    @classmethod
    def of(cls, recognizer: Recognizer, meter: Meter) -> MeteredRecognizer:
        made = cls.__new__(cls)
        made.__dict__ |= recognizer.__dict__
        made._meter = meter
        return made

    def with_options(self, options: RecognitionOptions) -> Recognizer:
        return MeteredRecognizer.of(super().with_options(options), self._meter)

    def recognize(self, images: Sequence[Source], names: Sequence[str] | None = None) -> list[Recognition]:
        start = time.thread_time()
        try:
            return super().recognize(images, names)
        finally:
            self._meter.add(time.thread_time() - start)


def _open(meter: Meter, settings: Settings) -> Service:
    workers = settings.workers or 1
    recognizer = build_recognizer(RecognitionOptions(), settings, workers)
    service = Service(settings, MeteredRecognizer.of(recognizer, meter), open_store(settings), workers)
    service.start()
    return service


def _serve(settings: Settings, sockets: Sequence[socket.socket], pipe: Connection) -> None:
    meter, stop = Meter(), threading.Event()

    def answer() -> None:
        while pipe.recv() == "read":
            pipe.send(meter.read())
        stop.set()

    def ready() -> None:
        pipe.send("ready")
        threading.Thread(target=answer, daemon=True).start()

    run_process(settings, sockets, ready, stop, partial(_open, meter))


@dataclass(frozen=True, slots=True)
class MeteredServer:
    """A running server."""

    url: str
    read: Callable[[], Reading]


@contextmanager
def metered_server(workers: int, queue: int) -> Iterator[MeteredServer]:
    """A server in a process of its own, with an empty data folder and room for ``queue`` waiting pictures."""
    with tempfile.TemporaryDirectory() as folder:
        given: dict[str, object] = {"workers": workers, "server.queue": queue, "storage.data_folder": Path(folder)}
        settings = load_settings(command_line=given).settings
        sockets = listen("127.0.0.1", 0)
        ours, theirs = _spawn.Pipe()
        process = _spawn.Process(target=_serve, args=(settings, sockets, theirs))
        process.start()
        theirs.close()
        url = url_of(sockets[0])
        for each in sockets:
            each.close()
        ours.recv()

        def read() -> Reading:
            ours.send("read")
            answer: Reading = ours.recv()
            return answer

        try:
            yield MeteredServer(f"{url}/v1/plate-reader/", read)
        finally:
            ours.send("stop")
            process.join(60)
            process.kill()
            process.join()
