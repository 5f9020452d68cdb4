"""What works beside the cameras in Stream's way, from config.ini to a real receiver, and its ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from delivery.receivers import Reply, receiving
from factories import make_pixels
from openplate import RecognitionOptions, Recognizer
from openplate.imaging import Image
from openplate.service.outputs import Camera
from openplate.service.stream_side import ConfigWatch, StreamSide
from openplate.settings.stream_config import load_stream_settings
from openplate.video_pipeline import GroupPicture
from stand_ins import make_stages
from stream_scenes import make_group

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
