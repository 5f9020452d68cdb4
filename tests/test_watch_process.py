"""``openplate watch`` as a real process in Scout's way: real cameras, a real receiver, signals, kills, restarts."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("av")
pytest.importorskip("uvicorn")

from tests.delivery.receivers import Received, Receiver, Reply, receiving
from tests.video.video_helpers import make_video, wait_until
from tests.video.web_cameras import web_camera
from tests.watching import TEXTS, drive, empty_street, encoded, mjpeg_of, watching

from serving import form

READS = 'openplate_camera_reads_total{camera="gate"}'
QUICK = "plate_groups_time_delta_ms = 1500\nplate_groups_max_delay_to_send = 0\nclassify_vehicles = 0\n"


def make_scout(folder: Path, receiver: Receiver, *streams: str, more: str = "") -> Path:
    """A folder as Scout has it; the first camera is called gate, the second other."""
    conf = f"company_id = c\nupload_data = 1\nupload_address = {receiver.url}\nstore_plates_location = {folder}/ring\n"
    (folder / "stream.d").mkdir(parents=True)
    (folder / "alprd.conf").write_text(conf + QUICK + more)
    for number, (name, stream) in enumerate(zip(("gate", "other"), streams, strict=False), 1):
        (folder / "stream.d" / f"{name}.conf").write_text(f"camera_id = {number}\nstream = {stream}\n")
    return folder


def messages(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in list(receiver.requests)]


def groups(receiver: Receiver) -> list[str]:
    return sorted(each["best_plate_number"] for each in messages(receiver) if each["data_type"] == "alpr_group")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def test_a_video_gives_a_group_for_each_vehicle_and_ends(tmp_path: Path) -> None:
    video = make_video(tmp_path / "street.mp4", [*drive(12), *[empty_street()] * 30])
    with receiving() as receiver:
        scout = make_scout(tmp_path / "scout", receiver, str(video))
        with watching("--scout", scout, data=tmp_path / "data") as running:
            assert running.wait() == 0, running.complaints
        assert groups(receiver) == sorted(TEXTS)
        kinds = Counter(each["data_type"] for each in messages(receiver))
        assert set(kinds) == {"alpr_group", "heartbeat"}
        (heartbeat,) = (each for each in messages(receiver) if each["data_type"] == "heartbeat")
        assert [each["camera_name"] for each in heartbeat["video_streams"]] == ["gate"]
        assert {line.split()[1] for line in running.lines} == TEXTS
        ring = [path.name for path in (tmp_path / "scout" / "ring").iterdir()]
        for each in messages(receiver):
            if each["data_type"] == "alpr_group":
                assert any(each["best_uuid"] in name for name in ring)


def test_at_sigterm_open_groups_are_sent_and_a_dead_camera_harms_nobody(tmp_path: Path) -> None:
    shown = encoded(drive(20))
    port = free_port()
    with receiving() as receiver, web_camera(mjpeg_of(lambda: shown)) as camera:
        more = f"web_server_enabled = 1\nweb_server_port = {port}\nupload_groups_only = 0\n"
        dead = f"http://user:secret@127.0.0.1:{free_port()}/x"
        scout = make_scout(tmp_path / "scout", receiver, camera.url, dead, more=more)
        with watching("--scout", scout, data=tmp_path / "data", watch__port="0") as running:
            wait_until(lambda: running.metric(READS) >= 6, lambda: running.complaints)
            wait_until(lambda: running.get("/healthz")[0] == 503)
            health = json.loads(running.get("/healthz")[1])
            assert health["cameras"]["gate"]["state"] == "running"
            assert health["cameras"]["other"]["state"] in ("offline", "connecting")
            results = wait_for_results(receiver)
            status, picture = running.get(f"/img/{results['uuid']}.jpg?max_width=64", "pictures")
            assert (status, picture[:2]) == (200, b"\xff\xd8")
            assert running.end(signal.SIGTERM) == 0, running.complaints
        assert groups(receiver) == sorted(TEXTS)
        assert sum("other: no pictures" in line for line in running.complaints) == 1
        assert "secret" not in "".join(running.complaints)
        assert "secret" not in "".join(each.body.decode() for each in receiver.requests)


def wait_for_results(receiver: Receiver) -> dict[str, Any]:
    def found() -> list[dict[str, Any]]:
        return [each for each in messages(receiver) if each["data_type"] == "alpr_results"]

    wait_until(found)
    return found()[0]


def test_what_was_finished_survives_a_kill_and_is_sent_after_the_restart(tmp_path: Path) -> None:
    shown = encoded(drive(20))
    is_open = False

    def reply(_: Received) -> Reply:
        return Reply() if is_open else Reply(503)

    def waiting() -> list[Path]:
        return sorted((tmp_path / "data" / "scout" / "uploads").glob("*-alpr_group.json"))

    with receiving(reply) as receiver, web_camera(mjpeg_of(lambda: shown)) as camera:
        scout = make_scout(tmp_path / "scout", receiver, camera.url)
        with watching("--scout", scout, data=tmp_path / "data", watch__port="0") as running:
            wait_until(lambda: running.metric(READS) >= 6, lambda: running.complaints)
            shown[:] = encoded([empty_street()])
            wait_until(lambda: len(waiting()) == 2, lambda: running.complaints)
            running.end(signal.SIGKILL)
        is_open = True
        before = len(receiver.requests)
        with watching("--scout", scout, data=tmp_path / "data") as running:
            wait_until(lambda: len(taken(receiver, before)) == 2, lambda: running.complaints)
            assert running.end(signal.SIGINT) == 0
        assert sorted(each["best_plate_number"] for each in taken(receiver, before)) == sorted(TEXTS)
        assert waiting() == []


def taken(receiver: Receiver, since: int) -> list[dict[str, Any]]:
    return [each for each in messages(receiver)[since:] if each["data_type"] == "alpr_group"]


def test_two_processes_do_not_share_a_folder(tmp_path: Path) -> None:
    shown = encoded([empty_street()])
    with receiving() as receiver, web_camera(mjpeg_of(lambda: shown)) as camera:
        scout = make_scout(tmp_path / "scout", receiver, camera.url)
        with watching("--scout", scout, data=tmp_path / "data", watch__port="0") as running:
            wait_until(lambda: running.metric('openplate_camera_frames_total{camera="gate"}') > 0)
            with watching("--scout", scout, data=tmp_path / "data") as second:
                assert second.wait() == 1
            assert "is in use by another `openplate watch`" in "".join(second.complaints)
            assert running.end(signal.SIGTERM) == 0


def test_a_second_signal_ends_at_once() -> None:
    code = (
        "import os, signal, time; from openplate.cli.watch_run import Stop; stop = Stop()\n"
        "signal.signal(signal.SIGTERM, stop.on_signal)\n"
        "for _ in range(2): os.kill(os.getpid(), signal.SIGTERM)\n"
        "time.sleep(60)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=50, check=False).returncode == 128 + signal.SIGTERM


def test_a_reader_that_goes_away_ends_it() -> None:
    shown = encoded(drive(20))
    with web_camera(mjpeg_of(lambda: shown)) as camera:
        command = [sys.executable, "-m", "openplate", "watch", "--json", camera.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            try:
                assert process.wait(90) == 141, process.stderr.read()
            finally:
                process.kill()


STREAM = """\
timezone = UTC
config_change_restart = yes
[webhooks]
  [[here]]
    url = {url}
    request_timeout = 30
