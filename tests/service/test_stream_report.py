"""From what cameras saw to Stream's files and webhooks: what arrives, and what a broken disk does."""

from __future__ import annotations

import csv
import errno
import json
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from delivery.outboxes import Desk
from delivery.receivers import Received, Receiver, receiving
from factories import make_pixels
from openplate.datatypes import Recognition
from openplate.delivery.dispatcher import TargetOptions
from openplate.errors import StorageError
from openplate.formats import stream_table
from openplate.imaging import Image
from openplate.imaging.frame import Frame
from openplate.service.outputs import Camera
from openplate.service.stream_files import ResultFiles
from openplate.service.stream_report import StreamReporter
from openplate.service.stream_targets import keep_targets, open_stream_store, target_options
from openplate.settings.stream import StreamCamera, StreamSettings, StreamWebhook
from openplate.settings.stream_plan import plan_stream
from openplate.storage import Store
from openplate.video_pipeline import GroupPicture
from stream_scenes import AT, FILE, make_group

GATE = Camera("gate-1", 1)
IMAGE = Image(make_pixels(640, 480))
CAMERA = StreamCamera("gate-1", "rtsp://10.0.0.7:554/main", csv_file="$(camera)_%y-%m-%d.csv", jsonlines_file="a.jsonl")


def settings_of(folder: Path, camera: StreamCamera = CAMERA, **changes: Any) -> StreamSettings:
    return StreamSettings(folder, timezone="Europe/Berlin", cameras=(replace(camera, **changes),))


def picture(text: str | None = "B4K77Q", image: Image | None = IMAGE, **changes: object) -> GroupPicture:
    return GroupPicture(make_group(text, **changes), image, 23.468)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_stream_store(tmp_path / "data")
    yield store
    store.close()


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_an_event_is_in_the_table_the_lines_and_the_pictures(tmp_path: Path) -> None:
    reporter = StreamReporter(settings_of(tmp_path))
    reporter.group(GATE, picture())
    (row,) = rows(tmp_path / "gate-1_26-03-05.csv")
    assert (row["plate"], row["file"], row["position_sec"]) == ("b4k77q", f"/{FILE}", "23.47")
    (line,) = lines(tmp_path / "a.jsonl")
    assert (line["filename"], line["results"][0]["plate"]) == (FILE, "b4k77q")
    kept = Image.from_path(tmp_path / FILE)
    assert (kept.width, kept.height) == (640, 480)
    assert reporter.failures == {}


