"""Cameras' words at a real MQTT broker: discovery, states that reset themselves, brokers that die, last wills."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("paho.mqtt.client")

from tests.formats.test_home_assistant import make_group
from tests.mosquitto import Broker, free_port, listening, mosquitto, needs_mosquitto
from tests.video.video_helpers import wait_until

from openplate.datatypes import Group
from openplate.service.mqtt_output import MqttOutput, Presence
from openplate.service.outputs import Camera, Output
from openplate.service.watched_camera import CameraStatus, WatchState
from openplate.settings.mqtt import MqttSection
from openplate.video_pipeline import GroupPicture

GATE, YARD = Camera("gate", 1), Camera("Back yard", 2)
DELAYS_S = (1, 1)


class Clock:
    """Stands until it is set."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class States:
    """How the cameras are."""

    def __init__(self) -> None:
        self.now: dict[str, WatchState] = {"gate": "running", "Back yard": "running"}

    def __call__(self) -> list[CameraStatus]:
        return [CameraStatus(camera, state=self.now[camera.name]) for camera in (GATE, YARD)]


def section(port: int, **changes: object) -> MqttSection:
    return replace(MqttSection(host="127.0.0.1", port=port, reset_after_s=30.0), **changes)  # type: ignore[arg-type]


@contextmanager
def telling(
    port: int, clock: Clock | None = None, states: States | None = None, **changes: object
) -> Iterator[MqttOutput]:
    output = MqttOutput(
        section(port, **changes), (GATE, YARD), version="1.2", clock=clock or Clock(), delays_s=DELAYS_S
    )
    output.start(states or States())
    try:
        yield output
    finally:
        output.close()


def tell(output: Output, group: Group | None = None, camera: Camera = GATE) -> None:
    output.group(camera, GroupPicture(group or make_group(), None, 1.5))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.mark.parametrize(
    ("seen_s", "asked_s", "gone"),
    [
        ([0], [9.9, 10, 11], [[], ["gate"], []]),
        ([0, 8], [10, 17.9, 18], [[], [], ["gate"]]),
        ([], [0, 100], [[], []]),
    ],
)
def test_a_vehicle_is_there_for_so_long_after_the_last_word(
    seen_s: list[float], asked_s: list[float], gone: list[list[str]]
) -> None:
    presence = Presence(10.0)
    for at_s in seen_s:
        presence.see("gate", at_s)
    assert [presence.expire(at_s) for at_s in asked_s] == gone


def test_cameras_forget_apart_from_each_other() -> None:
    presence = Presence(10.0)
    presence.see("gate", 0)
    presence.see("yard", 5)
    assert [presence.expire(at_s) for at_s in (10, 15)] == [["gate"], ["yard"]]


@needs_mosquitto
def test_home_assistant_is_told_of_each_camera_once_and_for_all(broker: Broker) -> None:
    with telling(broker.port), listening(broker) as first:
        first.wait_for("openplate/back_yard/camera", "online")
        with listening(broker) as later:  # as Home Assistant that starts after us
            later.wait_for("openplate/gate/camera", "online")
            configs = {topic for topic in later.topics() if topic.startswith("homeassistant/")}
            assert configs == {
                f"homeassistant/{kind}/openplate_{key}/{name}/config"
                for key in ("gate", "back_yard")
                for kind, name in (("sensor", "last_plate"), ("sensor", "plate"), ("binary_sensor", "vehicle"))
            }
            assert all(len(later.retained(topic)) == 1 for topic in configs)
            assert later.retained("openplate/status") == ["online"]
            assert later.retained("openplate/gate/vehicle") == ["OFF"]


@needs_mosquitto
def test_without_discovery_there_is_none(broker: Broker) -> None:
    with telling(broker.port, discovery=False, topic="a/b"), listening(broker) as listener:
        listener.wait_for("a/b/gate/camera", "online")
        assert not any(topic.startswith("homeassistant/") for topic in listener.topics())


