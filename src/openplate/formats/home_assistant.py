"""What an MQTT broker is told: topics, Home Assistant's discovery, states. Pure functions.

Below a prefix there is for each camera, under a key made of its name:

- ``events``: each group as Openplate's own object, previews too; not retained;
- ``last``: the last vehicle in few words, retained;
- ``plate``: the same while it is there, then the same keys with an empty text; retained;
- ``vehicle``: ``ON`` while a vehicle is there, else ``OFF``; retained;
- ``camera``: ``online`` while the camera gives pictures, else ``offline``; retained.

``status`` beside them says the same of the whole program; the broker writes ``offline`` when it is gone.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from openplate.datatypes import UNKNOWN, Group
from openplate.formats.native import rounded_confidence
from openplate.formats.native_group import direction_of, group_dict, speed_kmh, timestamp

ONLINE: Final = "online"
OFFLINE: Final = "offline"
ON: Final = "ON"
OFF: Final = "OFF"

NO_PLATE: Final = ""
_PLATE: Final = "{{ value_json.text }}"
_OTHERS: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Topics:
    """Where one camera's words go. ``prefix`` is that of the whole program, ``key`` the camera's."""

    prefix: str
    key: str

    @property
    def events(self) -> str:
        return f"{self.prefix}/{self.key}/events"

    @property
    def last(self) -> str:
        return f"{self.prefix}/{self.key}/last"

    @property
    def plate(self) -> str:
        return f"{self.prefix}/{self.key}/plate"

    @property
    def vehicle(self) -> str:
        return f"{self.prefix}/{self.key}/vehicle"

    @property
    def camera(self) -> str:
        return f"{self.prefix}/{self.key}/camera"

    @property
    def status(self) -> str:
        return status_topic(self.prefix)


def status_topic(prefix: str) -> str:
    """Whether the program is there."""
    return f"{prefix}/status"


def camera_keys(cameras: Iterable[tuple[str, int]]) -> dict[str, str]:
    """For each name of (name, number) a key of its own, a-z, 0-9 and _: as in "Main gate": "main_gate".

    Names that give the same key, and those that would give another topic's, have the camera's number behind it.
    """
    keys: dict[str, str] = {}
    taken = {"status"}
    for name, number in cameras:
        key = _key(name) or "camera"
        while key in taken:
            key = f"{key}_{number}"
        taken.add(key)
        keys[name] = key
    return keys


def event(group: Group, position_s: float | None = None, image_url: str | None = None) -> dict[str, object]:
    """The group's own object; ``image_url`` is in it where there is one."""
    return {**group_dict(group, position_s), **({} if image_url is None else {"image_url": image_url})}


def summary(group: Group, image_url: str | None = None) -> dict[str, object]:
    """The vehicle in few words, as Home Assistant shows them beside the state."""
    reading, vehicle = group.consensus, group.best.vehicle
    return {
        "text": reading.text if reading else NO_PLATE,
        "confidence": rounded_confidence(reading.confidence) if reading else None,
        "region": reading.regions[0].value if reading and reading.regions else None,
        "direction": direction_of(group),
        "speed_kmh": speed_kmh(group),
        "vehicle": vehicle.detection.label if vehicle else None,
        **_looks(group),
        "time": timestamp(group.best.at),
        "camera": group.camera,
        "state": group.state,
        "is_preview": group.state == "preview",
        "is_parked": bool(group.is_parked),
        "dwell_s": round(float(group.dwell_s), 3),
        "group": group.id,
        "image_url": image_url,
    }


def nobody(camera: str) -> dict[str, object]:
    """The ``plate`` of a camera where nobody is."""
    return {"text": NO_PLATE, "camera": camera}


def discovery(topics: Topics, camera: str, *, prefix: str, version: str) -> dict[str, dict[str, object]]:
    """Messages for Home Assistant by topic, to be retained: a device with three entities.

    Args:
        topics: the camera's.
        camera: its name.
        prefix: where Home Assistant looks, "homeassistant".
        version: of this program.
    """
    node = f"{_key(topics.prefix)}_{topics.key}"
    common: dict[str, object] = {
        "availability": [{"topic": topics.status}, {"topic": topics.camera}],
        "availability_mode": "all",
        "device": {
            "identifiers": [node],
            "name": camera,
            "manufacturer": "Openplate",
            "model": "Camera",
            "sw_version": version,
        },
        "origin": {"name": "Openplate", "sw_version": version},
        "qos": 1,
    }
    entities: Mapping[tuple[str, str], dict[str, object]] = {
        ("sensor", "last_plate"): {
            "name": "Last plate",
            "icon": "mdi:history",
            "state_topic": topics.last,
            "value_template": _PLATE,
            "json_attributes_topic": topics.last,
        },
        ("sensor", "plate"): {
            "name": "Plate",
            "icon": "mdi:car-info",
            "state_topic": topics.plate,
            "value_template": _PLATE,
            "json_attributes_topic": topics.plate,
        },
        ("binary_sensor", "vehicle"): {
            "name": "Vehicle",
            "icon": "mdi:car",
            "device_class": "occupancy",
            "state_topic": topics.vehicle,
            "payload_on": ON,
            "payload_off": OFF,
        },
    }
    return {
        f"{prefix}/{kind}/{node}/{name}/config": {**entity, "unique_id": f"{node}_{name}", **common}
        for (kind, name), entity in entities.items()
    }


def encode(value: Mapping[str, object]) -> bytes:
    """As it is sent: JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _looks(group: Group) -> dict[str, object]:
    """What is known of the vehicle's look; nothing where nobody asked for it."""
    attributes = group.attributes
    if attributes is None:
        return {}
    models = attributes.make_models
    best = models[0] if models and models[0].make != UNKNOWN else None
    color = attributes.colors[0].value if attributes.colors else UNKNOWN
    return {
        "make": best.make if best else None,
        "model": best.model if best else None,
        "color": None if color == UNKNOWN else color,
    }


def _key(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return _OTHERS.sub("_", plain.lower()).strip("_")
