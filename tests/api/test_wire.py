"""The application on a real socket: lengths, closing, limits while a body streams, and bodies that trickle.

The heads of requests are bounded by ``openplate serve``, and tested there.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from collections.abc import Iterator

import pytest
from tests.api.calling import form, serving
from tests.api.stand_in_service import StandInService, as_port

from openplate.api.app import create_app
from openplate.api.ports import RequestLimits
from openplate.errors import RateExceeded

JPEG = b"\xff\xd8\xff" + bytes(20_000)
Address = tuple[str, int]


@pytest.fixture(scope="module")
def service() -> StandInService:
    return StandInService(limits=RequestLimits(max_body_bytes=1_000_000, body_deadline_s=0.5))


@pytest.fixture(scope="module")
def address(service: StandInService) -> Iterator[Address]:
    app = create_app(as_port(service))
    with serving(app, timeout_keep_alive=5) as at:
        yield at


def exchange(address: Address, request: bytes, timeout: float = 10.0) -> bytes:
    """Sends bytes and reads until the server closes."""
    with socket.create_connection(address, timeout) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def request_head(body: bytes, headers: dict[str, str], *more: str) -> bytes:
    lines = ["POST /v1/plate-reader/ HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join([*lines, *more]) + "\r\n\r\n").encode()


def test_answers_have_a_length_and_the_connection_stays(address: Address) -> None:
    body, headers = form(("upload", "car.jpg", JPEG))
    connection = http.client.HTTPConnection(*address, timeout=10)
    try:
        for path in ("/v1/plate-reader/", "/v1/plate-reader", "/nothing", "/v1/plate-reader/"):
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
            assert answer.getheader("content-length") == str(len(data))
            assert answer.getheader("transfer-encoding") is None
            assert json.loads(data)
            assert answer.getheader("content-type") == "application/json"
    finally:
        connection.close()


def test_connection_close_is_honoured_and_said(address: Address) -> None:
    """Node-RED on node-fetch 2.6 dies of a connection that is closed without the header."""
    body, headers = form(("upload", "car.jpg", JPEG))
    answer = exchange(address, request_head(body, headers, "Connection: close") + body)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close\r\n" in answer.lower()


def test_a_head_request_has_the_length_but_no_body(address: Address) -> None:
    answer = exchange(address, b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert re.search(rb"content-length: [1-9]", answer)
    assert answer.endswith(b"\r\n\r\n")


def test_too_large_is_answered_before_the_body_is_there(address: Address) -> None:
    answer = exchange(address, request_head(bytes(5_000_000), {"Content-Type": "multipart/form-data; boundary=x"}))
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_too_large_in_chunks_is_answered_to_a_client_that_keeps_sending(address: Address) -> None:
    """The answer is not lost in a reset, although the client reads only after it has sent all."""
    connection = http.client.HTTPConnection(*address, timeout=20)
    try:
        connection.request("POST", "/v1/plate-reader/", (bytes(50_000) for _ in range(400)),
                           {"Content-Type": "multipart/form-data; boundary=x"}, encode_chunked=True)  # fmt: skip
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("connection")) == (413, "close")
        assert json.loads(answer.read())["status_code"] == 413
    finally:
        connection.close()


def test_expect_100_continue_gets_its_refusal_without_the_body(address: Address, service: StandInService) -> None:
    service.admission = RateExceeded("", 1.0)
    try:
        with socket.create_connection(address, 10) as connection:
            connection.sendall(request_head(bytes(10), {"Content-Type": "x/y"}, "Expect: 100-continue"))
            assert connection.recv(65536).startswith(b"HTTP/1.1 429 ")
    finally:
        service.admission = None


def test_a_body_that_trickles_is_given_up(address: Address) -> None:
    start = time.monotonic()
    with socket.create_connection(address, 10) as connection:
        connection.sendall(request_head(bytes(1000), {"Content-Type": "multipart/form-data; boundary=x"}))
        answer = b""
        connection.settimeout(0.1)
        while not answer and time.monotonic() - start < 5:
            connection.sendall(b"x")
            try:
                answer = connection.recv(65536)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert 0.4 < time.monotonic() - start < 3


def test_requests_sent_one_after_the_other_without_waiting(address: Address) -> None:
    get = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
    answer = exchange(address, get + b"\r\n" + get + b"\r\n" + get + b"Connection: close\r\n\r\n")
    assert answer.count(b'{"status":"alive"}') == 3


THROTTLED = b"""HTTP/1.1 429 Too Many Requests
content-type: application/json
content-length: 85
x-content-type-options: nosniff
retry-after: 1
access-control-allow-origin: *
access-control-expose-headers: Retry-After
connection: close

{"detail":"Request was throttled. Expected available in 1 second.","status_code":429}"""


def test_the_throttled_answer_byte_for_byte() -> None:
    body, headers = form(("upload", "car.jpg", JPEG))
    app = create_app(as_port(StandInService(admission=RateExceeded("", 0.8))))
    with serving(app, server_header=False, date_header=False) as address:
        answer = exchange(address, request_head(body, headers) + body)
    head, _, text = THROTTLED.partition(b"\n\n")
    assert answer == head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + text
