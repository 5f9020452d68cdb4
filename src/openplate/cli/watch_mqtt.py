"""MQTT beside what ``openplate watch`` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from openplate.datatypes import Group
from openplate.service.outputs import Camera
from openplate.service.watched_camera import camera_of
from openplate.settings import Settings
from openplate.settings.watch_plan import CameraPlan

if TYPE_CHECKING:
    from openplate.service.mqtt_output import MqttOutput
    from openplate.service.scout_side import ScoutSide


def open_mqtt(settings: Settings, plans: Sequence[CameraPlan], scout: ScoutSide | None) -> MqttOutput | None:
    """None where no broker is named. Pictures are told where Scout's ring keeps them and their address is known."""
    if settings.mqtt.host is None:
        return None
    from openplate import __version__
    from openplate.service.mqtt_output import MqttOutput

    cameras = [camera_of(plan) for plan in plans]
    return MqttOutput(settings.mqtt, cameras, version=__version__, image_url=_image_url(settings, scout))


def mqtt_numbers(mqtt: MqttOutput | None) -> tuple[dict[str, float], dict[str, float]]:
    """Counters and levels for /metrics; none where there is no MQTT."""
    if mqtt is None:
        return {}, {}
    counts = mqtt.counts()
    counters = {
        "mqtt_events": counts.published,
        "mqtt_events_dropped": counts.dropped,
        "mqtt_connects": counts.connects,
        "mqtt_failures": counts.failures,
    }
    return dict(counters), {"mqtt_connected": counts.is_connected, "mqtt_events_waiting": counts.waiting}


def _image_url(settings: Settings, scout: ScoutSide | None) -> Callable[[Camera, Group], str | None]:
    address = settings.mqtt.picture_url
    if address is None or scout is None or scout.ring is None:
        return lambda _camera, _group: None
    base, output = address.rstrip("/"), scout.output
    return lambda camera, group: f"{base}/img/{output.picture_uuid(camera, group)}.jpg"
