"""A camera is read now, over HTTP: the answer, whom it is given, what is said where there is none."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from calling import serving
from tests.service.watch_helpers import Keeping, Scripts, make_plan, make_recognizer, street
from tests.video.video_helpers import wait_until

from openplate.api.watching import WatchState, create_watch_app
from openplate.errors import SourceUnavailable
from openplate.imaging import Image
from openplate.service.reading_now import CameraReader
from openplate.service.watching import Watcher
from openplate.settings import AccountSettings, ServerSettings, Settings
from openplate.storage import Store
from openplate.zones import Zone

PLAIN = Settings()
LEFT_HALF = Zone.from_polygons([((0, 0), (0.5, 0), (0.5, 1), (0, 1))])


class Yard:
    """Cameras that show a street for as long as wanted; ``post`` asks over HTTP."""

    def __init__(self, address: tuple[str, int], watcher: Watcher) -> None:
        self._address, self.watcher = address, watcher

    def post(self, camera: str, token: str | None = None, method: str = "POST") -> tuple[int, Any]:
        connection = http.client.HTTPConnection(*self._address, timeout=60)
        try:
            headers = {} if token is None else {"Authorization": f"Token {token}"}
            connection.request(method, f"/v1/cameras/{quote(camera, safe='/')}/recognize", b"", headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


def gone() -> Iterator[Image]:
    raise SourceUnavailable("nobody answers at 192.0.2.1")
    yield


@contextmanager
def watched(settings: Settings = PLAIN, store: Store | None = None) -> Iterator[Yard]:
    """A gate with number 7, a yard that looks at its left half, a camera that is gone, and a file that ends."""
    is_over = threading.Event()
    kept = Keeping()

    def standing(*places: tuple[int, float]) -> Callable[[], Iterator[Image]]:
        def script() -> Iterator[Image]:
            while not is_over.wait(0.02):
                yield street(*places)

        return script

    video = replace(make_plan().video, zone=LEFT_HALF)
    plans = [
        make_plan("gate", "rtsp://gate", 7),
        make_plan("back/yard ü", "rtsp://yard", 1, video=video),
        make_plan("gone", "rtsp://gone", 2),
        make_plan("7up.mp4", "7up.mp4", 3),
    ]
    scripts = {
        "rtsp://gate": standing((0, 200.0)),
        "rtsp://yard": standing((0, 100.0), (1, 800.0)),
        "rtsp://gone": gone,
        "7up.mp4": lambda: iter([street((1, 50.0))]),
    }
    watcher = Watcher(plans, make_recognizer(), [kept], opener=Scripts(scripts))
    reader = CameraReader(watcher, settings, store)
    watcher.start()
    try:
        with serving(create_watch_app(lambda: WatchState(watcher.statuses()), reader)) as address:
            wait_until(lambda: {frame.source for _, _, frame in list(kept.frames)} >= {"gate", "back/yard ü"})
            wait_until(lambda: {each.state for each in watcher.statuses()} >= {"ended", "offline"})
            yield Yard(address, watcher)
    finally:
        is_over.set()
        assert reader.close()
        watcher.close()


@pytest.fixture(scope="module")
def yard() -> Iterator[Yard]:
    with watched() as found:
        yield found


def read(yard: Yard, camera: str) -> tuple[int, Any]:
    """Once the camera has shown something; between two frames the script may be a moment behind."""
    found: list[tuple[int, Any]] = []

    def is_there() -> bool:
        found.append(yard.post(camera))
        return found[-1][0] != 503

    wait_until(is_there, lambda: found[-1:])
    return found[-1]


def test_the_newest_frame_is_read_and_answered_as_a_snapshot(yard: Yard) -> None:
    status, body = read(yard, "gate")
    assert status == 200
    assert [result["plate"] for result in body["results"]] == ["abc1234"]
    assert body["camera_id"] == "gate"
    assert body["filename"].endswith("gate.jpg")
    assert set(body) >= {"processing_time", "results", "filename", "version", "camera_id", "timestamp", "usage"}


def test_a_camera_is_known_by_its_number_too(yard: Yard) -> None:
    assert read(yard, "7")[1]["camera_id"] == "gate"


def test_a_name_may_have_any_letters_and_its_zone_counts(yard: Yard) -> None:
    status, body = read(yard, "back/yard ü")
    assert (status, body["camera_id"]) == (200, "back/yard ü")
    assert [result["plate"] for result in body["results"]] == ["abc1234"]


def test_of_an_unknown_camera_the_known_ones_are_told(yard: Yard) -> None:
    status, body = yard.post("front")
    assert status == 404
    assert body["detail"] == "There is no camera 'front'; there are: gate, back/yard ü, gone, 7up.mp4."


@pytest.mark.parametrize(
    ("camera", "words"),
    [("gone", ("offline", "nobody answers at 192.0.2.1")), ("7up.mp4", ("ended",)), ("3", ("ended",))],
)
def test_where_there_is_no_picture_the_reason_is_told(yard: Yard, camera: str, words: tuple[str, ...]) -> None:
    def answered() -> tuple[int, Any]:
        return yard.post(camera)

    # A camera that is opened again is for a moment connecting.
    wait_until(lambda: words[0] in answered()[1]["detail"], answered)
    status, body = answered()
    assert status == 503
    assert "has no picture now" in body["detail"]
    for word in words[1:]:
        assert word in body["detail"]


def test_only_post_is_answered(yard: Yard) -> None:
    status, body = yard.post("gate", method="GET")
    assert status == 405
    assert "GET" in body["detail"]


def test_several_ask_at_the_same_time(yard: Yard) -> None:
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(read(yard, "gate")[0])) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 6


def test_where_the_server_asks_for_a_token_so_does_this(tmp_path: Path) -> None:
    store = Store.open(None, tmp_path)
    secret, token = store.create_token("gate", 2, None)
    settings = Settings(accounts=AccountSettings(require_token="always"))
    with watched(settings, store) as yard:
        assert yard.post("gate")[0] == 403
        assert yard.post("gate", "0" * 40)[0] == 403
        assert "front" not in str(yard.post("front")[1])  # not even who is there is told
        body = yard.post("gate", secret)[1]
        assert body["usage"] == {"max_calls": 2, "calls": 1}
        assert yard.post("gate", secret)[0] == 200
        status, body = yard.post("gate", secret)
        assert status == 403, body
        store.revoke_token(token.id)
        assert yard.post("gate", secret)[0] == 403
    store.close()


def test_in_the_flavour_of_the_cloud(tmp_path: Path) -> None:
    store = Store.open(None, tmp_path)
    secret, _ = store.create_token("gate", None, None)
    with watched(Settings(server=ServerSettings(flavour="cloud", success_status=201)), store) as yard:
        assert yard.post("gate")[0] == 403
        status, body = yard.post("gate", secret)
        assert (status, body["camera_id"]) == (201, "gate")
        assert "usage" not in body
    store.close()
