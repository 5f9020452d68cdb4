"""What programs in the field take from an answer without looking whether it is there."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from openplate.datatypes import Box
from openplate.imaging import Image, crop, encode_jpeg, encode_png
from serving import READER, STREET, TEXTS, Reply, Server, form, serving

CORNERS = {"xmin", "ymin", "xmax", "ymax"}
LARGEST_PIECE = 16 * 1024  # curl's; a sample in C++ keeps the last piece only
MMC = ("model_make", "color", "orientation")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving("--workers", "1", data=tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(scope="module")
def plate_alone(server: Server) -> bytes:
    """A plate close up, with no vehicle to be seen."""
    box = max((each["box"] for each in server.recognize().json["results"]), key=lambda box: box["xmax"] - box["xmin"])
    around = Box(box["xmin"] - 45, box["ymin"] - 20, box["xmax"] + 45, box["ymax"] + 20)
    return encode_jpeg(crop(Image.from_path(STREET), around))


@pytest.mark.parametrize("mmc", ["false", "True"])
def test_every_result_has_the_same_keys(mmc: str, server: Server, plate_alone: bytes) -> None:
    """Rows of a table are written with the keys of the first ones."""
    answers = [server.recognize(picture, mmc=mmc).json for picture in (None, plate_alone)]
    results = [result for answer in answers for result in answer["results"]]
    assert len(results) >= 3
    assert len({json.dumps(shape_of(result)) for result in results}) == 1
    assert all((key in results[0]) == (mmc == "True") for key in MMC)


def shape_of(value: Any) -> Any:
    """The keys, down to the leaves; of a list, those of its first element."""
    if isinstance(value, dict):
        return {key: shape_of(each) for key, each in value.items()}
    return [shape_of(each) for each in value[:1]] if isinstance(value, list) else None


def test_a_vehicle_always_has_a_box(server: Server, plate_alone: bytes) -> None:
    result = server.recognize(plate_alone).json["results"][0]
    assert result["vehicle"] == {"score": 0.0, "type": "Unknown", "box": dict.fromkeys(CORNERS, 0)}
    for result in server.recognize().json["results"]:
        assert set(result["vehicle"]["box"]) == set(result["box"]) == CORNERS
        assert result["vehicle"]["box"]["xmax"] > result["box"]["xmin"]


def test_the_first_of_each_list_is_there(server: Server) -> None:
    for result in server.recognize(mmc="true").json["results"]:
        assert result["candidates"][0] == {"score": result["score"], "plate": result["plate"]}
        assert {"make", "model", "score"} <= set(result["model_make"][0])
        assert {"color", "score"} <= set(result["color"][0])
        assert {"orientation", "score"} <= set(result["orientation"][0])
        assert result["region"]["code"]


def test_the_answer_says_for_whom_and_when_it_is(server: Server) -> None:
    answer = server.recognize().json
    assert {"camera_id", "timestamp", "processing_time", "filename", "version"} <= set(answer)
    assert {"calls", "max_calls"} == set(answer["usage"])
    assert all(isinstance(number, int) for number in answer["usage"].values())


def test_the_start_page_answers_those_who_ask_whether_it_runs(server: Server) -> None:
    assert server.get("/").status == server.request("HEAD", "/").status == 200


def test_the_answer_comes_in_one_piece(server: Server) -> None:
    body, headers = form({"upload": STREET.read_bytes(), "mmc": "true"})
    head = [f"POST {READER} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    with server.raw() as link:
        link.sendall(("\r\n".join(head) + "\r\n\r\n").encode() + body)
        assert link.recv(1, socket.MSG_PEEK)
        time.sleep(0.2)
        first, _, text = link.recv(1 << 20).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in first.lower()
    assert f"content-length: {len(text)}".encode() in first.lower()
    assert len(text) < LARGEST_PIECE
    assert {result["plate"] for result in json.loads(text)["results"]} == TEXTS


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("word", ["True", "False"])
def test_words_of_python_and_pictures_as_png(word: str, server: Server, tmp_path: Path) -> None:
    """A part without a type, named only ``upload``, as several programs send it."""
    picture = tmp_path / "picture"
    picture.write_bytes(encode_png(Image.from_path(STREET)))
    line = ["curl", "-sS", "-F", f"upload=@{picture};filename=upload", "-F", f"mmc={word}", "-F", "config={}"]
    ran = subprocess.run([*line, server.url + READER.rstrip("/")], capture_output=True, check=True, timeout=60)
    answer = json.loads(ran.stdout)
    assert {result["plate"] for result in answer["results"]} == TEXTS
    assert all((key in result) == (word == "True") for key in MMC for result in answer["results"])
    assert answer["filename"] == "upload"


def test_ten_at_once_are_all_answered(server: Server) -> None:
    with ThreadPoolExecutor(10) as clients:
        replies: list[Reply] = list(clients.map(lambda _: server.recognize(), range(10)))
    assert {reply.status for reply in replies} == {200}
