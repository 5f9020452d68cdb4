"""A connection to an MQTT broker that comes and goes: states and events handed to it wait, bounded, and are counted."""

from __future__ import annotations

import logging
import secrets
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openplate.settings.mqtt import MqttSection

if TYPE_CHECKING:
    from paho.mqtt.client import Client

_MOST_UNANSWERED: Final = 20
_TICK_S: Final = 0.1
_CONNECT_S: Final = 5.0
_KEEPALIVE_S: Final = 30
_JOIN_S: Final = 3.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MqttCounts:
    """Since the start.

    Attributes:
        is_connected: at this moment.
        published: events that the broker has confirmed; ``dropped``: that gave way to newer ones, or waited at the end.
        waiting: events that it has not confirmed yet.
        connects: times that the connection was made; ``failures``: that it failed or broke.
    """

    is_connected: bool = False
    published: int = 0
    dropped: int = 0
    waiting: int = 0
    connects: int = 0
    failures: int = 0


class MqttLink:
    """``start`` it, ``retain`` states, ``send`` events, ``stop``. No call waits for the network but ``stop``.

    Of a state only the newest is kept, and all are told at each connection. Events go in their order, at least once.
    """

    def __init__(
        self,
        settings: MqttSection,
        *,
        will: tuple[str, str],
        on_tick: Callable[[], None],
        delays_s: tuple[int, int] = (1, 60),
    ) -> None:
        """
        Args:
            settings: ``host`` is set.
            will: topic and text that the broker retains by itself when the connection is lost.
            on_tick: called ten times a second, by the link's thread.
            delays_s: from a failure to the next attempt: the first, which doubles, and the most.
        """
        self._settings, self._on_tick = settings, on_tick
        self._states: dict[str, bytes] = {}
        self._untold: dict[str, None] = {}
        self._events: deque[tuple[str, bytes]] = deque()
        self._changed = threading.Condition()
        self._is_connected = self._is_stopping = False
        self._published = self._dropped = self._connects = self._failures = 0
        self._unanswered = 0
        self._sent: dict[int, bool] = {}  # by the client's number, whether it is an event
        self._early: set[int] = set()  # answered before the client has said its number
        self._is_failing = False
        self._client = self._make_client(will, delays_s)
        self._thread = threading.Thread(target=self._run, name="mqtt words", daemon=True)

    def start(self) -> None:
        """Connects, as soon as somebody answers."""
        self._client.connect_async(str(self._settings.host), self._settings.port, _KEEPALIVE_S)
        self._client.loop_start()
        self._thread.start()

    def retain(self, topic: str, payload: bytes) -> None:
        """A state; the broker keeps the newest."""
        with self._changed:
            self._states[topic] = payload
            self._untold[topic] = None
            self._changed.notify()

    def send(self, topic: str, payload: bytes) -> None:
        """An event."""
        with self._changed:
            if self._is_stopping:
                self._dropped += 1
                return
            self._events.append((topic, payload))
            while len(self._events) > self._settings.most_waiting:
                self._events.popleft()
                self._dropped += 1
            self._changed.notify()

    def counts(self) -> MqttCounts:
        with self._changed:
            waiting = len(self._events) + self._unanswered
            return MqttCounts(
                self._is_connected, self._published, self._dropped, waiting, self._connects, self._failures
            )

    def stop(self, farewell: Mapping[str, bytes], timeout_s: float) -> None:
        """Tells what waits as long as the broker takes it, then last states, and goes; within some seconds."""
        until = time.monotonic() + timeout_s
        self._wait_for(until, lambda: not self._events and not self._unanswered)
        for topic, payload in farewell.items():
            self.retain(topic, payload)
        self._wait_for(until, lambda: not self._untold)
        with self._changed:
            self._is_stopping = True
            self._dropped += len(self._events)
            self._events.clear()
            self._changed.notify()
        if self._thread.ident is None:
            return
        self._thread.join(_JOIN_S)
        self._client.disconnect()
        # The client's own way to stop waits for a broker that takes nothing, for as long as it likes.
        stopping = threading.Thread(target=self._client.loop_stop, name="mqtt stop", daemon=True)
        stopping.start()
        stopping.join(_JOIN_S)

    def _wait_for(self, until: float, is_done: Callable[[], bool]) -> None:
        """Nobody waits for a broker that is not there; one that has not been asked yet is waited for."""
        with self._changed:
            while not is_done() and not self._is_failing and self._thread.is_alive():
                left = until - time.monotonic()
                if left <= 0:
                    return
                self._changed.wait(min(left, _TICK_S))

    # Its own thread: what waits is handed to the client, whose thread speaks to the network.

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._is_stopping:
                    return
                work = self._next()
                if work is None:
                    self._changed.wait(_TICK_S)
            if work is not None:
                self._publish(*work)
            try:
                self._on_tick()
            except Exception:
                _log.exception("states of cameras could not be told by MQTT")

    def _next(self) -> tuple[str, bytes, bool] | None:
        """Topic, payload, whether it is a state; None: nothing can be told now. States first: they are few."""
        if not self._is_connected:
            return None
        if self._untold:
            topic = next(iter(self._untold))
            del self._untold[topic]
            return topic, self._states[topic], True
        if self._events and self._unanswered < _MOST_UNANSWERED:
            self._unanswered += 1
            return *self._events.popleft(), False
        return None

    def _publish(self, topic: str, payload: bytes, is_state: bool) -> None:
        """Events are confirmed, and told again by the client after a break; states are all told anew then."""
        info = self._client.publish(topic, payload, qos=0 if is_state else 1, retain=is_state)
        with self._changed:
            if is_state and info.rc != 0:
                self._untold.setdefault(topic)
            elif info.mid in self._early:
                self._early.remove(info.mid)
                self._count_answer(is_event=not is_state)
            else:
                self._sent[info.mid] = not is_state
            self._changed.notify_all()

    def _count_answer(self, *, is_event: bool) -> None:
        if is_event:
            self._published += 1
            self._unanswered -= 1

    # The client's thread.

    def _make_client(self, will: tuple[str, str], delays_s: tuple[int, int]) -> Client:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

        not_reached = self._count_failure

        class TellingClient(Client):
            """Says why a connection could not be made, and takes a wrong name for an error like the others."""

            def reconnect(self) -> MQTTErrorCode:
                try:
                    return super().reconnect()
                except (OSError, ValueError) as error:
                    not_reached(str(error))
                    raise OSError(str(error)) from error

        settings = self._settings
        name = settings.client_id or f"openplate-{secrets.token_hex(6)}"
        client = TellingClient(CallbackAPIVersion.VERSION2, client_id=name)
        client.connect_timeout = _CONNECT_S
        client.reconnect_delay_set(*delays_s)
        if settings.user is not None:
            client.username_pw_set(settings.user, settings.password)
        if settings.tls:
            client.tls_set(cert_reqs=ssl.CERT_REQUIRED if settings.verify_certificates else ssl.CERT_NONE)
            client.tls_insecure_set(not settings.verify_certificates)
        client.will_set(will[0], will[1], qos=1, retain=True)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._answered
        return client

    def _connected(self, _client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._count_failure(str(reason))
            return
        with self._changed:
            was_failing, self._is_failing = self._is_failing, False
            self._is_connected = True
            self._connects += 1
            self._untold = dict.fromkeys(self._states)
            self._sent = {number: True for number, is_event in self._sent.items() if is_event}
            self._changed.notify_all()
        if was_failing:
            _log.warning("the MQTT broker %s answers again", self._settings.host)

    def _disconnected(self, _client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        with self._changed:
            was_connected, self._is_connected = self._is_connected, False
        if was_connected and not self._is_stopping:
            self._count_failure(str(reason))

    def _answered(self, _client: Client, _data: Any, number: int, _reason: Any, _properties: Any) -> None:
        """An event was confirmed; a state, which nobody confirms, was written."""
        with self._changed:
            if number in self._sent:
                self._count_answer(is_event=self._sent.pop(number))
            else:
                self._early.add(number)
            self._changed.notify_all()

    def _count_failure(self, reason: str) -> None:
        """Told once until it answers again."""
        with self._changed:
            was_failing, self._is_failing = self._is_failing, True
            self._failures += 1
            self._changed.notify_all()
        if not was_failing:
            _log.error("the MQTT broker %s:%d: %s", self._settings.host, self._settings.port, reason)
