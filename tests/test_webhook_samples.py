"""Receivers of webhooks in Python, PHP and JavaScript, told of recognitions by ``openplate serve`` as it is."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import pytest

from openplate.storage import Store
from sample_programs import PROGRAMS, SAMPLES, missing, samples
from serving import TEXTS, Server, serving

Cloud = tuple[Server, str]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A server that may tell receivers on its own machine, and a token."""
    data = tmp_path_factory.mktemp("cloud")
    store = Store.open(None, data)
    secret, _ = store.create_token("gate", None, None)
    store.close()
    with serving("--flavour", "cloud", "--workers", "1", data=data, webhooks__allow_private="true") as server:
        yield server, secret


@contextmanager
def receiver(name: str) -> Iterator[tuple[str, Queue[Any]]]:
    """The address of a receiver, and the lines that it prints."""
    if reason := missing(Path(name).suffix):
        pytest.skip(reason)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = str(SAMPLES / name)
    line = ["php", "-S", f"127.0.0.1:{port}", file] if name.endswith(".php") else None
    process = subprocess.Popen(
        line or [*PROGRAMS[Path(name).suffix], file, str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
    )
    lines: Queue[Any] = Queue()
    reader = Thread(target=lambda: [lines.put(json.loads(each)) for each in process.stdout or ()])
    reader.start()
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}/", lines
    finally:
        process.kill()
        process.wait(10)
        reader.join(10)
        assert process.stdout
        process.stdout.close()


def wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except ConnectionError:
            assert time.monotonic() < until
            time.sleep(0.05)
        else:
            return


@contextmanager
def target(cloud: Cloud, **fields: object) -> Iterator[int]:
    server, secret = cloud
    headers = {"Authorization": f"Token {secret}", "Content-Type": "application/json"}
    made = server.request("POST", "/v1/webhooks", json.dumps(fields).encode(), headers)
    assert made.status == 201, made.json
    try:
        yield made.json["id"]
    finally:
        assert server.request("DELETE", f"/v1/webhooks/{made.json['id']}", headers=headers).status == 200


@pytest.mark.parametrize("name", samples("receiver"))
@pytest.mark.parametrize("images", [(), ("original",), ("vehicle", "plate")])
def test_a_receiver_is_told(name: str, images: tuple[str, ...], cloud: Cloud) -> None:
    with receiver(name) as (url, lines), target(cloud, url=url, images=images) as number:
        answer = cloud[0].recognize(token=cloud[1], camera_id="gate-1").json
        received = lines.get(timeout=60)
    message, pictures = received["message"], received["pictures"]
    assert message["hook"] == {"target": url, "id": number, "event": "image.done"}
    data = message["data"]
    assert {result["plate"] for result in data["results"]} == TEXTS
    assert (data["filename"], data["camera_id"]) == (answer["filename"], "gate-1")
    assert re.fullmatch(r"[0-9-]{10}T[0-9:]{8}\.[0-9]{3,6}Z", data["timestamp"])
    assert len(pictures) == len(images)
    assert list(pictures)[:1] == ["upload"] * bool(images)
    for filename, kind, size in pictures.values():
        assert filename.endswith(".jpg")
        assert kind == "image/jpeg"
        assert size > 500


@pytest.mark.parametrize("name", samples("receiver"))
def test_no_plate_is_told_too(name: str, cloud: Cloud, empty_street: bytes) -> None:
    with receiver(name) as (url, lines), target(cloud, url=url, images=["vehicle"]):
        assert cloud[0].recognize(empty_street, cloud[1]).json["results"] == []
        assert lines.get(timeout=60)["message"]["data"]["results"] == []


@pytest.fixture
def empty_street() -> bytes:
    import numpy as np

    from openplate.imaging import Image, encode_jpeg

    return encode_jpeg(Image(np.full((240, 320, 3), 90, np.uint8)))
