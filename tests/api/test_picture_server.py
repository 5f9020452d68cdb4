"""The agent's picture server over HTTP: what receivers fetch, and what they get for wrong questions."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calling import serving

from factories import make_picture
from openplate.api.pictures import create_picture_app
from openplate.imaging import Image
from openplate.storage.pictures import PictureRing

FRAME = make_picture(width=320, height=180)
ONE, TWO, THREE = "agent-7-1000", "agent-7-2000", "agent-7-3000"


class Client:
    """Asks one server."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port

    def ask(self, path: str, method: str = "GET") -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection(*self._address, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=False)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, answer.getheader("content-type") or "", answer.read()
        finally:
            connection.close()

    def json(self, path: str, status: int = 200) -> Any:
        got, kind, body = self.ask(path)
        assert (got, kind) == (status, "application/json")
        return json.loads(body)

    def size(self, path: str) -> tuple[int, int]:
        status, kind, body = self.ask(path)
        assert (status, kind) == (200, "image/jpeg"), body
        image = Image.from_bytes(body)
        return image.width, image.height


@pytest.fixture
def ring(tmp_path: Path) -> PictureRing:
    ring = PictureRing(tmp_path / "ring", 10**7)
    ring.put(ONE, FRAME, {"data_type": "alpr_group", "best_plate_number": "Ü1"})
    ring.put(TWO, FRAME)
    ring.put(THREE, FRAME, {"data_type": "alpr_group"})
    return ring


@pytest.fixture
def client(ring: PictureRing) -> Iterator[Client]:
    with serving(create_picture_app(ring)) as (host, port):
        yield Client(host, port)


def test_a_picture_comes_as_it_was_stored(client: Client) -> None:
    for path in (f"/img/{ONE}.jpg", f"/img/{ONE}", f"/img/{ONE}.jpg?unknown=1"):
        assert client.ask(path) == (200, "image/jpeg", FRAME)
    status, kind, body = client.ask(f"/img/{ONE}.jpg", "HEAD")
    assert (status, kind, body) == (200, "image/jpeg", b"")


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ("x=10&y=20&width=100&height=50", (100, 50)),
        ("x=300&y=170&width=100&height=50", (20, 10)),
        ("x=-10&y=-10&width=30.0&height=20", (20, 10)),
        ("max_width=160", (160, 90)),
        ("max_width=1", (1, 1)),
        ("max_width=5000", (320, 180)),
        ("x=10&y=20&width=100&height=50&max_width=50", (50, 25)),
        ("x=10&y=20&width=100000&height=100000", (310, 160)),
    ],
)
def test_parts_and_sizes(client: Client, query: str, size: tuple[int, int]) -> None:
    assert client.size(f"/img/{ONE}.jpg?{query}") == size


def test_a_part_is_that_part(client: Client) -> None:
    _, _, body = client.ask(f"/img/{ONE}.jpg?x=10&y=20&width=100&height=50")
    wanted = Image.from_bytes(FRAME).pixels[20:70, 10:110].astype(int)
    assert abs(Image.from_bytes(body).pixels.astype(int) - wanted).mean() < 3


def test_a_crop_between_two_corners(client: Client) -> None:
    assert client.size(f"/crop/{ONE}?x1=10&y1=20&x2=60&y2=40") == (50, 20)
    assert client.size(f"/crop/{ONE}.jpg?x1=10.5&y1=20&x2=60&y2=40") == (50, 20)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (f"/img/{ONE}.jpg?x=a&y=0&width=1&height=1", "x must be a number, not 'a'."),
        (f"/img/{ONE}.jpg?x=1", "A part needs x, y, width and height; missing: y, width, height."),
        (f"/img/{ONE}.jpg?x=0&y=0&width=0&height=5", "width and height must be numbers from 1 to 100000."),
        (f"/img/{ONE}.jpg?x=0&y=0&width=1e9&height=5", "width must be a number, not '1e9'."),
        (f"/img/{ONE}.jpg?x=nan&y=0&width=5&height=5", "x must be a number, not 'nan'."),
        (f"/img/{ONE}.jpg?max_width=0", "max_width must be a number from 1 to 100000."),
        (f"/img/{ONE}.jpg?max_width=-5", "max_width must be a number from 1 to 100000."),
        (f"/img/{ONE}.jpg?max_width={'9' * 400}", f"max_width must be a number, not '{'9' * 40}'."),
        (
            f"/img/{ONE}.jpg?x=320&y=0&width=5&height=5",
            "That part is outside of the picture, which has 320 x 180 pixels.",
        ),
        (f"/crop/{ONE}?x1=1&y1=2", "A crop needs x1, y1, x2 and y2; missing: x2, y2."),
        (f"/crop/{ONE}?x1=5&y1=2&x2=5&y2=9", "A crop needs x1 < x2 and y1 < y2."),
        ("/list?start=yesterday", "start must be a number, not 'yesterday'."),
    ],
)
def test_wrong_questions_get_a_sentence(client: Client, path: str, sentence: str) -> None:
    assert client.json(path, 400) == {"error": sentence}


@pytest.mark.parametrize(
    "path",
    [
        "/img/agent-7-9.jpg",
        "/crop/agent-7-9?x1=0&y1=0&x2=1&y2=1",
        "/meta/agent-7-9",
        f"/meta/{TWO}",
        "/img/../../etc/passwd",
        "/img/..%2f..%2fetc%2fpasswd",
        "/img/%00.jpg",
        "/img/",
        "/other",
    ],
)
def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    assert "error" in client.json(path, 404)


def test_a_picture_that_went_is_404(client: Client, ring: PictureRing) -> None:
    ring.put("agent-7-4000", b"x" * (10**7 - 8 * 4096))
    assert "(any more)" in client.json(f"/img/{ONE}.jpg", 404)["error"]


def test_a_broken_picture_is_404_when_it_has_to_be_changed(client: Client, ring: PictureRing) -> None:
    ring.put("agent-7-5000", b"no picture")
    assert client.json("/img/agent-7-5000.jpg?max_width=5", 404) == {"error": "The stored picture cannot be read."}


def test_list_has_the_groups_of_a_time(client: Client) -> None:
    """A scraper asks for each key's group, so pictures without one are not listed."""
    assert client.json("/list") == [{"time": 1000, "key": ONE}, {"time": 3000, "key": THREE}]
    assert client.json("/list?start=1001&end=3000") == [{"time": 3000, "key": THREE}]
    assert client.json("/list?start=4000") == []


def test_meta_is_the_group(client: Client) -> None:
    assert client.json(f"/meta/{ONE}") == {"data_type": "alpr_group", "best_plate_number": "Ü1"}


def test_the_first_page_tells_the_earliest_time(client: Client, tmp_path: Path) -> None:
    status, kind, body = client.ask("/")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert b"Earliest date epoch: 1000<" in body
    with serving(create_picture_app(PictureRing(tmp_path / "empty", 10**6))) as (host, port):
        assert b"Earliest date epoch: 0<" in Client(host, port).ask("/")[2]


def test_only_reading_is_possible(client: Client) -> None:
    for method in ("POST", "DELETE", "PUT"):
        assert client.ask(f"/img/{ONE}.jpg", method)[0] == 405
