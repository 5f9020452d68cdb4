"""Settings of ``openplate watch`` for MQTT: the broker, topics, Home Assistant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from openplate.settings.camera_rules import WebAddress
from openplate.settings.rules import Flag, Number, Secret, Text, WholeNumber

_DAY_S: Final = 24 * 3600
_LONGEST_TOPIC: Final = 200


@dataclass(frozen=True, slots=True)
class Topic(Text):
    """The beginning of topics, without a slash at either end."""

    what: str = "the beginning of topics, without + # and a slash at its ends"

    def from_value(self, value: object) -> str:
        text = Text.from_value(self, value)
        levels = text.split("/")
        if len(text) > _LONGEST_TOPIC or "" in levels or text.startswith("$") or {"+", "#"} & set(text):
            raise ValueError
        return text


@dataclass(frozen=True, slots=True)
class MqttSection:
    """What cameras see, told to an MQTT broker; it is on when ``host`` is set."""

    host: Annotated[str | None, Text("a host name or address"), "The broker; not set: nothing is published."] = None
    port: Annotated[int, WholeNumber(1, 65535), "Its port; with TLS usually 8883."] = 1883
    user: Annotated[str | None, Text("a text"), "User name; not set: no login."] = None
    password: Annotated[str | None, Secret("a text"), "Password; better in the environment than in a file."] = None
    tls: Annotated[bool, Flag(), "Whether the connection is encrypted."] = False
    verify_certificates: Annotated[bool, Flag(), "Whether the broker's certificate must be good."] = True
    client_id: Annotated[
        str | None, Text("a text"), "What the broker knows it by, no two alike; not set: one made by chance."
    ] = None
    topic: Annotated[str, Topic(), "Before every topic; of several Openplates at one broker each needs its own."] = (
        "openplate"
    )
    discovery: Annotated[bool, Flag(), "Whether Home Assistant is told of the cameras."] = True
    discovery_topic: Annotated[str, Topic(), "Where Home Assistant looks for that."] = "homeassistant"
    reset_after_s: Annotated[
        float, Number(0.1, _DAY_S), "The plate and the vehicle of a camera are there for so long after the last word."
    ] = 30.0
    most_waiting: Annotated[
        int, WholeNumber(1, 1_000_000), "Most events that wait for the broker; the oldest goes first, and is counted."
    ] = 1000
    picture_url: Annotated[
        str | None,
        WebAddress(),
        "The address of `scout.picture_port` as others see it, told with each picture; not set: not told.",
    ] = None
