"""Forms taken apart: round trips, the headers of real clients, names of files."""

from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.calling import BOUNDARY, form

from openplate.api.multipart import Part, parse_multipart, parse_parameters
from openplate.api.uploads import Room, decode_base64, file_name
from openplate.errors import Overloaded, RequestError

NAMES = st.text(st.characters(exclude_characters='"\\', exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)
DATA = st.one_of(st.binary(max_size=200), st.sampled_from([b"\r\n", b"--", b"\r\n--", b"\r\n\r\n", b"-" * 30]))


@given(st.lists(st.tuples(NAMES, st.none() | NAMES, DATA), max_size=8), DATA, DATA)
def test_parts_come_back_as_they_were(parts: list[tuple[str, str | None, bytes]], before: bytes, after: bytes) -> None:
    body, _ = form(*parts)
    body = before + b"\r\n" + body + after
    expected = [Part(name, filename, "", data) for name, filename, data in parts]
    assert parse_multipart(body, BOUNDARY, 8) == expected
    assert parse_multipart(bytearray(body), BOUNDARY, 8) == expected


@given(st.binary(max_size=300), st.text(max_size=10))
def test_anything_else_is_an_error_of_the_client(body: bytes, boundary: str) -> None:
    """No other exception than RequestError comes out."""
    for given_body in (body, b"--x\r\n" + body, b"--x\r\nContent-Disposition: form-data; " + body + b"\r\n--x--"):
        for chosen in (boundary, "x"):
            with suppress(RequestError):
                parse_multipart(given_body, chosen, 3)


@pytest.mark.parametrize(
    ("header", "parameters"),
    [
        ('form-data; name="upload"; filename="car.jpg"', {"name": "upload", "filename": "car.jpg"}),
        ("form-data; name=upload; filename=car.jpg", {"name": "upload", "filename": "car.jpg"}),
        ('form-data;name="upload";filename="a;b=c.jpg"', {"name": "upload", "filename": "a;b=c.jpg"}),
        ('form-data; name="upload"; filename="C:\\cars\\1.jpg"', {"name": "upload", "filename": "C:\\cars\\1.jpg"}),
        ('form-data; name="upload"; filename="C:\\cars\\"', {"name": "upload", "filename": "C:\\cars\\"}),
        ('form-data; name="upload"; filename="the \\"car\\".jpg"', {"name": "upload", "filename": 'the "car".jpg'}),
        ('form-data; filename=""; name="upload"', {"name": "upload", "filename": ""}),
        ('Form-Data ; NAME = "upload" ; x', {"name": "upload"}),
        ("form-data", {}),
        ("form-data; ;; =x; name=a", {"name": "a", "": "x"}),
    ],
)
def test_parameters_of_headers(header: str, parameters: dict[str, str]) -> None:
    assert parse_parameters(header) == ("form-data", parameters)


def test_a_file_name_in_its_extended_form_wins() -> None:
    head = "Content-Disposition: form-data; name=upload; filename=x; filename*="
    for value, name in (("UTF-8''caf%C3%A9.jpg", "café.jpg"), ("iso-8859-1'en'caf%E9.jpg", "café.jpg"), ("x", "")):
        (part,) = parse_multipart(f"--b\r\n{head}{value}\r\n\r\n1\r\n--b--".encode(), "b", 1)
        assert part.filename == name


@given(st.binary(max_size=300))
def test_base64_comes_back(data: bytes) -> None:
    for text in (base64.b64encode(data), base64.encodebytes(data), base64.urlsafe_b64encode(data).rstrip(b"=")):
        assert decode_base64(text) == data
        assert decode_base64(b"data:image/png;base64," + text) == data


@pytest.mark.parametrize("text", [b"a", b"ab=cd", b"%%%%", "ä".encode(), b"data:image/png,abc", b"data:;base64"])
def test_what_is_no_base64(text: bytes) -> None:
    with pytest.raises(RequestError, match="upload"):
        decode_base64(text)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("car.jpg", "car.jpg"),
        ("/var/www/html/car.jpg", "car.jpg"),
        ("C:\\fakepath\\car.jpg", "car.jpg"),
        ("../../etc/passwd", "passwd"),
        ("a\r\nSet-Cookie: x.jpg", "aSet-Cookie: x.jpg"),
        ("\u202egpj.exe", "gpj.exe"),
        ("", "upload"),
        ("..", "upload"),
        ("/", "upload"),
        ("x" * 300 + ".jpeg", "x" * 115 + ".jpeg"),
        ("x." + "y" * 300, ("x." + "y" * 300)[:120]),
    ],
)
def test_names_of_files(sent: str, kept: str) -> None:
    assert file_name(sent) == kept


@given(st.text(max_size=200))
def test_a_name_is_never_a_path_nor_a_line(sent: str) -> None:
    kept = file_name(sent)
    assert kept
    assert kept.isprintable()
    assert not {"/", "\\"} & set(kept)
    assert kept not in (".", "..")


def test_room_is_given_back() -> None:
    room = Room(10)
    with room.share() as first, room.share() as second:
        first.take(6)
        second.take(4)
        with pytest.raises(Overloaded):
            second.take(1)
        assert room.held == 10
    assert room.held == 0
