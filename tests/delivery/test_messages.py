"""What receivers are sent, parsed as receivers parse it; what a target may be."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openplate.delivery.addresses import AddressPolicy
from openplate.delivery.connections import Body
from openplate.delivery.messages import (
    Picture,
    body_of,
    check_target,
    form_of,
    headers_of,
    parse_header,
    sample_body,
)
from openplate.delivery.signing import signature_headers
from openplate.errors import AddressRefused, RequestError
from openplate.storage import Attachment, Delivery, ImageKind, Target

NOON = datetime(2026, 3, 5, 12, 0, 0, 123456, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TEXT = '{"hook":{"id":7},"data":{"plate":"ä+&=%"}}'
INSIDE = AddressPolicy(allow_private=True)


def make_target(*, images: tuple[ImageKind, ...] = (), header: str | None = None, secret: str | None = None) -> Target:
    return Target(7, "http://10.0.0.2:8081/", "image.done", images, header, secret, "active", None, NOON)


def make_delivery(*attachments: Attachment) -> Delivery:
    return Delivery("ab" * 16, 7, "cd" * 16, TEXT, attachments, 0, NOON, NOON)


def parts_of(body: Body) -> list[Message]:
    """The parts of a form, by the standard library's reader."""
    sent = b"".join(body)
    assert len(sent) == body.length
    form = message_from_bytes(b"Content-Type: " + body.content_type.encode() + b"\r\n\r\n" + sent)
    assert form.is_multipart()
    parts = form.get_payload()
    assert isinstance(parts, list)
    return [part for part in parts if isinstance(part, Message)]


def field_of(part: Message) -> tuple[object, object, bytes]:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    name = part.get_param("name", header="content-disposition")
    return name, part.get_param("filename", header="content-disposition"), content


def test_data_only_is_json_by_itself() -> None:
    body = body_of(make_target(), make_delivery())
    assert (body.content_type, b"".join(body)) == ("application/json", TEXT.encode())


def test_with_pictures_it_is_a_form_that_begins_with_json(tmp_path: Path) -> None:
    pictures = [b"\xff\xd8\xff one\r\n--x", b"\x89PNG\r\n\x1a\n two", b"RIFF\0\0\0\0WEBP", b"GIF89a", b"?"]
    for number, content in enumerate(pictures):
        (tmp_path / str(number)).write_bytes(content)
    names = ("upload", "plate", "vehicle", "original", "more")
    attachments = [Attachment(name, f"{name}.jpg", tmp_path / str(number)) for number, name in enumerate(names)]
    first, *files = parts_of(body_of(make_target(images=("original",)), make_delivery(*attachments)))
    assert field_of(first) == ("json", None, TEXT.encode())
    assert "content-type" not in first
    expected = [(name, f"{name}.jpg", content) for name, content in zip(names, pictures, strict=True)]
    assert [field_of(part) for part in files] == expected
    kinds = ["image/jpeg", "image/png", "image/webp", "image/gif", "application/octet-stream"]
    assert [part["content-type"] for part in files] == kinds


def test_a_picture_that_is_gone_leaves_the_form_without_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    gone = Attachment("upload", "gate.jpg", tmp_path / "gone")
    (part,) = parts_of(body_of(make_target(images=("original",)), make_delivery(gone)))
    assert field_of(part) == ("json", None, TEXT.encode())
    assert "is gone" in caplog.text


def decoded(body: Body, times: int) -> dict[str, object]:
    """As a receiver reads the field ``json`` of an encoded form, and as one that decodes twice does."""
    assert body.content_type == "application/x-www-form-urlencoded"
    text = b"".join(body).decode("ascii")
    for _ in range(times):
        text = unquote_plus(text)
    found: dict[str, object] = json.loads(text.removeprefix("json="))
    return found


@pytest.mark.parametrize("times", [1, 2])
def test_a_form_without_pictures_is_encoded_so_that_it_may_be_decoded_twice(times: int) -> None:
    """The + of a time zone came to the vendor's own receiver as a space."""
    data = {"timestamp_local": "2026-03-05 15:02:11.093412+01:00", "user": 'ä "%41" 100% &=+\\ é+\n'}
    delivery = replace(make_delivery(), body=json.dumps(data, ensure_ascii=False))
    assert decoded(body_of(make_target(images=("original",)), delivery), times) == data


def test_large_numbers_stay_numbers_in_an_encoded_form() -> None:
    delivery = replace(make_delivery(), body=json.dumps({"much": 1e20}))
    assert decoded(body_of(make_target(images=("original",)), delivery), 1) == {"much": 1e20}


