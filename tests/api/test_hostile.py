"""Bodies that no honest client sends: no 500, no hang, no memory or time out of proportion."""

from __future__ import annotations

import asyncio
import json
import random
import resource
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from tests.api.calling import BOUNDARY, call, call_async, form, serving
from tests.api.stand_in_service import SECRET, StandInService, as_port

from openplate.api.app import create_app
from openplate.api.ports import Picture, RequestLimits
from openplate.formats.snapshot_request import SnapshotRequest
from openplate.imaging import Image, ImageLimits, encode_jpeg
from openplate.storage.records import Token

PATH = "/v1/plate-reader/"
MUTATIONS = 3000
PIXELS = ImageLimits(max_bytes=2**20, max_pixels=10_000)
INTERESTING = (
    b"\r\n",
    b"--",
    BOUNDARY.encode(),
    b'"',
    b"\\",
    b"\x00",
    b"\xff",
    b"=",
    b";",
    b"{",
    b"[" * 50,
    b"%",
    b":",
)
FINE = {200, 400, 413, 415}


@dataclass
class DecodingService(StandInService):
    """Decodes what it is given, within small limits."""

    async def recognize(
        self, picture: Picture, request: SnapshotRequest, token: Token | None, received_at: datetime
    ) -> Mapping[str, object]:
        image = Image.from_bytes(picture.data, PIXELS)
        sender = None if token is None else token.name
        return {"width": image.width, "camera_id": request.camera_id, "for": sender, "at": received_at.isoformat()}


def bodies() -> list[tuple[bytes, str]]:
    """Honest ones, to be spoilt."""
    picture = encode_jpeg(Image.from_array(np.arange(60 * 80 * 3, dtype=np.uint32).reshape(60, 80, 3).astype(np.uint8)))
    config = json.dumps({"mode": "fast", "threshold_d": 0.2, "text_formats": ["[0-9]{2,3}[a-z]?"]}).encode()
    parts, header = form(
        ("upload", "car.jpg", picture), ("config", None, config), ("regions", None, b"pl"), ("mmc", None, b"true")
    )
    text = b"upload=AAAA%2BBBB%3D&mmc=true&regions=us-ca&config=%7B%22mode%22%3A%22fast%22%7D&timestamp=2026-03-05"
    tree = b'{"upload_url": "https://example.com/a.jpg", "regions": ["pl", "cz"], "config": {"mode": "fast"}}'
    return [
        (parts, header["Content-Type"]),
        (text, "application/x-www-form-urlencoded"),
        (tree, "application/json"),
    ]


def spoil(source: random.Random, data: bytes) -> bytes:
    """A few random changes."""
    spoilt = bytearray(data)
    for _ in range(source.randint(1, 6)):
        at = source.randrange(len(spoilt) + 1)
        kind = source.randrange(5)
        if kind == 0:
            spoilt[at:at] = source.choice(INTERESTING)
        elif kind == 1:
            del spoilt[at : at + source.randint(1, 40)]
        elif kind == 2 and at < len(spoilt):
            spoilt[at] = source.randrange(256)
        elif kind == 3:
            other = source.randrange(len(spoilt) + 1)
            spoilt[at:at] = spoilt[other : other + source.randint(1, 200)]
        else:
            del spoilt[at:]
        if not spoilt:
            break
    return bytes(spoilt)


def test_thousands_of_spoilt_bodies() -> None:
    app = create_app(as_port(DecodingService()))
    source = random.Random(4)
    honest = bodies()

    async def send_all() -> set[int]:
        statuses = set()
        for _ in range(MUTATIONS):
            data, content_type = source.choice(honest)
            body = spoil(source, data)
            if source.random() < 0.1:
                content_type = spoil(source, content_type.encode()).decode("latin-1")
            cut = source.randrange(len(body) + 1)
            pieces: Any = [body[:cut], body[cut:]] if source.random() < 0.5 else body
            answer = await asyncio.wait_for(call_async(app, "POST", PATH, pieces, {"Content-Type": content_type}), 5)
            assert answer.status in FINE, (body, content_type, answer.body)
            assert answer.json
            statuses.add(answer.status)
        return statuses

    assert asyncio.run(send_all()) >= {200, 400, 415}


