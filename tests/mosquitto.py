"""A real MQTT broker on this machine, Mosquitto, and somebody who listens to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from tests.video.video_helpers import PATIENCE_S, wait_until

PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/sbin")
needs_mosquitto = pytest.mark.skipif(
    PROGRAM is None, reason="Mosquitto is not installed (Debian: apt-get install mosquitto)"
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class Broker:
    """``start`` and ``kill`` as often as wanted, on one port; what it retains is lost with it."""

    def __init__(self, folder: Path, *more: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        # Started by root it would else become a user who may not read our files.
        user = ("user root",) if os.geteuid() == 0 else ()
        lines = ["persistence false", *user, f"listener {self.port} 127.0.0.1", *(more or ("allow_anonymous true",))]
        self._config.write_text("\n".join(lines) + "\n")
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert PROGRAM is not None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([PROGRAM, "-c", self._config], stdout=log, stderr=log)
        wait_until(self._answers, lambda: self._log.read_text())

    def freeze(self) -> None:
        """It takes connections and says nothing any more, until it is killed or ``thaw`` is called."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
            self._process = None

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


@contextmanager
def mosquitto(folder: Path, *more: str) -> Iterator[Broker]:
    """A broker that runs; ``more`` are lines of its file in place of ``allow_anonymous true``."""
    broker = Broker(folder, *more)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


class Listener:
    """Keeps all that it hears: in order, with whether it was retained."""

    def __init__(self, port: int) -> None:
        self._lock = threading.Lock()
        self._heard: list[tuple[str, str, bool]] = []
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        self.is_subscribed = False
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._hear
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()

    def _subscribed(self, *_: Any) -> None:
        self.is_subscribed = True

    def _hear(self, _client: Client, _data: Any, message: Any) -> None:
        with self._lock:
            self._heard.append((message.topic, message.payload.decode(), message.retain))

    def all(self, topic: str) -> list[str]:
        with self._lock:
            return [payload for name, payload, _ in self._heard if name == topic]

    def retained(self, topic: str) -> list[str]:
        """What was there before it listened."""
        with self._lock:
            return [payload for name, payload, is_retained in self._heard if name == topic and is_retained]

    def topics(self) -> set[str]:
        with self._lock:
            return {name for name, _, _ in self._heard}

    def objects(self, topic: str) -> list[Any]:
        return [json.loads(payload) for payload in self.all(topic)]

    def wait_for(self, topic: str, payload: str) -> None:
        """Until that is the newest word of the topic."""
        wait_until(lambda: self.all(topic)[-1:] == [payload], lambda: self.all(topic))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def listening(broker: Broker) -> Iterator[Listener]:
    listener = Listener(broker.port)
    try:
        yield listener
    finally:
        listener.close()
