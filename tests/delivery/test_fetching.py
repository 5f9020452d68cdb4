"""Pictures by URL, from real servers: what comes back, what is refused, what the file is called."""

from __future__ import annotations

import socket
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from receivers import Received, Reply, free_port, receiving, talking

from openplate.delivery.addresses import AddressPolicy
from openplate.delivery.connections import ConnectionPolicy
from openplate.delivery.fetching import fetch, filename_of, safe_filename
from openplate.errors import AddressRefused, RequestError, UploadTooLarge

POLICY = ConnectionPolicy(AddressPolicy(allow_private=True), timeout_s=5, max_redirects=3, max_answer_bytes=10_000)


def test_a_picture_comes_as_it_is_with_its_name() -> None:
    picture = bytes(range(256)) * 39
    with receiving(lambda _: Reply(body=picture)) as receiver:
        assert fetch(receiver.url.replace("hook", "gate%20one.jpg?size=full"), POLICY) == (picture, "gate one.jpg")
    assert (receiver.requests[0].method, receiver.requests[0].body) == ("GET", b"")


def test_the_name_is_that_of_the_last_address() -> None:
    def reply(request: Received) -> Reply:
        if request.path == "/latest":
            return Reply(302, (("Location", "/pictures/17.png"),))
        return Reply(body=b"picture")

    with receiving(reply) as receiver:
        assert fetch(receiver.url.replace("hook", "latest"), POLICY) == (b"picture", "17.png")


def test_the_limit_counts_for_known_and_unknown_lengths() -> None:
    def talk(link: socket.socket) -> None:
        link.recv(65536)
        link.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            link.sendall(bytes(4096))

    with receiving(lambda _: Reply(body=bytes(10_000))) as receiver:
        assert len(fetch(receiver.url, POLICY)[0]) == 10_000
    with receiving(lambda _: Reply(body=bytes(10_001))) as receiver, pytest.raises(UploadTooLarge):
        fetch(receiver.url, POLICY)
    with talking(talk) as url, pytest.raises(UploadTooLarge, match="10000 bytes"):
        fetch(url, POLICY)


def test_compressed_content_is_never_unpacked() -> None:
    bomb = zlib.compress(bytes(5 * 2**20))
    for encoding in ("deflate", "gzip", "br"):
        reply = Reply(headers=(("Content-Encoding", encoding),), body=bomb)
        with receiving(lambda _, reply=reply: reply) as receiver, pytest.raises(RequestError, match="compressed"):
            fetch(receiver.url, POLICY)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(404), "404"),
        (Reply(500), "500"),
        (Reply(204), "204"),
        (Reply(206), "206"),
        (Reply(200, body=b""), "empty"),
        (Reply(302, (("Location", "/hook"),)), "redirects more than 3 times"),
        (Reply(304), "redirects"),
    ],
)
def test_other_answers_are_request_errors(reply: Reply, reason: str) -> None:
    with receiving(lambda _: reply) as receiver, pytest.raises(RequestError, match=reason):
        fetch(receiver.url, POLICY)


def test_what_cannot_be_reached_is_a_request_error() -> None:
    with pytest.raises(RequestError, match="could not be fetched"):
        fetch(f"http://127.0.0.1:{free_port()}/", POLICY)
    with pytest.raises(RequestError):
        fetch("file:///etc/passwd", POLICY)
    with pytest.raises(AddressRefused):
        fetch("http://127.0.0.1/", ConnectionPolicy(timeout_s=5))
    with pytest.raises(AddressRefused):
        fetch("http://169.254.169.254/latest/meta-data/", POLICY)


def test_a_server_that_drips_ends_at_the_deadline() -> None:
    def talk(link: socket.socket) -> None:
        link.recv(65536)
        link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
        while True:
            link.sendall(b"x")
            time.sleep(0.02)

    started = time.monotonic()
    with talking(talk) as url, pytest.raises(RequestError, match="no answer within"):
        fetch(url, ConnectionPolicy(AddressPolicy(True), timeout_s=0.4))
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://example.org/a/b.jpg", "b.jpg"),
        ("http://example.org/a/b.jpg?x=/y.png#z", "b.jpg"),
        ("http://example.org", "upload"),
        ("http://example.org/a/", "upload"),
        ("http://example.org/..%2f..%2fetc%2fpasswd", "passwd"),
        ("http://example.org/..", "upload"),
        ("http://example.org/%2e%2e%5c", "upload"),
        ("http://example.org/a%0d%0aX-Evil:%201.jpg", "a__X-Evil_ 1.jpg"),
        ('http://example.org/"x".jpg', "_x_.jpg"),
        ("http://example.org/%ff%00.jpg", "\ufffd_.jpg"),
        ("http://example.org/%D0%BA.jpg", "к.jpg"),
        ("http://example.org/" + "a" * 300 + ".jpg", "a" * 196 + ".jpg"),
    ],
)
def test_file_names_of_urls(url: str, name: str) -> None:
    assert filename_of(url) == name


@given(st.text())
def test_safe_names_are_one_part_of_a_path_and_of_a_header(name: str) -> None:
    safe = safe_filename(name)
    assert 0 < len(safe) <= 200
    assert safe not in (".", "..")
    assert not set(safe) & set('/\\"\r\n\0:')
    safe.encode()