def test_spoilt_requests_on_a_socket() -> None:
    """The head is spoilt as well: every connection ends or is answered, and the server lives on."""
    app = create_app(as_port(DecodingService(limits=RequestLimits(max_body_bytes=10_000, body_deadline_s=0.2))))
    source = random.Random(5)
    with serving(app, timeout_keep_alive=1) as address:
        for _ in range(150):
            body, content_type = source.choice(bodies())
            lines = (
                f"POST {PATH} HTTP/1.1",
                "Host: x",
                f"Content-Type: {content_type}",
                f"Content-Length: {len(body)}",
            )
            answer = talk(address, spoil(source, "\r\n".join((*lines, "", "")).encode()) + body)
            assert not answer.startswith(b"HTTP/1.1 500")
        assert talk(address, b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 200")


def talk(address: tuple[str, int], request: bytes) -> bytes:
    with socket.create_connection(address, 10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        try:
            return connection.recv(65536)
        except ConnectionResetError:
            return b""


MANY = 2_000_000
BOMBS = [
    ("line breaks", f"multipart/form-data; boundary={BOUNDARY}", b"\r\n" * MANY),
    ("boundaries that are none", "multipart/form-data; boundary=a", b"\r\n--ab" * MANY),
    ("empty parts", "multipart/form-data; boundary=a", b"--a\r\n\r\n" * MANY),
    ("a header without end", "multipart/form-data; boundary=a", b"--a\r\n" + b"a: b\r\n" * MANY),
    ("quotes", "multipart/form-data; boundary=a",
     b'--a\r\nContent-Disposition: form-data; name="' + b'\\"' * 4000 + b"\r\n\r\n\r\n--a--"),
    ("parameters", "multipart/form-data; boundary=a",
     b"--a\r\nContent-Disposition: form-data" + b";a=b" * 2000 + b"\r\n\r\n\r\n--a--"),
    ("ampersands", "application/x-www-form-urlencoded", b"&" * MANY * 4),
    ("percent signs", "application/x-www-form-urlencoded", b"upload=" + b"%41" * MANY),
    ("percent signs in a name", "application/x-www-form-urlencoded", b"%41" * MANY),
    ("no base64", "application/x-www-form-urlencoded", b"upload=" + b"!" * MANY * 4),
    ("lists in lists", "application/json", b"[" * MANY * 4),
    ("objects in objects", "application/json", b'{"a":' * MANY),
    ("a long number", "application/json", b'{"a":' + b"1" * MANY + b"}"),
    ("many fields", "application/json", b"{" + b",".join(b'"%d":1' % n for n in range(300_000)) + b"}"),
]  # fmt: skip


@pytest.mark.parametrize(("content_type", "body"), [b[1:] for b in BOMBS], ids=[b[0] for b in BOMBS])
def test_bombs_cost_little_time(content_type: str, body: bytes) -> None:
    app = create_app(as_port(StandInService(limits=RequestLimits(max_body_bytes=2**25))))
    start = time.process_time()
    answer = call(app, "POST", PATH, body, {"Content-Type": content_type})
    assert answer.status in (400, 413)
    assert time.process_time() - start < 1.5


def test_endless_bodies_do_not_fill_the_memory() -> None:
    """200 MB are sent, one is read."""
    app = create_app(as_port(StandInService()))
    pieces = [b"x" * 100_000] * 2000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = call(app, "POST", PATH, pieces, {"Content-Type": "multipart/form-data; boundary=a"})
    assert answer.status == 413
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB


def test_cases_made_from_the_openapi_document() -> None:
    """Schemathesis: no answer is a 500 or has a status or a type that the document does not name."""
    schemathesis = pytest.importorskip("schemathesis")
    names = ["not_a_server_error", "status_code_conformance", "content_type_conformance"]
    statuses: dict[str, set[int]] = {}
    with serving(create_app(as_port(StandInService()))) as (host, port):
        schema = schemathesis.openapi.from_url(f"http://{host}:{port}/openapi.json")
        checks = schemathesis.checks.CHECKS.get_by_names(names)

        def check(case: Any) -> None:
            answer = case.call(headers={"Authorization": f"Token {SECRET}"}, timeout=10)
            case.validate_response(answer, checks=checks)
            statuses.setdefault(case.operation.label, set()).add(answer.status_code)

        run = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        for found in schema.get_all_operations():
            run(given(case=found.ok().as_strategy())(check))()
    assert statuses["POST /v1/plate-reader/"] >= {200, 400}
    assert statuses["POST /v1/webhooks"] >= {201}
    assert len(statuses) >= 13
