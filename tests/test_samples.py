"""The documentation's samples in shell, Python, PHP and JavaScript, each run against ``openplate serve`` as it is.

They are written after the public documentation of Plate Recognizer, and find the host where the variable HOST says:
nothing else in them would be different with the vendor's service.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from openplate.storage import Store
from sample_programs import run, samples
from serving import STREET, TEXTS, Server, serving

CLOUD_NAME = re.compile(r"[0-9]{4}_[0-9A-Z]{5}_(street|upload)\.jpg")
CLOUD_TIME = re.compile(r"[0-9-]{10}T[0-9:]{8}\.[0-9]{6}Z")
Cloud = tuple[Server, str]


def plates(answer: Any) -> set[str]:
    return {result["plate"] for result in answer["results"]}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The flavour of the vendor's service, with a token."""
    data = tmp_path_factory.mktemp("cloud")
    store = Store.open(None, data)
    secret, _ = store.create_token("gate", 2500, None)
    store.close()
    with serving("--flavour", "cloud", "--workers", "1", data=data) as server:
        yield server, secret


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving("--workers", "1", data=tmp_path_factory.mktemp("sdk")) as server:
        yield server


@pytest.mark.parametrize("name", samples("file", "encoded", "streamed"))
def test_a_picture_is_read(name: str, cloud: Cloud) -> None:
    answer = run(name, cloud[0].url, STREET, cloud[1])
    assert plates(answer) == TEXTS
    assert CLOUD_NAME.fullmatch(answer["filename"])
    assert CLOUD_TIME.fullmatch(answer["timestamp"])
    assert (answer["camera_id"], answer["version"]) == (None, 1)


@pytest.mark.parametrize("name", samples("options"))
def test_what_is_said_beside_the_picture_counts(name: str, cloud: Cloud) -> None:
    answer = run(name, cloud[0].url, STREET, cloud[1])
    assert plates(answer) == TEXTS
    assert (answer["camera_id"], answer["timestamp"]) == ("gate-1", "2026-03-05T14:02:11")
    for result in answer["results"]:
        assert all(result[key] for key in ("model_make", "color", "orientation"))


@pytest.mark.parametrize("name", samples("usage"))
def test_calls_are_told(name: str, cloud: Cloud) -> None:
    server, secret = cloud
    before = run(name, server.url, STREET, secret)
    assert before["total_calls"] == 2500
    assert server.recognize(token=secret).status == 200
    assert run(name, server.url, STREET, secret)["usage"]["calls"] == before["usage"]["calls"] + 1


@pytest.mark.parametrize("name", samples("file", "options", "encoded", "usage"))
def test_a_wrong_token_is_told(name: str, cloud: Cloud) -> None:
    assert run(name, cloud[0].url, STREET) == {"detail": "Invalid token.", "status_code": 403}


@pytest.mark.parametrize("name", samples("file", "streamed"))
def test_the_sdk_minds_no_token(name: str, sdk: Server) -> None:
    answer = run(name, sdk.url, STREET)
    assert plates(answer) == TEXTS
    assert answer["filename"] == STREET.name
    assert answer["usage"]["calls"] >= 1


class _Picture(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        data = STREET.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def picture_url() -> Iterator[str]:
    """Where the picture can be fetched from, on this machine."""
    web = ThreadingHTTPServer(("127.0.0.1", 0), _Picture)
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{web.server_port}/pictures/car.jpg?size=large"
    web.shutdown()
    thread.join()
    web.server_close()


@pytest.fixture(scope="module")
def fetching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may fetch from its own machine."""
    data = tmp_path_factory.mktemp("fetching")
    with serving("--workers", "1", data=data, upload_url__allow_private="true") as server:
        yield server


@pytest.mark.parametrize("name", samples("url"))
def test_a_picture_is_fetched(name: str, fetching: Server, picture_url: str) -> None:
    answer = run(name, fetching.url, picture_url)
    assert plates(answer) == TEXTS
    assert answer["filename"] == "car.jpg"


@pytest.mark.parametrize("name", samples("url"))
def test_pictures_of_this_machine_are_not_fetched_unless_it_is_allowed(
    name: str, sdk: Server, picture_url: str
) -> None:
    answer = run(name, sdk.url, picture_url)
    assert answer["status_code"] == 400
    assert "private addresses are not allowed" in answer["detail"]