@needs_mosquitto
def test_a_pass_is_an_event_and_a_state_until_it_resets_itself(broker: Broker) -> None:
    clock = Clock()
    with telling(broker.port, clock) as output, listening(broker) as listener:
        listener.wait_for("openplate/gate/vehicle", "OFF")
        tell(output, replace(make_group(), state="preview"))
        tell(output)
        wait_until(lambda: len(listener.all("openplate/gate/events")) == 2)
        preview, closed = listener.objects("openplate/gate/events")
        assert (preview["state"], closed["state"]) == ("preview", "closed")
        assert (closed["text"], closed["best"]["position_s"]) == ("B4K77Q", 1.5)
        assert listener.retained("openplate/gate/events") == []
        listener.wait_for("openplate/gate/vehicle", "ON")
        wait_until(lambda: listener.objects("openplate/gate/plate")[-1].get("state") == "closed")
        clock.now_s += 29.9
        tell(output, camera=YARD)
        listener.wait_for("openplate/back_yard/vehicle", "ON")
        assert listener.all("openplate/gate/vehicle")[-1] == "ON"
        clock.now_s += 0.1
        listener.wait_for("openplate/gate/vehicle", "OFF")
        wait_until(lambda: listener.objects("openplate/gate/plate")[-1] == {"text": "", "camera": "gate"})
        assert listener.objects("openplate/gate/last")[-1]["text"] == "B4K77Q"
        assert listener.all("openplate/back_yard/vehicle")[-1] == "ON"
        with listening(broker) as later:
            later.wait_for("openplate/gate/vehicle", "OFF")
            wait_until(lambda: later.retained("openplate/gate/last"))
            assert json.loads(later.retained("openplate/gate/last")[0])["region"] == "us-mo"


@needs_mosquitto
def test_who_has_left_or_has_no_plate(broker: Broker) -> None:
    with telling(broker.port) as output, listening(broker) as listener:
        listener.wait_for("openplate/back_yard/vehicle", "OFF")
        tell(output, replace(make_group(), state="left"))
        wait_until(lambda: listener.objects("openplate/gate/events"))
        tell(output, replace(make_group(), consensus=None), YARD)
        listener.wait_for("openplate/back_yard/vehicle", "ON")
        assert listener.all("openplate/gate/vehicle")[-1] == "OFF"
        assert listener.objects("openplate/back_yard/plate")[-1]["text"] == ""
        assert listener.all("openplate/back_yard/last") == []


@needs_mosquitto
def test_a_camera_that_is_gone_is_told(broker: Broker) -> None:
    clock, states = Clock(), States()
    with telling(broker.port, clock, states), listening(broker) as listener:
        listener.wait_for("openplate/gate/camera", "online")
        states.now["gate"] = "offline"
        clock.now_s += 1
        listener.wait_for("openplate/gate/camera", "offline")
        states.now["gate"] = "running"
        clock.now_s += 1
        listener.wait_for("openplate/gate/camera", "online")
        assert listener.all("openplate/back_yard/camera")[-1] == "online"


@needs_mosquitto
def test_nobody_waits_for_a_broker_that_is_killed_and_comes_again(broker: Broker) -> None:
    clock = Clock()
    with telling(broker.port, clock) as output, listening(broker) as listener:
        tell(output)
        wait_until(lambda: output.counts().published == 1, output.counts)
        broker.kill()
        wait_until(lambda: not output.counts().is_connected)
        for number in range(5):
            tell(output, replace(make_group(), id=f"group{number}"))
        assert output.counts().waiting == 5
        clock.now_s += 30  # what is said while nobody listens counts as well
        before = len(listener.all("openplate/gate/events"))
        broker.start()
        wait_until(lambda: output.counts().published == 6, output.counts)
        counts = output.counts()
        assert (counts.waiting, counts.dropped, counts.connects) == (0, 0, 2)
        assert counts.failures >= 1
        with listening(broker) as later:  # the new broker knew nothing: all was told again
            later.wait_for("openplate/gate/vehicle", "OFF")
            wait_until(lambda: later.retained("homeassistant/sensor/openplate_gate/plate/config"))
        told = [event["group"] for event in listener.objects("openplate/gate/events")[before:]]
        assert set(told) <= {f"group{number}" for number in range(5)}