[cameras]
  webhook_targets = here
  [[gate]]
    url = {video}
    jsonlines_file = gate.jsonl
  [[yard]]
    url = file-upload
    jsonlines_file = yard.jsonl
"""


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_in_streams_way_events_are_sent_and_videos_taken(tmp_path: Path) -> None:
    video = make_video(tmp_path / "street.mp4", [*drive(12), *[empty_street()] * 30])
    user_data = tmp_path / "user-data"
    user_data.mkdir()
    with receiving() as receiver:
        config = user_data / "config.ini"
        config.write_text(STREAM.format(url=receiver.url, video=video))
        with watching("--stream-config", config, "--quiet", data=tmp_path / "data", watch__upload_port="0") as running:
            receiver.wait_for(2, 90)
            body, headers = form({"upload": video.read_bytes()})
            url = urlsplit(running.url("videos are taken"))
            connection = HTTPConnection(str(url.hostname), url.port, timeout=90)
            connection.request("POST", "/", body, headers)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            connection.close()
            receiver.wait_for(4, 90)
            assert len(lines_of(user_data / "gate.jsonl")) == len(lines_of(user_data / "yard.jsonl")) == 2
            config.write_text(STREAM.format(url=receiver.url, video=video).replace("gate.jsonl", "other.jsonl"))
            wait_until(lambda: len(lines_of(user_data / "other.jsonl")) == 2, lambda: running.complaints)
            assert running.end(signal.SIGTERM) == 0, running.complaints
        assert running.lines == []
        assert sum("everything starts anew" in line for line in running.complaints) == 1
        assert len(receiver.requests) == 6


TROUBLED = """\
timezone = UTC
[webhooks]
  [[nobody]]
    url = {nobody}
    image = no
[cameras]
  webhook_targets = nobody
  [[gate]]
    url = {camera}
    max_prediction_delay = 1
    jsonlines_file = full.jsonl
    csv_file = gate.csv
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk at hand")
def test_troubles_are_in_the_counters_and_take_nothing_from_the_rest(tmp_path: Path) -> None:
    """A disk that is full for one file, a dead receiver, a camera that is gone, and one that goes on."""
    shown = encoded(drive(20))
    user_data = tmp_path / "user-data"
    user_data.mkdir()
    (user_data / "full.jsonl").symlink_to("/dev/full")
    with web_camera(mjpeg_of(lambda: shown)) as camera:
        config = user_data / "config.ini"
        config.write_text(TROUBLED.format(nobody=f"http://127.0.0.1:{free_port()}/", camera=camera.url))
        gone = f"http://127.0.0.1:{free_port()}/cam"
        command = ("--stream-config", config, "--quiet", gone)
        with watching(*command, data=tmp_path / "data", watch__port="0") as running:
            wait_until(lambda: len(lines_of(user_data / "gate.csv")) >= 3, lambda: running.complaints)
            for name in ("not_kept_jsonlines_total", "webhooks_failed_total", "webhooks_waiting"):
                wait_until(lambda n=name: running.metric(f"openplate_{n}") >= 1, running.metrics)  # type: ignore[misc]
            counted = running.metrics()  # from the start on, so that a rise can be asked for
            assert "openplate_not_kept_csv_total 0.0" in counted
            assert "openplate_not_kept_webhooks_total 0.0" in counted
            assert "openplate_output_failures_total{" not in counted
            states = f'openplate_camera_state{{camera="{gone}",state="%s"}}'
            wait_until(lambda: running.metric(states % "offline") + running.metric(states % "connecting") == 1)
            assert running.metric('openplate_camera_state{camera="gate",state="running"}') == 1
            frames = running.metric('openplate_camera_frames_total{camera="gate"}')
            wait_until(lambda: running.metric('openplate_camera_frames_total{camera="gate"}') > frames)
            assert running.end(signal.SIGTERM) == 0, running.complaints
        assert "no room left" in "".join(running.complaints)
        assert "Traceback" not in "".join(running.complaints)
