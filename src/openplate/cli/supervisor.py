"""Several processes of ``openplate serve`` that share sockets and database: started, watched, replaced, ended."""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from time import monotonic
from typing import Final

from openplate.cli.server_process import configure_logging, run_process
from openplate.errors import OpenplateError, StorageError
from openplate.settings import Settings
from openplate.settings.building import data_folder_of

_GRACE_S: Final = 5.0  # beyond the time in which processes promise to stop
_QUICK_S: Final = 10.0  # a process that lived shorter is replaced after a pause
_PAUSE_S: Final = 2.0
_READY: Final = "ready"
_COUNTERS: Final = "PROMETHEUS_MULTIPROC_DIR"

_log = logging.getLogger("openplate.server")
_spawn = multiprocessing.get_context("spawn")


class ProcessFailed(OpenplateError):
    """A process of the server could not start; the message is its own."""


@dataclass(slots=True)
class _Child:
    process: SpawnProcess
    pipe: Connection
    started_at: float
    is_ready: bool = False


def supervise(settings: Settings, sockets: Sequence[socket.socket], ready: Callable[[], None]) -> bool:
    """Runs the processes until SIGTERM or SIGINT; one that dies is replaced.

    Returns:
        Whether all of them finished what they were doing.

    Raises:
        ProcessFailed: one could not start.
    """
    configure_logging(settings.server.access_log)
    _share_counters(data_folder_of(settings) / "metrics")
    return _Supervisor(settings, sockets, ready).run()


def _share_counters(folder: Path) -> None:
    """Lets any process answer for the counters of all: ``/metrics`` reads what they write into one folder."""
    if _COUNTERS in os.environ:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob("*.db"):
            left.unlink()
    except OSError as error:
        raise StorageError(f"{folder} cannot be used: {error.strerror}") from error
    os.environ[_COUNTERS] = str(folder)


class _Supervisor:
    def __init__(self, settings: Settings, sockets: Sequence[socket.socket], ready: Callable[[], None]) -> None:
        self._settings, self._sockets, self._tell_ready = settings, list(sockets), ready
        self._children: list[_Child] = []
        self._is_told = False
        self._reader, self._writer = _spawn.Pipe(duplex=False)

    def run(self) -> bool:
        def stop(*_: object) -> None:
            self._writer.send_bytes(b"stop")

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            self._children = [self._start() for _ in range(self._settings.server.processes)]
            while not self._reader.poll(0):
                self._watch()
        finally:
            is_done = self._end()
            for number, handler in before.items():
                signal.signal(number, handler)
        return is_done

    def _start(self) -> _Child:
        ours, theirs = _spawn.Pipe()
        process = _spawn.Process(target=_run_child, args=(self._settings, self._sockets, theirs), name="openplate")
        process.start()
        theirs.close()
        return _Child(process, ours, monotonic())

    def _watch(self) -> None:
        waited: list[Connection | int] = [self._reader]
        for child in self._children:
            waited += [child.process.sentinel] if child.is_ready else [child.pipe, child.process.sentinel]
        multiprocessing.connection.wait(waited, timeout=1.0)
        for child in self._children:
            if not child.is_ready:
                self._hear(child)
        if not self._is_told and all(child.is_ready for child in self._children):
            self._is_told = True
            self._tell_ready()
        self._children = [self._kept_or_replaced(child) for child in self._children]

    def _hear(self, child: _Child) -> None:
        """Takes what a process says at its start, if it has said something."""
        try:
            message = str(child.pipe.recv()) if child.pipe.poll(0) else None
        except (EOFError, OSError):
            return  # it died without a word
        if message is not None and message != _READY:
            raise ProcessFailed(message)
        child.is_ready = message == _READY

    def _kept_or_replaced(self, child: _Child) -> _Child:
        if child.process.is_alive():
            return child
        if not child.is_ready:
            self._hear(child)
        if not self._is_told:
            raise ProcessFailed(f"a process of the server ended at its start ({_end_of(child.process)})")
        if monotonic() - child.started_at < _QUICK_S and self._reader.poll(_PAUSE_S):
            return child  # the server is being stopped meanwhile
        _log.error("process %s ended (%s) and is replaced", child.process.pid, _end_of(child.process))
        child.pipe.close()
        return self._start()

    def _end(self) -> bool:
        """Ends the processes, softly at first; True: all of them did so by themselves."""
        for each in self._sockets:
            each.close()
        for child in self._children:
            if child.process.is_alive():
                child.process.terminate()
        end = monotonic() + self._settings.server.stop_timeout_s + _GRACE_S
        for child in self._children:
            child.process.join(max(0.1, end - monotonic()))
        late = [child for child in self._children if child.process.is_alive()]
        for child in late:
            child.process.kill()
            child.process.join()
        # One that was still loading had nothing to finish.
        return not late and all(child.process.exitcode == 0 for child in self._children if child.is_ready)


def _end_of(process: SpawnProcess) -> str:
    code = process.exitcode
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def _run_child(settings: Settings, sockets: Sequence[socket.socket], pipe: Connection) -> None:
    """What a process does: answers until it is told to stop, or until its parent is gone."""
    orphaned = threading.Event()

    def ready() -> None:
        pipe.send(_READY)
        threading.Thread(target=_wait_for_end, args=(pipe, orphaned), daemon=True).start()

    try:
        is_done = run_process(settings, sockets, ready, orphaned)
    except OpenplateError as error:
        pipe.send(str(error))
        pipe.close()
        sys.exit(1)
    sys.stderr.flush()
    os._exit(0 if is_done else 1)


def _wait_for_end(pipe: Connection, orphaned: threading.Event) -> None:
    """Nobody ever sends: reading ends when the parent does."""
    try:
        pipe.recv()
    except (EOFError, OSError):
        orphaned.set()