def test_the_header_comes_once_and_files_change_with_the_day_of_the_zone(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    StreamReporter(settings).group(GATE, picture())
    reporter = StreamReporter(settings)
    reporter.group(GATE, picture())
    best = make_group().best
    reporter.group(GATE, picture(best=replace(best, at=AT.replace(hour=23))))
    assert len(rows(tmp_path / "gate-1_26-03-05.csv")) == 2
    assert len(rows(tmp_path / "gate-1_26-03-06.csv")) == 1


def test_nothing_is_written_where_nothing_is_set(tmp_path: Path) -> None:
    reporter = StreamReporter(settings_of(tmp_path, image_format="", csv_file="", jsonlines_file=""))
    reporter.group(GATE, picture())
    reporter.close()
    assert list(tmp_path.iterdir()) == []


def test_previews_departures_and_other_cameras_are_no_events(tmp_path: Path) -> None:
    reporter = StreamReporter(settings_of(tmp_path))
    reporter.group(GATE, picture(state="preview"))
    reporter.group(GATE, picture(state="left"))
    reporter.group(GATE, picture(None))
    reporter.group(Camera("other", 2), picture())
    reporter.frame(Camera("other", 2), None, Frame(IMAGE, "other", 0, AT))
    assert list(tmp_path.iterdir()) == []


def test_detection_mode_vehicle_switches_every_output(tmp_path: Path, store: Store) -> None:
    hook = StreamWebhook("office", "http://127.0.0.1:9/")
    reporter = StreamReporter(settings_of(tmp_path, detection_mode="vehicle", webhooks=(hook,)), store)
    for text in ("B4K77Q", None):
        reporter.group(GATE, picture(text, id=f"{len(text or ''):032x}"))
    first, second = rows(tmp_path / "gate-1_26-03-05.csv")
    assert list(first) == list(stream_table.V2)
    assert second["plate"] == "None"
    assert [line["results"][0]["plate"] is None for line in lines(tmp_path / "a.jsonl")] == [False, True]
    (target,) = store.targets()
    sent = [json.loads(each.body)["data"]["results"][0] for each in store.due(target.id, AT + timedelta(9999), 9)]
    assert [result["plate"] is None for result in sent] == [False, True]
    assert all("props" in result["vehicle"] for result in sent)


def test_a_table_of_the_other_version_is_moved_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for mode in ("plate", "vehicle", "plate"):
        StreamReporter(settings_of(tmp_path, detection_mode=mode)).group(GATE, picture())
    names = sorted(path.name for path in tmp_path.glob("*.csv"))
    assert names == ["gate-1_26-03-05.1.csv", "gate-1_26-03-05.2.csv", "gate-1_26-03-05.csv"]
    assert "is kept as gate-1_26-03-05.1.csv" in caplog.text
    assert all(len(rows(tmp_path / name)) == 1 for name in names)


def test_a_live_camera_counts_seconds_from_its_first_frame(tmp_path: Path) -> None:
    reporter = StreamReporter(settings_of(tmp_path))
    for index, seconds in enumerate((5.5, 1.0)):
        reporter.frame(GATE, None, Frame(IMAGE, "gate-1", index, AT - timedelta(seconds=seconds)))
    reporter.group(GATE, GroupPicture(make_group(), IMAGE))
    (line,) = lines(tmp_path / "a.jsonl")
    assert line["results"][0]["position_sec"] == 5.5


def test_a_picture_that_was_given_up_leaves_the_rest(tmp_path: Path, store: Store) -> None:
    hook = StreamWebhook("office", "http://127.0.0.1:9/")
    StreamReporter(settings_of(tmp_path, webhooks=(hook,)), store).group(GATE, picture(image=None))
    assert len(rows(tmp_path / "gate-1_26-03-05.csv")) == 1
    assert not (tmp_path / FILE).exists()
    (target,) = store.targets()
    (delivery,) = store.due(target.id, AT + timedelta(9999), 9)
    assert delivery.attachments == ()
    assert json.loads(delivery.body)["data"]["results"][0]["box"]["xmin"] == 337


def test_pictures_in_the_asked_for_form(tmp_path: Path) -> None:
    StreamReporter(settings_of(tmp_path, image_format="x.png")).group(GATE, picture())
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    for quality in (20, 95):
        StreamReporter(settings_of(tmp_path, image_format=f"{quality}.jpg", image_quality=quality)).group(
            GATE, picture()
        )
    assert (tmp_path / "20.jpg").stat().st_size < (tmp_path / "95.jpg").stat().st_size


def test_a_full_disk_is_told_and_counted_and_leaves_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reporter = StreamReporter(settings_of(tmp_path, image_format=""))
    reporter.group(GATE, picture())

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as changed:
        changed.setattr(os, "fsync", full)
        reporter.group(GATE, picture("EL1234"))
    assert reporter.failures == {"csv": 1, "jsonlines": 1}
    assert "gate-1: csv of EL1234 could not be kept (1 in all): no room left" in caplog.text
    reporter.group(GATE, picture("KN4827T"))
    assert [row["plate"] for row in rows(tmp_path / "gate-1_26-03-05.csv")] == ["b4k77q", "kn4827t"]
    assert [line["results"][0]["plate"] for line in lines(tmp_path / "a.jsonl")] == ["b4k77q", "kn4827t"]


def test_one_broken_output_leaves_the_others(tmp_path: Path, store: Store) -> None:
    (tmp_path / "gate-1_26-03-05.csv").mkdir()
    (tmp_path / "gate-1_screenshots").write_text("in the way")
    hook = StreamWebhook("office", "http://127.0.0.1:9/")
    reporter = StreamReporter(settings_of(tmp_path, webhooks=(hook,)), store)
    reporter.group(GATE, picture())
    assert reporter.failures == {"csv": 1, "picture": 1}
    assert len(lines(tmp_path / "a.jsonl")) == 1
    assert [each.waiting for each in store.backlog()] == [1]


def test_an_outbox_that_is_gone_is_counted(tmp_path: Path) -> None:
    store = open_stream_store(tmp_path / "data")
    hook = StreamWebhook("office", "http://127.0.0.1:9/")
    reporter = StreamReporter(settings_of(tmp_path, webhooks=(hook,)), store)
    store.delete_target(store.targets()[0].id)
    reporter.group(GATE, picture())  # for a receiver that is no more: nothing waits, nothing fails
    assert reporter.failures == {}
    store.close()


def test_a_full_outbox_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store.open(None, tmp_path / "data", max_outbox_rows=1)
    hook = StreamWebhook("office", "http://127.0.0.1:9/")
    reporter = StreamReporter(settings_of(tmp_path, webhooks=(hook,)), store)
    for number in range(3):
        reporter.group(GATE, picture(id=f"{number:032x}"))
    store.close()
    assert reporter.failures == {"webhooks": 2}
    assert "webhooks of B4K77Q could not be kept (2 in all)" in caplog.text
    assert len(lines(tmp_path / "a.jsonl")) == 3


def test_a_line_that_a_kill_cut_off_spoils_no_other(tmp_path: Path) -> None:
    table, header = tmp_path / "t.csv", "a,b\r\n"
    files = ResultFiles(tmp_path)
    files.append("t.csv", "1,\"{'x': 2}\"\r\n", header)
    whole = table.read_bytes()
    for cut in range(len(header), len(whole)):
        table.write_bytes(whole[:cut])
        files.append("t.csv", "3,4\r\n", header)
        assert rows(table)[-1] == {"a": "3", "b": "4"}
    log = tmp_path / "l.jsonl"
    log.write_text('{"a": 1}\n{"a"')
    files.append("l.jsonl", '{"a": 2}\n')
    assert log.read_text().splitlines() == ['{"a": 1}', '{"a"', '{"a": 2}']


def test_threads_that_share_a_table_write_whole_lines(tmp_path: Path) -> None:
    files = ResultFiles(tmp_path)

    def write(name: str) -> None:
        for _ in range(20):
            files.append("t.csv", f"{name * 500}\r\n", "a\r\n")

    threads = [threading.Thread(target=write, args=(name,)) for name in "xyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [row["a"] for row in rows(tmp_path / "t.csv")]
    assert sorted(found) == sorted(name * 500 for name in "xyz" for _ in range(20))


def test_a_folder_that_cannot_be_made_is_an_error_of_storage(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(StorageError):
        ResultFiles(tmp_path).append("a/b.csv", "1\r\n")
    with pytest.raises(StorageError):
        ResultFiles(tmp_path).save("a/b.jpg", b"")


@contextmanager
def told(store: Store, folder: Path, pictures: list[GroupPicture], **changes: Any) -> Iterator[Receiver]:
    """What a receiver gets of these groups, from a real dispatcher."""
    with receiving() as receiver:
        keys = {key: changes.pop(key) for key in ("image", "image_type", "header") if key in changes}
        hook = StreamWebhook("office", receiver.url, **keys)
        settings = settings_of(folder, webhooks=(hook,), **changes)
        with Desk(store).dispatching() as dispatcher:
            reporter = StreamReporter(settings, store, wake=dispatcher.wake)
            for each in pictures:
                reporter.group(GATE, each)
            yield receiver
        assert reporter.failures == {}


def parts(request: Received) -> dict[str, tuple[str | None, bytes]]:
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + request.body)
    return {
        str(part.get_param("name", header="content-disposition")): (part.get_filename(), part.get_payload(decode=True))  # type: ignore[misc]
        for part in message.iter_parts()  # type: ignore[attr-defined]
    }


def test_webhooks_arrive_with_their_pictures(tmp_path: Path, store: Store) -> None:
    header = "Authorization: Token abc"
    with told(store, tmp_path, [picture()], image_type=("vehicle", "plate", "original"), header=header) as receiver:
        (request,) = receiver.wait_for(1)
    assert (request.method, request.headers["authorization"]) == ("POST", "Token abc")
    found = parts(request)
    assert list(found) == ["json", "upload", "plate", "original"]
    body = json.loads(found["json"][1])
    assert body["hook"] == {"target": receiver.url, "id": "gate-1", "event": "recognition", "filename": FILE}
    assert body["data"]["results"][0]["vehicle"]["box"] == {"xmin": 0, "ymin": 0, "xmax": 435, "ymax": 302}
    sizes = [(Image.from_bytes(data).width, Image.from_bytes(data).height) for _, data in list(found.values())[1:]]
    assert sizes == [(436, 303), (75, 35), (640, 480)]
    assert found["upload"][0] == "15-02-11.093412.jpg"


def test_webhooks_without_pictures_are_encoded_forms(tmp_path: Path, store: Store) -> None:
    with told(store, tmp_path, [picture()], image=False) as receiver:
        (request,) = receiver.wait_for(1)
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    ((name, text),) = parse_qsl(request.body.decode("ascii"), strict_parsing=True)
    data = json.loads(text)["data"]
    assert (name, data["timestamp_local"]) == ("json", "2026-03-05 15:02:11.093412+01:00")
    assert data["results"][0]["box"] == {"xmin": 337, "ymin": 270, "xmax": 412, "ymax": 305}


def test_dwell_time_follows_where_it_is_asked_for(tmp_path: Path, store: Store) -> None:
    pair = [picture(), picture(state="left")]
    with told(store, tmp_path, pair, max_dwell_delay=10.0, trajectory=True) as receiver:
        requests = receiver.wait_for(2)
    texts = [parts(requests[0])["json"][1], parse_qsl(requests[1].body.decode("ascii"))[0][1]]
    bodies = [json.loads(text) for text in texts]
    assert [body["hook"]["event"] for body in bodies] == ["recognition", "dwell_time"]
    assert list(parts(requests[0])) == ["json", "upload"]
    assert [request.headers["content-type"].partition(";")[0] for request in requests] == [
        "multipart/form-data",
        "application/x-www-form-urlencoded",
    ]
    assert (bodies[1]["data"]["dwell_sec"], len(bodies[1]["data"]["trajectory"])) == (2.0, 3)
    assert len(rows(tmp_path / "gate-1_26-03-05.csv")) == 1


def test_the_same_group_twice_is_sent_once(tmp_path: Path, store: Store) -> None:
    hook = StreamWebhook("office", "http://127.0.0.1:9/")
    reporter = StreamReporter(settings_of(tmp_path, webhooks=(hook,)), store)
    reporter.group(GATE, picture())
    reporter.group(GATE, picture())
    assert [each.waiting for each in store.backlog()] == [1]


def test_targets_are_kept_as_the_settings_have_them(store: Store) -> None:
    one, two = StreamWebhook("one", "http://h/1"), StreamWebhook("two", "http://h/2", "MAC: 1", image_type=("plate",))
    first = keep_targets(store, [one, two, one])
    assert {hook.id: (target.url, target.images, target.header) for hook, target in first.items()} == {
        "one": ("http://h/1", ("vehicle",), None),
        "two": ("http://h/2", ("plate",), "MAC: 1"),
    }
    assert keep_targets(store, [two, one]) == first
    store.set_target_state(first[one].id, "disabled")
    again = keep_targets(store, [one])
    assert (again[one].id, again[one].state) == (first[one].id, "active")
    assert [target.url for target in store.targets()] == ["http://h/1"]


def test_each_receiver_has_its_own_patience(store: Store) -> None:
    one = StreamWebhook("one", "http://h/1", caching=False, request_timeout=3)
    two, twin = StreamWebhook("two", "http://h/2"), StreamWebhook("twin", "http://h/1", request_timeout=9)
    targets = keep_targets(store, [one, two])
    assert target_options(targets) == {
        targets[one].id: TargetOptions(3, tries_once=True),
        targets[two].id: TargetOptions(30, tries_once=False),
    }
    targets = keep_targets(store, [one, twin])  # the same address, header and pictures: one receiver
    assert target_options(targets) == {targets[one].id: TargetOptions(9, tries_once=False)}


def test_what_waits_for_a_receiver_that_was_removed_is_still_delivered(tmp_path: Path, store: Store) -> None:
    hook = StreamWebhook("office", "http://127.0.0.1:9/")
    StreamReporter(settings_of(tmp_path, webhooks=(hook,)), store).group(GATE, picture())
    assert keep_targets(store, []) == {}
    (target,) = store.targets()
    (delivery,) = store.due(target.id, AT + timedelta(9999), 9)
    store.delivered(delivery.id, AT)
    keep_targets(store, [])
    assert store.targets() == ()


def test_the_plan_has_what_the_settings_say(tmp_path: Path) -> None:
    camera = StreamCamera(
        "a",
        "rtsp://h/1",
        sample=4,
        regions=("de",),
        region_config="strict",
        detection_rule="strict",
        detection_mode="vehicle",
        mmc=True,
        max_prediction_delay=1.5,
        memory_decay=60.0,
        merge_buffer=3,
        max_dwell_delay=20.0,
        report_static=True,
        plates_per_vehicle=2,
        max_reconnection_delay=30.0,
        total=9,
        source="rtsp://h/1",
    )
    off, upload = replace(camera, id="b", active=False), replace(camera, id="c", url="file-upload")
    (plan,) = plan_stream(StreamSettings(tmp_path, cameras=(off, upload, camera)))
    assert (plan.name, plan.number, plan.where, plan.source.sample, plan.source.reconnect_most_s) == (
        *("a", 3, "rtsp://h/1"),
        *(4, 30.0),
    )
    groups, look = plan.video.groups, plan.recognition
    assert (groups.memory_decay_s, groups.max_prediction_delay_s, groups.merge_buffer) == (60.0, 1.5, 3)
    assert (groups.report_static, groups.report_vehicles, groups.max_dwell_delay_s) == (True, True, 20.0)
    assert (look.regions, look.strict, look.vehicle_required) == (("de",), True, True)
    assert (look.plates_per_vehicle, look.attributes) == (2, True)
    assert plan.most_frames == 9
    (endless,) = plan_stream(StreamSettings(tmp_path, cameras=(replace(camera, total=-1),)))
    assert endless.most_frames is None


def test_a_recognition_of_a_frame_is_no_event(tmp_path: Path) -> None:
    reporter = StreamReporter(settings_of(tmp_path))
    reporter.frame(GATE, Recognition("gate-1", 640, 480), Frame(IMAGE, "gate-1", 0, AT))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(autouse=True)
def _logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