@given(st.text(max_size=30), st.text(max_size=30))
def test_names_cannot_break_out_of_the_form(name: str, filename: str) -> None:
    parts = parts_of(form_of("{}", [Picture(name, filename, b"content")]))
    assert len(parts) == 2
    assert sorted(key.lower() for key in parts[1].keys()) == ["content-disposition", "content-type"]  # noqa: SIM118
    assert parts[1].get_payload(decode=True) == b"content"


@pytest.mark.parametrize(
    "filename", ['a"; name="json', "a\r\nX-Evil: 1\r\n\r\n", "../../etc/passwd", "C:\\gate\\one.jpg", "a\x00b"]
)
def test_known_tricks_with_file_names(filename: str) -> None:
    _, part = parts_of(form_of("{}", [Picture("upload", filename, b"content")]))
    name, sent, _ = field_of(part)
    assert name == "upload"
    assert not set(str(sent)) & set('"\r\n\0/\\')


def test_the_samples_have_the_form_of_real_messages() -> None:
    plain = sample_body(make_target(), NOON)
    sample = json.loads(b"".join(plain))
    assert sample["hook"] == {"target": "http://10.0.0.2:8081/", "id": 7, "event": "image.done"}
    assert sample["data"]["timestamp"] == "2026-03-05T12:00:00.123Z"
    assert sample["data"]["results"] == []
    first, picture = parts_of(sample_body(make_target(images=("vehicle",)), NOON))
    assert json.loads(field_of(first)[2]) == sample
    assert field_of(picture)[:2] == ("upload", "openplate_test.jpg")
    assert field_of(picture)[2].startswith(b"\xff\xd8\xff")


def test_headers_are_the_id_the_targets_own_and_the_signature() -> None:
    body = Body.of("application/json", [b"{}"])
    assert headers_of(make_target(), "ab" * 16, NOON, body) == {"openplate-delivery": "ab" * 16}
    both = headers_of(make_target(header="Authorization:  Token x ", secret=SECRET), "ab" * 16, NOON, body)
    signature = signature_headers(SECRET, "ab" * 16, NOON, [b"{}"])
    assert both == {"openplate-delivery": "ab" * 16, "authorization": "Token x", **signature}


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("Authorization: Token 0123", ("Authorization", "Token 0123")),
        ("X-Key:a", ("X-Key", "a")),
        ("X-Key: a:b c", ("X-Key", "a:b c")),
    ],
)
def test_headers_that_are_taken(text: str, parsed: tuple[str, str]) -> None:
    assert parse_header(text) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Authorization",
        "Authorization:",
        ": value",
        "A B: c",
        "A: b\r\nC: d",
        "A: b\nC: d",
        "A\r\n: b",
        "A: \x00",
        "A: b\x7f",
        "A: ключ",
        "Host: example.org",
        "content-LENGTH: 5",
        "Transfer-Encoding: chunked",
        "Connection: close",
        "webhook-signature: v1,x",
        "Openplate-Delivery: x",
        "A: " + "b" * 5000,
    ],
)
def test_headers_that_are_not_taken(text: str) -> None:
    with pytest.raises(RequestError, match="header"):
        parse_header(text)


@given(st.text(max_size=50))
def test_any_header_is_one_line_or_an_error(text: str) -> None:
    try:
        name, value = parse_header(text)
    except RequestError:
        return
    assert not set(name + value) & set("\r\n\0")


@pytest.mark.parametrize(
    ("url", "more"),
    [
        ("http://10.0.0.2:8081/", {"header": "Host: x"}),
        ("http://10.0.0.2:8081/", {"secret": "short"}),
        ("http://10.0.0.2:8081/", {"owner_email": "nobody"}),
        ("http://10.0.0.2:8081/", {"owner_email": "a@b\r\nBcc: c@d"}),
        ("http://10.0.0.2:8081/", {"owner_email": "a@b, c@d"}),
        ("http://10.0.0.2:8081/", {"owner_email": "a" * 250 + "@b.de"}),
        ("ftp://10.0.0.2/", {}),
        ("10.0.0.2:8081", {}),
    ],
)
def test_targets_that_are_not_taken(url: str, more: dict[str, str]) -> None:
    with pytest.raises(RequestError):
        check_target(url, INSIDE, **more)


def test_targets_that_are_taken() -> None:
    check_target("http://10.0.0.2:8081/", INSIDE, header="A: b", secret=SECRET, owner_email="gate@example.org")
    with pytest.raises(AddressRefused):
        check_target("http://10.0.0.2:8081/", AddressPolicy())
    with pytest.raises(AddressRefused):
        check_target("http://169.254.169.254/latest", INSIDE)


def test_a_name_that_is_not_known_yet_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise OSError("Name or service not known")

    check_target("https://receiver.example/", AddressPolicy(resolve=resolve))
    assert "receiver.example" in caplog.text
