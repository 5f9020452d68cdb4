"""``openplate watch`` as a real process that tells a real MQTT broker: previews, passes, kills, the end."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("av")
pytest.importorskip("uvicorn")
pytest.importorskip("paho.mqtt.client")

from tests.mosquitto import Broker, free_port, listening, mosquitto, needs_mosquitto
from tests.video.video_helpers import PATIENCE_S, make_video, wait_until
from tests.video.web_cameras import web_camera
from tests.watching import TEXTS, drive, empty_street, encoded, mjpeg_of, watching

STATE = 'openplate_camera_{}{{camera="gate"}}'


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with mosquitto(tmp_path / "broker") as running:
        yield running


def make_settings(folder: Path, url: str, port: int, more: str = "") -> Path:
    path = folder / "settings.toml"
    path.write_text(
        f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\n[watch]\nport = 0\ngone_after_s = 1.5\n{more}'
        f'[cameras.gate]\nurl = "{url}"\n'
    )
    return path


@needs_mosquitto
def test_a_camera_tells_previews_then_passes_and_says_farewell(tmp_path: Path, broker: Broker) -> None:
    shown = encoded(drive(20))
    with listening(broker) as listener, web_camera(mjpeg_of(lambda: shown)) as camera:
        settings = make_settings(tmp_path, camera.url, broker.port, "preview_confidence = 0.5\n")
        with watching("--settings", settings, "--preview", data=tmp_path / "data") as running:
            events = "openplate/gate/events"
            wait_until(
                lambda: {each["text"] for each in listener.objects(events) if each["state"] == "preview"} >= TEXTS,
                lambda: running.complaints,
            )
            listener.wait_for("openplate/gate/vehicle", "ON")
            listener.wait_for("openplate/gate/camera", "online")
            wait_until(lambda: running.metric(STATE.format("previews_total")) >= 2)
            previews = running.metric(STATE.format("previews_total"))
            delay_s = running.metric(STATE.format("preview_delay_seconds_total"))
            slowest_s = running.metric(STATE.format("slowest_preview_seconds"))
            assert 0 < delay_s / max(previews, 1) <= slowest_s <= delay_s
            assert running.metric("openplate_mqtt_connected") == 1
            status, answer = post(running.url("/metrics and /healthz") + "/v1/cameras/gate/recognize")
            assert (status, answer["camera_id"]) == (200, "gate")
            assert {result["plate"].upper() for result in answer["results"]} & TEXTS
            shown[:] = encoded([empty_street()])
            wait_until(
                lambda: {each["text"] for each in listener.objects(events) if each["state"] == "closed"} >= TEXTS,
                lambda: running.complaints,
            )
            assert running.end(signal.SIGTERM) == 0, running.complaints
        told = listener.objects(events)
        for closed in (each for each in told if each["state"] == "closed"):
            states = [each["state"] for each in told if each["group"] == closed["group"]]
            assert states in (["preview", "closed"], ["closed"])
        listener.wait_for("openplate/status", "offline")
        listener.wait_for("openplate/gate/vehicle", "OFF")
        lines = [line.split() for line in running.lines]
        assert {"preview"} <= {words[-1] for words in lines}


def post(url: str) -> tuple[int, Any]:
    parts = urlsplit(url)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE_S)
    try:
        connection.request("POST", parts.path.replace("//", "/"))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@needs_mosquitto
def test_who_is_killed_leaves_a_will(tmp_path: Path, broker: Broker) -> None:
    shown = encoded([empty_street()])
    with listening(broker) as listener, web_camera(mjpeg_of(lambda: shown)) as camera:
        with watching("--settings", make_settings(tmp_path, camera.url, broker.port), data=tmp_path) as running:
            listener.wait_for("openplate/status", "online")
            running.end(signal.SIGKILL)
        listener.wait_for("openplate/status", "offline")
        with listening(broker) as later:
            wait_until(lambda: later.retained("openplate/status") == ["offline"])


@needs_mosquitto
def test_a_short_video_is_told_before_the_end(tmp_path: Path, broker: Broker) -> None:
    video = make_video(tmp_path / "gate.mp4", [*drive(12), *[empty_street()] * 30])
    with listening(broker) as listener:
        wait_until(lambda: listener.is_subscribed)
        with watching("--settings", make_settings(tmp_path, str(video), broker.port), data=tmp_path) as running:
            assert running.wait() == 0, running.complaints
        wait_until(lambda: len(listener.all("openplate/gate/events")) == 2)
        assert {each["text"] for each in listener.objects("openplate/gate/events")} == TEXTS


def test_without_a_broker_everything_else_goes_on(tmp_path: Path) -> None:
    video = make_video(tmp_path / "gate.mp4", [*drive(12), *[empty_street()] * 30])
    settings = make_settings(tmp_path, str(video), free_port())
    with watching("--settings", settings, "--json", data=tmp_path) as running:
        assert running.wait() == 0, running.complaints
    assert {json.loads(line)["text"] for line in running.lines} == TEXTS
    assert sum("MQTT broker" in line for line in running.complaints) == 1
