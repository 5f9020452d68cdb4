"""What cameras see, told to an MQTT broker in Home Assistant's way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from openplate.datatypes import Group, Recognition
from openplate.formats import home_assistant as words
from openplate.imaging.frame import Frame
from openplate.service.mqtt_link import MqttCounts, MqttLink
from openplate.service.outputs import Camera
from openplate.service.watched_camera import CameraStatus
from openplate.settings.mqtt import MqttSection
from openplate.video_pipeline import GroupPicture

_LOOK_S: Final = 1.0
_CLOSE_S: Final = 5.0
_ALIVE: Final = ("running", "ended")


class Presence:
    """Where vehicles are: each for so long after the last word of it. Times are seconds of any clock."""

    def __init__(self, reset_after_s: float) -> None:
        self._reset_after_s = reset_after_s
        self._until: dict[str, float] = {}

    def see(self, camera: str, now_s: float) -> None:
        self._until[camera] = now_s + self._reset_after_s

    def expire(self, now_s: float) -> list[str]:
        """The cameras whose vehicle has gone since it was last asked."""
        gone = [camera for camera, until in self._until.items() if until <= now_s]
        for camera in gone:
            del self._until[camera]
        return gone


class MqttOutput:
    """An output; ``start`` it before the cameras."""

    def __init__(
        self,
        settings: MqttSection,
        cameras: Sequence[Camera],
        *,
        version: str,
        clock: Callable[[], float] = time.monotonic,
        image_url: Callable[[Camera, Group], str | None] = lambda _camera, _group: None,
        delays_s: tuple[int, int] = (1, 60),
    ) -> None:
        """
        Args:
            settings: ``host`` is set.
            cameras: all there will be.
            version: of this program.
            clock: seconds, for what resets itself.
            image_url: where the picture of a group can be fetched.
            delays_s: from a failure of the broker to the next attempt: the first, which doubles, and the most.
        """
        self._settings, self._clock, self._image_url = settings, clock, image_url
        keys = words.camera_keys((camera.name, camera.number) for camera in cameras)
        self._topics = {name: words.Topics(settings.topic, key) for name, key in keys.items()}
        self._presence = Presence(settings.reset_after_s)
        self._lock = threading.Lock()
        self._statuses: Callable[[], Sequence[CameraStatus]] = tuple
        self._looked_at: float | None = None
        self._alive: dict[str, bool] = {}
        will = words.status_topic(settings.topic), words.OFFLINE
        self._link = MqttLink(settings, will=will, on_tick=self._tick, delays_s=delays_s)
        self._introduce(version)

    def start(self, statuses: Callable[[], Sequence[CameraStatus]]) -> None:
        """``statuses`` says how the cameras are; asked once a second."""
        self._statuses = statuses
        self._link.start()

    def counts(self) -> MqttCounts:
        return self._link.counts()

    def frame(self, camera: Camera, recognition: Recognition | None, frame: Frame) -> None:
        """Single frames are not told."""

    def group(self, camera: Camera, picture: GroupPicture) -> None:
        group, topics = picture.group, self._topics[camera.name]
        url = self._image_url(camera, group)
        self._link.send(topics.events, words.encode(words.event(group, picture.position_s, url)))
        if group.state == "left":
            return
        summary = words.encode(words.summary(group, url))
        with self._lock:
            self._presence.see(camera.name, self._clock())
            self._link.retain(topics.vehicle, words.ON.encode())
            if group.consensus is not None:
                self._link.retain(topics.plate, summary)
                self._link.retain(topics.last, summary)

    def close(self) -> None:
        farewell: dict[str, bytes] = {}
        for camera, topics in self._topics.items():
            farewell |= {**_nobody(camera, topics), topics.camera: words.OFFLINE.encode()}
        farewell[words.status_topic(self._settings.topic)] = words.OFFLINE.encode()
        self._link.stop(farewell, _CLOSE_S)

    def _introduce(self, version: str) -> None:
        settings = self._settings
        for camera, topics in self._topics.items():
            told = words.discovery(topics, camera, prefix=settings.discovery_topic, version=version)
            for topic, message in told.items() if settings.discovery else ():
                self._link.retain(topic, words.encode(message))
            for topic, payload in _nobody(camera, topics).items():
                self._link.retain(topic, payload)
            self._link.retain(topics.camera, words.OFFLINE.encode())
        self._link.retain(words.status_topic(settings.topic), words.ONLINE.encode())

    def _tick(self) -> None:
        """By the link's thread, ten times a second."""
        with self._lock:
            now = self._clock()
            for camera in self._presence.expire(now):
                for topic, payload in _nobody(camera, self._topics[camera]).items():
                    self._link.retain(topic, payload)
        if self._looked_at is None or not 0 <= now - self._looked_at < _LOOK_S:
            self._looked_at = now
            self._tell_cameras()

    def _tell_cameras(self) -> None:
        for status in self._statuses():
            name, is_alive = status.camera.name, status.state in _ALIVE
            if self._alive.get(name) != is_alive:
                self._alive[name] = is_alive
                self._link.retain(self._topics[name].camera, (words.ONLINE if is_alive else words.OFFLINE).encode())


def _nobody(camera: str, topics: words.Topics) -> dict[str, bytes]:
    return {topics.vehicle: words.OFF.encode(), topics.plate: words.encode(words.nobody(camera))}
