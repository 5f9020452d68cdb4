"""What a camera saw becomes pictures in the ring and messages in the queue; a full disk stops no camera."""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from factories import NOON, make_pixels, make_plate, make_reading, make_recognition, make_street, make_vehicle
from openplate.datatypes import Group, Sighting
from openplate.delivery.upload_queue import UploadQueue
from openplate.formats import rekor
from openplate.imaging import Image
from openplate.service.machine import MachineMeter
from openplate.service.scout_report import ScoutReporter, agent_uid, build_agent, build_camera
from openplate.settings.alprd import ScoutCamera, ScoutSettings
from openplate.storage.pictures import PictureRing

AGENT = rekor.Agent("UID", "company", "1")
CAMERA = rekor.CameraContext(AGENT, 7)
IMAGE = Image(make_pixels(1280, 720))
STREET = replace(make_street(), captured_at=NOON)
UUID = "UID-7-1772712000123"


def make_group(**changes: Any) -> Group:
    best = Sighting(NOON, 4, make_plate(), make_vehicle(), 0)
    group = Group("0" * 32, "gate", "closed", NOON, NOON, 4, 4, make_reading(), best, (best,))
    return replace(group, **changes)


class Bench:
    """A reporter with a ring and a queue of its own."""

    def __init__(self, folder: Path, *, groups_only: bool = False, version: rekor.Version = 3) -> None:
        self.ring = PictureRing(folder / "ring", 10**8)
        self.queue = UploadQueue(folder / "queue", 10**8, groups_only=groups_only)
        self.reporter = ScoutReporter(self.ring, self.queue, version=version)

    def messages(self) -> list[Any]:
        found = []
        while message := self.queue.take():
            found.append(json.loads(message.path.read_bytes()))
        return found


def size_of(text: str) -> tuple[int, int]:
    image = Image.from_bytes(base64.b64decode(text, validate=True))
    return image.width, image.height


