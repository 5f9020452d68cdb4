"""What the documentation's samples in shell, Python, PHP and JavaScript say to the server, and what they hear."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.api.calling import serving
from tests.api.stand_in_service import SECRET, StandInService, as_port

from openplate.api.app import create_app
from sample_programs import run, samples

JPEG = b"\xff\xd8\xff" + bytes(range(256)) * 200


@pytest.fixture(scope="module")
def service() -> StandInService:
    return StandInService(flavour="cloud", token_required=True)


@pytest.fixture(scope="module")
def host(service: StandInService) -> Iterator[str]:
    with serving(create_app(as_port(service))) as (name, port):
        yield f"http://{name}:{port}"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "car.jpg"
    path.write_bytes(JPEG)
    return path


@pytest.mark.parametrize("name", samples("file", "encoded", "options", "streamed"))
def test_pictures_arrive_whole(name: str, service: StandInService, host: str, picture: Path) -> None:
    assert run(name, host, picture, SECRET)["bytes"] == len(JPEG)
    sent, request, _ = service.calls[-1]
    assert sent.data == JPEG
    if not name.startswith("encoded"):
        assert sent.filename == ("street.jpg" if name in ("file.js", "options.js") else "car.jpg")
    assert request.regions[0] == "us-ca"


@pytest.mark.parametrize("name", samples("options"))
def test_options_arrive(name: str, service: StandInService, host: str, picture: Path) -> None:
    run(name, host, picture, SECRET)
    _, request, _ = service.calls[-1]
    assert request.regions == ("us-ca", "mx")
    assert request.mmc
    assert (request.camera_id, request.timestamp_text) == ("gate-1", "2026-03-05T14:02:11")
    config = request.config
    assert (config.mode, config.threshold_d, config.threshold_o) == ("fast", 0.3, 0.5)


@pytest.mark.parametrize("name", samples("file"))
def test_they_see_that_it_was_too_much(name: str, host: str, picture: Path) -> None:
    picture.write_bytes(bytes(2_500_000))
    assert run(name, host, picture, SECRET)["status_code"] == 413


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_that_asks_first_is_told_to_go_on(service: StandInService, host: str, picture: Path) -> None:
    upload = ["-F", f"upload=@{picture}", "-H", f"Authorization: Token {SECRET}", "-H", "Expect: 100-continue"]
    line = ["curl", "-sS", *upload, f"{host}/v1/plate-reader/"]
    subprocess.run(line, capture_output=True, check=True, timeout=60)
    assert service.calls[-1][0].data == JPEG
