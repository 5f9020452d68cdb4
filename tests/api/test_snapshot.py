"""The recognition call: every way a picture can come, what is passed on, what is refused and how."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from tests.api.calling import Answer, call, form
from tests.api.stand_in_service import SECRET, TOKEN, StandInService, as_port, json_errors

from openplate.api.app import create_app
from openplate.api.ports import Picture, RequestLimits
from openplate.errors import (
    InferenceFailed,
    Overloaded,
    QuotaExceeded,
    RateExceeded,
    RequestError,
    StorageError,
    StorageFull,
)

PATH = "/v1/plate-reader/"
JPEG = b"\xff\xd8\xff" + bytes(range(256)) * 3
TEXT = base64.b64encode(JPEG)


def post(service: StandInService, body: Any, headers: dict[str, str], path: str = PATH) -> Answer:
    return call(create_app(as_port(service)), "POST", path, body, headers)


def post_json(service: StandInService, value: object) -> Answer:
    return post(service, json.dumps(value).encode(), {"Content-Type": "application/json"})


@pytest.mark.parametrize("path", ["/v1/plate-reader/", "/v1/plate-reader"])
def test_a_file_comes_back_as_a_recognition(path: str) -> None:
    service = StandInService()
    answer = post(service, *form(("upload", "car.jpg", JPEG), ("camera_id", None, b"gate")), path)
    assert answer.status == 200
    assert answer.json == {"results": [], "filename": "car.jpg", "camera_id": "gate", "bytes": len(JPEG)}
    assert service.calls[0][0] == Picture(JPEG, "car.jpg")


@pytest.mark.parametrize(
    "filename", ["upload", "C:\\photos\\car.jpg", "/photos/me/car.jpg", "../../etc/passwd", "ü.png"]
)
def test_only_the_last_part_of_a_file_name_is_kept(filename: str) -> None:
    answer = post(StandInService(), *form(("upload", filename, JPEG)))
    assert answer.json["filename"] == filename.replace("\\", "/").split("/")[-1]


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        base64.encodebytes(JPEG),
        base64.encodebytes(JPEG).replace(b"\n", b"\r\n"),
        base64.urlsafe_b64encode(JPEG).rstrip(b"="),
        b"data:image/jpeg;base64," + TEXT,
        b"data:image/jpeg;name=x.jpg;base64," + TEXT,
    ],
)
def test_base64_in_every_dress(text: bytes) -> None:
    service = StandInService()
    assert post(service, *form(("upload", None, text))).status == 200
    quoted = f"upload={quote(text, safe='')}&mmc=True".encode()
    assert post(service, quoted, {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}).status == 200
    assert post_json(service, {"upload": text.decode(), "mmc": True}).status == 200
    assert [call[0] for call in service.calls] == [Picture(JPEG, "upload.jpg")] * 3
    assert [call[1].mmc for call in service.calls] == [False, True, True]


def test_base64_whose_plus_was_not_encoded_is_understood() -> None:
    picture = b"\xff\xd8\xff\xfb\xef\xbe" * 50
    text = base64.b64encode(picture)
    assert b"+" in text
    service = StandInService()
    assert post(service, b"upload=" + text, {"Content-Type": "application/x-www-form-urlencoded"}).status == 200
    assert service.calls[0][0].data == picture


def test_a_picture_in_a_field_without_file_name_is_taken_as_it_is() -> None:
    """curl -F 'upload=<car.jpg' sends the bytes as if they were text."""
    service = StandInService()
    assert post(service, *form(("upload", None, JPEG))).status == 200
    assert service.calls[0][0].data == JPEG


def test_upload_url_as_form_and_as_json() -> None:
    service = StandInService()
    url = "https://example.com/car.jpg"
    assert post_json(service, {"upload_url": url, "regions": ["pl", "cz"]}).json["filename"] == "afar.jpg"
    body = f"upload_url={quote(url)}&regions=pl&regions=cz".encode()
    assert post(service, body, {"Content-Type": "application/x-www-form-urlencoded"}).status == 200
    assert service.fetched == [url, url]
    assert {call[1].regions for call in service.calls} == {("pl", "cz")}


@pytest.mark.parametrize("parts", [[("regions", b"pl"), ("regions", b"cz")], [("regions", b"pl,cz")]])
def test_regions_repeated_or_with_commas(parts: list[tuple[str, bytes]]) -> None:
    service = StandInService()
    fields = [(name, None, value) for name, value in parts]
    assert post(service, *form(("upload", "a.jpg", JPEG), *fields)).status == 200
    assert service.calls[0][1].regions == ("pl", "cz")


def test_config_as_json_object_inside_json() -> None:
    service = StandInService()
    config = {"mode": "fast", "threshold_d": 0.5}
    body = {"upload": TEXT.decode(), "config": config, "camera_id": None}
    assert post_json(service, body).status == 200
    assert post_json(service, {**body, "config": json.dumps(config)}).status == 200
    assert {(call[1].config.mode, call[1].config.threshold_d) for call in service.calls} == {("fast", 0.5)}


@pytest.mark.parametrize(
    ("body", "content_type", "status", "words"),
    [
        (b"", None, 400, "No picture"),
        (b"mmc=true", "application/x-www-form-urlencoded", 400, "fields mmc"),
        (b"upload=no!base64", "application/x-www-form-urlencoded", 400, "base64"),
        (b"upload=" + b"%41" * 20_000, "application/x-www-form-urlencoded", 400, "base64"),
        (b"&".join([b"a=1"] * 200), "application/x-www-form-urlencoded", 400, "more than 100 fields"),
        (b"a=" + b"x" * 70_000, "application/x-www-form-urlencoded", 400, "longer than"),
        (b"camera_id=a%00b", "application/x-www-form-urlencoded", 400, "NUL"),
        (b"[" * 100_000, "application/json", 400, "JSON"),
        (b'{"upload": 1' + b"0" * 5000 + b"}", "application/json", 400, "JSON"),
        (b"[]", "application/json", 400, "object"),
        (b"{", "application/json", 400, "not JSON"),
        (b'{"upload": 5}', "application/json", 400, "base64"),
        (b'{"regions": [' + b"1," * 200 + b"1]}", "application/json", 400, "more than 100 values"),
        (b'{"camera_id": "\\u0000"}', "application/json", 400, "NUL"),
        (b'{"camera_id": "\\ud800"}', "application/json", 400, "No picture"),
        (b"\xff\xfe\xfd", "application/json", 400, "not JSON"),
        (b"x", "text/plain", 415, "text/plain"),
        (b"x", None, 415, "media type"),
        (b"--x\r\n", "multipart/form-data", 400, "boundary"),
        (b"nothing", "multipart/form-data; boundary=x", 400, "no part"),
        (b"--x\r\nContent-Disposition: form-data; name=upload\r\n\r\nabc", "multipart/form-data; boundary=x", 400,
         "cut off"),
        (b"--x\r\nA: b\r\n\r\nabc\r\n--x--", "multipart/form-data; boundary=x", 400, "no name"),
        (b"--x\r\n" + b"A" * 10_000, "multipart/form-data; boundary=x", 400, "headers"),
        (b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--xyz\r\n", "multipart/form-data; boundary=x", 400,
         "boundary"),
        (b"--x--", "multipart/form-data; boundary=x", 400, "No picture"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told(body: bytes, content_type: str | None, status: int, words: str) -> None:
    answer = post(StandInService(), body, {"Content-Type": content_type} if content_type else {})
    assert answer.status == status
    assert answer.json["status_code"] == status
    assert words in answer.json["detail"]


def test_other_files_are_named_when_the_picture_is_missing() -> None:
    answer = post(StandInService(), *form(("image", "car.jpg", JPEG)))
    assert answer.status == 400
    assert "fields image" in answer.json["detail"]


def test_an_empty_file_is_no_picture() -> None:
    assert "No picture" in post(StandInService(), *form(("upload", "", b""))).json["detail"]


def test_too_many_parts() -> None:
    parts = [("a", None, b"1")] * 101
    assert "more than 100 parts" in post(StandInService(), *form(*parts)).json["detail"]


def test_the_limit_holds_while_the_body_comes_in() -> None:
    """Of a body without an announced length not more is read than the limit."""
    service = StandInService()
    body, headers = form(("upload", "car.jpg", bytes(3_000_000)))
    pieces = [body[i : i + 100_000] for i in range(0, len(body), 100_000)]
    answer = post(service, pieces, headers)
    assert answer.status == 413
    assert answer.json == json_errors(413, "The request is larger than the limit of 0.954 MiB.")
    assert answer.headers["connection"] == "close"
    assert not service.calls


def test_an_announced_length_over_the_limit_is_refused_unread() -> None:
    answer = post(StandInService(), bytes(1_000_001), {"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status == 413
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "Authentication credentials were not provided."),
        ("Bearer " + SECRET, "Authentication credentials were not provided."),
        ("Token", "Invalid token header. No credentials provided."),
        ("Token a b", "Invalid token header. Token string should not contain spaces."),
        ("Token " + "0" * 40, "Invalid token."),
        ("Token " + "0" * 400, "Invalid token."),
        ("Token \xe9", "Invalid token."),
    ],
)
def test_the_cloud_flavour_asks_for_a_token(header: str | None, detail: str) -> None:
    service = StandInService(flavour="cloud", token_required=True)
    body, headers = form(("upload", "car.jpg", JPEG))
    answer = post(service, body, {**headers, **({"Authorization": header} if header else {})})
    assert (answer.status, answer.json) == (403, json_errors(403, detail))
    assert not service.calls


@pytest.mark.parametrize("word", ["Token", "token", "TOKEN"])
def test_a_token_opens_the_cloud_flavour(word: str) -> None:
    service = StandInService(flavour="cloud", token_required=True, success_status=201)
    body, headers = form(("upload", "car.jpg", JPEG))
    assert post(service, body, {**headers, "Authorization": f"{word} {SECRET}"}).status == 201
    assert service.calls[0][2] == TOKEN


@pytest.mark.parametrize("header", ["Token nonsense", "Bearer x", "Token " + SECRET])
def test_the_sdk_flavour_tolerates_any_token(header: str) -> None:
    service = StandInService()
    body, headers = form(("upload", "car.jpg", JPEG))
    assert post(service, body, {**headers, "Authorization": header}).status == 200
    assert service.calls[0][2] is None


@pytest.mark.parametrize(
    ("error", "status", "body", "retry_after"),
    [
        (RateExceeded("", 0.3), 429,
         b'{"detail":"Request was throttled. Expected available in 1 second.","status_code":429}', "1"),
        (RateExceeded("", 4.2), 429,
         b'{"detail":"Request was throttled. Expected available in 5 seconds.","status_code":429}', "5"),
        (QuotaExceeded("No calls are left."), 403, b'{"detail":"No calls are left.","status_code":403}', None),
        (Overloaded("Too much to do.", 2.5), 503, b'{"detail":"Too much to do.","status_code":503}', "3"),
        (StorageFull("/var/lib is full"), 503,
         b'{"detail":"The server cannot store results at present.","status_code":503}', "10"),
    ],
)  # fmt: skip
def test_refusals_before_the_body(error: Exception, status: int, body: bytes, retry_after: str | None) -> None:
    service = StandInService(admission=error)
    answer = post(service, *form(("upload", "car.jpg", JPEG)))
    assert (answer.status, answer.body, answer.headers.get("retry-after")) == (status, body, retry_after)
    assert not service.calls


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (RequestError("The region is unknown."), 400, "The region is unknown."),
        (StorageError("database /secret/place is locked"), 503, "cannot store"),
        (InferenceFailed("network /secret/place failed"), 500, "Internal server error."),
        (ZeroDivisionError("secret"), 500, "Internal server error."),
    ],
)
def test_failures_tell_the_client_what_is_its_business(error: Exception, status: int, words: str) -> None:
    answer = post(StandInService(failure=error), *form(("upload", "car.jpg", JPEG)))
    assert answer.status == status
    assert words in answer.json["detail"]
    assert b"secret" not in answer.body


def test_no_picture_is_a_bad_request() -> None:
    answer = post(StandInService(), *form(("upload", "car.jpg", b"GIF no")))
    assert (answer.status, answer.json["detail"]) == (400, "the file is not a picture")


def test_uploads_are_bounded_together() -> None:
    service = StandInService(limits=RequestLimits(max_body_bytes=1_000_000, max_waiting_bytes=500))
    app = create_app(as_port(service))
    body, headers = form(("upload", "car.jpg", JPEG))
    answer = call(app, "POST", PATH, body, headers)
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    small, headers = form(("upload", "car.jpg", JPEG[:100]))
    assert [call(app, "POST", PATH, small, headers).status for _ in range(5)] == [200] * 5