@needs_mosquitto
def test_a_broker_that_comes_late_hears_the_newest_in_order(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "late")
    try:
        with telling(broker.port, most_waiting=3) as output:
            for number in range(10):
                tell(output, replace(make_group(), id=f"group{number}"))
            wait_until(lambda: output.counts().failures >= 2, output.counts)
            assert (output.counts().dropped, output.counts().waiting) == (7, 3)
            broker.start()
            wait_until(lambda: output.counts().published == 3, output.counts)
            with listening(broker) as listener:
                listener.wait_for("openplate/gate/vehicle", "ON")
    finally:
        broker.kill()


@needs_mosquitto
def test_all_that_waits_is_told_before_the_end_and_then_farewell(broker: Broker) -> None:
    with listening(broker) as listener:
        wait_until(lambda: listener.is_subscribed)
        with telling(broker.port) as output:
            for number in range(100):
                tell(output, replace(make_group(), id=f"group{number}"))
        listener.wait_for("openplate/status", "offline")
        wait_until(lambda: len(listener.all("openplate/gate/events")) == 100)
        told = [event["group"] for event in listener.objects("openplate/gate/events")]
        assert told == [f"group{number}" for number in range(100)]
        listener.wait_for("openplate/gate/vehicle", "OFF")
        listener.wait_for("openplate/gate/camera", "offline")


def test_the_end_does_not_wait_for_a_broker_that_is_not_there() -> None:
    with telling(free_port()) as output:
        tell(output)
        wait_until(lambda: output.counts().failures >= 1)
    assert (output.counts().dropped, output.counts().waiting) == (1, 0)


def test_what_was_never_started_can_be_closed() -> None:
    output = MqttOutput(section(free_port()), (GATE,), version="1.2")
    tell(output)
    output.close()
    assert output.counts().dropped == 1


@needs_mosquitto
def test_a_wrong_password_is_told_and_the_right_one_works(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, "anna", "geheim"], check=True)
    with mosquitto(tmp_path / "broker", "allow_anonymous false", f"password_file {passwords}") as broker:
        with telling(broker.port, user="anna", password="wrong") as output:
            wait_until(lambda: output.counts().failures >= 1)
            assert output.counts().connects == 0
        assert "Not authorized" in caplog.text
        assert "wrong" not in caplog.text
        with telling(broker.port, user="anna", password="geheim") as output:
            wait_until(lambda: output.counts().is_connected)


@needs_mosquitto
def test_a_broker_that_says_nothing_any_more_holds_nobody_up(broker: Broker) -> None:
    """Cameras' threads only note what is to be told, however much there is."""
    big = replace(make_group(), camera="x" * 2**16)
    with telling(broker.port, most_waiting=200) as output:
        tell(output)
        wait_until(lambda: output.counts().published == 1, output.counts)
        broker.freeze()
        for _ in range(1000):
            tell(output, big)
        counts = output.counts()
        assert counts.waiting <= 220
        assert counts.dropped >= 780
        broker.thaw()
        wait_until(lambda: output.counts().waiting == 0, output.counts)
        broker.freeze()
        tell(output, big)
    assert output.counts().waiting <= 1  # the end came all the same
    broker.thaw()


@needs_mosquitto
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves a refused socket open
def test_encrypted_with_a_certificate_that_is_checked_unless_told_otherwise(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "2"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    more = ("allow_anonymous true", f"keyfile {key}", f"certfile {certificate}")
    with mosquitto(tmp_path / "broker", *more) as broker:
        with telling(broker.port, tls=True, verify_certificates=False) as output:
            wait_until(lambda: output.counts().is_connected, output.counts)
        with telling(broker.port, tls=True) as output:
            wait_until(lambda: output.counts().failures >= 1, output.counts)
            assert output.counts().connects == 0
    assert "certificate" in caplog.text.lower()


def test_a_name_that_is_none_is_told_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    with telling(1883, host="a..b") as output:
        tell(output)
        wait_until(lambda: output.counts().failures >= 2, output.counts)
    assert caplog.text.count("the MQTT broker a..b:1883") == 1
