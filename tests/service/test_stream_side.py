"""What works beside the cameras in Stream's way, from config.ini to a real receiver, and its ends."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from delivery.receivers import Reply, receiving
from factories import make_pixels
from openplate import RecognitionOptions, Recognizer
from openplate.imaging import Image
from openplate.service.outputs import Camera
from openplate.service.stream_side import ConfigWatch, StreamSide
from openplate.service.stream_targets import open_stream_store
from openplate.service.watching import Watcher
from openplate.settings.stream_config import load_stream_settings
from openplate.settings.stream_plan import plan_stream
from openplate.video_pipeline import GroupPicture
from stand_ins import make_stages
from stream_scenes import make_group
from street_videos import make_street_video

GATE = Camera("gate-1", 1)
PICTURE = GroupPicture(make_group(), Image(make_pixels(640, 480)), 1.0)


def write(folder: Path, url: str = "", more: str = "") -> Path:
    hooks = f"webhook_targets = office\n[webhooks]\n[[office]]\nurl = {url}\nrequest_timeout = 3\n" if url else ""
    path = folder / "config.ini"
    path.write_text(f"{more}[cameras]\n[[gate-1]]\nurl = rtsp://h/1\ncsv_file = a.csv\n{hooks}", encoding="utf-8")
    return path


def test_from_the_file_to_the_receiver(tmp_path: Path) -> None:
    with receiving() as receiver:
        side = StreamSide.open(load_stream_settings(write(tmp_path, receiver.url)), tmp_path / "data")
        side.start()
        side.output.group(GATE, PICTURE)
        side.close(60)
        (request,) = receiver.wait_for(1)
        assert b'"b4k77q"' in request.body
        counts = side.counts()
        assert counts is not None
        assert counts.delivered == 1
    assert (tmp_path / "a.csv").is_file()


def test_what_was_not_taken_waits_for_the_next_start(tmp_path: Path) -> None:
    settings = {}
    with receiving(lambda _: Reply(503)) as receiver:
        settings["first"] = load_stream_settings(write(tmp_path, receiver.url))
        side = StreamSide.open(settings["first"], tmp_path / "data")
        side.start()
        side.output.group(GATE, PICTURE)
        receiver.wait_for(1, 60)
        side.close(60)
    again = StreamSide.open(settings["first"], tmp_path / "data")
    assert again.waiting() == 1
    again.close(1)


def test_without_caching_what_was_not_taken_is_counted_and_forgotten(tmp_path: Path) -> None:
    with receiving(lambda _: Reply(503)) as receiver:
        path = write(tmp_path, receiver.url)
        path.write_text(path.read_text().replace("request_timeout", "caching = no\nrequest_timeout"))
        side = StreamSide.open(load_stream_settings(path), tmp_path / "data")
        side.start()
        for number in range(3):
            side.output.group(GATE, replace(PICTURE, group=make_group(id=f"{number:032x}")))
        receiver.wait_for(3, 60)
        side.close(60)
        counts = side.counts()
    assert counts is not None
    assert (counts.dropped, counts.delivered) == (3, 0)
    again = StreamSide.open(load_stream_settings(path), tmp_path / "data")
    assert (again.waiting(), again.output.failures) == (0, {})
    again.close(1)


def test_without_webhooks_there_is_no_outbox(tmp_path: Path) -> None:
    side = StreamSide.open(load_stream_settings(write(tmp_path)), tmp_path / "data")
    side.start()
    side.output.group(GATE, PICTURE)
    assert (side.counts(), side.waiting(), side.takes_files) == (None, 0, False)
    side.close()
    assert not (tmp_path / "data").exists()
    assert (tmp_path / "a.csv").is_file()


def test_files_are_ended_with_it(tmp_path: Path) -> None:
    write(tmp_path).write_text("[cameras]\n[[a]]\nurl = file-upload\n", encoding="utf-8")
    side = StreamSide.open(load_stream_settings(tmp_path), tmp_path / "data")
    assert side.takes_files
    stages = make_stages(("ABC1234",), ({"br": 0.9},))
    service = side.files(Recognizer.from_stages(stages, RecognitionOptions()))
    assert service.folder == tmp_path / "data" / "uploads"
    side.close()


def test_a_changed_file_is_noticed_once_it_can_be_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    asks = "config_change_restart = yes\n"
    path = write(tmp_path, more=asks)
    watch = ConfigWatch(load_stream_settings(path))
    assert not watch.has_changed()
    path.write_text(path.read_text() + "sample = 0\n")
    assert not watch.has_changed()
    assert not watch.has_changed()
    assert caplog.text.count("the changed settings are not used") == 1
    path.write_text(path.read_text().replace("sample = 0", "# nothing else"))
    assert not watch.has_changed()
    path.write_text(path.read_text() + "sample = 5\n")
    assert watch.has_changed()
    path.unlink()
    assert not watch.has_changed()


def test_a_changed_file_means_nothing_where_it_is_not_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path)
    watch = ConfigWatch(load_stream_settings(path))
    path.write_text(path.read_text() + "sample = 5\n")
    os.utime(path, (1, 1))
    assert not watch.has_changed()


def test_a_video_of_the_settings_from_its_frames_to_the_receiver(tmp_path: Path) -> None:
    make_street_video(tmp_path / "street.mkv")
    looks = ({"br": 0.9, "ar": 0.1},) * 2
    recognizer = Recognizer.from_stages(make_stages(("ABC1234", "XYZ9876"), looks), RecognitionOptions())
    with receiving() as receiver:
        (tmp_path / "config.ini").write_text(
            "[cameras]\njsonlines_file = $(camera).jsonl\nsample = 1\nwebhook_targets = office\n"
            "[[v]]\nurl = /user-data/street.mkv\n"
            f"[webhooks]\n[[office]]\nurl = {receiver.url}\nimage_type = vehicle, plate\n",
            encoding="utf-8",
        )
        settings = load_stream_settings(tmp_path)
        side = StreamSide.open(settings, tmp_path / "data")
        watcher = Watcher(plan_stream(settings), recognizer, [side.output])
        side.start()
        watcher.start()
        assert watcher.wait(200)
        assert watcher.close()
        side.close(60)
        (request,) = receiver.wait_for(1)
    (line,) = (json.loads(each) for each in (tmp_path / "v.jsonl").read_text().splitlines())
    (result,) = line["results"]
    assert (result["plate"], result["direction"], result["source_url"]) == ("abc1234", 0, "/user-data/street.mkv")
    assert line["timestamp"].startswith("2026-03-05T12:00:0")
    assert Image.from_path(tmp_path / line["filename"]).width == 1280
    assert request.body.count(b"\xff\xd8\xff") == 2
    assert (watcher.output_failures, side.output.failures) == ({}, {})


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that cannot be caught")
def test_what_was_reported_survives_kills(tmp_path: Path) -> None:
    """However often it is killed: every event that was reported is in the table, the lines and the outbox."""
    path = write(tmp_path, "http://127.0.0.1:9/")
    path.write_text(path.read_text().replace("csv_file", "jsonlines_file = a.jsonl\ncsv_file"), encoding="utf-8")
    reported: list[str] = []
    program = Path(__file__).with_name("stream_reporting.py")
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    for letter in "KLM":
        command = [sys.executable, str(program), str(tmp_path), letter]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
        ) as process:
            assert process.stdout is not None
            reported += [process.stdout.readline().strip() for _ in range(random.randrange(3, 15))]
            process.kill()
            # What it said before it died counts, but for a line that it could not finish.
            reported += [line.strip() for line in process.stdout if line.endswith("\n")]
    assert all(reported)
    with (tmp_path / "a.csv").open(newline="") as file:
        table = {row["plate"] for row in csv.DictReader(file)}
    lines = [line for line in (tmp_path / "a.jsonl").read_text().splitlines() if line.endswith("}")]
    told = {json.loads(line)["results"][0]["plate"] for line in lines}
    store = open_stream_store(tmp_path / "data")
    (target,) = store.targets()
    due = store.due(target.id, datetime.now(UTC) + timedelta(days=1), 10_000)
    store.close()
    sent = {json.loads(each.body)["data"]["results"][0]["plate"] for each in due}
    for found in (table, told, sent):
        assert set(reported) - found == set()
    assert all(attachment.path.is_file() for each in due for attachment in each.attachments)
