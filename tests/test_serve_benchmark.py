"""The benchmark of the server: its clients, its sums, its rows."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("uvicorn")

from benchmarks import results
from benchmarks.serve.__main__ import processor_columns, run_load, times_columns
from benchmarks.serve.load import Address, Load, make_request
from benchmarks.serve.metered import Meter, MeteredRecognizer, MeteredServer, Reading
from scripts import measured

from cli_helpers import Bench, save_street
from openplate.options import RecognitionOptions
from openplate.settings import Settings


class Busy(BaseHTTPRequestHandler):
    """Refuses each third request, and closes the connection then."""

    protocol_version = "HTTP/1.1"
    bodies: list[bytes]

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        is_refused = len(self.bodies) % 3 == 0
        self.send_response(503 if is_refused else 200)
        self.send_header("Content-Length", "2")
        if is_refused:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def busy() -> Iterator[tuple[Address, list[bytes]]]:
    bodies: list[bytes] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Busy,), {"bodies": bodies})) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Address("127.0.0.1", server.server_port, "/v1/plate-reader/"), bodies
        server.shutdown()
        thread.join()


def test_clients_send_what_is_asked_for_and_time_every_answer(busy: tuple[Address, list[bytes]]) -> None:
    address, bodies = busy
    load = Load(address, make_request(address, b"picture"), clients=1, requests=9)
    assert asyncio.run(load.run()) > 0
    assert {status: len(times) for status, times in load.times_ms.items()} == {200: 6, 503: 3}
    assert len(bodies) == 9
    assert all(b"\r\n\r\npicture\r\n" in body for body in bodies)


def test_the_load_is_a_process_of_its_own(busy: tuple[Address, list[bytes]], tmp_path: Path) -> None:
    address, _ = busy
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(b"picture")
    server = MeteredServer(f"http://{address.host}:{address.port}{address.path}", lambda: Reading(0, 0, 0, 0))
    seconds, times = run_load(server, picture, 2, 12)
    assert seconds > 0
    assert sum(map(len, times.values())) == 12


def test_overhead_is_what_the_engine_did_not_use() -> None:
    columns = processor_columns(Reading(1.0, 0.5, 10, 0), Reading(2.0, 1.4, 20, 0), decoding=4.0)
    assert columns["server_cpu_ms"] == "100.00"
    assert columns["engine_cpu_ms"] == "90.00"
    assert columns["overhead_ratio"] == "2.50"
    assert times_columns(range(101)) == {"p50_ms": "50.0", "p95_ms": "95.0", "p99_ms": "99.0"}


def test_the_engine_is_metered_whatever_its_options(tmp_path: Path) -> None:
    meter = Meter()
    recognizer = MeteredRecognizer.of(Bench().build(RecognitionOptions(), Settings(), 1), meter)
    street = save_street(tmp_path / "street.png")
    (found,) = recognizer.with_options(RecognitionOptions(mode="fast")).recognize([street])
    assert len(found.plates) == 1
    reading = meter.read()
    assert reading.pictures == 1
    assert 0 < reading.engine_s <= reading.total_s


def test_rows_become_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "RESULTS", tmp_path)
    assert measured.serve() == "Nothing has been measured yet."
    row = {**results.origin(), "measure": "load", "workers": "1", "clients": "4", "p99_ms": "80.5"}
    results.append_rows(tmp_path / "serve.csv", results.SERVE_COLUMNS, [row])
    assert "| load | 1 | 4 | - | - | - | - | - | 80.5 |" in measured.serve()
