"""``POST /v1/blur``: what comes back, what is covered, what is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from calling import Answer, call
from calling import form as multipart
from stand_in_service import StandInService

from openplate.api.app import create_app
from openplate.datatypes import Box
from openplate.imaging import Image, encode_jpeg, encode_png
from openplate.imaging.metadata import Metadata, read_metadata, with_metadata
from stand_ins import paint_street

CAR, PLATE = Box(300, 200, 900, 650), Box(550, 500, 650, 530)
STREET = paint_street(1280, 720, [CAR], [(PLATE, 0)])
PICTURE = encode_png(Image(STREET))
PATH = "/v1/blur"


def form(*parts: tuple[Any, ...]) -> tuple[bytes, dict[str, str]]:
    """(name, text) and (name, file name, data) as a form."""
    return multipart(*((p[0], None, p[1].encode()) if len(p) == 2 else p for p in parts))


def post(service: StandInService, body: bytes, headers: dict[str, str], path: str) -> Answer:
    return call(create_app(service), "POST", path, body, headers)


def ask(service: StandInService, *fields: Any, headers: dict[str, str] | None = None, path: str = PATH) -> Any:
    body, sent = form(("upload", "car.png", PICTURE), *fields)
    return post(service, body, {**sent, **(headers or {})}, path=path)


def picture_of(answer: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return Image.from_bytes(base64.b64decode(answer.json["blur"]["base64"])).pixels


def inside(pixels: np.ndarray[Any, np.dtype[np.uint8]], box: Box = PLATE) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return pixels[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)]


@pytest.mark.parametrize("path", ["/v1/blur", "/v1/blur/", "/"])
def test_the_plate_is_covered_and_told(path: str) -> None:
    service = StandInService()
    answer = ask(service, ("plates", "5"), path=path)
    assert answer.status == 200
    (plate,) = answer.json["plates"]
    assert plate["plate"]["props"]["plate"][0]["value"] == "abc123"
    assert len(plate["polygon"]) == 4
    assert answer.json["faces"] == []
    assert answer.json["blur"]["filename"] == "car.png"
    blurred = picture_of(answer)
    assert inside(blurred).std() < 0.5 * inside(STREET).std()
    assert np.abs(blurred[:150].astype(int) - STREET[:150]).mean() < 3
    assert service.counted == 1


def test_strength_nought_finds_without_covering() -> None:
    answer = ask(StandInService(), ("plates", "0"))
    assert len(answer.json["plates"]) == 1
    assert np.abs(inside(picture_of(answer)).astype(int) - inside(STREET)).mean() < 12


def test_minus_one_does_not_look() -> None:
    answer = ask(StandInService(), ("plates", "-1"), ("faces", "-1"))
    assert (answer.status, answer.json["plates"]) == (200, [])


def test_the_picture_itself_is_sent_to_who_accepts_pictures() -> None:
    answer = ask(StandInService(), ("plates", "3"), headers={"Accept": "image/*"})
    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.from_bytes(answer.body).pixels.shape == STREET.shape


@pytest.mark.parametrize(
    ("fields", "covered"),
    [
        ([("skip_regexp", "[a-z]{3}[0-9]{3}")], False),
        ([("skip_regexp", "[0-9]{6}")], True),
        ([("xmin", "500"), ("ymin", "480"), ("xmax", "700"), ("ymax", "560")], False),
        ([("eb", "0.4")], False),
        ([("el", "0.1")], True),
        ([("split", "2"), ("overlap", "30")], True),
        ([("config", '{"mode": "fast"}')], True),
    ],
)
def test_what_stays_readable(fields: list[tuple[str, str]], covered: bool) -> None:
    answer = ask(StandInService(), ("plates", "10"), *fields)
    assert answer.status == 200
    assert (inside(picture_of(answer)).std() < 0.5 * inside(STREET).std()) == covered


def test_a_logo_covers() -> None:
    logo = encode_png(Image(np.full((30, 100, 3), (250, 10, 10), np.uint8)))
    answer = ask(StandInService(), ("plates", "1"), ("logo", "logo.png", logo))
    assert np.abs(inside(picture_of(answer)).astype(int) - (250, 10, 10)).mean() < 20


def test_metadata_is_copied_only_on_request() -> None:
    picture = with_metadata(encode_jpeg(Image(STREET)), Metadata(icc=b"profile"))
    for fields, expected in (((), None), ((("copy_metadata", "true"),), b"profile")):
        body, headers = form(("upload", "car.jpg", picture), ("plates", "1"), *fields)
        answer = post(StandInService(), body, headers, path=PATH)
        assert read_metadata(base64.b64decode(answer.json["blur"]["base64"])).icc == expected


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ((), "Give plates or faces"),
        ((("plates", "11"),), "plates: must be a whole number from -1 to 10"),
        ((("plates", "x"),), "plates: must be"),
        ((("plates", "1"), ("faces", "3")), "faces: not supported"),
        ((("plates", "1"), ("el", "2")), "el: must be a number from 0"),
        ((("plates", "1"), ("el", "nan")), "el: must be a number"),
        ((("plates", "1"), ("xmin", "3")), "the same number of each"),
        ((("plates", "1"), ("xmin", "3"), ("ymin", "3"), ("xmax", "3"), ("ymax", "9")), "xmax above xmin"),
        ((("plates", "1"), ("split", "99")), "split: must be"),
        ((("plates", "1"), ("skip_regexp", "(a")), "skip_regexp: "),
        ((("plates", "1"), ("config", "{")), "config"),
        ((("plates", "1"), ("logo", "logo.png", b"no picture")), "logo|picture"),
    ],
)
def test_what_cannot_be_done_is_told_as_error(fields: tuple[Any, ...], reason: str) -> None:
    answer = ask(StandInService(), *fields)
    assert answer.status == 400
    assert list(answer.json) == ["error"]
    assert any(part in answer.json["error"] for part in reason.split("|"))


def test_no_picture_and_a_broken_one() -> None:
    body, headers = form(("plates", "1"))
    answer = post(StandInService(), body, headers, path=PATH)
    assert (answer.status, "No picture" in answer.json["error"]) == (400, True)
    body, headers = form(("upload", "x.jpg", b"no picture"), ("plates", "1"))
    answer = post(StandInService(), body, headers, path=PATH)
    assert answer.status == 400
    assert "error" in json.loads(answer.body)
