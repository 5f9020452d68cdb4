"""A day of events at speed: nothing leaks, and what has had its time goes."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.endurance import KEPT_FOR_S, SILENT_HOURS, Day, Level, main, problems
from tests.video.video_helpers import wait_until

from openplate.service.stream_side import StreamSide
from openplate.settings.stream import StreamCamera, StreamSettings, StreamWebhook

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory and descriptors are read from /proc")


def test_a_day_leaves_no_more_than_its_hours_ask_for(tmp_path: Path) -> None:
    hours = 27
    with Day(tmp_path, vehicles_per_hour=1) as day:
        levels = list(day.hours(hours))
        assert day.failures == 0
    assert problems(levels) == []
    assert [level.events for level in levels] == [1] * hours
    assert [level.deliveries for level in levels] == [
        level.hour - 1 if level.hour in SILENT_HOURS else 0 for level in levels
    ]
    assert levels[-1].counted <= 25  # ids of the last day
    assert max(level.recognitions for level in levels) <= KEPT_FOR_S / 3600 + 1
    table = tmp_path / "results" / "gate_26-03-05.csv"
    assert len(table.read_text(encoding="utf-8").splitlines()) == 1 + 24


LEVEL = Level(0, 10, 100.0, 20, 1, 10**6, 10**5, 500, 0, 10, 10)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory_mb", 150.0),
        ("descriptors", 40),
        ("threads", 9),
        ("deliveries", 1),
        ("counted", 1000),
        ("kept_files", 10**6),
        ("recognitions", 100),
        ("ring_bytes", 10**8),
        ("queue_bytes", 10**8),
    ],
)
def test_what_leaks_is_told(name: str, value: float) -> None:
    assert problems([LEVEL, replace(LEVEL, hour=9)]) == []
    (problem,) = problems([LEVEL, replace(LEVEL, hour=9, **{name: value})])  # type: ignore[arg-type]
    assert f"{value:g}" in problem or str(value) in problem


def test_as_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--hours", "1", "--vehicles", "1"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("hour 0, events 1, memory_mb ")


def test_streams_outbox_is_kept_tidy_while_it_is_open(tmp_path: Path) -> None:
    camera = StreamCamera("gate-1", "rtsp://h/1", webhooks=(StreamWebhook("office", "http://127.0.0.1:9/"),))
    before = set(threading.enumerate())
    side = StreamSide.open(StreamSettings(tmp_path, cameras=(camera,)), tmp_path / "data")
    side.start()
    assert "housekeeping" in {thread.name for thread in set(threading.enumerate()) - before}
    side.close(1)
    wait_until(lambda: set(threading.enumerate()) <= before)