def test_a_frame_with_a_plate_is_kept_and_sent(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.reporter.frame(CAMERA, STREET, IMAGE)
    (message,) = bench.messages()
    assert (message["data_type"], message["uuid"]) == ("alpr_results", UUID)
    assert size_of(message["results"][0]["plate_crop_jpeg"]) == (150, 75)
    kept = bench.ring.get(UUID)
    assert kept is not None
    assert Image.from_bytes(kept).width == 1280
    assert not bench.ring.list()[0].has_meta


def test_a_frame_without_a_text_is_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.reporter.frame(CAMERA, replace(make_recognition("a", make_plate(None)), captured_at=NOON), IMAGE)
    assert bench.messages() == []
    assert len(bench.ring) == 0


def test_groups_only_keeps_the_pictures(tmp_path: Path) -> None:
    bench = Bench(tmp_path, groups_only=True)
    bench.reporter.frame(CAMERA, STREET, IMAGE)
    bench.reporter.group(CAMERA, make_group(), IMAGE)
    assert [message["data_type"] for message in bench.messages()] == ["alpr_group"]
    assert len(bench.ring) == 1


def test_a_group_is_sent_with_its_pictures_and_known_to_the_ring(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.reporter.frame(CAMERA, STREET, IMAGE)
    bench.reporter.group(CAMERA, make_group(), IMAGE)
    frame, message = bench.messages()
    assert message["best_uuid"] == UUID
    assert message["best_plate"]["processing_time_ms"] == frame["results"][0]["processing_time_ms"] > 0
    assert size_of(message["best_plate"]["plate_crop_jpeg"]) == (150, 75)
    assert size_of(message["vehicle_crop_jpeg"])[0] == 224
    assert size_of(message["overview_jpeg"]) == (560, 315)
    assert (message["best_image_width"], message["best_image_height"]) == (1280, 720)
    assert bench.ring.meta(UUID) == message
    assert len(bench.ring) == 1


def test_a_preview_is_sent_and_not_noted(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.reporter.frame(CAMERA, STREET, IMAGE)
    bench.reporter.group(CAMERA, make_group(state="preview"), IMAGE)
    assert bench.messages()[1]["is_preview"] is True
    assert bench.ring.meta(UUID) is None
    bench.reporter.group(CAMERA, make_group(state="left"), IMAGE)
    assert bench.messages() == []


@pytest.mark.parametrize(("version", "kinds"), [(2, []), (3, ["vehicle"])])
def test_a_vehicle_without_a_plate(tmp_path: Path, version: rekor.Version, kinds: list[str]) -> None:
    bench = Bench(tmp_path, version=version)
    best = Sighting(NOON + timedelta(seconds=1), 5, None, make_vehicle())
    bench.reporter.group(CAMERA, make_group(consensus=None, best=best, sightings=(best,)), IMAGE)
    assert [message["data_type"] for message in bench.messages()] == kinds
    assert len(bench.ring) == len(kinds)


def test_a_group_whose_picture_was_given_up_is_sent_without(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.reporter.group(CAMERA, make_group(), None)
    (message,) = bench.messages()
    assert message["overview_jpeg"] == message["best_plate"]["plate_crop_jpeg"] == ""
    assert (message["best_image_width"], message["best_image_height"]) == (1240, 720)
    assert len(bench.ring) == 0


def test_a_disk_that_is_gone_is_counted_and_stops_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    shutil.rmtree(tmp_path / "ring")
    shutil.rmtree(tmp_path / "queue")
    bench.reporter.frame(CAMERA, STREET, IMAGE)
    bench.reporter.send({"data_type": "heartbeat"})
    assert bench.reporter.failed == 3


def test_nothing_need_be_kept_or_sent() -> None:
    reporter = ScoutReporter(None, None)
    reporter.frame(CAMERA, STREET, IMAGE)
    reporter.group(CAMERA, make_group(), IMAGE)
    assert reporter.failed == 0


def test_settings_say_who_reports(tmp_path: Path) -> None:
    settings = ScoutSettings(
        company_id="c", country="eu", pattern="de", topn=5, user_data="u", custom_data="k", site_id="s"
    )
    uid = agent_uid(settings, tmp_path / "data")
    assert len(uid) == 40
    assert agent_uid(settings, tmp_path / "data") == uid
    assert agent_uid(replace(settings, agent_uid="GIVEN"), tmp_path) == "GIVEN"
    agent = build_agent(settings, uid, "1.2", "gatehouse")
    assert (agent.company_id, agent.user_data, agent.custom_data, agent.hostname) == ("c", "u", "k", "gatehouse")
    assert agent.site_id == "s"
    camera = build_camera(settings, ScoutCamera(9, "rtsp://x", camera_name="Gate", gps_latitude=1.5), agent)
    assert camera == rekor.CameraContext(agent, 9, "eu", "Gate", 1.5, None, 5, True)


def test_the_machine_is_measured(tmp_path: Path) -> None:
    meter = MachineMeter(tmp_path)
    state = meter.measure(NOON)
    assert state.measured_at == NOON
    assert state.cpu_cores >= 1
    assert 0 <= state.cpu_percent <= 100
    assert 0 < state.disk_free <= state.disk_total
    assert 0 <= state.memory_used <= state.memory_total


def test_processor_use_is_what_was_not_idle(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text("cpu 100 0 100 700 100 0 0 0 0 0\ncpu0 1\n")
    meter = MachineMeter(tmp_path, tmp_path)
    (tmp_path / "stat").write_text("cpu 130 0 120 740 110 0 0 0 0 0\n")
    (tmp_path / "meminfo").write_text("MemTotal: 1000 kB\nMemAvailable: 400 kB\nSwapTotal: 10 kB\nSwapFree: 9 kB\nx\n")
    (tmp_path / "uptime").write_text("123.9 5\n")
    state = meter.measure(NOON)
    assert state.cpu_percent == 50
    assert (state.memory_total, state.memory_used, state.swap_used) == (1024000, 614400, 1024)
    assert state.uptime_s == 123
    gone = MachineMeter(tmp_path / "gone", tmp_path / "gone").measure(NOON)
    assert (gone.memory_total, gone.cpu_percent, gone.disk_total, gone.disk_is_writable) == (0, 0, 0, False)
