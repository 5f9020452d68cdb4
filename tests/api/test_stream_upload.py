"""Stream's upload of video files over HTTP: with a stand-in for what works on them, and with real videos."""

from __future__ import annotations

import asyncio
import csv
import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from calling import call, form, serving

from openplate import RecognitionOptions, Recognizer
from openplate.api.stream_upload import create_upload_app
from openplate.errors import Overloaded, RequestError
from openplate.service.stream_report import StreamReporter
from openplate.service.stream_uploads import FileService, FileWatcher
from openplate.service.uploaded_file import FileLimits, UploadedFile
from openplate.settings.stream import StreamCamera, StreamSettings
from stand_ins import make_stages
from street_videos import make_street_video

LIMITS = FileLimits(max_bytes=200_000, min_free_bytes=0, max_at_once=2)
CAMERA = StreamCamera("files", "file-upload", csv_file="out.csv", jsonlines_file="out.jsonl", sample=1, mask_id="")


class StandIn:
    """Takes files, remembers what they were."""

    def __init__(self, folder: Path, limits: FileLimits = LIMITS) -> None:
        self.folder, self.limits = folder, limits
        self.seen: list[tuple[str, Mapping[str, tuple[str, ...]], bytes]] = []
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def process(self, file: UploadedFile) -> Mapping[str, object]:
        self.seen.append((file.filename, file.fields, file.path.read_bytes()))
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        return {"status": "done", "usage": {"calls": len(self.seen)}}

    async def camera_states(self) -> Mapping[str, str]:
        return {"camera-1": "running", "camera-2": "offline"}


@pytest.fixture
def port(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path)


def left_over(port: StandIn) -> list[Path]:
    return list(port.folder.glob("*.part"))


def test_a_file_arrives_with_its_fields_and_is_gone_afterwards(port: StandIn) -> None:
    video = bytes(range(256)) * 400
    body, headers = form(("sample", None, b"3"), ("upload", "C:\\clips\\car.avi", video), ("regions", None, b"de"))
    pieces = [body[i : i + 7000] for i in range(0, len(body), 7000)]
    answer = call(create_upload_app(port), "POST", "/", pieces, headers)
    assert (answer.status, answer.json) == (200, {"status": "done", "usage": {"calls": 1}})
    assert port.seen == [("car.avi", {"sample": ("3",), "regions": ("de",)}, video)]
    assert left_over(port) == []


def test_states_of_cameras_in_the_monitors_form(port: StandIn) -> None:
    expected = {"active": True, "cameras": {"camera-1": {"status": "running"}, "camera-2": {"status": "offline"}}}
    for path in ("/", "/health", "/health/"):
        assert call(create_upload_app(port), "GET", path).json == expected


@pytest.mark.parametrize(
    ("body", "headers", "status", "detail"),
    [
        (*form(("sample", None, b"3")), 400, "'upload'"),
        (*form(("upload", "a.avi", b"")), 400, "'upload'"),
        (b"{}", {"Content-Type": "application/json"}, 415, "multipart/form-data"),
        (form(("upload", "a.avi", b"1"))[0][:-9], form()[1], 400, "cut off"),
        (b"x", {"Content-Type": "multipart/form-data"}, 400, "boundary"),
        (*form(("upload", "a.avi", b"1" * 200_001)), 413, "0.190735 MiB"),
    ],
    ids=["no file", "empty file", "no form", "cut off", "no boundary", "too large"],
)
def test_what_is_refused(port: StandIn, body: bytes, headers: dict[str, str], status: int, detail: str) -> None:
    for sent in (body, [body]):
        answer = call(create_upload_app(port), "POST", "/", sent, headers)
        assert (answer.status, answer.json["status_code"]) == (status, status)
        assert detail in answer.json["detail"]
    assert (port.seen, left_over(port)) == ([], [])


def test_a_full_disk_is_told_before_the_file_comes(tmp_path: Path) -> None:
    port = StandIn(tmp_path, replace(LIMITS, min_free_bytes=2**62))
    answer = call(create_upload_app(port), "POST", "/", *form(("upload", "a", b"1")))
    assert (answer.status, "retry-after" in answer.headers) == (503, True)


@pytest.mark.parametrize(
    ("error", "status"), [(RequestError("no video"), 400), (Overloaded("full", 3), 503), (ValueError("bug"), 500)]
)
def test_errors_of_the_work(port: StandIn, error: Exception, status: int) -> None:
    port.error = error
    answer = call(create_upload_app(port), "POST", "/", *form(("upload", "a", b"1")))
    assert answer.status == status
    assert left_over(port) == []


def test_other_paths_and_methods(port: StandIn) -> None:
    app = create_upload_app(port)
    assert call(app, "GET", "/other").status == 404
    assert call(app, "DELETE", "/").status == 405
    assert call(app, "HEAD", "/").status == 200


def test_only_so_many_at_a_time(port: StandIn) -> None:
    async def several() -> list[int]:
        from calling import call_async

        port.gate = asyncio.Event()
        app = create_upload_app(port)
        tasks = [asyncio.create_task(call_async(app, "POST", "/", *form(("upload", "a", b"1")))) for _ in range(2)]
        while len(port.seen) < 2:
            await asyncio.sleep(0)
        third = await call_async(app, "POST", "/", *form(("upload", "a", b"1")))
        port.gate.set()
        return [third.status, *(answer.status for answer in await asyncio.gather(*tasks))]

    assert asyncio.run(several()) == [503, 200, 200]


# Real videos.


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_street_video(tmp_path_factory.mktemp("videos") / "street.mkv").read_bytes()


@contextmanager
def files(folder: Path, *cameras: StreamCamera) -> Iterator[FileService]:
    looks = ({"br": 0.9, "ar": 0.1},) * 2
    recognizer = Recognizer.from_stages(
        make_stages(("ABC1234", "XYZ9876"), looks, 0.999, None), RecognitionOptions(mode="fast")
    )
    settings = StreamSettings(folder, cameras=cameras)
    watcher = FileWatcher(settings, recognizer, StreamReporter(settings))
    service = FileService(
        watcher, folder / "uploads", replace(LIMITS, max_bytes=2**28), states=lambda: {"gate": "offline"}
    )
    try:
        yield service
    finally:
        assert service.close(60)


def post(address: tuple[str, int], *parts: tuple[str, str | None, bytes]) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(*address, timeout=120)
    try:
        body, headers = form(*parts)
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_video_is_watched_to_its_end(tmp_path: Path, street: bytes) -> None:
    with files(tmp_path, CAMERA) as service, serving(create_upload_app(service)) as address:
        upload = ("upload", "street.mkv", street)
        status, answer = post(address, upload, ("user_data", None, b"from afar"), ("x", None, b""))
        assert (status, answer["status"], answer["camera_id"], answer["events"]) == (200, "done", "files", 1)
        assert (answer["frames"], answer["failed_frames"], answer["ignored_fields"]) == (16, 0, ["x"])
        assert answer["usage"]["calls"] == 1
        assert "abc1234" not in json.dumps(answer)
        status, answer = post(address, upload, ("sample", None, b"2"))
        assert (answer["frames"], answer["usage"]["calls"]) == (8, 2)
        status, answer = post(address, upload, ("total", None, b"3"), ("video_fps", None, b"5"), ("name", None, b"x"))
        assert (answer["frames"], answer["ignored_fields"]) == (3, ["video_fps", "name"])
    first, second, _ = (json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines())
    result = first["results"][0]
    assert (result["plate"], result["source_url"], result["user_data"]) == ("abc1234", "street.mkv", "from afar")
    assert (first["camera_id"], result["direction"]) == ("files", 0)
    assert first["timestamp"].startswith("2026-03-05T12:00:0")
    assert 0 <= result["position_sec"] <= 1.4
    assert second["results"][0]["user_data"] == ""
    with (tmp_path / "out.csv").open(newline="") as file:
        assert [row["plate"] for row in csv.DictReader(file)] == ["abc1234"] * 3
    assert (tmp_path / first["filename"]).is_file()
    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "data", "detail"),
    [
        ({"sample": "0"}, None, "sample must be a whole number from 1 to 1000, not '0'"),
        ({"csv_file": "x.csv"}, None, "csv_file cannot be set for one file"),
        ({"webhook_targets": "http://h/"}, None, "webhook_targets cannot be set for one file"),
        ({"mask_id": "../x"}, None, "mask_id: "),
        ({"regions": "de,xx-yy"}, None, "regions: "),
        ({"camera_id": "gate"}, None, "No camera 'gate' takes files; these do: files, more"),
        ({}, b"\x00\x01\x02" * 1000, "car.avi"),
        ({}, b"#EXTM3U\n#EXTINF:1,\nfile:///x.ts\n", "car.avi is no video file: it begins like a text"),
    ],
)
def test_what_cannot_be_done_is_told(tmp_path: Path, fields: dict[str, str], data: bytes | None, detail: str) -> None:
    more = replace(CAMERA, id="more")
    with files(tmp_path, CAMERA, more, replace(CAMERA, id="off", active=False)) as service:
        parts = [(key, None, text.encode()) for key, text in fields.items()]
        upload = ("upload", "car.avi", data or b"\x00" * 100)
        answer = call(create_upload_app(service), "POST", "/", *form(*parts, upload))  # type: ignore[list-item]
    assert answer.status == 400
    assert detail in answer.json["detail"]
    assert str(tmp_path) not in answer.json["detail"]
    assert not (tmp_path / "out.csv").exists()


def test_without_a_camera_for_files_none_is_taken(tmp_path: Path) -> None:
    with files(tmp_path, replace(CAMERA, url="rtsp://h/1")) as service:
        answer = call(create_upload_app(service), "POST", "/", *form(("upload", "a", b"\x00")))
        assert answer.status == 400
        assert "file-upload" in answer.json["detail"]
        assert call(create_upload_app(service), "GET", "/").json["cameras"] == {"gate": {"status": "offline"}}


def test_states_have_the_cameras_for_files_too(tmp_path: Path) -> None:
    with files(tmp_path, CAMERA) as service:
        states = call(create_upload_app(service), "GET", "/health").json["cameras"]
    assert states == {"gate": {"status": "offline"}, "files": {"status": "running"}}


def test_what_a_kill_left_is_removed_and_a_stop_ends_early(tmp_path: Path, street: bytes) -> None:
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "old.part").write_bytes(b"1")
    with files(tmp_path, CAMERA) as service:
        assert list((tmp_path / "uploads").iterdir()) == []
        service._watcher.stop()
        answer = call(create_upload_app(service), "POST", "/", *form(("upload", "street.mkv", street)))
        assert (answer.status, answer.json["frames"]) == (200, 0)
